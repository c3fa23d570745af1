import numpy as np
import pytest

from core.data.framing.crop import Crop, InvalidCrop, parse_crop, whole_square

PHOTO = np.arange(60 * 90 * 3, dtype="uint8").reshape(60, 90, 3)


def test_a_square_is_cut_where_it_lies():
    assert (Crop(10, 5, 40).cut(PHOTO) == PHOTO[5:45, 10:50]).all()
    assert whole_square(60, 90) == Crop(15, 0, 60)


@pytest.mark.parametrize("crop", [Crop(60, 0, 40), Crop(0, 30, 40), Crop(-1, 0, 40), Crop(0, 0, 61), Crop(0, 0, 20)])
def test_a_square_that_a_photo_does_not_have_gets_a_sentence(crop):
    with pytest.raises(InvalidCrop, match="90 x 60 pixels. Expected X,Y,SIZE"):
        crop.cut(PHOTO)


@pytest.mark.parametrize("crop", [Crop(80, -5, 40), Crop(0, 0, 5000), Crop(-90, 200, 1)])
def test_a_square_is_moved_into_a_photo(crop):
    assert crop.within(60, 90).fits(60, 90)


def test_what_a_person_may_ask_for():
    assert parse_crop(" Auto ") == "auto" and parse_crop("none") == "none"
    assert parse_crop("12, 0,300") == Crop(12, 0, 300)


@pytest.mark.parametrize(
    "text", ["", "yes", "1,2", "1,2,3,4", "-1,2,300", "1.5,2,300", "1,2,3e9", "9" * 99, "nan,1,50"]
)
def test_anything_else_gets_a_sentence(text):
    with pytest.raises(InvalidCrop, match="is no crop. Expected auto, none, or X,Y,SIZE"):
        parse_crop(text)


def test_a_square_of_a_few_pixels_is_refused():
    with pytest.raises(InvalidCrop, match="side of 10 pixels. Expected 32 or more"):
        parse_crop("0,0,10")
