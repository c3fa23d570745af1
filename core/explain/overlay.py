"""A heatmap laid over the photo, at the photo's own resolution."""

from functools import lru_cache

import cv2
import numpy as np

from core.choices import find_choice
from core.data.images import centre_square

# OpenCV's own threads wait for each other on a busy machine: 15 ms an overlay instead of 1.7 (600 x 450, two busy cores).
cv2.setNumThreads(1)


def _make_table(colormap: int) -> np.ndarray:
    ramp = np.arange(256, dtype="uint8")[:, None]
    table = np.ascontiguousarray(cv2.applyColorMap(ramp, colormap)[..., ::-1])
    table.flags.writeable = False
    return table


# The 256 colours of each scale, low to high, (256, 1, 3) uint8 RGB.
# Perceptually even and readable with colour blindness. Jet is neither.
COLORMAPS: dict[str, np.ndarray] = {
    "viridis": _make_table(cv2.COLORMAP_VIRIDIS),
    "inferno": _make_table(cv2.COLORMAP_INFERNO),
    "cividis": _make_table(cv2.COLORMAP_CIVIDIS),
}
# PNG compression, 0 to 9: beyond 3 a photo grows hardly smaller and takes several times as long.
PNG_LEVEL = 3
FRAME = (255, 255, 255)
# Pixels of a map by itself: it is smooth, so that a browser enlarges it without loss.
MAP_SIDE = 256
CONTOURS = (0.25, 0.5, 0.75)


def overlay(photo: np.ndarray, values: np.ndarray, opacity: float = 0.5, colormap: str = "viridis") -> np.ndarray:
    """Lays a heatmap over the part of a photo that the network saw.

    The map is enlarged bicubically over the largest centre square; the rest of the photo stays as it is, and a thin
    frame marks the border between them. Colours are as strong as the map's value: where nothing mattered, pigment and vessels keep
    their own.

    Args:
        photo: (H, W, 3) uint8 RGB.
        values: (h, w), 0..1.
        opacity: of the colours where the map peaks, 0 (photo only) to 1 (colours only); elsewhere that times the value.
        colormap: key into `COLORMAPS`.

    Returns:
        The overlay, (H, W, 3) uint8 RGB; the photo itself is not changed.

    Raises:
        ValueError: an opacity outside 0..1, or an unknown colormap.
    """
    if not 0 <= opacity <= 1:
        raise ValueError(f"Opacity {opacity!r} is not possible. Expected 0 (photo only) to 1 (colours only).")
    color_table(colormap)
    out = photo.copy()
    if opacity == 0:
        return out
    top, left, side = centre_square(*photo.shape[:2])
    square = out[top : top + side, left : left + side]
    levels = _enlarged(values, side)
    colors, rest = _shares(colormap, opacity)
    kept = cv2.applyColorMap(levels, rest)
    cv2.multiply(square, kept, dst=kept, scale=1 / 255)
    square[:] = cv2.add(kept, cv2.applyColorMap(levels, colors))
    if side < max(photo.shape[:2]):
        _draw_frame(square)
    return out


def map_picture(values: np.ndarray, side: int = MAP_SIDE, colormap: str = "viridis") -> np.ndarray:
    """A map's colours without the photo, each as opaque as its value: (side, side, 4) uint8 RGBA, to be laid over the square."""
    levels = _enlarged(values, side)
    return np.dstack([cv2.applyColorMap(levels, color_table(colormap)), levels])


def contour_picture(values: np.ndarray, side: int = 2 * MAP_SIDE, colormap: str = "viridis") -> np.ndarray:
    """A map as lines of equal value, clear between them: (side, side, 4) uint8 RGBA. The values are those of `CONTOURS`."""
    levels, table = _enlarged(values, side), color_table(colormap)
    picture = np.zeros((side, side, 4), "uint8")
    for value in CONTOURS:
        level = round(255 * value)
        edges = cv2.findContours((levels >= level).astype("uint8"), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)[0]
        for color, width in (((0, 0, 0, 255), 5), ((*(int(c) for c in table[level, 0]), 255), 3)):
            cv2.drawContours(picture, edges, -1, color, width, cv2.LINE_AA)
    return picture


@lru_cache(maxsize=16)
def _shares(colormap: str, opacity: float) -> tuple[np.ndarray, np.ndarray]:
    """For each level of a map, what the colour adds to a pixel, and how much of the photo stays (of 255): (256, 1, 3) uint8 each."""
    strength = np.arange(256)[:, None, None] * (opacity / 255)
    colors = np.rint(color_table(colormap) * strength).astype("uint8")
    return colors, np.rint(np.broadcast_to(255 * (1 - strength), colors.shape)).astype("uint8")


def _enlarged(values: np.ndarray, side: int) -> np.ndarray:
    """A map as levels 0..255 on a square of pixels."""
    levels = np.rint(np.clip(values, 0, 1) * 255).astype("uint8")
    return cv2.resize(levels, (side, side), interpolation=cv2.INTER_CUBIC)


def color_table(colormap: str) -> np.ndarray:
    """The 256 colours of a colormap, low to high, (256, 1, 3) uint8 RGB, read-only.

    Raises:
        ValueError: unknown colormap.
    """
    return find_choice("colormap", colormap, COLORMAPS)


def legend_colors(colormap: str = "viridis", steps: int = 9) -> list[str]:
    """Colours of a scale's legend, low to high, as "#rrggbb"."""
    places = np.linspace(0, 255, steps).round().astype(int)
    return ["#" + color.tobytes().hex() for color in color_table(colormap)[places, 0]]


def encode_png(rgb: np.ndarray) -> bytes:
    """Encodes an (H, W, 3) RGB or (H, W, 4) RGBA uint8 picture as PNG: pixels only, no metadata of any kind."""
    order = cv2.COLOR_RGBA2BGRA if rgb.shape[-1] == 4 else cv2.COLOR_RGB2BGR
    done, data = cv2.imencode(".png", cv2.cvtColor(rgb, order), [cv2.IMWRITE_PNG_COMPRESSION, PNG_LEVEL])
    if not done:
        raise ValueError(
            f"A picture of shape {rgb.shape} and type {rgb.dtype} cannot be written as PNG. Expected (H, W, 3) uint8."
        )
    return data.tobytes()


def _draw_frame(square: np.ndarray) -> None:
    """Marks the square's border: at least 1 pixel, 1 in 300 on large photos."""
    width = max(1, len(square) // 300)
    square[:width] = square[-width:] = FRAME
    square[:, :width] = square[:, -width:] = FRAME
