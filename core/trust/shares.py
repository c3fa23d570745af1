"""A share of photos, and its interval that resamples lesions."""

from collections.abc import Iterable

import numpy as np

from core.evaluation.bootstrap import interval, resample_lesions, wilson


def share_of(true: np.ndarray, lesions: Iterable, weights: np.ndarray | None = None) -> dict:
    """The mean of a yes or no, or of a number, over photos, with its 95 % interval.

    A share that is the same in every resample has Wilson's interval with lesions as n, as in
    `core.evaluation.bootstrap.lesion_bootstrap`.

    Args:
        true: (N,), one value a photo.
        lesions: lesion of each photo, (N,).
        weights: of `resample_lesions` for these photos, where many shares of one set of photos are wanted.

    Returns:
        {"value", "low", "high", "photos", "lesions"}; value, low and high are None without photos.
    """
    true, lesions = np.asarray(true, "float64"), np.asarray(list(lesions), dtype=str)
    behind = len(np.unique(lesions))
    counted = {"photos": len(true), "lesions": behind}
    if not len(true):
        return {"value": None, "low": None, "high": None, **counted}
    weights = resample_lesions(lesions) if weights is None else weights
    totals = weights.sum(axis=1, dtype="float64")
    with np.errstate(invalid="ignore"):
        found = interval(float(true.mean()), weights @ true / totals)
    if found["low"] == found["high"] and 0 <= found["value"] <= 1:
        found["low"], found["high"] = wilson(found["value"], behind)
    return {**found, **counted}
