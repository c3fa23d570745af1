"""What is read is kept as a case of this session, with the reader's label and note."""

import streamlit as st

from core.trust.replay import SAME_DIGITS
from core.trust.session_file import MAX_CASES, MAX_LABEL, MAX_NOTE
from core.webapp.read.case import Case
from core.webapp.shared.photo.in_use import is_example
from core.webapp.shared.session.cases import KeptCase, put_words, remember, session_cases


def keep_case(case: Case) -> None:
    """Keeps the case, and says of one that came with a session file whether it reads as it did then."""
    kept = remember(case.photo, case.facts, case.reading)
    if kept is not None and kept.then is not None:
        _say_then(case, kept.then)


def draw_words(case: Case) -> None:
    """Label and note of the case."""
    key = case.photo.whole_hash
    kept = session_cases().get(key)
    if kept is None:
        st.caption(
            "The drawn example is not kept."
            if is_example()
            else f"This case is not kept: the session has no room for more than {MAX_CASES} cases. Remove some on *This session*."
        )
        return
    st.text_input("Label", kept.label, MAX_LABEL, key=f"case label {key}", on_change=_said, args=(key,))
    st.text_area("Note", kept.note, 100, MAX_NOTE, key=f"case note {key}", on_change=_said, args=(key,))
    st.caption("Kept until this tab closes, on the page *This session*, which exports all cases as one file.")


def _say_then(case: Case, then: KeptCase) -> None:
    if (then.model, then.facts, then.crop) != (case.name, case.facts, case.photo.crop):
        return
    largest = max(abs(p - then.probabilities[code]) for code, p in case.reading.probabilities.items())
    if largest < SAME_DIGITS:
        st.caption(":material/replay: Read again: the same digits as in the session file.")
        return
    st.warning(
        f"Read again, with another result than in the session file: a probability differs by {largest:.4f}. The weights or their "
        "calibration are others here.",
        icon=":material/replay:",
    )


def _said(key: str) -> None:
    put_words(key, st.session_state[f"case label {key}"], st.session_state[f"case note {key}"])
