"""A quiz alone: answer, see the network's, answer again, see the truth; cases come again when they are due."""

import streamlit as st

from core.diagnoses import NAMES
from core.teaching.case_sets.record import CaseSet
from core.teaching.people import Refused
from core.teaching.quiz.learner import forget_learner, new_learner
from core.teaching.quiz.taking import (
    DUE,
    FAULTY,
    KINDS,
    MOST_QUIZ_CASES,
    PLAIN,
    answer_case,
    begin_quiz,
    due_cases,
    find_quiz_photo,
    show_quiz,
)
from core.teaching.quiz.visible import FIRST, REVEAL, QuizView
from core.webapp.shared.failures import failure
from core.webapp.shared.shelf import read_shelf
from core.webapp.shared.words import plain
from core.webapp.teach.advice import ask_network, draw_learned, gather_advice
from core.webapp.teach.answer_form import ask_answer, begin_clock, clock_milliseconds
from core.webapp.teach.asking import sentences, the_store
from core.webapp.teach.browser import LEARNER, keep_in_browser, read_kept
from core.webapp.teach.pictures import draw_photo, photo_jpeg, prepare_map, wait_for_map
from core.webapp.teach.quiz.results import draw_learner, draw_quiz_results
from core.webapp.teach.sets.choose import ask_case_set
from core.webapp.teach.show import credit, draw_advice, draw_facts, draw_truth

_QUIZ = "quiz"  # in the address, where a reload goes on; and what its case set is asked for


def draw_quiz() -> None:
    """The section of quizzes."""
    token = read_kept().get(LEARNER, "")
    if not token:
        _begin_learning()
        return
    number = st.query_params.get(_QUIZ, "")
    if number.isdecimal() and len(number) < 15:
        try:
            view = show_quiz(the_store(), token, int(number))
        except Refused as error:
            st.warning(failure(error), icon=":material/warning:")
            del st.query_params[_QUIZ]
        else:
            _draw_taking(view, token)
            return
    try:
        draw_learner(token)
    except Refused as error:
        st.warning(failure(error), icon=":material/warning:")
        keep_in_browser(LEARNER, None)
        _begin_learning()
        return
    _offer_quiz(token)
    _offer_forgetting(token)


def _begin_learning() -> None:
    st.markdown(
        "Answer before the network does, see its answer, answer again, then see the truth. What you missed comes again when it is due. "
        "No account: this browser keeps who you are."
    )
    # Missing photos are offered here, before anything is typed; the choice stands in the first quiz.
    ask_case_set(_QUIZ, MOST_QUIZ_CASES)
    with st.form("learner", border=False):
        nickname = st.text_input("Nickname", width=320)
        sent = st.form_submit_button("Begin", type="primary")
    if sent:
        with sentences():
            keep_in_browser(LEARNER, new_learner(the_store(), nickname))
            st.rerun()


def _offer_quiz(token: str) -> None:
    st.header("A new quiz", anchor=False)
    due = due_cases(the_store(), token)
    kinds = [PLAIN, FAULTY, *([DUE] if due else [])]
    kind = st.segmented_control(
        "Kind",
        kinds,
        default=DUE if due else PLAIN,
        required=True,
        format_func=lambda k: _title(k, due),
        key="quiz kind",
    )
    if kind == FAULTY:
        st.caption(
            "About three in ten of the network's answers are made wrong, as sure as before. Say which; the end tells all."
        )
    cases = due if kind == DUE else ask_case_set(_QUIZ, MOST_QUIZ_CASES)
    shelf = read_shelf()
    name = ask_network(shelf, "quiz")
    if cases is None or not name:
        st.info("A quiz needs a case set and a network.", icon=":material/info:")
        return
    draw_learned(cases, name, shelf)
    if st.button("Start", type="primary", icon=":material/play_arrow:"):
        with sentences():
            view = begin_quiz(the_store(), token, cases, gather_advice(cases, name, shelf), kind)
            st.query_params[_QUIZ] = str(view.quiz)
            st.rerun()


def _title(kind: str, due: CaseSet | None) -> str:
    return f"{KINDS[kind]} ({len(due)})" if kind == DUE and due else KINDS[kind]


def _draw_taking(view: QuizView, token: str) -> None:
    """The case that is asked now, or one whose truth was just told, until the learner goes on."""
    seen = f"quiz seen {view.quiz}"
    told = st.session_state.get(seen)  # position whose truth is being looked at
    if told is not None:
        with sentences():
            view = show_quiz(the_store(), token, view.quiz, told)
    elif view.over:
        draw_quiz_results(token, view)
        if st.button("Back to all quizzes", icon=":material/arrow_back:"):
            del st.query_params[_QUIZ]
            st.rerun()
        return
    st.markdown(f"**{KINDS[view.kind]}** · case {view.position + 1} of {view.cases}")
    st.progress((view.position + (view.stage == REVEAL)) / view.cases)
    photo, asked = st.columns([3, 2], gap="large")
    case = find_quiz_photo(the_store(), token, view.quiz, view.photo_key)
    clock = "quiz", view.quiz, view.position
    begin_clock(clock)
    with photo, st.container(key="case"):
        draw_photo(photo_jpeg(case), f"Case {view.position + 1}", credit(view.licence, view.attribution))
    with asked:
        draw_facts(view.facts)
        for answer in view.own:
            again = " after the network" if answer.round == 2 else ""
            st.markdown(f":material/check: You said{again}: **{NAMES[answer.diagnosis]}**, {answer.confidence} % sure.")
        if view.truth is not None:
            draw_truth(view.truth, view.confirmed, view.why, view.faulty)
        if view.network is not None:
            draw_advice(view.network)
            if view.stage != REVEAL:
                prepare_map(case, view.network)
        if view.stage == REVEAL:
            if st.button("Next case" if not view.over else "Results", type="primary", icon=":material/arrow_forward:"):
                del st.session_state[seen]
                st.rerun()
            if view.map and view.network is not None:
                _draw_map(view, case)
            return
        _ask(view, token, clock, seen)


def _ask(view: QuizView, token: str, clock: tuple, seen: str) -> None:
    number = 1 if view.stage == FIRST else 2
    first = view.own[0] if view.own else None
    sent = ask_answer(
        f"quiz {view.quiz} {view.position} {number}",
        "Answer" if number == 1 else "Answer again",
        (first.diagnosis, first.confidence) if first else None,
        suspects=number == 2 and view.kind == FAULTY,
    )
    if sent is None:
        return
    with sentences():
        after = answer_case(
            the_store(),
            token,
            view.quiz,
            view.position,
            number,
            sent[0],
            sent[1],
            suspects_fault=sent[2],
            milliseconds=clock_milliseconds(clock),
        )
        if after.stage == REVEAL:
            st.session_state[seen] = view.position
        st.rerun()


def _draw_map(view: QuizView, case) -> None:
    made = wait_for_map(case, view.network)
    if isinstance(made, bytes):
        st.image(made, caption=f"What moved the network towards {NAMES[view.network.answer]}", alt="The network's map")
    else:
        st.caption(plain(made))


def _offer_forgetting(token: str) -> None:
    with st.expander("Forget me", icon=":material/delete:"):
        st.caption("Deletes your nickname, your answers and what is due. It goes by itself a year after the last quiz.")
        sure = st.checkbox("Yes, delete all of it")
        if st.button("Delete", disabled=not sure, key="forget learner"):
            with sentences():
                forget_learner(the_store(), token)
                keep_in_browser(LEARNER, None)
                st.rerun()
