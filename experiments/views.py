"""Shipped models' answers under eight mirrored and turned views of a photo; `experiments.levers` compares them with one view."""

import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from core.bundle import Bundle, load_bundle
from core.data.ham10000 import class_indices
from core.data.image_cache import cache_images
from core.data.split import Split
from core.decisions import SCORED
from core.diagnoses import CODES
from experiments.runs import append_runs, unfinished, with_result
from experiments.terminal import say

BATCH = 64
# A mirrored and turned copy of images (N, S, S, 3): a quarter turn so many times, then a mirror or none.
VIEWS = tuple((turns, mirrored) for mirrored in (False, True) for turns in range(4))


def view(images: np.ndarray, turns: int, mirrored: bool) -> np.ndarray:
    """A copy of images (N, S, S, 3), turned by so many quarters and mirrored, or not."""
    turned = np.rot90(images, turns, axes=(1, 2))
    return turned[:, :, ::-1] if mirrored else turned


def answer_views(bundle: Bundle, rows: pd.DataFrame, images: np.ndarray) -> np.ndarray:
    """A model's calibrated probabilities under each view, (8, N, 7). An ensemble's are the mean of its members'.

    Args:
        images: (N, S, S, 3) uint8, of the rows.
    """
    facts = bundle.card.facts_encoder.encode_columns(rows.age, rows.sex, rows.localization)
    found = np.empty((len(VIEWS), len(rows), len(CODES)))
    for number, (turns, mirrored) in enumerate(VIEWS):
        for start in range(0, len(rows), BATCH):
            # One shape for the compiled network: the last batch is filled up.
            chunk = np.minimum(np.arange(start, start + BATCH), len(rows) - 1)
            photos = view(images[chunk], turns, mirrored).astype("float32")
            inputs = [photos, facts[chunk]] if bundle.classifier.uses_metadata else photos
            logits = bundle.classifier.model.predict_on_batch(inputs)[0]
            stop = min(start + BATCH, len(rows))
            found[number, start:stop] = bundle.card.calibration.probabilities(logits[: stop - start])
    return found


def run_views(path: Path, table: pd.DataFrame, split: Split, names: Iterable[str]) -> None:
    """Answers the validation photos as they are and under eight views, by every shipped model that the results file lacks.

    Each is scored under two decision rules: the largest of the logarithms that are kept is what the rule decides for.
    """
    rows = split.rows(table, "validation")
    images = None
    for name in names:
        bundle = load_bundle(name)
        terms, digest = bundle.card.terms, bundle.card.probabilities_sha256
        about = {"backbone": bundle.name, "sha256": digest, "seed": 0, "split": split.hash}
        runs = [{**about, "what": f"{count} views", "rule": rule} for count in (1, len(VIEWS)) for rule in SCORED]
        if not unfinished(path, runs):
            continue
        if images is None:
            images = cache_images(table, bundle.card.image_size)[np.flatnonzero(table.image_id.isin(rows.image_id))]
        started = time.monotonic()
        answers = answer_views(bundle, rows, images)
        seconds = time.monotonic() - started
        of_count = {"1 views": answers[0], f"{len(VIEWS)} views": answers.mean(axis=0)}
        for run in runs:
            logits = np.log(np.maximum(of_count[run["what"]], 1e-12))
            if run["rule"] == "balanced":
                logits -= terms.power * np.log(terms.shares)
            append_runs(path, [with_result(run, class_indices(rows), logits, seconds / len(runs))])
        say(f"{bundle.name}, views: {seconds:.0f} s")
