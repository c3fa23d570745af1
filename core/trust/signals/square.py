"""What is known of a photo's square without the model's own network: its statistics, its hashes, what the gate's eye sees in it.

Each is worked out when it is first asked for, and remembered with the encoded photo's answers.
"""

import numpy as np

from core.data.duplicates import turned_hashes
from core.data.images import fit_image
from core.threads import once
from core.trust.signals import eye
from core.trust.signals.photo_statistics import SIDE, photo_statistics


class Square:
    """A photo's square.

    Args:
        image: (224, 224, 3) uint8 RGB.
    """

    def __init__(self, image: np.ndarray):
        self.image = image

    @once
    def statistics(self) -> np.ndarray:
        """Of `photo_statistics`, (26,)."""
        return photo_statistics(self.image)

    @once
    def hashes(self) -> np.ndarray:
        """Perceptual hashes in all eight positions, (8, 256) bool."""
        return turned_hashes(self.image)

    @once
    def seen(self) -> np.ndarray:
        """The vector of the gate's eye, (576,).

        Raises:
            InvalidBundle: the eye's file is missing or damaged.
        """
        return eye.see(self.image[None])[0]


def square_of(encoded) -> Square:
    """The square of an encoded photo, made once.

    Args:
        encoded: an `EncodedPhoto`.
    """

    def make() -> Square:
        image = encoded.image if len(encoded.image) == SIDE else fit_image(encoded.photo, SIDE)
        return Square(image.astype("uint8"))

    return encoded.answers.get("square", make)
