"""The threshold at which a model calls melanoma: chosen on photos that it did not learn from, measured on others."""

from collections.abc import Iterable

import numpy as np

from core.diagnoses import MELANOMA
from core.estimates import Estimate
from core.evaluation.statistics.bootstrap import proportion, resample_lesions

# Above the 0.85 that is asked for on new photos: validation holds about 110 melanomas, so its sensitivity is known to 5 points.
TARGET_SENSITIVITY = 0.90


def choose_threshold(y_true: np.ndarray, probabilities: np.ndarray, target: float = TARGET_SENSITIVITY) -> float:
    """The largest threshold on p(melanoma) that still finds the target share of validation's melanomas.

    Validation is used again here: the same photos chose the epoch and fitted the calibration. Its own sensitivity at the threshold is
    therefore a little too good; the test part, which chose nothing, says what it is worth.

    Args:
        y_true: (N,) output indices, of the validation part.
        probabilities: (N, 7), calibrated.
        target: least sensitivity, 0..1.

    Raises:
        ValueError: no melanoma among the photos.
    """
    of_melanomas = np.sort(probabilities[np.asarray(y_true) == MELANOMA, MELANOMA])[::-1]
    if not len(of_melanomas):
        raise ValueError(
            "No validation photo shows a melanoma, so no threshold can be chosen. Use a validation part that has some."
        )
    # A rounding error must not ask for one melanoma more than the target does.
    return float(of_melanomas[int(np.ceil(target * len(of_melanomas) - 1e-9)) - 1])


def measure_threshold(
    y_true: np.ndarray,
    probabilities: np.ndarray,
    lesions: Iterable,
    threshold: float,
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Estimate]:
    """What calling every photo with p(melanoma) >= threshold a melanoma gives.

    Returns:
        "sensitivity" and "specificity" (against all six other diagnoses), each an `Estimate`: 95 % lesion bootstrap, see
        `core.evaluation.statistics.bootstrap.proportion`.
    """
    y_true, lesions = np.asarray(y_true), np.asarray(list(lesions), dtype=str)
    melanoma, called = y_true == MELANOMA, probabilities[:, MELANOMA] >= threshold
    weights = resample_lesions(lesions, resamples, seed).astype("float64")
    measured: dict[str, Estimate] = {}
    for name, rows, right in (("sensitivity", melanoma, called), ("specificity", ~melanoma, ~called)):
        if not rows.any():
            measured[name] = Estimate(None)
            continue
        total = weights[:, rows].sum(axis=1)
        resampled = np.divide(
            weights[:, rows & right].sum(axis=1), total, out=np.full(len(total), np.nan), where=total > 0
        )
        measured[name] = proportion(float(right[rows].mean()), resampled, len(np.unique(lesions[rows])))
    return measured


def operating_point(validation, y_true: np.ndarray, probabilities: np.ndarray, lesions: Iterable) -> dict:
    """The record `operating_point` of `evaluation.json`.

    Args:
        validation: `Results` of the validation part, which chooses the threshold.
        y_true, probabilities, lesions: of the photos to measure it on.
    """
    threshold = choose_threshold(validation.y_true, validation.probabilities)
    called = validation.probabilities[:, MELANOMA] >= threshold
    melanoma = validation.y_true == MELANOMA
    return {
        "score": "mel",
        "threshold": threshold,
        "rule": f"the largest threshold on p(melanoma) with a sensitivity of at least {TARGET_SENSITIVITY:.2f} on validation",
        "validation": {
            "photos": len(melanoma),
            "melanomas": int(melanoma.sum()),
            "sensitivity": float(called[melanoma].mean()),
            "specificity": float((~called)[~melanoma].mean()),
        },
        **measure_threshold(y_true, probabilities, lesions, threshold),
    }
