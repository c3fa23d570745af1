"""A map of how much each place in the photo mattered, and the note that says when it says nothing."""

from dataclasses import dataclass

import numpy as np

# A map whose values differ by less than this share of their peak singles out no place.
FLAT = 1e-3
ALL_ZERO = "The map is zero everywhere: by this method no place in the photo raises the score of this class."
CONSTANT = "The map is the same everywhere, so it singles out no place in the photo."
NO_ATTENTION = "This network has no soft attention, so there is no attention map to show."


@dataclass(frozen=True, eq=False)
class Heatmap:
    """What an explainer found, cell by cell of the feature map.

    Args:
        values: (h, w) float32, 0..1, peak 1; all zero when the map says nothing, and then `note` says why.
        note: a sentence for the reader, or None.
        method: key into `EXPLAINERS`.
    """

    values: np.ndarray
    note: str | None
    method: str


def make_heatmap(raw: np.ndarray, method: str) -> Heatmap:
    """Scales a raw map by its peak; never divides a map that is zero or constant.

    Args:
        raw: (h, w), not negative; zero means "did not matter", so the map is not stretched at its low end.
        method: key into `EXPLAINERS`.

    Raises:
        ValueError: the map holds a NaN or infinity.
    """
    raw = np.asarray(raw, dtype="float64")
    if not np.isfinite(raw).all():
        raise ValueError(
            f"{method} gave values that are not finite. The network's weights or the photo's feature map are not finite."
        )
    peak = raw.max()
    if peak <= 0:
        return Heatmap(np.zeros(raw.shape, "float32"), ALL_ZERO, method)
    if peak - raw.min() <= FLAT * peak:
        return Heatmap(np.zeros(raw.shape, "float32"), CONSTANT, method)
    return Heatmap((raw / peak).astype("float32"), None, method)
