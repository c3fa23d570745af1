"""Whether attention and heat map point at the same place, and how often answers were wrong where they agreed as little or as much."""

import math

import numpy as np

from core.estimates import CountedEstimate

QUARTILES = 4


def map_agreement(attention: np.ndarray, heatmap: np.ndarray) -> float:
    """Pearson's correlation of two maps over their cells: 1 the same places, 0 unrelated, below 0 opposite places.

    Both maps belong to one photo and one diagnosis; `maps.json` was measured with the soft attention and the Grad-CAM of the
    likeliest diagnosis.

    Args:
        attention: (h, w).
        heatmap: (h, w).

    Returns:
        -1..1, or NaN where a map is the same everywhere (all zero, say) and so points nowhere.

    Raises:
        ValueError: maps of different shapes.
    """
    attention, heatmap = np.asarray(attention, "float64"), np.asarray(heatmap, "float64")
    if attention.shape != heatmap.shape:
        raise ValueError(
            f"The attention has the shape {attention.shape}, the heat map {heatmap.shape}. Expected two maps of one photo and network."
        )
    a, b = attention.ravel() - attention.mean(), heatmap.ravel() - heatmap.mean()
    size = math.sqrt((a @ a) * (b @ b))
    return float(np.clip((a @ b) / size, -1, 1)) if size > 0 else math.nan


def place_agreement(value: float, record: dict) -> tuple[int, CountedEstimate] | None:
    """Where a photo's agreement stands among the held-out photos, and how often the network was wrong there.

    Args:
        value: from `map_agreement`.
        record: of `maps.json`, from `read_measure("maps", folder, card)`.

    Returns:
        The quarter, 1 (the least agreement) to 4, and the error rate of the held-out photos in it. None where the agreement is NaN, or the
        network has no attention and nothing was measured.
    """
    agreement = record.get("agreement")
    if not agreement or value is None or math.isnan(value):
        return None
    place = int(np.searchsorted(agreement["edges"], value, side="right"))
    return place + 1, agreement["quartiles"][place]["errors"]


def quarters(values: np.ndarray) -> tuple[list[float], np.ndarray]:
    """Edges between the quarters of the known values, and each value's quarter as `place_agreement` counts them; 0 for NaN."""
    known = ~np.isnan(values)
    edges = np.quantile(values[known], np.arange(1, QUARTILES) / QUARTILES)
    return edges.tolist(), np.where(known, np.searchsorted(edges, values, side="right") + 1, 0)
