"""A share of photos or of lesions, and its interval that resamples lesions."""

from collections.abc import Iterable

import numpy as np

from core.estimates import CountedEstimate
from core.evaluation.statistics.bootstrap import proportion, resample_lesions, with_interval


def share_of(
    true: np.ndarray, lesions: Iterable, weights: np.ndarray | None = None, *, by_lesion: bool = False
) -> CountedEstimate:
    """The mean of a yes or no, or of a number, over photos or lesions, with its 95 % interval.

    A share that is the same in every resample has Wilson's interval; see `core.evaluation.statistics.bootstrap.proportion`.

    Args:
        true: (N,), one value a photo: a yes or no, a share from 0 to 1 (float), or a count (int), whose mean is no proportion.
        lesions: lesion of each photo, (N,).
        weights: of `resample_lesions` for these photos, where many shares of one set of photos are wanted.
        by_lesion: every lesion counts the same, by the mean over its photos; else every photo does.

    Returns:
        With the photos and lesions counted; of None without photos.
    """
    values, lesions = np.asarray(true), np.asarray(list(lesions), dtype=str)
    is_share = values.dtype.kind in "bf" and bool(((values >= 0) & (values <= 1)).all())
    values = values.astype("float64")
    _, lesion, photos = np.unique(lesions, return_inverse=True, return_counts=True)
    if not len(values):
        return CountedEstimate(None)
    counts = 1 / photos[lesion] if by_lesion else np.ones(len(values))
    weights = resample_lesions(lesions) if weights is None else weights
    with np.errstate(invalid="ignore"):
        resampled = weights @ (values * counts) / (weights @ counts)
    value = float((values * counts).sum() / counts.sum())
    estimate = proportion(value, resampled, len(photos)) if is_share else with_interval(value, resampled)
    return CountedEstimate(value, estimate.low, estimate.high, len(values), len(photos))
