"""The teacher's own view of a room: truth, live votes, results, the end. Never to be projected."""

import streamlit as st

from core.diagnoses import NAMES
from core.teaching.case_sets.record import CONFIRMED, CaseSet, TeachingCase
from core.teaching.people import Refused
from core.teaching.rooms.lead import delete_room, end_room, go_to, set_advice, step_back, step_on
from core.teaching.rooms.look import find_case_photo, look
from core.teaching.rooms.results import export_votes
from core.teaching.rooms.steps import STEPS
from core.teaching.rooms.visible import View
from core.teaching.store.place import StoreUnusable
from core.webapp.shared.failures import failure
from core.webapp.shared.shelf import read_shelf
from core.webapp.shared.words import plain
from core.webapp.teach.advice import ask_network, gather_advice
from core.webapp.teach.asking import draw_again, sentences, the_store
from core.webapp.teach.browser import TEACHER, keep_in_browser
from core.webapp.teach.pictures import draw_photo, find_path, photo_jpeg
from core.webapp.teach.pulse import draw_pulse
from core.webapp.teach.room.results import draw_results
from core.webapp.teach.room.wall import join_address
from core.webapp.teach.sets.photos import offer_set_photos
from core.webapp.teach.show import credit, draw_advice, draw_tally

POLL = 0.5  # seconds
LESSON, RESULTS, END = "Lesson", "Results", "End and export"


def draw_desk(code: str, secret: str) -> None:
    """What only the teacher sees of a room."""
    try:
        view = look(the_store(), code, secret)
    except (Refused, StoreUnusable) as error:
        st.error(failure(error), icon=":material/error:")
        return
    if view.image_id is None:
        st.error(f"The secret that this browser holds is not that of room {view.code}.", icon=":material/lock:")
        return
    st.header(f"Room {view.code}: {plain(view.title or '')}", anchor=False)
    st.caption(":material/visibility_off: This page tells the truth of each case. Keep it off the wall.")
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.link_button("Open the wall", f"?wall={view.code}", icon=":material/cast:", type="primary")
        st.link_button("All rooms", "?section=Class", icon=":material/arrow_back:")
        st.caption(f"Students open {plain(join_address(view.code))}")
    part = st.segmented_control("Part", (LESSON, RESULTS, END), default=LESSON, required=True, key="desk part")
    if part == LESSON:
        _draw_lesson(code, secret)
    elif part == RESULTS:
        draw_results(view.code, secret)
    else:
        _draw_end(view, secret)


@st.fragment
def _draw_lesson(code: str, secret: str) -> None:
    """The present case, with live votes; redrawn twice a second."""
    with sentences():
        view = look(the_store(), code, secret)
        _draw_lead(view, secret)
        left, right = st.columns(2, gap="large")
        with left:
            case = find_case_photo(the_store(), code, secret, view.photo_key or "")
            with st.container(key="case"):
                draw_photo(photo_jpeg(case), f"Case {view.position + 1}", credit(view.licence, view.attribution))
            if find_path(case) is None:
                offer_set_photos(_alone(case), "desk")
            st.markdown(f"**{NAMES[view.truth]}**, by {CONFIRMED[view.confirmed]} ({plain(view.image_id)})")
            if view.why:
                st.caption(plain(view.why))
        with right:
            st.markdown(f"**{view.answered} of {view.students}** have answered in this round.")
            for number, votes in (view.tally or {}).items():
                st.markdown("##### Votes" + (" after the network" if number == 2 else ""))
                draw_tally(votes, view.truth)
            if view.network is not None:
                draw_advice(view.network)
                if view.faulty:
                    st.warning(
                        f"Made wrong on purpose; it really said {NAMES[view.network.really]}.",
                        icon=":material/bug_report:",
                    )
            else:
                st.caption("The network was not asked about this case.")
                _draw_asking(case, view, secret)
    draw_pulse(POLL)


def _draw_asking(case: TeachingCase, view: View, secret: str) -> None:
    """For a case whose photo was missing when the room was opened."""
    shelf = read_shelf()
    with st.expander("Ask it now", icon=":material/neurology:"):
        name = ask_network(shelf, "desk")
        if st.button("Ask about this case", disabled=view.over):
            given = gather_advice(_alone(case), name, shelf)
            if not given:
                raise Refused(
                    f"{name} cannot answer: it learned from this photo, or the photo is not here or cannot be read."
                )
            set_advice(the_store(), view.code, secret, given)
            draw_again()


def _alone(case: TeachingCase) -> CaseSet:
    return CaseSet("This case", (case,))


def _draw_lead(view: View, secret: str) -> None:
    store = the_store()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        back = st.button("Back", icon=":material/arrow_back:", disabled=view.over)
        on = st.button("Next", icon=":material/arrow_forward:", type="primary", disabled=view.over)
        st.markdown(f"Case **{view.position + 1} of {view.cases}** · **{STEPS[view.step].title}**")
        chosen = st.number_input("Go to case", 1, view.cases, view.position + 1, key=f"go to {view.version}", width=140)
        go = st.button("Go", disabled=view.over or chosen == view.position + 1)
    if on:
        step_on(store, view.code, secret, view.version)
    elif back:
        step_back(store, view.code, secret, view.version)
    elif go:
        go_to(store, view.code, secret, int(chosen) - 1)
    else:
        return
    draw_again()


def _draw_end(view: View, secret: str) -> None:
    with sentences():
        st.markdown(f"{view.students} have joined: {', '.join(map(plain, view.nicknames)) or 'nobody yet'}.")
        st.download_button(
            "All votes as CSV",
            lambda: export_votes(the_store(), view.code, secret),
            file_name=f"room-{view.code}.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
        if st.button(
            "End the lesson", icon=":material/flag:", disabled=view.over, help="Results stay until the room goes."
        ):
            end_room(the_store(), view.code, secret)
            st.rerun()
        st.divider()
        sure = st.checkbox(f"Delete room {view.code} with its students and all their answers")
        if st.button("Delete", icon=":material/delete:", disabled=not sure):
            delete_room(the_store(), view.code, secret)
            keep_in_browser(f"{TEACHER} {view.code}", None)
            st.query_params.clear()
            st.query_params["section"] = "Class"
            st.rerun()
    with st.expander("Lead this room from another browser", icon=":material/key:"):
        st.markdown(
            "Type the room's secret there, in the section *Class* under *Lead a room that was opened in another browser*. Whoever has it "
            "leads the room."
        )
        st.code(secret, language=None)
