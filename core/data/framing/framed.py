"""A photo as it is to be read: whole, or a square of it; and what is to be said of its framing."""

from dataclasses import dataclass

import numpy as np

from core.data.framing.crop import AUTO, CROP_FORMS, NONE, Crop, InvalidCrop
from core.data.framing.look import Framing, look_at_framing

# What a note on framing begins with.
FRAMED = "Framed otherwise than training photos:"


@dataclass(frozen=True, eq=False)
class FramedPhoto:
    """What of a photo is read.

    Args:
        pixels: (H, W, 3) uint8 RGB, what is read: the photo, or the square of it.
        crop: the square, in pixels of the photo; None where all of it is read.
        framing: of the whole photo.
        notes: sentences that belong beside the reading.
    """

    pixels: np.ndarray
    crop: Crop | None
    framing: Framing
    notes: tuple[str, ...]

    def to_json(self) -> dict:
        """As plain values: "crop", [X, Y, SIZE] or None, and "framing"."""
        return {"crop": self.crop.to_json() if self.crop else None, "framing": self.framing.to_json()}


def frame_photo(photo: np.ndarray, asked: Crop | str, auto: str = "--crop auto") -> FramedPhoto:
    """Cuts a photo as it was asked for, and says what a reader must know of its framing.

    Args:
        photo: (H, W, 3) uint8 RGB.
        asked: from `core.data.framing.crop.parse_crop`.
        auto: what those who ask call reading the suggested square.

    Raises:
        InvalidCrop: the square is not in this photo.
    """
    framing = look_at_framing(photo)
    why = " ".join(framing.reasons)
    if asked == NONE:
        notes = (f"{FRAMED} {why} {auto} reads the square {framing.suggested}.",) if framing.differs else ()
        return FramedPhoto(photo, None, framing, notes)
    if asked == AUTO:
        if not framing.differs:
            return FramedPhoto(photo, None, framing, ())
        notes = (f"{FRAMED} {why} Read was the square {framing.suggested}.",)
        return FramedPhoto(framing.suggested.cut(photo), framing.suggested, framing, notes)
    if not isinstance(asked, Crop):
        raise InvalidCrop(f"{asked!r} is no crop. Expected {CROP_FORMS}.")
    cut = asked.cut(photo)
    left = look_at_framing(cut).reasons
    notes = (f"{FRAMED} in the square {asked}. {' '.join(left)}",) if left else ()
    return FramedPhoto(cut, asked, framing, notes)
