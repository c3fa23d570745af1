"""The patient's facts, which belong to a photo: another photo begins without them, and asks whether the patient is the same."""

from contextlib import nullcontext

import streamlit as st

from core.data.patient import SEXES, SITES, Facts, InvalidFacts
from core.interchange import describe_facts
from core.webapp.shared.photo.in_use import Photo, held_in_use
from core.webapp.shared.words import plain

_AGE, _SEX, _SITE = "age", "sex", "site"
# The photo that the facts in the fields are of, and those of the photo before it.
_OF, _BEFORE = "facts of", "facts before"


def set_facts(facts: Facts, photo_hash: str = "") -> None:
    """Puts facts into the fields. To be called before they are drawn, or from a callback.

    Args:
        photo_hash: of the photo that they are of; "" leaves that as it is.
    """
    st.session_state[_AGE] = facts.age
    st.session_state[_SEX], st.session_state[_SITE] = facts.sex, facts.site
    if photo_hash:
        st.session_state[_OF] = photo_hash
        st.session_state.pop(_BEFORE, None)


def ask_facts(photo: Photo | None = None, before=None) -> Facts | None:
    """Asks for age, sex and body site, each of which may be unknown.

    Args:
        photo: that they are about.
        before: a place in which to ask whether the patient is that of the photo before; None asks below the fields.

    Returns:
        The facts, or None where one of them cannot be; that is said in place.
    """
    if photo is not None:
        _begin_anew(photo.whole_hash)
    with st.container(horizontal=True, gap="small"):
        age = st.number_input(
            "Age in years",
            value=None,
            step=1.0,
            format="%g",
            placeholder="unknown",
            key=_AGE,
            persist_state="session",
            width=155,
        )
        sex = st.selectbox("Sex", _unknown_first(SEXES), key=_SEX, persist_state="session", filter_mode=None, width=125)
        site = st.selectbox("Body site", _unknown_first(SITES), key=_SITE, persist_state="session", width=170)
    with before or nullcontext():
        _offer_facts_before()
    _offer_header_facts()
    try:
        return Facts(age, sex, site)
    except InvalidFacts as error:
        st.error(plain(str(error)), icon=":material/person_alert:")
        return None


def _begin_anew(photo_hash: str) -> None:
    """Empties the fields for a photo that is not the one they were filled for."""
    of = st.session_state.get(_OF)
    if of == photo_hash:
        return
    if of is not None and (filled := _in_fields()) != Facts():
        set_facts(Facts())
        st.session_state[_BEFORE] = filled
    st.session_state[_OF] = photo_hash


def _in_fields() -> Facts:
    """What the fields hold, as far as it can be."""
    try:
        return Facts(
            st.session_state.get(_AGE),
            st.session_state.get(_SEX) or "unknown",
            st.session_state.get(_SITE) or "unknown",
        )
    except InvalidFacts:
        return Facts()


def _offer_facts_before() -> None:
    """Asks whether the patient is that of the photo before; facts that are entered answer it too."""
    before = st.session_state.get(_BEFORE)
    if before is None:
        return
    if _in_fields() != Facts():
        del st.session_state[_BEFORE]
        return
    with st.container(horizontal=True, vertical_alignment="center", key="same patient"):
        st.markdown(f"Same patient as the photo before ({describe_facts(before)})?", width="content")
        st.button("Yes", key="facts before yes", on_click=_take_before, args=(before,))
        st.button("No", key="facts before no", on_click=st.session_state.pop, args=(_BEFORE,))


def _take_before(facts: Facts) -> None:
    set_facts(facts)
    st.session_state.pop(_BEFORE, None)


def _offer_header_facts() -> None:
    """Shows what a DICOM header says of age, sex and body site; it counts once the person has taken it over."""
    held = held_in_use()
    words = describe_facts(held.told) if held else ""
    if words:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"The photo's DICOM header says: {words}.", width="content")
            st.button("Use these facts", type="tertiary", key="header facts", on_click=set_facts, args=(held.told,))


def _unknown_first(values: tuple[str, ...]) -> list[str]:
    return ["unknown", *(v for v in values if v != "unknown")]
