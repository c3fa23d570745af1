"""A student's page: joining a room, seeing what the step shows, voting."""

import contextlib

import streamlit as st

from core.diagnoses import NAMES
from core.teaching.case_sets.record import TeachingCase
from core.teaching.people import EXPERIENCE, Refused
from core.teaching.reliance import reliance
from core.teaching.rooms.door import join_room
from core.teaching.rooms.look import find_case_photo, look
from core.teaching.rooms.own import own_answers
from core.teaching.rooms.steps import STEPS
from core.teaching.rooms.visible import View
from core.teaching.rooms.votes import cast_vote
from core.teaching.scores import point
from core.teaching.store.place import StoreUnusable
from core.webapp.shared.failures import failure
from core.webapp.shared.words import plain
from core.webapp.teach.answer_form import ask_answer, begin_clock, clock_milliseconds, heard_answer
from core.webapp.teach.asking import ask_with_code, look_again, phones_turn, sentences, the_store, version_of
from core.webapp.teach.browser import LAST_ROOM, keep_in_browser, own_token
from core.webapp.teach.pictures import draw_photo, map_jpeg, photo_jpeg
from core.webapp.teach.pulse import draw_pulse
from core.webapp.teach.show import credit, draw_advice, draw_facts, draw_tally, draw_truth
from core.webapp.teach.words import share_words

POLL = 0.75  # seconds from an answer until a phone asks again whether the class is further
_ROOM, _WATCH = "room", "watch"  # fragments
_CASES, _ENTERED = "cases by key", "rooms entered"


def draw_phone(code: str) -> None:
    """What a student sees of a room."""
    token = own_token(code)
    try:
        view = _look(code, token)
    except (Refused, StoreUnusable) as error:
        st.error(failure(error), icon=":material/error:")
        st.link_button("Type another code", "?", icon=":material/arrow_back:")
        return
    if view.photo_key is None:
        _join(view, token)
    else:
        _draw_room(view, code, token)
        _watch(code)


@st.fragment(key=_ROOM)
def _draw_room(first: View, code: str, token: str) -> None:
    """All of a phone that has joined, drawn anew when the student answers or the class went on (`_watch`).

    Args:
        first: what the whole run saw.
    """
    with phones_turn():
        _draw_now(first, code, token)


def _draw_now(first: View, code: str, token: str) -> None:
    kept = f"view {code}"
    view = st.session_state.setdefault(kept, first)
    st.session_state[f"again {code}"] = False
    _hear_vote(view, code, token)
    view = st.session_state[kept]
    try:
        if (version := version_of(code)) > view.version:
            view = st.session_state[kept] = look_again(code, token, version)
    except StoreUnusable:
        pass  # the database is busy: asked again in a moment, and what the phone shows stays
    except Refused as error:
        st.session_state[f"gone {code}"] = True
        st.error(failure(error), icon=":material/event_busy:")  # the room was deleted
        return
    place = (
        "the lesson is over" if view.over else f"case {view.position + 1} of {view.cases} · {STEPS[view.step].title}"
    )
    st.markdown(f"**Room {view.code}** · {place}")
    with st.container(key="case"):
        _draw_case(view, code, token)
    if view.over:
        _draw_own(view, token)


@st.fragment(key=_WATCH)
def _watch(code: str) -> None:
    """Asks again and again whether there is more to see, and draws nothing: much less work than to draw the room."""

    def ask(lost: bool) -> None:
        if lost or _is_behind(code):
            st.rerun([_ROOM, _WATCH])

    draw_pulse(POLL, ask)


def _is_behind(code: str) -> bool:
    """Whether the class is further than what this phone shows, or what was drawn last has to be drawn again."""
    view: View | None = st.session_state.get(f"view {code}")
    if view is None or st.session_state.get(f"gone {code}"):
        return False
    try:
        return bool(st.session_state.get(f"again {code}")) or version_of(code) > view.version
    except StoreUnusable:
        return False
    except Refused:
        return True


def _look(code: str, token: str) -> View:
    """The room; a code counts as a guess until it once was right in this visit."""
    entered = st.session_state.setdefault(_ENTERED, set())
    if code in entered:
        return look(the_store(), code, token)
    view = ask_with_code(lambda: look(the_store(), code, token))
    entered.add(code)
    return view


def _join(view: View, token: str) -> None:
    if view.over:
        st.error(f"The room {view.code} is over. Ask your teacher for a new code.", icon=":material/event_busy:")
        return
    st.header(f"Join room {view.code}", anchor=False)
    with st.form("join", border=False):
        nickname = st.text_input("Nickname", help="Not your name: the class sees it.")
        experience = st.selectbox(
            "Experience with dermoscopy", list(EXPERIENCE), format_func=EXPERIENCE.__getitem__, filter_mode=None
        )
        consent = st.checkbox("My answers may be used, without my nickname, beyond this lesson")
        sent = st.form_submit_button("Join", type="primary", width="stretch")
    st.caption("No account, no e-mail. Your answers go when the room goes.")
    if sent:
        with sentences():
            join_room(the_store(), view.code, nickname, token=token, experience=experience, consent=consent)
            keep_in_browser(LAST_ROOM, view.code)
            st.rerun()


def _draw_case(view: View, code: str, token: str) -> None:
    begin_clock((view.code, view.position))
    case = _case(code, token, view.photo_key)
    draw_photo(photo_jpeg(case), f"Case {view.position + 1}", credit(view.licence, view.attribution))
    if view.facts is not None:
        draw_facts(view.facts)
    if view.truth is not None:
        draw_truth(view.truth, view.confirmed, view.why, view.faulty)
    for vote in view.own:
        again = " after the network" if vote.round == 2 else ""
        st.markdown(
            f":material/how_to_vote: You said{again}: **{NAMES[vote.diagnosis]}**, {vote.confidence} % sure. It is kept."
        )
    for number in view.missed:
        which = "second answer" if number == 2 else "answer"
        st.markdown(f":material/timer_off: No {which} of yours came in time.")
    if view.network is not None:
        draw_advice(view.network)
    position, warning = st.session_state.get(f"said {code}", (None, ""))
    if position == view.position:
        st.warning(warning, icon=":material/touch_app:")
    if view.open_round:
        _vote(view)
    if view.map and view.network is not None:
        _draw_map(case, view, code)
    if view.tally is not None:
        for number, votes in view.tally.items():
            st.markdown("##### The class" + (", after the network" if number == 2 else ""))
            draw_tally(votes, view.truth)
    if not view.open_round and view.truth is None and not view.over:
        st.caption("Look at the wall; the next step comes by itself.")


def _hear_vote(view: View, code: str, token: str) -> None:
    """Keeps a vote that was sent. Why one was not kept stays on the page until the class goes on."""
    warning_key = f"said {code}"
    if (answer := heard_answer(_form(view)) if view.open_round else None) is None:
        return
    st.session_state.pop(warning_key, None)
    # Streamlit throws away what a run drew when a beat meets its end: the next beat draws it again.
    st.session_state[f"again {code}"] = True
    diagnosis, confidence = answer
    milliseconds = clock_milliseconds((view.code, view.position))
    try:
        if diagnosis is None:
            raise Refused("Choose a diagnosis first.")
        cast_vote(the_store(), code, token, view.position, view.open_round, diagnosis, confidence, milliseconds)
        st.session_state[f"view {code}"] = look(the_store(), code, token)
    except (Refused, StoreUnusable) as error:
        # The class may be at the next case by now: there it is read.
        with contextlib.suppress(Refused, StoreUnusable):
            view = st.session_state[f"view {code}"] = look(the_store(), code, token)
        st.session_state[warning_key] = (view.position, failure(error))


def _form(view: View) -> str:
    return f"{view.code} {view.position} {view.open_round}"


def _vote(view: View) -> None:
    before = next((vote for vote in view.own if vote.round == 1), None) if view.open_round == 2 else None
    ask_answer(
        _form(view),
        "Send" if view.open_round == 1 else "Send the second answer",
        (before.diagnosis, before.confidence) if before else None,
    )


def _draw_map(case: TeachingCase, view: View, code: str) -> None:
    made = map_jpeg(case, view.network)
    if made is None:
        st.session_state[f"again {code}"] = True
        st.caption("The network's map is being drawn.")
    elif isinstance(made, str):
        st.caption(plain(made))
    else:
        st.image(made, caption=f"What moved the network towards {NAMES[view.network.answer]}", alt="The network's map")


def _draw_own(view: View, token: str) -> None:
    st.header("You", anchor=False)
    with sentences():
        answered = own_answers(the_store(), view.code, token)
        if not answered:
            st.caption("You have answered no case whose truth was told.")
            return
        told = reliance(answered)
        first = point("you", answered)
        right = sum(one.first == one.truth for one in answered)
        st.markdown(
            f"- Right at first: **{right} of {len(answered)}**\n"
            f"- Melanomas found: {share_words(first.sensitivity)}\n"
            f"- Others left alone: {share_words(first.specificity)}\n"
            f"- Followed the network where it was wrong: {share_words(told.misled)} of right first answers\n"
            f"- Stayed wrong against right advice: {share_words(told.unhelped)}"
        )


def _case(code: str, token: str, key: str | None) -> TeachingCase:
    """The case behind a key; asked once a visit. It stays on the server: it holds the truth."""
    known = st.session_state.setdefault(_CASES, {})
    if (code, key) not in known:
        known[code, key] = find_case_photo(the_store(), code, token, key or "")
    return known[code, key]
