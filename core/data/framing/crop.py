"""A square of a photo that is read instead of the whole."""

import re
from dataclasses import dataclass

import numpy as np

from core.data.images import MIN_SIDE, centre_square

AUTO, NONE = "auto", "none"
CROP_FORMS = f"{AUTO}, {NONE}, or X,Y,SIZE: the left and upper edge and the side of a square, in pixels of the photo"
_NUMBERS = re.compile(r"\s*(\d{1,6})\s*,\s*(\d{1,6})\s*,\s*(\d{1,6})\s*")


class InvalidCrop(ValueError):
    """A square that a photo does not have; the message says what came, what was expected and how to fix it."""


@dataclass(frozen=True)
class Crop:
    """A square of a photo, in pixels of that photo.

    Args:
        left, top: of its upper left corner.
        side: of it.
    """

    left: int
    top: int
    side: int

    def __str__(self) -> str:
        return f"{self.left},{self.top},{self.side}"

    def to_json(self) -> list[int]:
        """[left, top, side]."""
        return [self.left, self.top, self.side]

    def cut(self, photo: np.ndarray) -> np.ndarray:
        """The square's pixels, (side, side, 3); a copy.

        Raises:
            InvalidCrop: the square is not wholly in the photo, or smaller than a photo may be.
        """
        height, width = photo.shape[:2]
        if not self.fits(height, width):
            raise InvalidCrop(
                f"The square {self} is not in this photo, which is {width} x {height} pixels. Expected X,Y,SIZE within it, with a "
                f"size of {MIN_SIDE} or more."
            )
        return np.ascontiguousarray(photo[self.top : self.top + self.side, self.left : self.left + self.side])

    def fits(self, height: int, width: int) -> bool:
        """Whether it lies wholly in a photo and is no smaller than a photo may be."""
        inside = 0 <= self.left <= width - self.side and 0 <= self.top <= height - self.side
        return inside and self.side >= MIN_SIDE

    def within(self, height: int, width: int) -> "Crop":
        """The square moved, and made smaller or larger where need be, to lie in a photo."""
        side = int(min(max(self.side, MIN_SIDE), height, width))
        return Crop(int(np.clip(self.left, 0, width - side)), int(np.clip(self.top, 0, height - side)), side)


def whole_square(height: int, width: int) -> Crop:
    """The square that a network sees of a photo that is not cropped: the largest in the middle."""
    top, left, side = centre_square(height, width)
    return Crop(left, top, side)


def parse_crop(text: str) -> Crop | str:
    """What a person asked for: `AUTO`, `NONE`, or a square.

    Raises:
        InvalidCrop: anything else.
    """
    asked = text.strip().lower()
    if asked in (AUTO, NONE):
        return asked
    match = _NUMBERS.fullmatch(asked)
    if match is None:
        raise InvalidCrop(f"{text!r} is no crop. Expected {CROP_FORMS}.")
    crop = Crop(*map(int, match.groups()))
    if crop.side < MIN_SIDE:
        raise InvalidCrop(f"The square {crop} has a side of {crop.side} pixels. Expected {MIN_SIDE} or more.")
    return crop
