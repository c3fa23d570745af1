"""The wall: a room as it is projected, with nothing that students may not see yet; keys and clicks lead it on."""

import os
from collections.abc import Callable

import segno
import streamlit as st

from core.diagnoses import NAMES
from core.teaching.advice import Advice
from core.teaching.case_sets.record import TeachingCase
from core.teaching.class_server import ADDRESS_VARIABLE
from core.teaching.people import Refused
from core.teaching.rooms.lead import step_back, step_on
from core.teaching.rooms.look import find_case_photo, look
from core.teaching.rooms.project import Projection, project
from core.teaching.rooms.steps import STEPS
from core.teaching.rooms.visible import View
from core.teaching.store.place import StoreUnusable
from core.webapp.shared.failures import failure
from core.webapp.shared.words import plain
from core.webapp.teach.asking import the_store
from core.webapp.teach.browser import draw_keys
from core.webapp.teach.pictures import draw_photo, map_jpeg, photo_jpeg, prepare_map
from core.webapp.teach.pulse import draw_pulse
from core.webapp.teach.show import credit, draw_advice, draw_facts, draw_tally, draw_truth

POLL = 0.4  # seconds
_STYLE = """
<style>
  .stAppHeader, .st-key-frame { display: none; }
  .stMainBlockContainer { max-width: none !important; padding: 1rem 1.5rem 4.5rem !important; }
  .st-key-case [data-testid="stImage"] img { max-height: 80vh !important; }
  .st-key-said, .st-key-said p, .st-key-said .ms-bars, .st-key-door p { font-size: 1.25rem; }
  .st-key-said h5 { font-size: 1.5rem; }
  .st-key-said .stElementContainer:has(img), .st-key-said .stElementContainer:has(img) * { max-width: 100% !important; }
  .st-key-said [data-testid="stImage"] img { max-height: 26vh; width: auto; object-fit: contain; }
  .st-key-controls, .st-key-wall-keys { position: fixed; bottom: .8rem; z-index: 10; width: auto !important; }
  .st-key-controls { left: 1.5rem; } .st-key-wall-keys { right: 1.5rem; }
  .ms-code { font-size: clamp(3rem, 9vw, 8rem); font-weight: 750; letter-spacing: .1em; line-height: 1.1; }
  @media (max-height: 1000px) {
    .stMainBlockContainer { padding-top: .5rem !important; }
    .st-key-said, .st-key-said p, .st-key-said .ms-bars { font-size: 1rem; }
    .st-key-said h5 { font-size: 1.15rem; }
    .st-key-said [data-testid="stVerticalBlock"] { gap: .5rem; }
  }
  @media (max-height: 800px) {
    .stMainBlockContainer { padding-bottom: 2.8rem !important; }
    .st-key-said [data-testid="stVerticalBlock"] { gap: .2rem; }
    .st-key-said .ms-bars { gap: 0 .6rem; font-size: .95rem; }
    .st-key-said [data-testid="stImage"] img { max-height: 20vh; }
    .st-key-said [data-testid="stAlertContainer"] { padding: .4rem .8rem; }
  }
  @media (max-width: 640px) { .st-key-controls .stCaption, .st-key-controls [data-testid="stCaptionContainer"] { display: none; } }
</style>
"""


@st.fragment
def draw_wall(code: str, secret: str) -> None:
    """What is projected of a room: redrawn with every key and click, and a moment after students join and vote."""
    st.html(_STYLE)
    try:
        shown = project(the_store(), code, secret)
        version = shown.view.version

        def lead(which: str) -> None:
            _lead_on(which, code, secret, version)

        with st.container(key="wall-keys", horizontal=True):
            draw_keys(lead)
        refused, why = st.session_state.get(f"refused {code}", (None, ""))
        if refused == version:
            st.warning(why, icon=":material/touch_app:")
        if not st.session_state.get(f"begun {code}") and _is_first(shown.view):
            _draw_door(shown)
        else:
            _draw_case(shown, code, secret)
        _draw_controls(shown, lead)
    except (Refused, StoreUnusable) as error:
        st.error(failure(error), icon=":material/error:")
    draw_pulse(POLL)


def join_address(code: str) -> str:
    """What phones open; on a server that only this machine reaches, an address for trying it out."""
    base = os.environ.get(ADDRESS_VARIABLE) or (st.context.url or "").split("?")[0].split("#")[0]
    return f"{base.rstrip('/')}/?room={code}" if os.environ.get(ADDRESS_VARIABLE) else f"{base}?room={code}"


def draw_qr(address: str, width: int) -> None:
    """The address as a QR code, dark on light on every ground: phones read no other."""
    picture = segno.make(address, error="m").svg_data_uri(scale=8, border=4, light="white", dark="black")
    st.html(
        f'<img src="{picture}" alt="QR code of {address}" style="width:{width}px;max-width:100%;border-radius:.5rem">'
    )


def _lead_on(which: str, code: str, secret: str, version: int) -> None:
    """Does what a key or click asks for, at once: a run that is drawn later can end early, and what it was to do is lost.

    Before the first case the door is shown, which is no step of the room.

    Args:
        which: "next" or "back".
        version: of the room as the wall was drawn last; the same click twice is one step.
    """
    begun = f"begun {code}"
    try:
        view = project(the_store(), code, secret).view
        if _is_first(view) and (which == "next") != bool(st.session_state.get(begun)):
            st.session_state[begun] = which == "next"
        elif not view.over:
            (step_on if which == "next" else step_back)(the_store(), code, secret, version)
    except (Refused, StoreUnusable) as error:
        st.session_state[f"refused {code}"] = (version, failure(error))


def _is_first(view: View) -> bool:
    return view.position == 0 and view.step == "photo"


def _draw_door(shown: Projection) -> None:
    """Before the first case: how to join."""
    view = shown.view
    address = join_address(view.code)
    code, how = st.columns([2, 3], gap="large", vertical_alignment="center")
    with code:
        draw_qr(address, 420)
    with how, st.container(key="door"):
        st.html(f'<div class="ms-code">{view.code}</div>')
        st.markdown(f"Open **{plain(address)}**, or read the code with your phone, and choose a nickname.")
        st.markdown(f"**{view.students}** joined")
        if shown.nicknames:
            st.markdown(" · ".join(map(plain, shown.nicknames[-60:])))


def _draw_case(shown: Projection, code: str, secret: str) -> None:
    view = shown.view
    case = find_case_photo(the_store(), code, secret, view.photo_key or "")
    if "map" in shown.steps:
        # What the wall does not know yet: the answer whose map will be shown in a minute.
        prepare_map(case, look(the_store(), code, secret).network)
    together = len(shown.arms) == 1 or view.truth is not None
    # With the truth come two counts of votes, the network and its map: beside each other, so that all of it fits a beamer. Two arms
    # beside each other need half of it.
    shares = [2, 3] if view.truth is not None else [3, 2] if together else [1, 1]
    photo, texts = st.columns(shares, gap="large")
    with photo, st.container(key="case"):
        draw_photo(photo_jpeg(case), f"Case {view.position + 1}", credit(view.licence, view.attribution))
    with texts, st.container(key="said"):
        st.markdown(f"##### Case {view.position + 1} of {view.cases} · {STEPS[view.step].title}")
        if view.over:
            st.info("The lesson is over.", icon=":material/flag:")
        if view.facts is not None:
            draw_facts(view.facts)
        if view.step in ("vote", "second vote"):
            st.markdown(f":material/how_to_vote: **{view.answered} of {view.students}** have answered.")
        if view.truth is not None:
            draw_truth(view.truth, view.confirmed, view.why, view.faulty)
        if together:
            _draw_said(case, view)
        else:
            # The arm that sees the network has more to show.
            widths = [2 if theirs.network is not None else 1 for theirs in shown.arms.values()]
            for column, (arm, theirs) in zip(st.columns(widths, gap="medium"), shown.arms.items(), strict=True):
                with column, st.container(border=True, key=f"arm {arm}"):
                    st.markdown(f"**{arm}**")
                    if theirs.network is None:
                        st.caption("Photo and patient only." if theirs.facts else "The photo only.")
                    _draw_said(case, theirs)


def _draw_said(case: TeachingCase, view: View) -> None:
    """What one arm sees of the network and the votes, beside each other where there are both."""
    voted = view.tally is not None and any(view.tally.values())
    votes, network = (
        st.columns(2, gap="medium") if voted and view.network is not None else [st.container(), st.container()]
    )
    if voted:
        with votes:
            for number, tally in view.tally.items():
                st.markdown("##### The class" + (", after the network" if number == 2 else ""))
                draw_tally(tally, view.truth)
    if view.network is not None:
        with network:
            draw_advice(view.network)
            if view.map:
                _draw_map(case, view.network)


def _draw_map(case: TeachingCase, advice: Advice) -> None:
    made = map_jpeg(case, advice)
    if isinstance(made, bytes):
        st.image(made, caption=f"What moved it towards {NAMES[advice.answer]}", alt="The network's map", width=360)
    else:
        st.caption("The map is being drawn." if made is None else plain(made))


def _draw_controls(shown: Projection, lead: Callable[[str], None]) -> None:
    view = shown.view
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="controls"):
        st.button("Back", icon=":material/arrow_back:", on_click=lead, args=("back",), key="wall back")
        st.button(
            "Next", icon=":material/arrow_forward:", on_click=lead, args=("next",), type="primary", key="wall next"
        )
        st.caption(f"Keys: → or space on, ← back. Room **{view.code}**, {view.students} joined.")
