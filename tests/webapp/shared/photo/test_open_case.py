"""A case opened from elsewhere: its photo, facts and network are those of the page that reads it."""

import io

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from core.data.drawn import draw_lesion


def page():
    import streamlit as st

    from core.webapp.shared.photo.ask import ask_photo
    from core.webapp.shared.photo.facts import ask_facts
    from core.webapp.shared.photo.open_case import take_opened

    take_opened(["Shipped"])
    photo = ask_photo()
    st.write(f"size {photo and photo.size}")
    st.write(f"facts {ask_facts(photo)}")
    st.write(f"model {st.session_state.get('model')}")
    st.write(f"about {photo and photo.about}")


def words(app: AppTest) -> str:
    assert not app.exception
    return "\n".join(element.value for kind in (app.markdown, app.caption, app.error) for element in kind)


def png(code: str = "mel", size: tuple[int, int] = (120, 90)) -> bytes:
    file = io.BytesIO()
    Image.fromarray(draw_lesion(code, size)[0]).save(file, "PNG")
    return file.getvalue()


def open_in(app: AppTest, photo, model="Shipped", **facts) -> AppTest:
    """As `open_case` does, from the test's own side."""
    from core.data.patient import Facts
    from core.webapp.shared.photo.open_case import OPENING, Opening

    app.session_state[OPENING] = Opening(photo, Facts(**facts), model, "case.png", "A nevus.")
    return app.run()


def test_an_opened_case_brings_photo_facts_network_and_what_is_known():
    app = open_in(AppTest.from_function(page, default_timeout=60).run(), png(), age=45.5, sex="male", site="face")
    said = words(app)
    assert "size 120 x 90 pixels" in said and "facts Facts(age=45.5, sex='male', site='face')" in said
    assert "model Shipped" in said and "about A nevus." in said
    app.run()
    assert "age=45.5" in words(app), "a case stays open"


def test_a_case_s_file_that_is_gone_is_said_and_nothing_else_is_shown(tmp_path):
    app = open_in(AppTest.from_function(page, default_timeout=60).run(), png())
    app = open_in(app, tmp_path / "gone.jpg", "Unknown")
    assert "does not exist" in words(app) and "size None" in words(app) and "model Shipped" in words(app)


@pytest.mark.parametrize("same", [True, False])
def test_another_photo_begins_without_facts_and_asks(same):
    app = AppTest.from_function(page, default_timeout=60).run()
    app.file_uploader[0].set_value(("a.png", png(), "image/png")).run()
    app.number_input(key="age").set_value(85.0)
    app.selectbox(key="sex").select("male").run()
    assert "age=85.0" in words(app)
    app.file_uploader[0].set_value(("b.png", png("nv"), "image/png")).run()
    assert "facts Facts(age=None, sex='unknown', site='unknown')" in words(app)
    assert "Same patient as the photo before (age 85, male)?" in words(app)
    app.button(key="facts before yes" if same else "facts before no").click().run()
    assert ("age=85.0" in words(app)) == same and "Same patient as" not in words(app)


def test_a_refused_upload_leaves_no_photo_and_one_sentence():
    app = AppTest.from_function(page, default_timeout=60).run()
    app.file_uploader[0].set_value(("a.png", png(), "image/png")).run()
    for name in ("one.jpg", "two.jpg"):
        app.file_uploader[0].set_value((name, b"text\n" * 40, "image/jpeg")).run()
        assert "size None" in words(app) and len(app.error) == 1 and name in app.error[0].value
