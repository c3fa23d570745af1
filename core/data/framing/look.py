"""Whether a photo frames its lesion as training photos do, and the square that would.

HAM10000's photos were cropped around their lesions by hand, so networks learned lesions that fill the middle. A phone's photo or a
whole dermatoscope image shows the lesion small, off centre, or in a black circle; a square cut from it brings it back into that frame.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from core.data.framing.crop import Crop, whole_square
from core.data.framing.find import find_field, find_lesion
from core.data.images import MIN_SIDE

# Pixels on the longer side of the picture in which the lesion is sought.
SOUGHT_AT = 256
# A suggested square's side, in lesions as they are found here. Of 1.2, 1.4, 1.6 and 2.0, 1.2 gave back most answers of
# 315 training photos.
SQUARE_PER_LESION = 1.2
# Said to differ is what lies beyond these, in sides of the square that the network sees: 1 % of 1,500 training photos have a lesion that
# is small alone, found as it is here, 1 % one that lies so far off alone, and 4 % one of less than half the side whose middle
# lies further off than these shares of its own longer side.
SMALL, OFF = 0.15, 0.35
BESIDE, BESIDE_BELOW = 0.4, 0.5
_STEPS = 25  # at which a square is tried on its way off the rim
BLACK_CORNERS = "Its corners are black: a dermatoscope's rim is in the photo. Training photos were cut within it."
OFF_CENTRE = "The lesion lies away from the middle, where training photos have it."


@dataclass(frozen=True)
class Found:
    """What was found in a photo, in its pixels.

    Args:
        inner: the largest square without a black rim; None where there is no rim.
        long: the lesion's longer side; None where none was found.
        across, down: the lesion's middle.
        around: the square around the lesion, moved away from a black rim; None without a lesion.
    """

    inner: Crop | None
    long: float | None = None
    across: float = 0.0
    down: float = 0.0
    around: Crop | None = None

    def size_in(self, square: Crop) -> float:
        """The lesion's longer side in sides of a square; 0 where no lesion was found."""
        return (self.long or 0.0) / square.side

    def off_in(self, square: Crop) -> float:
        """How far the lesion's middle lies from a square's, in its sides; the larger of across and down."""
        away = abs(self.across - square.left - square.side / 2), abs(self.down - square.top - square.side / 2)
        return max(away) / square.side

    def is_beside(self, square: Crop) -> bool:
        """Whether the lesion is not large and lies beside a square's middle rather than around it."""
        away = np.hypot(self.across - square.left - square.side / 2, self.down - square.top - square.side / 2)
        return self.size_in(square) < BESIDE_BELOW and away > BESIDE * (self.long or 0.0)


@dataclass(frozen=True)
class Framing:
    """How a photo frames its lesion.

    Args:
        suggested: the square that frames it as in training; what is read anyway where nothing is to be mended.
        reasons: sentences on how the photo differs from training's; none where it does not.
        around: the square around the lesion, whether anything is to be mended or not.
    """

    suggested: Crop
    reasons: tuple[str, ...]
    around: Crop

    @property
    def differs(self) -> bool:
        return bool(self.reasons)

    def to_json(self) -> dict:
        """As plain values."""
        return {"differs": self.differs, "reasons": list(self.reasons), "suggested": self.suggested.to_json()}


def look_at_framing(photo: np.ndarray) -> Framing:
    """Looks how a photo frames its lesion; some milliseconds.

    Args:
        photo: (H, W, 3) uint8 RGB.
    """
    return judge_framing(find_in(photo), *photo.shape[:2])


def find_in(photo: np.ndarray) -> Found:
    """Looks for the black rim and the lesion.

    Args:
        photo: (H, W, 3) uint8 RGB.
    """
    height, width = photo.shape[:2]
    scale = min(1.0, SOUGHT_AT / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(photo, size, interpolation=cv2.INTER_AREA)
    field = find_field(small)
    inner = None if field.all() else _inner_square(field, scale).within(height, width)
    lesion = find_lesion(small, field)
    if lesion is None:
        return Found(inner)
    x, y, w, h = (value / scale for value in cv2.boundingRect(lesion.astype("uint8")))
    long, across, down = max(w, h), x + w / 2, y + h / 2
    square = _around(
        long, across, down, inner or whole_square(height, width), None if inner is None else (field, scale)
    )
    return Found(inner, long, across, down, square.within(height, width))


def judge_framing(found: Found, height: int, width: int) -> Framing:
    """What is amiss, and the square that mends it.

    Args:
        height, width: of the photo.
    """
    whole = whole_square(height, width)
    reasons = [BLACK_CORNERS] if found.inner else []
    if found.long is not None:
        size, beside = found.size_in(whole), found.is_beside(whole)
        if size < SMALL or beside:
            reasons.append(
                f"The lesion is small: {100 * size:.0f} % of the square's side, in training photos mostly two thirds."
            )
        if found.off_in(whole) > OFF or beside:
            reasons.append(OFF_CENTRE)
    around = found.around or found.inner or whole
    return Framing(around if reasons else whole, tuple(reasons), around)


def _around(long: float, across: float, down: float, most: Crop, rim: tuple[np.ndarray, float] | None) -> Crop:
    """A square around a lesion, no larger than `most`, and moved towards the middle of `most` until no black is in it.

    Args:
        rim: what is no rim in the small picture, and that picture's scale; None where there is no rim.
    """
    side = int(min(max(SQUARE_PER_LESION * long, MIN_SIDE), most.side))
    middle = most.left + most.side / 2, most.top + most.side / 2
    square = most
    for step in np.linspace(0, 1, _STEPS):
        x, y = across + step * (middle[0] - across), down + step * (middle[1] - down)
        square = Crop(round(x - side / 2), round(y - side / 2), side)
        if rim is None or _is_clear(square, *rim):
            return square
    return square


def _is_clear(square: Crop, field: np.ndarray, scale: float) -> bool:
    """Whether a square holds nothing of the rim."""
    left, top = max(0, int(square.left * scale)), max(0, int(square.top * scale))
    right, bottom = int(np.ceil((square.left + square.side) * scale)), int(np.ceil((square.top + square.side) * scale))
    return bool(field[top:bottom, left:right].all())


def _inner_square(field: np.ndarray, scale: float) -> Crop:
    """The largest square around the field's middle without black in it, in pixels of the photo before it was made small."""
    rows, columns = np.nonzero(field)
    middle_y, middle_x = (rows.min() + rows.max()) / 2, (columns.min() + columns.max()) / 2
    height, width = field.shape
    for side in range(min(field.shape), 8, -2):
        top = int(np.clip(round(middle_y - side / 2), 0, height - side))
        left = int(np.clip(round(middle_x - side / 2), 0, width - side))
        if field[top : top + side, left : left + side].all():
            return Crop(round(left / scale), round(top / scale), int(side / scale))
    return whole_square(round(height / scale), round(width / scale))
