"""Finished runs of an experiment: one JSON line each, appended, so that a killed experiment goes on where it stopped."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import numpy as np

from core.calibration import Calibration
from core.diagnoses import CODES
from core.evaluation.metrics import flatten, scores
from experiments.cells import Cell, Training

# What is kept of each run; `metrics.scores` says what they mean.
SCORES = (
    "balanced_accuracy",
    "accuracy",
    "auc_macro",
    "macro_f1",
    "mel.sensitivity",
    "mel.auc",
    "melanoma_sensitivity_at_90_specificity",
)
# Of AUCs: finer than any interval, and short in the file.
DIGITS = 4


def key_of(run: dict) -> str:
    """What tells a run from all others of its experiment: everything but its result."""
    return json.dumps(
        {k: v for k, v in run.items() if k not in ("seconds", "photos", "scores", "predicted")}, sort_keys=True
    )


def describe(cell: Cell, training: Training, **more) -> dict:
    """A run's record without its result."""
    return {**more, **asdict(cell), "training": asdict(training)}


def with_result(run: dict, labels: np.ndarray, logits: np.ndarray, seconds: float) -> dict:
    """A run's record with its result.

    Args:
        labels: output indices of the scored photos, (N,).
        logits: (N, 7).
        seconds: of this run's share of the training.

    Returns:
        The record, with `scores`, and `predicted`: one digit a photo, the answered class, in the order of the split's part. From
        these digits every interval is computed again without a photo or a network.
    """
    probabilities = Calibration(1.0).probabilities(logits)
    flat = flatten(scores(labels, probabilities))
    return {
        **run,
        "seconds": round(seconds, 1),
        "photos": len(labels),
        "scores": {name: round(flat[name], DIGITS) for name in SCORES if flat[name] is not None},
        "predicted": "".join(map(str, probabilities.argmax(axis=1))),
    }


def predicted_classes(run: dict) -> np.ndarray:
    """Answered classes of a run, (N,)."""
    return np.array([int(digit) for digit in run["predicted"]])


def probabilities_of(predicted: np.ndarray) -> np.ndarray:
    """Certain probabilities of answered classes, (N, 7)."""
    return np.eye(len(CODES))[predicted]


def read_runs(path: Path) -> list[dict]:
    """Every whole line of a results file; a line that a kill cut short is left out and will be run again."""
    runs = []
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                runs.append(json.loads(line))
            except ValueError:
                continue
    return runs


def append_runs(path: Path, runs: Iterable[dict]) -> None:
    """Adds finished runs to a results file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(run) + "\n" for run in runs)
    with open(path, "a+", encoding="utf-8") as file:
        file.seek(0, 2)
        if file.tell():
            file.seek(file.tell() - 1)
            if file.read(1) != "\n":
                # The last line was cut by a kill: end it, so that it spoils only itself.
                text = "\n" + text
        file.write(text)


def unfinished(path: Path, runs: Iterable[dict]) -> list[dict]:
    """Those of the described runs that a results file does not hold yet, each once."""
    done = {key_of(run) for run in read_runs(path)}
    todo = []
    for run in runs:
        key = key_of(run)
        if key not in done:
            done.add(key)
            todo.append(run)
    return todo
