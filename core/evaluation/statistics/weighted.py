"""The same scores as `metrics.scores`, for many weightings of the photos at once: what a bootstrap needs."""

from dataclasses import dataclass

import numpy as np

from core.diagnoses import CODES, MALIGNANT
from core.evaluation.calibration_scores import calibration_scores
from core.evaluation.metrics import (
    CALIBRATION_BINS,
    CLASSES,
    MELANOMA,
    NEVUS,
    OPERATING_POINTS,
    ROUNDING,
    calibration_bins,
    check_predictions,
    log_losses,
    malignancy,
    melanoma_against_nevus,
    point_names,
    squared_errors,
)

# Numbers in one block's largest array (the micro-average curve: weightings x photos x classes): 8 MiB.
BLOCK = 2**20


@dataclass(frozen=True)
class Curve:
    """What lies above the threshold that takes in each positive photo, for R weightings and P positives.

    Args:
        weight: of the positive photo itself, (R, P).
        true: of the positives at or above its score, (R, P).
        every: of all photos at or above its score, (R, P).
        over: of all photos above its score, (R, P).
        total: of all photos, (R,).
    """

    weight: np.ndarray
    true: np.ndarray
    every: np.ndarray
    over: np.ndarray
    total: np.ndarray

    @property
    def positives(self) -> np.ndarray:
        return self.weight.sum(axis=1)

    def auc(self) -> np.ndarray:
        """Share of (positive, negative) pairs in the right order, ties counting half, (R,)."""
        positives = self.positives
        # Photos that outrank a positive, ties by half; among the positives themselves these are half of all pairs.
        outranking = (self.weight * (self.over + self.every)).sum(axis=1) / 2 - positives**2 / 2
        return 1 - _share(outranking, positives * (self.total - positives))

    def average_precision(self) -> np.ndarray:
        """Mean over positives of the precision at their threshold, (R,)."""
        return _share((self.weight * _share(self.true, self.every, 0)).sum(axis=1), self.positives)

    def operating_points(self) -> dict[str, np.ndarray]:
        """See `metrics.scores`; a best threshold always takes in a last positive, or nothing."""
        positives = self.positives[:, None]
        sensitivity = _share(self.true, positives)
        specificity = 1 - _share(self.every - self.true, self.total[:, None] - positives)
        undefined = (positives[:, 0] == 0) | (positives[:, 0] == self.total)
        points = {}
        for given, asked, reached, best in (
            ("specificity", "sensitivity", specificity, sensitivity),
            ("sensitivity", "specificity", sensitivity, specificity),
        ):
            for level, name in zip(OPERATING_POINTS, point_names(given, asked), strict=True):
                highest = np.where(reached >= level - ROUNDING, best, 0).max(axis=1, initial=0)
                points[name] = np.where(undefined, np.nan, highest)
        return points


@dataclass(frozen=True)
class Ranking:
    """Photos in falling order of one score. Sorting is done once; a curve then costs one running sum.

    Args:
        order: photo of each place, (M,).
        positives: photos of the class asked about, in that order, (P,).
        first, last: places of the first and last photo with a positive's score, (P,).
        last_positive: the same place, counted among the positives, (P,).
    """

    order: np.ndarray
    positives: np.ndarray
    first: np.ndarray
    last: np.ndarray
    last_positive: np.ndarray

    def curve(self, weights: np.ndarray) -> Curve:
        """The curve under each weighting, weights (R, N)."""
        running = np.zeros((len(weights), len(self.order) + 1))
        np.cumsum(weights[:, self.order], axis=1, out=running[:, 1:])
        weight = weights[:, self.positives]
        true = np.cumsum(weight, axis=1)[:, self.last_positive]
        return Curve(weight, true, running[:, self.last + 1], running[:, self.first], running[:, -1])


def _rank(score: np.ndarray, positive: np.ndarray, photos: np.ndarray) -> Ranking:
    order = np.argsort(-score, kind="stable")
    falling, places = -score[order], np.flatnonzero(positive[order])
    at = falling[places]
    return Ranking(
        order=photos[order],
        positives=photos[order][places],
        first=np.searchsorted(falling, at, side="left"),
        last=np.searchsorted(falling, at, side="right") - 1,
        last_positive=np.searchsorted(at, at, side="right") - 1,
    )


def weighted_auc(score: np.ndarray, positive: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Area under the ROC curve of one score under each of many weightings; ties count half.

    Args:
        score: (N,).
        positive: (N,) bool.
        weights: (R, N).

    Returns:
        (R,), NaN where a weighting has no positives or nothing else.
    """
    return _rank(score, positive, np.arange(len(score))).curve(np.asarray(weights, "float64")).auc()


def _share(part: np.ndarray, whole: np.ndarray, empty: float = np.nan) -> np.ndarray:
    """Quotient of the two; `empty` where the whole is 0."""
    part, whole = np.broadcast_arrays(part, whole)
    return np.divide(part, whole, out=np.full(part.shape, float(empty)), where=whole > 0)


def _mean(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean over classes, (R, 7) -> (R,), that leaves undefined ones out."""
    weights = np.where(np.isnan(values), 0, weights)
    return _share((np.nan_to_num(values) * weights).sum(axis=1), weights.sum(axis=1))


def counted_scores(counts: np.ndarray, majority: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Scores of confusion matrices, (R, 7, 7): summaries (R,), and per-class columns (R, 7)."""
    right = np.einsum("rcc->rc", counts)
    true, predicted = counts.sum(axis=2), counts.sum(axis=1)
    total = true.sum(axis=1)
    there = true > 0
    sensitivity = _share(right, true)
    specificity = 1 - _share(predicted - right, total[:, None] - true)
    precision = np.where(there, np.nan_to_num(_share(right, predicted)), np.nan)
    f1 = np.where(there, _share(2 * right, true + predicted), np.nan)
    agreed, chance = right.sum(axis=1) * total, (true * predicted).sum(axis=1)
    spread = (total**2 - (true**2).sum(axis=1)) * (total**2 - (predicted**2).sum(axis=1))
    several = there.sum(axis=1) > 1
    columns = {"sensitivity": sensitivity, "specificity": specificity, "precision": precision, "f1": f1}
    summary = {
        "accuracy": _share(right.sum(axis=1), total),
        "balanced_accuracy": _mean(sensitivity, there),
        "one_vs_rest_balanced_accuracy": _mean((sensitivity + specificity) / 2, there),
        "macro_precision": _mean(precision, there),
        "macro_specificity": _mean(specificity, there),
        "macro_f1": _mean(f1, there),
        "kappa": np.where(several, _share(agreed - chance, total**2 - chance), np.nan),
        "mcc": np.where(several, np.nan_to_num(_share(agreed - chance, np.sqrt(spread))), np.nan),
        "majority_baseline": _share(true[:, majority], total),
    }
    return summary, columns


def weighted_scores(y_true: np.ndarray, probabilities: np.ndarray, weights: np.ndarray) -> dict[str, np.ndarray]:
    """`flatten(scores(...))` with weighted photos, for each of R weightings.

    A class whose photos all weigh 0 is absent from that weighting. Confusion matrices come from one matrix product; a curve
    is sorted once and its weights summed along it. 2 000 photos by 1 000 weightings take about one second on one core.

    Args:
        y_true: true classes, (N,), positions in `CODES`.
        probabilities: (N, 7), rows add up to 1.
        weights: (R, N), not negative; each row with at least one positive weight.

    Returns:
        Metric name, as `flatten` gives it, -> (R,), NaN where undefined.

    Raises:
        ValueError: shapes that do not fit; see also `check_predictions`.
    """
    y_true, probabilities = check_predictions(y_true, probabilities)
    if weights.ndim != 2 or weights.shape[1] != len(y_true):
        raise ValueError(f"Got weights of shape {weights.shape}. Expected (R, {len(y_true)}): one weight a photo.")
    photos = np.arange(len(y_true))
    y_pred, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    one_hot = np.eye(CLASSES)[y_true]
    cells = np.eye(CLASSES**2)[y_true * CLASSES + y_pred]
    surplus = np.eye(CALIBRATION_BINS)[calibration_bins(confidence)] * ((y_pred == y_true) - confidence)[:, None]
    losses = np.stack([squared_errors(y_true, probabilities), log_losses(y_true, probabilities)], axis=1)
    majority = int(np.bincount(y_true, minlength=CLASSES).argmax())
    pair = np.isin(y_true, (MELANOMA, NEVUS))
    classes = [_rank(probabilities[:, c], y_true == c, photos) for c in range(CLASSES)]
    micro = _rank(probabilities.ravel(), one_hot.ravel(), np.repeat(photos, CLASSES))
    malignant = _rank(malignancy(probabilities), np.array(MALIGNANT)[y_true], photos)
    duel = _rank(melanoma_against_nevus(probabilities[pair]), y_true[pair] == MELANOMA, photos[pair])

    def score_block(block: np.ndarray) -> dict[str, np.ndarray]:
        total = block.sum(axis=1)
        by_class = block @ one_hot
        values, columns = counted_scores((block @ cells).reshape(-1, CLASSES, CLASSES), majority)
        curves = [ranking.curve(block) for ranking in classes]
        columns["auc"] = np.stack([curve.auc() for curve in curves], axis=1)
        columns["average_precision"] = np.stack([curve.average_precision() for curve in curves], axis=1)
        values["auc_macro"] = _mean(columns["auc"], by_class > 0)
        values["auc_weighted"] = _mean(columns["auc"], by_class)
        values["auc_micro"] = micro.curve(block).auc()
        values["malignancy_auc"] = malignant.curve(block).auc()
        values["melanoma_nevus_auc"] = duel.curve(block).auc()
        values |= curves[MELANOMA].operating_points()
        values["ece"] = _share(np.abs(block @ surplus).sum(axis=1), total)
        of_calibration, of_classes = calibration_scores(y_true, probabilities, block)
        values |= of_calibration
        columns |= of_classes
        values["brier"], values["log_loss"] = _share(block @ losses, total[:, None]).T
        return values | {
            f"{code}.{key}": column[:, c] for key, column in columns.items() for c, code in enumerate(CODES)
        }

    rows = max(1, BLOCK // (len(y_true) * CLASSES))
    blocks = [score_block(weights[i : i + rows].astype("float64")) for i in range(0, len(weights), rows)]
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}
