"""Diagnosis and confidence, as class, quiz and studies ask them, and how long an answer took."""

import time

import streamlit as st

from core.diagnoses import CODES, NAMES

_BEGUN = "case begun"


def begin_clock(key: object) -> None:
    """Starts to count when a case is drawn for the first time in this visit."""
    if st.session_state.get(_BEGUN, (None,))[0] != key:
        st.session_state[_BEGUN] = (key, time.monotonic())


def clock_milliseconds(key: object) -> float | None:
    """Since `begin_clock`; None in a visit that did not see the beginning."""
    begun = st.session_state.get(_BEGUN)
    return (time.monotonic() - begun[1]) * 1000 if begun and begun[0] == key else None


def heard_answer(key: str) -> tuple[str | None, int] | None:
    """What was sent with the form `key`, before it is drawn again: (code or None, per cent); None when nothing was.

    Where a form goes once it is answered, what is drawn is right at once, without a second run: a second run that meets a timer's
    can end early again and again, and the page stands still.
    """
    if not st.session_state.get(f"send {key}"):
        return None
    return st.session_state.get(f"diagnosis {key}"), int(st.session_state.get(f"confidence {key}", 50))


def ask_answer(key: str, send: str, first: tuple[str, int] | None = None, suspects: bool = False):
    """A form.

    Args:
        key: of this case and round.
        send: what the button says.
        first: the answer before the network's, which is chosen to begin with.
        suspects: whether to ask if the network's answer was made wrong.

    Returns:
        (code, per cent, suspicion or None) once it is sent; None before.
    """
    with st.form(f"answer {key}", border=False):
        diagnosis = st.radio(
            "Your diagnosis",
            CODES,
            index=CODES.index(first[0]) if first else None,
            format_func=NAMES.__getitem__,
            key=f"diagnosis {key}",
        )
        confidence = st.slider(
            "How sure are you?",
            0,
            100,
            first[1] if first else 50,
            5,
            format="%d %%",
            key=f"confidence {key}",
        )
        suspicion = None
        if suspects:
            chosen = st.radio(
                "Was the network's answer made wrong on purpose?", ("no", "yes"), horizontal=True, key=f"fault {key}"
            )
            suspicion = chosen == "yes"
        sent = st.form_submit_button(send, key=f"send {key}", type="primary", width="stretch")
    if not sent:
        return None
    if diagnosis is None:
        st.warning("Choose a diagnosis first.", icon=":material/touch_app:")
        return None
    return diagnosis, int(confidence), suspicion
