import numpy as np
import pytest

from core.data.drawn import SKIN, draw_lesion
from core.data.framing.crop import AUTO, NONE, Crop, whole_square
from core.data.framing.framed import FRAMED, frame_photo
from core.data.framing.look import BLACK_CORNERS, OFF_CENTRE, look_at_framing


def scene(
    place: tuple[int, int], side: int = 150, size: tuple[int, int] = (800, 600), circle: bool = True
) -> np.ndarray:
    """A drawn lesion of `side` pixels, small in a larger photo; in a dermatoscope's circle if asked for."""
    width, height = size
    photo = np.empty((height, width, 3), "uint8")
    photo[:] = SKIN
    left, top = place
    photo[top : top + side, left : left + side] = draw_lesion("mel", (side, side))[0]
    if circle:
        y, x = np.mgrid[:height, :width]
        photo[np.hypot(y - height / 2, x - width / 2) > 0.48 * height] = 5
    return photo


def middle(crop: Crop) -> tuple[float, float]:
    return crop.left + crop.side / 2, crop.top + crop.side / 2


@pytest.mark.parametrize("place", [(250, 120), (380, 330), (330, 220)])
def test_a_dermatoscopes_circle_is_told_and_the_square_lies_around_the_lesion(place):
    photo = scene(place)
    framing = look_at_framing(photo)
    assert BLACK_CORNERS in framing.reasons
    square = framing.suggested
    assert np.allclose(middle(square), (place[0] + 75, place[1] + 75), atol=15)
    corners = square.cut(photo)[[0, 0, -1, -1], [0, -1, 0, -1]]
    assert 100 < square.side < 300 and corners.min() > 100, "no black corner is left"


def test_a_small_lesion_off_centre_is_told_without_a_rim():
    photo = scene((80, 60), side=110, circle=False)
    framing = look_at_framing(photo)
    assert OFF_CENTRE in framing.reasons and any("small" in reason for reason in framing.reasons)
    assert np.allclose(middle(framing.suggested), (135, 115), atol=12)


@pytest.mark.parametrize(("place", "told"), [((300, 200), False), ((120, 60), True)], ids=["middle", "beside"])
def test_a_lesion_of_a_third_is_told_only_beside_the_middle(place, told):
    framing = look_at_framing(scene(place, side=200, circle=False))
    assert framing.differs is told
    if told:
        assert OFF_CENTRE in framing.reasons and len(framing.reasons) == 2


@pytest.mark.parametrize("code", ["mel", "nv", "bkl", "vasc"])
def test_a_photo_as_in_training_is_left_alone(code):
    photo, _ = draw_lesion(code)
    framing = look_at_framing(photo)
    assert not framing.differs


@pytest.mark.parametrize(
    "photo",
    [
        np.full((450, 600, 3), 200, "uint8"),
        np.zeros((300, 300, 3), "uint8"),
        np.random.default_rng(0).integers(0, 256, (32, 40, 3), dtype="uint8"),
        np.full((32, 4000, 3), 180, "uint8"),
    ],
    ids=["plain", "black", "tiny", "long"],
)
def test_without_a_lesion_there_is_a_square_all_the_same(photo):
    assert look_at_framing(photo).suggested.fits(*photo.shape[:2])


def test_nothing_is_cropped_unasked_and_all_is_said():
    photo = scene((250, 120))
    framed = frame_photo(photo, NONE)
    assert framed.crop is None and framed.pixels is photo
    assert (
        framed.notes[0].startswith(FRAMED)
        and f"--crop auto reads the square {framed.framing.suggested}" in framed.notes[0]
    )
    assert framed.to_json()["crop"] is None and framed.to_json()["framing"]["differs"]


def test_auto_reads_the_suggested_square_and_leaves_good_photos_whole():
    photo = scene((250, 120))
    framed = frame_photo(photo, AUTO)
    assert framed.crop == framed.framing.suggested and framed.pixels.shape[0] == framed.crop.side
    good, _ = draw_lesion("mel")
    assert frame_photo(good, AUTO).crop is None and not frame_photo(good, AUTO).notes


def test_a_square_of_ones_own_is_judged_as_it_was_cut():
    photo = scene((250, 120))
    assert not frame_photo(photo, Crop(215, 85, 220)).notes
    assert "in the square 100,0,600" in frame_photo(photo, whole_square(600, 800)).notes[0]
