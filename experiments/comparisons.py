"""Scores and differences of many runs, with intervals: what each experiment writes as its result.

Every experiment's result is a JSON file:
    {"experiment", "about", "command", "backbones", "split_hash", "part", "confidence", "comparisons": [...], ...}
and every entry of `comparisons` is
    {"name": what, in words; "metric": as in core.evaluation.metrics; "backbone"; "value", "low", "high": the number and its 95 % interval;
     "seed_low", "seed_high": the smallest and largest value of a single seed; "n_photos", "n_lesions", "seeds": how many of each;
     "unit": "difference" (of two scores, 0.01 is one point) or "score"; ...}, and what else an experiment needs to find it again.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from core.diagnoses import CODES
from core.evaluation.statistics.bootstrap import RESAMPLES, resample_lesions, with_interval
from core.evaluation.statistics.weighted import counted_scores
from core.files import write_text
from experiments import readme
from experiments.runs import predicted_classes

CONFIDENCE = (
    f"95 % percentile intervals of a bootstrap that resamples lesions ({RESAMPLES} resamples, seed 0; the same lesions for both sides of a "
    "difference; the mean over seeds in each). They cover the choice of test lesions; seed_low and seed_high show the chance in training."
)
# Scores that answered classes alone give, and which of `counted_scores` they are.
COUNTED = ("balanced_accuracy", "accuracy", "macro_f1")
PLACES = 4


@dataclass(frozen=True)
class Judge:
    """Scores answered classes on fixed photos, under resampled lesions.

    Args:
        labels: output indices, (N,).
        lesions: lesion of each photo, (N,).
        weights: of each photo in each resample, (R + 1, N); row 0 is 1, the photos as they are.
    """

    labels: np.ndarray
    lesions: np.ndarray
    weights: np.ndarray

    @property
    def counts(self) -> dict[str, int]:
        return {"n_photos": len(self.labels), "n_lesions": len(np.unique(self.lesions))}

    def score(self, predicted: np.ndarray, metric: str) -> np.ndarray:
        """A score as it is, then in each resample, (R + 1,).

        Args:
            predicted: answered classes, (N,).
            metric: "balanced_accuracy", "accuracy", "macro_f1" or "<code>.sensitivity", "<code>.specificity".

        Raises:
            ValueError: another metric, or answers that are not of these photos.
        """
        if len(predicted) != len(self.labels):
            raise ValueError(
                f"Got {len(predicted)} answers for {len(self.labels)} photos: the runs are of another split. Run them again."
            )
        cells = np.eye(len(CODES) ** 2, dtype="float32")[self.labels * len(CODES) + predicted]
        counted = (self.weights @ cells).astype("float64").reshape(-1, len(CODES), len(CODES))
        summary, columns = counted_scores(counted, int(np.bincount(self.labels).argmax()))
        if metric in COUNTED:
            return summary[metric]
        code, _, column = metric.partition(".")
        if code not in CODES or column not in columns:
            raise ValueError(
                f"Unknown metric {metric!r}. Expected one of: {', '.join(COUNTED)}, or a code with .sensitivity."
            )
        return columns[column][:, CODES.index(code)]


def make_judge(labels: np.ndarray, lesions: Sequence[str], resamples: int = RESAMPLES) -> Judge:
    """A judge of these photos. Args: see `Judge`."""
    return Judge(np.asarray(labels), np.asarray(lesions), _weights(tuple(lesions), resamples))


@lru_cache(maxsize=4)
def _weights(lesions: tuple[str, ...], resamples: int) -> np.ndarray:
    """See `Judge.weights`; the same photos are judged many times over."""
    drawn = resample_lesions(lesions, resamples).astype("float32")
    return np.concatenate([np.ones((1, len(lesions)), "float32"), drawn])


def compare(judge: Judge, metric: str, first: Sequence[dict], second: Sequence[dict] | None = None, **about) -> dict:
    """The mean score of runs, or how much better they score than others, with an interval.

    Args:
        first: runs of one or more seeds, and of as many cells as are averaged.
        second: runs of the same seeds; run i is compared with run i of `first`. None for a score alone.
        **about: goes into the record.

    Returns:
        One entry of `comparisons`; see the module.
    """
    scored = np.stack([judge.score(predicted_classes(run), metric) for run in first])
    if second is not None:
        scored = scored - np.stack([judge.score(predicted_classes(run), metric) for run in second])
    seeds = np.array([run["seed"] for run in first])
    by_seed = np.stack([scored[seeds == seed].mean(axis=0) for seed in np.unique(seeds)])
    mean = by_seed.mean(axis=0)
    return _record(judge, metric, mean, by_seed[:, 0], "score" if second is None else "difference", about)


Answers = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def compare_pooled(
    metric: str, first: Answers, second: Answers | None = None, resamples: int = RESAMPLES, **about
) -> dict:
    """As `compare`, where every seed has its own test photos: a lesion drawn twice counts twice in each of them.

    Args:
        first: one entry an answered photo: seed, lesion, label, answered class.
        second: other answers to the same photos, in the same order; None for a score alone.
        **about: goes into the record.
    """
    seeds, lesions, labels, answers = first
    weights = _weights(tuple(lesions), resamples)
    by_seed = []
    for seed in np.unique(seeds):
        rows = seeds == seed
        judge = Judge(labels[rows], lesions[rows], weights[:, rows])
        scored = judge.score(answers[rows], metric)
        by_seed.append(scored if second is None else scored - judge.score(second[3][rows], metric))
    by_seed = np.stack(by_seed)
    whole = Judge(labels, lesions, weights)
    return _record(
        whole, metric, by_seed.mean(axis=0), by_seed[:, 0], "score" if second is None else "difference", about
    )


def _record(judge: Judge, metric: str, mean: np.ndarray, of_seeds: np.ndarray, unit: str, about: dict) -> dict:
    value = None if np.isnan(mean[0]) else float(mean[0])
    numbers = {
        **vars(with_interval(value, mean[1:])),
        "seed_low": float(of_seeds.min()),
        "seed_high": float(of_seeds.max()),
    }
    return {
        **about,
        "metric": metric,
        **{name: None if number is None else round(number, PLACES) for name, number in numbers.items()},
        **judge.counts,
        "seeds": len(of_seeds),
        "unit": unit,
    }


def write_result(path: Path, record: dict) -> None:
    """Writes an experiment's result, whole or not at all; with the results of this project, the README's tables as well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(record, indent=1) + "\n")
    if path.parent.resolve() == readme.RESULTS:
        readme.update()
