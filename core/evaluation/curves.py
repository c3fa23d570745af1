"""Curves of one diagnosis against the rest, with bands that resample lesions, and what calibration and scores look like."""

from dataclasses import dataclass

import numpy as np

from core.diagnoses import CODES
from core.evaluation.calibration_scores import CALIBRATION_BINS, calibration_bins, said_and_true
from core.evaluation.metrics import CLASSES
from core.evaluation.results import Results
from core.evaluation.statistics.bootstrap import LEVEL, resample_lesions

# Where a band is measured; the curve itself has every threshold.
GRID = np.linspace(0, 1, 101)
BAND_RESAMPLES = 400
# What is asked beside the seven diagnoses: whether a photo shows a malignant or pre-malignant one.
MALIGNANCY = "malignant"
SCORE_BINS = 20


@dataclass(frozen=True, eq=False)
class BandedCurve:
    """A curve with its 95 % band.

    Args:
        x, y: every threshold, from the strictest on.
        grid, low, high: the band, pointwise, on a grid of x.
        point: (x, y) where the network works when it answers its likeliest diagnosis, or None where undefined.
        baseline: y of a network that guesses, for precision-recall: the share of the class.
    """

    x: np.ndarray
    y: np.ndarray
    grid: np.ndarray
    low: np.ndarray
    high: np.ndarray
    point: tuple[float, float] | None
    baseline: float


@dataclass(frozen=True)
class CalibrationBin:
    """Photos whose top probability falls into one bin: what was promised and what came true."""

    low: float
    high: float
    photos: int
    confidence: float
    accuracy: float


def roc(results: Results, code: str, *, resamples: int = BAND_RESAMPLES, seed: int = 0) -> BandedCurve | None:
    """Sensitivity (y) over the false-alarm rate (x), one against the rest; None where the class or the rest is absent."""
    counted = _count(results, code, resamples, seed)
    if counted is None:
        return None
    true, false, last, positive = counted
    sensitivity, alarms = true / true[:, -1:], false / false[:, -1:]
    x, y = np.r_[0, alarms[0, last]], np.r_[0, sensitivity[0, last]]
    band = np.stack(
        [np.interp(GRID, np.r_[0, alarms[r, last]], np.r_[0, sensitivity[r, last]]) for r in range(1, len(true))]
    )
    band[:, 0] = 0
    chosen = results.y_pred == CODES.index(code)
    point = float(chosen[~positive].mean()), float(chosen[positive].mean())
    return BandedCurve(x, y, GRID, *_quantiles(band), point, float(positive.mean()))


def precision_recall(
    results: Results, code: str, *, resamples: int = BAND_RESAMPLES, seed: int = 0
) -> BandedCurve | None:
    """Precision (y) over sensitivity (x), one against the rest; None where the class or the rest is absent."""
    counted = _count(results, code, resamples, seed)
    if counted is None:
        return None
    true, false, last, positive = counted
    recall = true[:, last] / true[:, -1:]
    every = true[:, last] + false[:, last]
    precision = np.divide(true[:, last], every, out=np.ones(every.shape), where=every > 0)
    # The first threshold that reaches a recall, without interpolation, which flatters precision (Davis and Goadrich 2006).
    reached = np.stack([np.searchsorted(recall[r], GRID - 1e-12) for r in range(1, len(recall))])
    band = np.take_along_axis(precision[1:], np.clip(reached, 0, len(last) - 1), axis=1)
    chosen = results.y_pred == CODES.index(code)
    point = (float(chosen[positive].mean()), float(positive[chosen].mean())) if chosen.any() else None
    return BandedCurve(recall[0], precision[0], GRID, *_quantiles(band), point, float(positive.mean()))


def _count(results: Results, code: str, resamples: int, seed: int):
    """Running weights of positives and negatives in falling order of score: first the photos as they are, then R resamples.

    Returns:
        true (1 + R, N), false (1 + R, N), last place of each distinct score, positive (N,); or None.
    """
    positive = results.y_true == CODES.index(code)
    if not 0 < positive.sum() < len(positive):
        return None
    score = results.probabilities[:, CODES.index(code)]
    order = np.argsort(-score, kind="stable")
    weights = resample_lesions(results.lesions, resamples, seed)
    weights = np.vstack([np.ones((1, len(score)), dtype=weights.dtype), weights])[:, order].astype("float64")
    last = np.flatnonzero(np.r_[np.diff(score[order]) != 0, True])
    true = np.cumsum(weights * positive[order], axis=1)
    false = np.cumsum(weights * ~positive[order], axis=1)
    # A resample without the class, or with nothing else, says nothing about it.
    kept = (true[:, -1] > 0) & (false[:, -1] > 0)
    return true[kept], false[kept], last, positive


def _quantiles(band: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    low, high = np.quantile(band, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return low, high


def reliability(results: Results) -> list[CalibrationBin]:
    """Top-class probability against the share that was right, in the fifteen bins of `metrics.calibration_error`; no empty ones."""
    confidence = results.probabilities.max(axis=1)
    right = results.y_pred == results.y_true
    place = calibration_bins(confidence)
    return [
        CalibrationBin(
            b / CALIBRATION_BINS,
            (b + 1) / CALIBRATION_BINS,
            int((place == b).sum()),
            float(confidence[place == b].mean()),
            float(right[place == b].mean()),
        )
        for b in range(CALIBRATION_BINS)
        if (place == b).any()
    ]


def reliability_of(results: Results, question: str) -> list[CalibrationBin]:
    """The probability of one diagnosis, or of `MALIGNANCY`, over all photos, against the share that it was; no empty bins."""
    said, true = said_and_true(results.y_true, results.probabilities)
    column = len(CODES) if question == MALIGNANCY else CODES.index(question)
    said, true = said[:, column], true[:, column]
    place = calibration_bins(said)
    return [
        CalibrationBin(
            b / CALIBRATION_BINS,
            (b + 1) / CALIBRATION_BINS,
            int((place == b).sum()),
            float(said[place == b].mean()),
            float(true[place == b].mean()),
        )
        for b in np.unique(place).tolist()
    ]


def score_distribution(results: Results, code: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How the probability of a diagnosis spreads over the photos that have it and over the others.

    Returns:
        Bin edges (21,), share of the class' photos in each bin (20,), share of the other photos (20,); zeros where there are none.
    """
    score, positive = results.probabilities[:, CODES.index(code)], results.y_true == CODES.index(code)
    edges = np.linspace(0, 1, SCORE_BINS + 1)
    shares = [np.histogram(score[rows], edges)[0] / max(1, rows.sum()) for rows in (positive, ~positive)]
    return edges, *shares


def row_shares(confusion: list | np.ndarray) -> np.ndarray:
    """A confusion matrix as shares of each true class, (7, 7); NaN rows where a class is absent."""
    counts = np.asarray(confusion, dtype="float64").reshape(CLASSES, CLASSES)
    total = counts.sum(axis=1, keepdims=True)
    return np.divide(counts, total, out=np.full(counts.shape, np.nan), where=total > 0)
