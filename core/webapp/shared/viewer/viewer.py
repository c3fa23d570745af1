"""The photo and its maps in one place: laid over, wiped or side by side, with one zoom; see viewer.js."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from streamlit.components.v2 import component as register

from core.data.images import centre_square
from core.explain import contour_picture, encode_png, legend_colors, map_picture
from core.reading import shrunk

FOLDER = Path(__file__).parent
# Pixels on the longer side of the photo in the viewer: as much as zooming in asks for; downloads have the photo's own resolution.
VIEWED_SIDE = 1600
QUALITY = 88  # of the JPEG that the browser is given


@dataclass(frozen=True, eq=False)
class Layer:
    """A map over the photo.

    Args:
        values: (h, w), 0..1, over the square that the network saw.
        short: what its button says.
        alt: what it is, for those who do not see it.
        caption: a sentence below it.
    """

    values: np.ndarray
    short: str
    alt: str
    caption: str


def draw_viewer(
    pixels: np.ndarray,
    photo_hash: str,
    layers: Sequence[Layer] = (),
    *,
    alt: str,
    caption: str = "",
    key: str,
    start: int = 1,
) -> None:
    """Draws the viewer.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        photo_hash: of the photo: the zoom stays as long as it does.
        caption: below the photo without a map.
        start: the layer shown first, from 1; 0 is the photo alone.
    """
    height, width = pixels.shape[:2]
    top, left, side = centre_square(height, width)
    component("viewer")(
        key=key,
        # Tuples: of a list Streamlit asks whether it is a table, for which it loads pandas.
        data={
            "id": photo_hash,
            "photo": photo_url(pixels),
            "alt": alt,
            "caption": caption,
            "width": width,
            "height": height,
            "square": (left / width, top / height, side / width, side / height),
            "legend": ("transparent", *legend_colors()[1:]),
            "start": start,
            "layers": tuple(
                {
                    "short": layer.short,
                    "alt": layer.alt,
                    "caption": layer.caption,
                    "colours": _png_url(map_picture(layer.values)),
                    "contours": _png_url(contour_picture(layer.values)),
                }
                for layer in layers
            ),
        },
    )


def component(name: str):
    """A component of this folder: `name`.js and `name`.css. Asked for at each mount, since a server may have begun anew."""
    script, style = _sources(name)
    return register(f"melascope.{name}", js=script, css=style)


def photo_url(pixels: np.ndarray, most: int = VIEWED_SIDE) -> str:
    """A photo as an address that holds it."""
    small = shrunk(pixels, most)
    _, data = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode()


def _png_url(rgba: np.ndarray) -> str:
    return "data:image/png;base64," + base64.b64encode(encode_png(rgba)).decode()


@cache
def _sources(name: str) -> tuple[str, str]:
    return (FOLDER / f"{name}.js").read_text("utf-8"), (FOLDER / f"{name}.css").read_text("utf-8")
