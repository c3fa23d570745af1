"""A reader's page: joining a study, reading case by case, going on after a break."""

from datetime import UTC, datetime

import streamlit as st

from core.diagnoses import CODES, NAMES
from core.teaching.people import EXPERIENCE, Refused
from core.teaching.store.place import StoreUnusable
from core.teaching.studies.protocol import StudyQuestion
from core.teaching.studies.reading import Done, Pause, Reading, answer_reading, find_study_photo, next_reading
from core.teaching.studies.study import join_study, study_welcome
from core.webapp.shared.failures import failure
from core.webapp.shared.words import plain
from core.webapp.teach.answer_form import begin_clock, clock_milliseconds
from core.webapp.teach.asking import ask_with_code, sentences, the_store
from core.webapp.teach.browser import own_token
from core.webapp.teach.pictures import draw_photo, photo_jpeg, wait_for_map
from core.webapp.teach.show import credit, draw_advice, draw_facts

_ENTERED = "studies entered"


def draw_reader(code: str) -> None:
    """What a reader sees of a study."""
    token = own_token(code)
    entered = st.session_state.setdefault(_ENTERED, set())
    try:
        if code not in entered:
            welcome = ask_with_code(lambda: study_welcome(the_store(), code, token))
            if not welcome.joined:
                _join(code, token, welcome)
                return
            entered.add(code)
        coming = next_reading(the_store(), code, token)
    except (Refused, StoreUnusable) as error:
        st.error(failure(error), icon=":material/error:")
        return
    if isinstance(coming, Done):
        st.success(f"All {coming.places} readings are done. Thank you.", icon=":material/task_alt:")
    elif isinstance(coming, Pause):
        until = datetime.fromtimestamp(coming.until / 1000, UTC)
        st.info(
            f"The second part begins after a pause, on {until:%d %B %Y at %H:%M} UTC. Open this address in this browser again then.",
            icon=":material/pause_circle:",
        )
    else:
        _draw_reading(coming, code, token)


def _join(code: str, token: str, welcome) -> None:
    st.header(plain(welcome.name), anchor=False)
    if welcome.description:
        st.markdown(plain(welcome.description))
    with st.form("join study", border=False):
        nickname = st.text_input("Nickname", help="Exports call you by a number.")
        experience = st.selectbox(
            "Experience with dermoscopy", list(EXPERIENCE), format_func=EXPERIENCE.__getitem__, filter_mode=None
        )
        consent = st.checkbox(plain(welcome.consent)) if welcome.consent else False
        sent = st.form_submit_button("Join the study", type="primary", width="stretch")
    st.caption("No account. Keep to this browser: it knows where you stopped.")
    if sent:
        with sentences():
            join_study(the_store(), code, nickname, consent=consent, experience=experience, token=token)
            st.rerun()


def _draw_reading(reading: Reading, code: str, token: str) -> None:
    clock = "study", code, reading.place
    begin_clock(clock)
    st.markdown(f"Reading **{reading.place + 1} of {reading.places}**")
    st.progress(reading.place / reading.places)
    photo, asked = st.columns([3, 2], gap="large")
    case = find_study_photo(the_store(), code, token, reading.photo_key)
    with photo, st.container(key="case"):
        draw_photo(photo_jpeg(case), "The case", credit(reading.licence, reading.attribution))
        if reading.map and reading.network is not None:
            _draw_map(reading, case)
    with asked:
        if reading.facts is not None:
            draw_facts(reading.facts)
        if reading.network is not None:
            draw_advice(reading.network)
        with st.form(f"reading {reading.place}", border=False, enter_to_submit=False):
            answers = {q.id: _ask(q, reading.place) for q in reading.questions}
            sent = st.form_submit_button("Send and go on", type="primary", width="stretch")
        if sent:
            with sentences():
                answer_reading(
                    the_store(),
                    code,
                    token,
                    reading.place,
                    {k: v for k, v in answers.items() if v is not None},
                    clock_milliseconds(clock),
                )
                st.rerun()


def _draw_map(reading: Reading, case) -> None:
    made = wait_for_map(case, reading.network)
    if isinstance(made, bytes):
        st.image(
            made, caption=f"What moved the network towards {NAMES[reading.network.answer]}", alt="The network's map"
        )
    else:
        st.caption(plain(made))


def _ask(q: StudyQuestion, place: int):
    key, label = f"question {place} {q.id}", plain(q.prompt) + ("" if q.required else " (may be left out)")
    if q.type == "diagnosis":
        return st.radio(label, CODES, index=None, format_func=NAMES.__getitem__, key=key)
    if q.type == "choice":
        return st.radio(label, q.choices, index=None, format_func=plain, key=key)
    low, high, start = (0, 100, 50) if q.type == "confidence" else (q.low, q.high, (q.low + q.high) // 2)
    return st.slider(label, low, high, start, 1, key=key)
