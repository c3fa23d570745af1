"""Photos with something taken away: what a network still answers then tells what it lives off."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from core.data.images import centre_square

# Masks are drawn along the lesion's edge: grown by this share of the side, so that no rim of the lesion stays.
MASK_MARGIN = 0.04
# Width of the ring that "border only" keeps, as a share of the side.
BORDER = 0.12
BLUR_SIGMA = 2.0  # pixels of a 224-pixel image; scaled with the side
JPEG_QUALITY = 25
# Minkowski norm of shades of grey. Reference: Finlayson and Trezzi 2004.
GREY_NORM = 6


def read_mask(path: str | Path, size: int) -> np.ndarray:
    """A lesion's mask in the frame of the network's image, (size, size) bool."""
    with Image.open(path) as picture:
        mask = np.asarray(picture.convert("L")) > 127
    top, left, side = centre_square(*mask.shape)
    square = mask[top : top + side, left : left + side].astype("uint8")
    return cv2.resize(square, (size, size), interpolation=cv2.INTER_NEAREST).astype(bool)


def grow(mask: np.ndarray) -> np.ndarray:
    """A mask with a margin around it."""
    reach = max(1, round(MASK_MARGIN * len(mask)))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return cv2.dilate(mask.astype("uint8"), kernel).astype(bool)


def ring(size: int) -> np.ndarray:
    """The photo's border, (size, size) bool."""
    width = max(1, round(BORDER * size))
    border = np.ones((size, size), bool)
    border[width:-width, width:-width] = False
    return border


def _fill(image: np.ndarray, hidden: np.ndarray, colour_from: np.ndarray) -> np.ndarray:
    """Hides pixels under the mean colour of others; under that of the border where there are no others."""
    kept = colour_from if colour_from.any() else ring(len(image))
    out = image.copy()
    out[hidden] = np.rint(image[kept].mean(axis=0)).astype("uint8")
    return out


def hide_lesion(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The lesion under the mean colour of the skin around it; its outline stays to be guessed from the flat patch."""
    hidden = grow(mask)
    return _fill(image, hidden, ~hidden)


def hide_surroundings(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """All but the lesion under the mean colour of the skin."""
    kept = grow(mask)
    return _fill(image, ~kept, ~kept)


def border_only(image: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
    """The outer ring; the inside under the ring's mean colour."""
    border = ring(len(image))
    return _fill(image, ~border, border)


def hide_photo(image: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
    """No photo: one colour, the middle of the range."""
    return np.full_like(image, 128)


def blur(image: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
    """A Gaussian blur."""
    return cv2.GaussianBlur(image, (0, 0), BLUR_SIGMA * len(image) / 224)


def jpeg(image: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
    """A coarse JPEG."""
    _, encoded = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return cv2.imdecode(encoded, cv2.IMREAD_COLOR)[..., ::-1]


def half_size(image: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
    """Down to half the side and up again."""
    side = len(image)
    small = cv2.resize(image, (side // 2, side // 2), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (side, side), interpolation=cv2.INTER_LINEAR)


def sharpen(image: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
    """An unsharp mask."""
    soft = cv2.GaussianBlur(image, (0, 0), BLUR_SIGMA * len(image) / 224)
    return cv2.addWeighted(image, 1.7, soft, -0.7, 0)


def _balance(image: np.ndarray, norm: float) -> np.ndarray:
    light = (image.astype("float64") ** norm).mean(axis=(0, 1)) ** (1 / norm)
    gain = light.mean() / np.maximum(light, 1e-6)
    return np.clip(np.rint(image * gain), 0, 255).astype("uint8")


def grey_world(image: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
    """Channels scaled so that the photo's mean is grey: the light's and the skin's colour go."""
    return _balance(image, 1)


def shades_of_grey(image: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
    """As grey-world, by the brighter pixels."""
    return _balance(image, GREY_NORM)


def no_colour(image: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
    """Brightness alone."""
    return np.repeat(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)


@dataclass(frozen=True)
class Condition:
    """One way to look at the test photos.

    Args:
        about: what is done, in words.
        change: (image (S, S, 3) uint8, mask (S, S) bool or None) -> image; None leaves the photo.
        facts: "real", "withheld" (unknown) or "shuffled" (another lesion's).
        needs_mask: whether `change` uses the mask.
    """

    about: str
    change: Callable[[np.ndarray, np.ndarray | None], np.ndarray] | None = None
    facts: str = "real"
    needs_mask: bool = False


AS_IS = "as is"
CONDITIONS: dict[str, Condition] = {
    AS_IS: Condition("the photo and the patient's facts"),
    "facts withheld": Condition("the photo, all facts unknown", facts="withheld"),
    "facts shuffled": Condition("the photo with another lesion's facts", facts="shuffled"),
    "facts only": Condition("a grey square and the patient's facts", hide_photo),
    "lesion hidden": Condition("the lesion under the skin's mean colour", hide_lesion, needs_mask=True),
    "lesion and facts hidden": Condition("the same, all facts unknown", hide_lesion, "withheld", needs_mask=True),
    "surroundings hidden": Condition(
        "all but the lesion under the skin's mean colour", hide_surroundings, needs_mask=True
    ),
    "border only": Condition("the outer ring of the photo", border_only),
    "blur": Condition("blurred", blur),
    "JPEG": Condition(f"saved as JPEG of quality {JPEG_QUALITY}", jpeg),
    "half size": Condition("down to half the side and up again", half_size),
    "sharpen": Condition("sharpened", sharpen),
    "grey-world": Condition("mean colour made grey", grey_world),
    "shades of grey": Condition("colour of the brighter pixels made grey", shades_of_grey),
    "no colour": Condition("brightness alone", no_colour),
}
