"""Real cases on the start page: offered first on a fresh machine, opened by a click once they are there."""

import pytest
from stand_in_archive import jpeg
from streamlit.testing.v1 import AppTest

from core.archive.photos import fetch_photos
from core.archive.web import Web
from core.teaching.case_sets.shipped import read_lists


def page():
    import streamlit as st

    from core.webapp.shared.cases.lists import draw_case_lists
    from core.webapp.shared.photo.open_case import OPENING

    draw_case_lists(st.container())
    opening = st.session_state.get(OPENING)
    st.write(f"{opening.name} {opening.facts} {opening.about}" if opening else "nothing opened")


@pytest.fixture
def archive(empty_archive):
    picture = jpeg(size=(60, 45))
    empty_archive.photos = {case.id: picture for cases in read_lists().values() for case in cases.cases}
    return empty_archive


def test_a_fresh_machine_is_offered_the_cases_that_ship(archive):
    app = AppTest.from_function(page, default_timeout=30).run()
    assert [b.label for b in app.button] == [f"Get {len(archive.photos)} photos of real cases"]
    assert "Melanomas called nevus" in app.caption[0].value
    assert "CC BY-NC 4.0" in app.caption[0].value


def test_a_case_opens_with_its_facts_its_truth_and_whose_photo_it_is(archive):
    fetch_photos(archive.photos, web=Web(apart=0.0))
    app = AppTest.from_function(page, default_timeout=30).run()
    assert not app.exception
    app.selectbox[0].set_value("black-nevi").run()
    assert len(app.button) == len(read_lists()["black-nevi"])
    app.selectbox[0].set_value("melanomas-called-nevus").run()
    cases = read_lists()["melanomas-called-nevus"]
    assert len(app.button) == len(cases)
    app.button[0].click().run()
    said, case = app.markdown[-1].value, cases.cases[0]
    assert said.startswith(case.id)
    assert str(case.facts) in said
    assert "Melanoma, by histopathology" in said
    assert "CC BY-NC 4.0" in said
    assert "ViDIR Group" in said
