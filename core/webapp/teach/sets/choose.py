"""Choosing a case set: one that ships, one from a file, or one that was made in this visit."""

import streamlit as st

from core.teaching.case_sets.file import MAX_SET_BYTES, SUFFIX, read_case_set
from core.teaching.case_sets.record import CaseSet
from core.teaching.case_sets.shipped import read_lists
from core.webapp.shared.words import plain
from core.webapp.teach.asking import sentences
from core.webapp.teach.sets.photos import offer_set_photos

LESSON = "over-reliance"
_OWN = "own case sets"


def ask_case_set(key: str, most: int) -> CaseSet | None:
    """Asks for a set, and how much of it.

    Args:
        key: of the page that asks.
        most: cases that are taken.

    Returns:
        The set; None where there is none, which is said in place.
    """
    cases = None
    with sentences():
        sets = {f"own {title}": cases for title, cases in own_sets().items()} | read_lists()
        first = list(sets).index(LESSON) if LESSON in sets else 0
        if opened := st.session_state.pop(f"set opened {key}", None):
            st.session_state[f"case set {key}"] = opened  # before its box is drawn: later Streamlit refuses it
        chosen = st.selectbox(
            "Case set",
            list(sets),
            index=first,
            format_func=lambda k: f"{sets[k].title} ({len(sets[k])} cases)",
            filter_mode=None,
            key=f"case set {key}",
            width=460,
        )
        with st.expander("A set from a file", icon=":material/upload_file:"):
            _take_file(key)
        cases = sets[chosen]
        if cases.description:
            st.caption(plain(cases.description))
        if len(cases) > min(most, 3):
            number = st.slider(
                "Cases", 1, min(most, len(cases)), min(most, len(cases)), key=f"cases {key} {chosen}", width=460
            )
            if number < len(cases):
                cases = cases.only([case.id for case in cases.cases[:number]])
        offer_set_photos(cases, key)
    return cases


def own_sets() -> dict[str, CaseSet]:
    """Sets that were made or opened in this visit, by title."""
    return st.session_state.setdefault(_OWN, {})


def keep_set(cases: CaseSet) -> None:
    own_sets()[cases.title] = cases


def _take_file(key: str) -> None:
    file = st.file_uploader(
        f"Case set ({SUFFIX}), as the section *Case sets* saves it", type=["json"], key=f"set file {key}"
    )
    if file is None or file.file_id == st.session_state.get(f"set taken {key}"):
        return
    with sentences():
        cases = read_case_set(file.getvalue() if file.size <= MAX_SET_BYTES else b" " * (MAX_SET_BYTES + 1))
        st.session_state[f"set taken {key}"] = file.file_id
        keep_set(cases)
        st.session_state[f"set opened {key}"] = f"own {cases.title}"
        st.rerun()
