"""Fixtures: the teaching page without a browser, for several people at once, on a store and drawn photos of its own."""

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.teaching.case_sets.sources import choose_cases
from core.teaching.class_server import PAGE
from core.teaching.rooms.door import open_room
from core.teaching.rooms.steps import RELIANCE_LESSON
from core.teaching.store.place import DATABASE_VARIABLE
from core.webapp.teach.asking import the_store
from core.webapp.teach.browser import KEPT

TIMEOUT = 120  # seconds; the first run imports what pages need


@pytest.fixture(scope="session")
def photos(tmp_path_factory):
    """A drawn HAM10000 folder."""
    from core.data.drawn import draw_ham10000

    return draw_ham10000(tmp_path_factory.mktemp("teach") / "ham10000")


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch, photos, drawn_bundle_folder):
    """An own database, and nothing kept from other tests."""
    monkeypatch.setenv(DATABASE_VARIABLE, str(tmp_path / "teaching.sqlite3"))
    monkeypatch.setenv("HAM10000_DIR", str(photos))
    monkeypatch.setenv("MELASCOPE_WEIGHTS", str(drawn_bundle_folder.parent))
    st.cache_resource.clear()
    st.cache_data.clear()
    yield
    the_store().close()
    st.cache_resource.clear()


@pytest.fixture
def cases(photos):
    """Three drawn cases."""
    from core.data.ham10000 import read_table

    table = read_table(photos)
    why = dict.fromkeys(table.image_id, "Chosen for the blue veil.")
    return choose_cases(table, table.drop_duplicates("lesion_id").image_id[:3], "Three drawn cases", why=why)


@pytest.fixture
def room(cases):
    """A function that opens a room on them."""
    from made_up_teaching import make_advice

    def open_one(steps=RELIANCE_LESSON, said=None, **further):
        answers = said if said is not None else ["mel"] * len(cases)
        advice = {case.id: make_advice(answer) for case, answer in zip(cases.cases, answers, strict=False)}
        return open_room(the_store(), cases, advice, steps=steps, **further)

    return open_one


@pytest.fixture
def window():
    """A function that opens an address in a browser that keeps these secrets."""

    def open_window(kept=None, **query) -> AppTest:
        app = AppTest.from_file(str(PAGE), default_timeout=TIMEOUT)
        app.session_state[KEPT] = {"phone": "5" * 48, **(kept or {})}
        for name, value in query.items():
            app.query_params[name] = value
        return app.run()

    return open_window
