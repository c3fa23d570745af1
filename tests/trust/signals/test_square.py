"""What is known of a photo's square."""

from types import SimpleNamespace

import numpy as np
import pytest

from core.data.drawn import draw_lesion
from core.data.images import fit_image
from core.reading import Recent
from core.trust.signals import eye
from core.trust.signals.photo_statistics import SIDE, STATISTICS
from core.trust.signals.square import square_of

PHOTO = draw_lesion("nv", (300, 240))[0]


def encoded(size):
    """What `square_of` asks of an encoded photo."""
    return SimpleNamespace(photo=PHOTO, image=fit_image(PHOTO, size), answers=Recent(4))


@pytest.mark.parametrize("size", [SIDE, 64])
def test_the_square_is_the_same_whatever_the_network_sees(size):
    square = square_of(encoded(size))
    assert square.image.dtype == np.uint8 and np.array_equal(square.image, fit_image(PHOTO, SIDE).astype("uint8"))


def test_each_thing_is_worked_out_once(monkeypatch):
    photo = encoded(SIDE)
    first = square_of(photo)
    assert (
        first.seen.shape == (eye.CHANNELS,)
        and first.statistics.shape == (len(STATISTICS),)
        and first.hashes.shape == (8, 256)
    )
    monkeypatch.setattr(eye, "see", None)
    again = square_of(photo)
    assert again.seen is first.seen and again.statistics is first.statistics and again.hashes is first.hashes
