"""The handed photos that went wrong once, each with what is right."""

import numpy as np
import pytest

from core.data.images import UnreadablePhoto, read_photo, read_photo_file

# All show the same drawn lesion, whose right colours are those of `right_colours.png`.
RIGHT = (138, 100, 99)
SAME = (
    "right_colours.png",
    "linear_srgb.tif",
    "linear_other_name.tif",
    "p3_rgba.png",
    "adobe_dcf.jpg",
    "rgb16_planar.tif",
    "thumb_first.tif",
    "photo.jfif",
    "photo.HEIC",
    "mixed_folder/a.jpg",
    "mixed_folder/b.HEIC",
    "mixed_folder/c.jfif",
    "mixed_folder/IMG_2020.HEIC",
)


@pytest.mark.parametrize("name", SAME)
def test_the_photo_has_its_right_colours(cases, name):
    right, photo = read_photo(cases / "right_colours.png"), read_photo_file(cases / name)
    assert photo.pixels.shape == right.shape
    assert np.abs(photo.pixels.reshape(-1, 3).mean(axis=0) - RIGHT).max() < 0.6
    # Not the mean alone: every part of the picture; JPEG and HEIC lose a little.
    assert np.abs(photo.pixels.astype("int16") - right).mean() < 2.5
    assert photo.notes == ()


def test_grey_whose_white_is_0_is_no_negative(cases):
    photo, right = read_photo(cases / "grey16_min_is_white.tif"), read_photo(cases / "right_colours.png")
    assert np.corrcoef(photo[..., 1].ravel(), right.mean(axis=2).ravel())[0, 1] > 0.99


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("rgb_float32.tif", "32-bit floating-point pixels in 3 channels"),
    ],
)
def test_what_is_not_read_is_named(cases, name, words):
    with pytest.raises(UnreadablePhoto, match=words) as caught:
        read_photo(cases / name)
    assert "damaged" not in str(caught.value)
