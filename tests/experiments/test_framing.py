import numpy as np
import pandas as pd
import pytest

from core.data.drawn import draw_lesion
from core.data.framing.look import look_at_framing
from core.diagnoses import CODES
from experiments.framing import CIRCLE, PHONE, make_scene, summarise


@pytest.mark.parametrize("kind", [CIRCLE, PHONE])
def test_a_scene_holds_the_photo_where_it_says(kind):
    photo = draw_lesion("nv", (160, 160))[0]
    scene, square = make_scene(photo, np.random.default_rng(1), kind)
    assert square.side == 160 and square.fits(*scene.shape[:2])
    middle = slice(20, -20)
    assert np.abs(square.cut(scene)[middle, middle].astype(int) - photo[middle, middle]).max() <= 1
    corners = scene[[0, 0, -1, -1], [0, -1, 0, -1]]
    assert (corners.max() < 20) == (kind == CIRCLE) == any("black" in why for why in look_at_framing(scene).reasons)


def test_figures_by_hand():
    rows = pd.DataFrame({"dx": ["mel", "mel", "nv", "nv"], "lesion_id": list("abcd")})

    def said(*codes):
        return np.array([[0.9 if code == one else 0.01 for one in CODES] for code in codes])

    ways = {"photo as it is": said("mel", "mel", "nv", "mel"), "circle auto": said("mel", "nv", "nv", "nv")}
    found = summarise(ways, {"circle": [True, False, True, True]}, rows)
    assert found["told"] == {"circle": 0.75}
    assert (
        found["ways"]["photo as it is"]["balanced_accuracy"].value == 0.75
        and found["ways"]["photo as it is"]["same"] == 1
    )
    circle = found["ways"]["circle auto"]
    assert circle["balanced_accuracy"].value == 0.75 and circle["same"] == 0.5
    assert circle["mel_moves"] == pytest.approx(2 * 0.89 / 4)
