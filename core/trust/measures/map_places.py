"""Questions to a map on its own grid: how much of it lies inside the lesion, and what the network says as its cells go or come."""

import numpy as np

from core.data.images import centre_square

# Groups in which cells are taken away or put back: 7 cells each on a map of 7 x 7.
STEPS = 7


def mask_cover(mask: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """How much of each cell the lesion covers, (h, w), 0..1, on the square of the photo that the network sees.

    Args:
        mask: (H, W), true inside the lesion; of the photo's own height and width.
        shape: (h, w) of the map.
    """
    top, left, side = centre_square(*mask.shape)
    square = np.asarray(mask, "float64")[top : top + side, left : left + side]
    weights = [_overlap(side, cells) for cells in shape]
    return weights[0] @ square @ weights[1].T


def inside_share(heatmap: np.ndarray, cover: np.ndarray) -> float:
    """Share of a map that lies inside the lesion, each cell's value spread evenly over it; NaN for a map that is zero everywhere."""
    total = float(heatmap.sum())
    return float((heatmap * cover).sum() / total) if total > 0 else float("nan")


def hits(heatmap: np.ndarray, cover: np.ndarray) -> float:
    """The pointing game: 1 if at least half of the map's strongest cell is lesion, else 0; NaN for a map that is zero everywhere.

    Reference: Zhang et al., "Top-down neural attention by excitation backprop", IJCV 2018.
    """
    if not heatmap.max() > 0:
        return float("nan")
    return float(cover.ravel()[heatmap.argmax()] >= 0.5)


def cell_order(heatmap: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Cells, the strongest first; equal ones (all of a map that says nothing) in random order."""
    values = heatmap.ravel()
    return np.lexsort((rng.random(values.size), -values))


def step_pictures(image: np.ndarray, order: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Pictures with ever more cells taken away, then with ever more put back, without the whole and the empty picture.

    What is taken away becomes the photo's mean colour.

    Args:
        image: (S, S, 3), RGB 0..255.
        order: cells, from `cell_order`.
        shape: (h, w) of the map.

    Returns:
        (2 (STEPS - 1), S, S, 3) float32.
    """
    colour = image.reshape(-1, 3).mean(axis=0)
    rank = np.empty(order.size, int)
    rank[order] = np.arange(order.size)
    rows, columns = (np.arange(side) * cells // side for side, cells in zip(image.shape[:2], shape, strict=True))
    place = rank.reshape(shape)[np.ix_(rows, columns)][..., None]
    counts = step_counts(order.size)[1:-1]
    taken = [np.where(place < count, colour, image) for count in counts]
    put_back = [np.where(place < count, image, colour) for count in counts]
    return np.stack(taken + put_back).astype("float32")


def step_counts(cells: int) -> np.ndarray:
    """Cells taken away after each step, (STEPS + 1,), from none to all."""
    return np.rint(np.linspace(0, cells, STEPS + 1)).astype(int)


def under(curve: np.ndarray) -> np.ndarray:
    """Area under curves over the share of cells, the last axis from none to all."""
    return np.trapezoid(curve, np.linspace(0, 1, curve.shape[-1]), axis=-1)


def _overlap(side: int, cells: int) -> np.ndarray:
    """How much each pixel adds to each cell's mean, (cells, side)."""
    edges = np.linspace(0, side, cells + 1)
    pixels = np.arange(side)
    low, high = edges[:-1, None], edges[1:, None]
    return np.clip(np.minimum(pixels + 1, high) - np.maximum(pixels, low), 0, None) / (side / cells)
