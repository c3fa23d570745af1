"""The reading page's frame: said, set, carried to other pages, and undone."""

import io
import json

import numpy as np
import pytest
from driving import picture_bytes, upload, viewer, words
from PIL import Image

from core.data.drawn import SKIN, draw_lesion


@pytest.fixture(scope="module")
def photo() -> bytes:
    """A drawn lesion, small and off centre."""
    pixels = np.empty((300, 400, 3), "uint8")
    pixels[:] = SKIN
    pixels[20:100, 30:110] = draw_lesion("mel", (80, 80))[0]
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def framer(app) -> dict | None:
    for element in app.get("bidi_component"):
        if element.proto.component_name == "melascope.framer":
            return json.loads(element.proto.json)
    return None


def warned(app) -> bool:
    return any("Framed otherwise" in one.value for one in app.warning)


def test_a_photo_as_in_training_is_not_spoken_of(open_app):
    app = upload(open_app(), picture_bytes("mel"))
    assert not warned(app) and "framing begin" in [b.key for b in app.button]


def test_the_suggested_square_is_read_and_the_facts_stay(open_app, photo):
    app = upload(open_app(), photo)
    assert warned(app) and (viewer(app)["width"], viewer(app)["height"]) == (400, 300)
    app.number_input(key="age").set_value(70).run()
    before = app.get("plotly_chart")[0].proto.alt
    app.button(key="framing suggested").click().run()
    assert not app.exception and not warned(app)
    shown = viewer(app)
    assert shown["width"] == shown["height"] < 200 and app.get("plotly_chart")[0].proto.alt != before
    assert app.number_input(key="age").value == 70 and "Same patient" not in words(app)
    app.switch_page("pages/compare_backbones.py").run()
    assert "Read is a square of the photo" in words(app)
    app.button(key="uncrop").click().run()
    assert "Read is a square of the photo" not in words(app)


def test_the_square_is_set_on_the_whole_photo(open_app, photo):
    app = upload(open_app(), photo)
    app.button(key="framing set").click().run()
    told = framer(app)
    assert (told["width"], told["height"]) == (400, 300) and told["square"] == told["suggested"] and viewer(app) is None
    assert not app.exception


def test_left_as_it_is_it_is_not_said_again(open_app, photo):
    app = upload(open_app(), photo)
    app.button(key="framing leave").click().run()
    assert not warned(app) and viewer(app)["width"] == 400
