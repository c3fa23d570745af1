"""Do probabilities mean what they say? Scores of each diagnosis and of malignancy, for many weightings of the photos at once."""

import numpy as np

from core.diagnoses import CODES, MALIGNANT, MELANOMA

CLASSES = len(CODES)
# Guo et al. 2017, "On calibration of modern neural networks", section 4.
CALIBRATION_BINS = 15
# Log-odds of a probability of 0 or 1 are taken at this distance from it.
SMALLEST = 1e-6
NEWTON_STEPS = 25
# Slopes and intercepts beyond this come of photos that a threshold separates without an error: there is no finite one.
LARGEST = 50.0


def calibration_bins(confidence: np.ndarray) -> np.ndarray:
    """Bin of each probability: equal widths, each bin holding its upper edge, shape (N,), 0..14."""
    return np.clip(np.ceil(confidence * CALIBRATION_BINS).astype("int64") - 1, 0, CALIBRATION_BINS - 1)


def said_and_true(y_true: np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eight questions of each photo: each diagnosis, then whether it is malignant.

    Returns:
        The probability that was said, and 1 where it came true, both (N, 8) float64.
    """
    malignant = np.array(MALIGNANT)
    said = np.concatenate([probabilities, probabilities[:, malignant].sum(axis=1, keepdims=True)], axis=1)
    true = np.concatenate([np.eye(CLASSES)[y_true], malignant[y_true][:, None]], axis=1).astype("float64")
    return said, true


def calibration_scores(
    y_true: np.ndarray, probabilities: np.ndarray, weights: np.ndarray
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Calibration of each diagnosis and of malignancy under each weighting.

    Reference: Guo et al. 2017, arXiv 1706.04599, equation 3, on one diagnosis' probability over all photos (Nixon et al. 2019,
    arXiv 1904.01685, call it class-wise); Van Calster et al. 2019, BMC Med 17:230, for slope and intercept.

    Args:
        y_true: true classes, (N,), positions in `CODES`.
        probabilities: (N, 7).
        weights: (R, N), float64.

    Returns:
        Summaries (R,): "macro_ece" (mean over the diagnoses that are there), "malignancy_ece", "malignancy_mean_probability",
        "malignancy_share", and, for "melanoma_" and "malignancy_", "slope" (of the logistic regression of what came true on the log-odds
        said: below 1 where they are too bold) and "intercept" (of the same with a slope of 1: above 0 where too little is said). Columns
        (R, 7): "ece", "mean_probability", "share". NaN where undefined.
    """
    said, true = said_and_true(y_true, probabilities)
    total = weights.sum(axis=1)
    surplus = np.zeros((len(said), said.shape[1], CALIBRATION_BINS))
    rows = np.arange(len(said))
    for question in range(said.shape[1]):
        surplus[rows, question, calibration_bins(said[:, question])] = true[:, question] - said[:, question]
    gaps = (weights @ surplus.reshape(len(said), -1)).reshape(len(weights), said.shape[1], CALIBRATION_BINS)
    errors = np.abs(gaps).sum(axis=2) / total[:, None]
    mean, share = weights @ said / total[:, None], weights @ true / total[:, None]
    there = share[:, :CLASSES] > 0
    columns = {"ece": errors[:, :CLASSES], "mean_probability": mean[:, :CLASSES], "share": share[:, :CLASSES]}
    summary = {
        "macro_ece": (errors[:, :CLASSES] * there).sum(axis=1) / there.sum(axis=1),
        "malignancy_ece": errors[:, CLASSES],
        "malignancy_mean_probability": mean[:, CLASSES],
        "malignancy_share": share[:, CLASSES],
    }
    for name, question in (("melanoma", MELANOMA), ("malignancy", CLASSES)):
        slope, intercept = slope_and_intercept(said[:, question], true[:, question], weights)
        summary |= {f"{name}_slope": slope, f"{name}_intercept": intercept}
    return summary, columns


def slope_and_intercept(said: np.ndarray, true: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Calibration slope, and calibration intercept at a slope of 1, of one question, (R,) each.

    Args:
        said, true: (N,).
        weights: (R, N).
    """
    clipped = np.clip(said, SMALLEST, 1 - SMALLEST)
    odds = np.log(clipped / (1 - clipped))
    cases = weights @ true
    weighed = weights > 0
    lowest = np.where(weighed & (true == 1), odds, np.inf).min(axis=1)
    highest = np.where(weighed & (true == 0), odds, -np.inf).max(axis=1)
    # Where a threshold separates all, no finite slope is the best one.
    defined = (cases > 0) & (cases < weights.sum(axis=1)) & (lowest < highest)
    free = _fit_logistic(odds, true, weights, free=True)
    fixed = _fit_logistic(odds, true, weights, free=False)
    slope, intercept = free[1], fixed[0]
    return tuple(np.where(defined & (np.abs(x) < LARGEST), x, np.nan) for x in (slope, intercept))


def _fit_logistic(odds: np.ndarray, true: np.ndarray, weights: np.ndarray, free: bool) -> tuple[np.ndarray, np.ndarray]:
    """Intercepts and slopes by Newton's method, (R,) each; the slopes stay 1 where they are not free."""
    a, b = np.zeros(len(weights)), np.ones(len(weights))
    for _ in range(NEWTON_STEPS):
        p = 1 / (1 + np.exp(-np.clip(a[:, None] + b[:, None] * odds, -LARGEST, LARGEST)))
        residual, spread = weights * (true - p), weights * p * (1 - p)
        first, curve = residual.sum(axis=1), spread.sum(axis=1) + 1e-12
        if free:
            second, mixed, square = residual @ odds, spread @ odds, spread @ odds**2 + 1e-12
            determinant = np.maximum(curve * square - mixed**2, 1e-12)
            step_a = (square * first - mixed * second) / determinant
            step_b = (curve * second - mixed * first) / determinant
        else:
            step_a, step_b = first / curve, np.zeros(len(weights))
        step_a, step_b = np.clip(step_a, -5, 5), np.clip(step_b, -5, 5)
        a, b = np.clip(a + step_a, -2 * LARGEST, 2 * LARGEST), np.clip(b + step_b, -2 * LARGEST, 2 * LARGEST)
        if max(np.abs(step_a).max(), np.abs(step_b).max()) < 1e-9:
            break
    return a, b
