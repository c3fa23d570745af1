"""Teach: which of its pages an address opens, and who may see it."""

import os

import streamlit as st

from core.teaching.class_server import KEY_VARIABLE
from core.teaching.credentials import is_secret, read_code
from core.teaching.people import Refused
from core.teaching.rooms.look import room_version
from core.teaching.store.place import StoreUnusable
from core.webapp.shared.failures import failure
from core.webapp.shared.frame import bare_frame, page_frame
from core.webapp.teach.asking import ask_with_code, sentences, the_store
from core.webapp.teach.browser import CLASS_KEY, LAST_ROOM, TEACHER, keep_in_browser, read_browser
from core.webapp.teach.room.phone import draw_phone
from core.webapp.teach.show import STYLE
from core.webapp.teach.study.read import draw_reader

CLASS, QUIZ, STUDY, SETS = "Class", "Quiz", "Reader study", "Case sets"
SECTIONS = (CLASS, QUIZ, STUDY, SETS)
# What an address may open: its parameter, and the secret that it asks for.
_PLACES = ("room", "wall", "desk", "study")


def draw_teach() -> None:
    """The page."""
    place = next((name for name in _PLACES if name in st.query_params), None)
    class_key = os.environ.get(KEY_VARIABLE, "")
    if place or class_key:
        bare_frame("Teach")
    else:
        page_frame("Teach", "Present, let a class vote, quiz yourself, run a reader study.")
    st.html(STYLE)
    _return()
    kept = read_browser()
    try:
        the_store()
    except StoreUnusable as error:
        st.error(failure(error), icon=":material/database_off:")
        return
    if place:
        _draw_place(place, read_code(st.query_params[place]), kept)
    elif not class_key or is_secret(kept.get(CLASS_KEY, ""), class_key):
        _draw_sections()
    else:
        _draw_entrance(class_key, read_code(kept.get(LAST_ROOM, "")))


@st.fragment(run_every=3600)
def _return() -> None:
    """Draws nothing: a page with a timer asks for a whole run on each new connection to a server.

    Without one a browser asks only where a run was under way or the last run was a fragment's (`handleConnectionStateChanged` of
    Streamlit's page); else a page stood still for good when its server was killed and came back, as a new session knows no fragment.
    """


def _draw_place(place: str, code: str, kept: dict[str, str]) -> None:
    if place == "room":
        draw_phone(code)
    elif place == "study":
        draw_reader(code)
    elif not (secret := kept.get(f"{TEACHER} {code}")):
        st.error(
            f"This browser does not lead room {code}. Open it in the browser in which it was opened, or type its secret in the section "
            "*Class*.",
            icon=":material/lock:",
        )
    elif place == "wall":
        from core.webapp.teach.room.wall import draw_wall

        draw_wall(code, secret)
    else:
        from core.webapp.teach.room.desk import draw_desk

        draw_desk(code, secret)


def _draw_sections() -> None:
    """For the teacher alone; what it needs (pandas, networks) no phone waits for."""
    section = st.segmented_control(
        "Section",
        SECTIONS,
        default=CLASS,
        required=True,
        key="section",
        bind="query-params",
        label_visibility="collapsed",
    )
    if section == CLASS:
        from core.webapp.teach.room.opening import draw_class

        draw_class()
    elif section == QUIZ:
        from core.webapp.teach.quiz.take import draw_quiz

        draw_quiz()
    elif section == STUDY:
        from core.webapp.teach.study.lead import draw_studies

        draw_studies()
    else:
        from core.webapp.teach.sets.make import draw_sets

        draw_sets()


def _draw_entrance(class_key: str, last_room: str) -> None:
    """What a class server shows to everybody else: where to type a code.

    Args:
        last_room: code of the room that this browser has joined last, or "": a phone's back button leads here from it.
    """
    st.header("Join a class", anchor=False)
    if last_room and st.button(f"Back to room {last_room}", icon=":material/arrow_back:", width="stretch"):
        with sentences():
            _enter(last_room)
    with st.form("entrance", border=False):
        code = st.text_input("Code", max_chars=20, placeholder="K7PXC")
        sent = st.form_submit_button("Go on", type="primary", width="stretch")
    if sent:
        with sentences():
            _enter(read_code(code))
    with st.expander("I am the teacher", icon=":material/key:"), st.form("key", border=False):
        key = st.text_input("Key, from the window in which the class was started", type="password")
        if st.form_submit_button("Open"):
            with sentences():
                _enter_as_teacher(key.strip(), class_key)


def _enter(code: str) -> None:
    """To the room or study of a code."""

    def find() -> str:
        try:
            room_version(the_store(), code)
        except Refused as nowhere:
            from core.teaching.studies.study import study_welcome

            try:
                study_welcome(the_store(), code)
            except Refused:
                raise nowhere from None
            return "study"
        return "room"

    where = ask_with_code(find)
    st.query_params.clear()
    st.query_params[where] = code
    st.rerun()


def _enter_as_teacher(key: str, class_key: str) -> None:
    def check() -> None:
        if not is_secret(key, class_key):
            raise Refused(
                "This is not the key of this class server. It stands in the window in which the class was started."
            )

    ask_with_code(check)
    keep_in_browser(CLASS_KEY, key)
    st.rerun()
