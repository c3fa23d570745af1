"""Opening a room, and the rooms that this browser leads."""

import os

import streamlit as st

from core.teaching.class_server import ADDRESS_VARIABLE
from core.teaching.credentials import read_code
from core.teaching.people import Refused
from core.teaching.rooms.door import KEPT_DAYS, MOST_ROOM_CASES, MOST_ROOM_DAYS, open_room
from core.teaching.rooms.look import look
from core.teaching.rooms.steps import ARMS, PLAIN_LESSON, RELIANCE_LESSON, STEPS, WITH_AI, WITHOUT_AI
from core.webapp.shared.shelf import read_shelf
from core.webapp.shared.words import plain
from core.webapp.teach.advice import ask_network, draw_learned, gather_advice
from core.webapp.teach.asking import ask_with_code, sentences, the_store
from core.webapp.teach.browser import TEACHER, keep_in_browser, read_kept
from core.webapp.teach.sets.choose import ask_case_set

# Lessons: words -> steps.
LESSONS: dict[str, tuple[str, ...]] = {
    "With a second vote (reliance)": RELIANCE_LESSON,
    "One vote": PLAIN_LESSON,
    "Without a network": ("photo", "facts", "vote", "truth"),
    "Present only, no votes": ("photo", "facts", "network", "map", "truth"),
}
# Who sees the network before the truth: words -> arms.
SPLITS: dict[str, tuple[str, ...]] = {
    "All": (WITH_AI,),
    "Every second student: two arms, side by side": ARMS,
    "Nobody": (WITHOUT_AI,),
}


def draw_class() -> None:
    """The section of classes."""
    if not os.environ.get(ADDRESS_VARIABLE):
        st.info(
            "Phones cannot reach this app: it listens on this computer only. For a class, start `melascope class` (or `make class`); "
            "here you can present, and try a room out in another window.",
            icon=":material/lan:",
        )
    _draw_rooms()
    st.header("Open a room", anchor=False)
    cases = ask_case_set("class", MOST_ROOM_CASES)
    if cases is None:
        return
    shelf = read_shelf()
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        lesson = st.selectbox("Steps of a case", list(LESSONS), key="lesson", filter_mode=None, width=300)
        split = st.selectbox(
            "Who sees the network before the truth", list(SPLITS), key="split", filter_mode=None, width=340
        )
        name = ask_network(shelf, "class", "no network")
    if "network" in LESSONS[lesson]:
        draw_learned(cases, name, shelf)
    st.caption(" → ".join(STEPS[step].title for step in LESSONS[lesson]))
    with st.expander("Code and time", icon=":material/tune:"):
        code = st.text_input(
            "Code, 4 to 12 letters and digits; drawn when empty", key="wanted code", max_chars=12, width=300
        )
        kept = st.number_input(
            "Days until room and answers go by themselves", 1, MOST_ROOM_DAYS, KEPT_DAYS, key="kept days", width=300
        )
    if not st.button("Open the room", type="primary", icon=":material/meeting_room:"):
        return
    with sentences():
        advice = gather_advice(cases, name, shelf) if "network" in LESSONS[lesson] else {}
        room = open_room(
            the_store(), cases, advice, steps=LESSONS[lesson], arms=SPLITS[split], kept_days=kept, code=code.strip()
        )
        keep_in_browser(f"{TEACHER} {room.code}", room.secret)
        st.query_params.clear()
        st.query_params["desk"] = room.code
        st.rerun()


def _draw_rooms() -> None:
    """Rooms whose secret this browser holds."""
    codes = [name.removeprefix(f"{TEACHER} ") for name in read_kept() if name.startswith(f"{TEACHER} ")]
    if codes:
        st.header("Your rooms", anchor=False)
    for code in codes:
        try:
            view = look(the_store(), code, read_kept()[f"{TEACHER} {code}"])
        except Refused:
            keep_in_browser(f"{TEACHER} {code}", None)  # its time is over, or it was deleted
            continue
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(
                f"**{code}** {plain(view.title or '')}, {view.students} students{', over' if view.over else ''}"
            )
            st.link_button("Wall", f"?wall={code}", icon=":material/cast:")
            st.link_button("Desk", f"?desk={code}", icon=":material/desk:")
    with st.expander("Lead a room that was opened in another browser", icon=":material/key:"), st.form("other room"):
        code = st.text_input("Code of the room")
        secret = st.text_input("Its secret", type="password")
        if st.form_submit_button("Lead it"):
            with sentences():
                _take_over(read_code(code), secret.strip())


def _take_over(code: str, secret: str) -> None:
    def check() -> None:
        if look(the_store(), code, secret).image_id is None:
            raise Refused(f"This is not the secret of room {code}. It stands on the desk, under *End and export*.")

    ask_with_code(check)
    keep_in_browser(f"{TEACHER} {code}", secret)
    st.query_params.clear()
    st.query_params["desk"] = code
    st.rerun()
