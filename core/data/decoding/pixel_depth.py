"""From 9 to 16 bits a channel to the 8 that a screen and a network see."""

from typing import Any

import numpy as np
from PIL import Image

from core.data.decoding.unreadable import UnreadablePhoto

# Sensors give 10, 12 or 14 bits. A photo of 16 bits that nowhere passes a quarter of the scale holds one of these.
_SPARE_BITS = 2


def deep_grey(picture: Image.Image, full_scale: int) -> Image.Image:
    """A grey photo of 16-bit pixels as one of 8 bits.

    Args:
        picture: of a mode that begins with "I;16".
        full_scale: the value that is white.
    """
    # By a table, since a photo of 50 megapixels would take 400 MB as float.
    shades = np.arange(65536, dtype="float32") * np.float32(255 / full_scale)
    return Image.fromarray(np.clip(np.rint(shades), 0, 255).astype("uint8")[np.asarray(picture)])


def check_range(picture: Image.Image, deep: int, name: str) -> None:
    """Refuses photos of 12 bits in 16, which would look nearly black.

    Args:
        picture: 8 bits a channel, from deeper ones.
        deep: bits a channel in the file.

    Raises:
        UnreadablePhoto: the upper bits are nowhere used, so that the scale is not known.
    """
    bands: Any = picture.getextrema()
    brightest = max(high for _, high in (bands if picture.mode not in ("L", "1") else (bands,)))
    if picture.mode != "CMYK" and 0 < brightest < 256 >> _SPARE_BITS:
        used = deep - 8 + int(brightest).bit_length()
        raise UnreadablePhoto(
            f"{name} has {deep}-bit pixels but nowhere uses more than {used} bits, so that it is not known what is white. "
            "Expected pixels over the whole scale; save it as JPEG or PNG in the program that shows it right."
        )
