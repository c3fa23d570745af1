"""The scores of one set of predictions: a plain reading of each definition, by scikit-learn where it has one."""

from typing import Any

import numpy as np

from core.diagnoses import CODES, MALIGNANT, MELANOMA, NEVUS
from core.evaluation.calibration_scores import CALIBRATION_BINS, calibration_bins, calibration_scores

CLASSES = len(CODES)
# Operating points that screening studies report. docs/reproduction.md, section 7.
OPERATING_POINTS = (0.90, 0.95)
# Scores that a decision rule gives; all others are of the probabilities themselves.
DECIDED = (
    "accuracy",
    "balanced_accuracy",
    "one_vs_rest_balanced_accuracy",
    "macro_precision",
    "macro_specificity",
    "macro_f1",
    "kappa",
    "mcc",
)
DECIDED_PER_CLASS = ("sensitivity", "specificity", "precision", "f1")
# A share such as 9/10 and the same share summed in another order must meet the same operating point.
ROUNDING = 1e-12


def _sklearn():
    """scikit-learn's metrics: they take a second to import, and a reading needs none of them."""
    from sklearn import metrics

    return metrics


def check_predictions(y_true: np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns both as arrays, (N,) int64 and (N, 7) float64.

    Raises:
        ValueError: no photos, shapes that do not fit, a class outside 0..6, or rows that are not probabilities.
    """
    y_true, probabilities = np.asarray(y_true), np.asarray(probabilities, dtype="float64")
    if y_true.ndim != 1 or len(y_true) == 0 or probabilities.shape != (len(y_true), CLASSES):
        raise ValueError(
            f"Got true classes of shape {y_true.shape} and probabilities of shape {probabilities.shape}. "
            f"Expected (N,) and (N, {CLASSES}), with at least one photo."
        )
    if y_true.dtype.kind not in "iu" or y_true.min() < 0 or y_true.max() >= CLASSES:
        raise ValueError(
            f"True classes must be whole numbers from 0 to {CLASSES - 1}: positions in {', '.join(CODES)}."
        )
    sums = probabilities.sum(axis=1)
    wrong = ~(np.isfinite(sums) & (probabilities >= 0).all(axis=1) & (np.abs(sums - 1) < 1e-4))
    if wrong.any():
        raise ValueError(
            f"{wrong.sum()} of {len(y_true)} rows are not probabilities (first: row {np.argmax(wrong)}, sum {sums[wrong][0]:.4g}). "
            "Expected seven numbers from 0 to 1 that add up to 1."
        )
    return y_true.astype("int64"), probabilities


def confusion(y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    """Counts of photos, shape (7, 7): rows are the true class, columns the predicted one."""
    return _sklearn().confusion_matrix(y_true, y_pred, labels=range(CLASSES))


def calibration_error(y_true: np.ndarray, probabilities: np.ndarray) -> float:
    """Expected calibration error: mean over photos of |accuracy - confidence| of the photo's bin.

    Fifteen bins of equal width on the probability of the predicted class; empty bins count nothing.

    Reference: Guo et al. 2017, arXiv 1706.04599, equation 3.
    """
    confidence = probabilities.max(axis=1)
    surplus = (probabilities.argmax(axis=1) == y_true) - confidence
    return float(np.abs(np.bincount(calibration_bins(confidence), surplus, CALIBRATION_BINS)).sum() / len(y_true))


def squared_errors(y_true: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Brier's score of each photo: squared error summed over the classes, shape (N,), 0..2."""
    return ((probabilities - np.eye(CLASSES)[y_true]) ** 2).sum(axis=1)


def log_losses(y_true: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Cross-entropy of each photo in nats, shape (N,); a probability of 0 counts as the smallest step from 1."""
    given = probabilities[np.arange(len(y_true)), y_true]
    return -np.log(np.clip(given, np.finfo("float64").eps, 1))


def melanoma_against_nevus(probabilities: np.ndarray) -> np.ndarray:
    """The melanoma probability of a lesion known to be melanoma or nevus, shape (N,)."""
    pair = probabilities[:, MELANOMA] + probabilities[:, NEVUS]
    return np.divide(probabilities[:, MELANOMA], pair, out=np.full(len(pair), 0.5), where=pair > 0)


def malignancy(probabilities: np.ndarray) -> np.ndarray:
    """Sum of the malignant classes' probabilities, shape (N,)."""
    return probabilities[:, np.array(MALIGNANT)].sum(axis=1)


def point_names(given: str, asked: str) -> list[str]:
    """Metric names of the operating points, such as "melanoma_sensitivity_at_90_specificity"."""
    return [f"melanoma_{asked}_at_{round(100 * level)}_{given}" for level in OPERATING_POINTS]


def _auc(positive: np.ndarray, score: np.ndarray) -> float | None:
    return float(_sklearn().roc_auc_score(positive, score)) if 0 < positive.sum() < len(positive) else None


def _mean(values: list[float | None], weights: list[float] | None = None) -> float | None:
    there = [i for i, value in enumerate(values) if value is not None]
    if not there:
        return None
    return float(np.average([values[i] for i in there], weights=[weights[i] for i in there] if weights else None))  # pyright: ignore[reportCallIssue]


def _operating_points(positive: np.ndarray, score: np.ndarray) -> dict[str, float | None]:
    """Best sensitivity among the thresholds that reach a specificity, and the reverse."""
    names = [*point_names("specificity", "sensitivity"), *point_names("sensitivity", "specificity")]
    if not 0 < positive.sum() < len(positive):
        return dict.fromkeys(names)
    false, true, _ = _sklearn().roc_curve(positive, score, drop_intermediate=False)
    sensitivities = [float(true[1 - false >= level - ROUNDING].max()) for level in OPERATING_POINTS]
    specificities = [float(1 - false[true >= level - ROUNDING].min()) for level in OPERATING_POINTS]
    return dict(zip(names, sensitivities + specificities, strict=True))


def scores(y_true: np.ndarray, probabilities: np.ndarray) -> dict:
    """All scores of one set of predictions, decided by the rule "likeliest"; those of another rule are `decision_scores`.

    What cannot be computed is None, never 0: the sensitivity, precision, F1, AUC and average precision of a class
    that no photo has (its specificity stays defined), an AUC without negatives, a kappa with one class only. Means over
    classes (`balanced_accuracy`, `macro_*`, `auc_macro`, `auc_weighted`) are over the classes that are there. A class that
    is there but is never predicted has precision 0 and F1 0: a None would reward silence.

    Reference: docs/reproduction.md, section 7.

    Args:
        y_true: true classes, (N,), positions in `CODES`.
        probabilities: (N, 7), rows add up to 1.

    Returns:
        accuracy: photos predicted right, of all.
        balanced_accuracy: mean sensitivity.
        one_vs_rest_balanced_accuracy: mean of (sensitivity + specificity) / 2, the paper's Eq. 13; for comparison only,
            since specificity lifts it.
        macro_precision, macro_specificity, macro_f1, kappa (Cohen), mcc (Matthews): from the confusion matrix.
        auc_macro, auc_weighted, auc_micro: one against the rest: mean, mean by photos, all decisions in one curve.
        malignancy_auc: malignant against benign classes, by the malignant probabilities' sum.
        melanoma_nevus_auc: melanoma and nevus photos only, by p(mel) / (p(mel) + p(nv)).
        melanoma_sensitivity_at_90_specificity and _at_95_, melanoma_specificity_at_90_sensitivity and _at_95_: melanoma
            against the rest, the best threshold that reaches the level on these photos.
        ece: expected calibration error of the likeliest diagnosis' probability. macro_ece, malignancy_ece,
            malignancy_mean_probability, malignancy_share, melanoma_slope, melanoma_intercept, malignancy_slope,
            malignancy_intercept: see `calibration_scores`. brier: sum over classes of squared error, 0..2. log_loss: nats.
        majority_baseline: accuracy of always answering these photos' commonest class.
        per_class: code -> sensitivity, specificity, precision, f1, auc, average_precision; ece, mean_probability and share, see
            `calibration_scores`.

    Raises:
        ValueError: see `check_predictions`.
    """
    y_true, probabilities = check_predictions(y_true, probabilities)
    decided = decision_scores(y_true, probabilities.argmax(axis=1))
    photos = np.bincount(y_true, minlength=CLASSES)
    present = [c for c in range(CLASSES) if photos[c]]
    of_calibration, columns = calibration_scores(y_true, probabilities, np.ones((1, len(y_true))))
    per_class = {}
    for c, code in enumerate(CODES):
        positive, there = y_true == c, c in present
        per_class[code] = {
            **decided["per_class"][code],
            "auc": _auc(positive, probabilities[:, c]),
            "average_precision": float(_sklearn().average_precision_score(positive, probabilities[:, c]))
            if there
            else None,
            **{key: float(column[0, c]) for key, column in columns.items()},
        }
    aucs = [per_class[CODES[c]]["auc"] for c in present]
    one_hot = np.eye(CLASSES)[y_true]
    pair = np.isin(y_true, (MELANOMA, NEVUS))
    return {
        **{name: decided[name] for name in DECIDED},
        "auc_macro": _mean(aucs),
        "auc_weighted": _mean(aucs, [float(photos[c]) for c in present]),
        "auc_micro": _auc(one_hot.ravel(), probabilities.ravel()),
        "malignancy_auc": _auc(np.array(MALIGNANT)[y_true], malignancy(probabilities)),
        "melanoma_nevus_auc": _auc(y_true[pair] == MELANOMA, melanoma_against_nevus(probabilities[pair])),
        **_operating_points(y_true == MELANOMA, probabilities[:, MELANOMA]),
        "ece": calibration_error(y_true, probabilities),
        **{name: None if np.isnan(value[0]) else float(value[0]) for name, value in of_calibration.items()},
        "brier": float(squared_errors(y_true, probabilities).mean()),
        "log_loss": float(log_losses(y_true, probabilities).mean()),
        "majority_baseline": float(photos.max() / len(y_true)),
        "per_class": per_class,
    }


def decision_scores(y_true: np.ndarray, y_pred: np.ndarray) -> dict:
    """The scores of decisions, whatever rule made them: `DECIDED`, and "per_class" with `DECIDED_PER_CLASS`; see `scores`.

    Args:
        y_true, y_pred: classes, (N,), positions in `CODES`.
    """
    counts = confusion(y_true, y_pred)
    photos = counts.sum(axis=1)
    present = [c for c in range(CLASSES) if photos[c]]
    by_class: Any = _sklearn().precision_recall_fscore_support(y_true, y_pred, labels=range(CLASSES), zero_division=0)
    precision, recall, f1, _ = by_class
    per_class = {}
    for c, code in enumerate(CODES):
        negatives = len(y_true) - photos[c]
        there = c in present
        per_class[code] = {
            "sensitivity": float(recall[c]) if there else None,
            "specificity": float(1 - (counts[:, c].sum() - counts[c, c]) / negatives) if negatives else None,
            "precision": float(precision[c]) if there else None,
            "f1": float(f1[c]) if there else None,
        }
    column = {key: [per_class[CODES[c]][key] for c in present] for key in per_class["mel"]}
    one_class = len(present) == 1
    return {
        "accuracy": float((y_pred == y_true).mean()),
        "balanced_accuracy": _mean(column["sensitivity"]),
        "one_vs_rest_balanced_accuracy": _mean(
            [
                None if q is None else (p + q) / 2
                for p, q in zip(column["sensitivity"], column["specificity"], strict=True)
            ]
        ),
        "macro_precision": _mean(column["precision"]),
        "macro_specificity": _mean(column["specificity"]),
        "macro_f1": _mean(column["f1"]),
        "kappa": None if one_class else float(_sklearn().cohen_kappa_score(y_true, y_pred, labels=range(CLASSES))),
        "mcc": None if one_class else float(_sklearn().matthews_corrcoef(y_true, y_pred)),
        "per_class": per_class,
    }


def flatten(scored: dict) -> dict[str, float | None]:
    """One level of `scores`: per-class scores become names such as "mel.sensitivity"."""
    flat = {name: value for name, value in scored.items() if name != "per_class"}
    return flat | {f"{code}.{key}": value for code, row in scored["per_class"].items() for key, value in row.items()}


def absent_classes(y_true: np.ndarray) -> list[str]:
    """Codes of the diagnoses that no photo has."""
    return [code for c, code in enumerate(CODES) if not (np.asarray(y_true) == c).any()]
