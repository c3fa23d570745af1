"""Fixtures: the teaching page without a browser, for several people at once, on a store and drawn photos of its own."""

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.teaching.case_sets.sources import choose_cases
from core.teaching.class_server import KEY_VARIABLE, PAGE
from core.teaching.credentials import hash_secret
from core.teaching.rooms.door import open_room
from core.teaching.rooms.steps import RELIANCE_LESSON
from core.teaching.store.place import DATABASE_VARIABLE
from core.webapp.teach import asking
from core.webapp.teach.asking import the_store
from core.webapp.teach.browser import CLASS_KEY, KEPT

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
    # Here people act within milliseconds of one another.
    monkeypatch.setattr(asking, "ASKED_EVERY", 0)
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
def lesion_pair(photos):
    """Four drawn cases: melanomas and nevi in turn."""
    from core.data.ham10000 import read_table

    table = read_table(photos).drop_duplicates("lesion_id")
    ids = [
        i for pair in zip(*(table[table.dx == code].image_id[:2] for code in ("mel", "nv")), strict=True) for i in pair
    ]
    return choose_cases(table, ids, "Melanomas and nevi")


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
    """A function that opens an address in a browser that keeps these secrets; `own` is a case set that was made in this visit."""

    def open_window(kept=None, own=None, **query) -> AppTest:
        app = AppTest.from_file(str(PAGE), default_timeout=TIMEOUT)
        app.session_state[KEPT] = {"phone": "5" * 48, **(kept or {})}
        app.session_state["own case sets"] = {own.title: own} if own else {}
        for name, value in query.items():
            app.query_params[name] = value
        return app.run()

    return open_window


@pytest.fixture
def teacher(window, monkeypatch):
    """A function that opens an address in the browser of whoever started the class server."""
    monkeypatch.setenv(KEY_VARIABLE, hash_secret("the key of the class server"))

    def open_window(kept=None, own=None, **query) -> AppTest:
        return window({CLASS_KEY: "the key of the class server", **(kept or {})}, own, **query)

    return open_window
