"""The page of a session's cases: each with its label and note, opened by a click; all of them as one file, out and in."""

import streamlit as st

from core.diagnoses import NAMES
from core.interchange import describe_facts
from core.trust.session_file import MAX_CASES, MAX_LABEL, MAX_NOTE, MAX_SESSION_BYTES, InvalidSession
from core.webapp.session.files import export_session, import_session
from core.webapp.shared.photo.open_case import HOME
from core.webapp.shared.session.cases import KeptCase, add, forget, is_full, open_kept, put_words, session_cases
from core.webapp.shared.words import plain
from core.wording import percent

_FILE, _SAID = "session file", "session import said"


def draw_session() -> None:
    """The whole page below its title."""
    cases = list(session_cases().values())
    _draw_files(cases)
    if not cases:
        st.info(
            "No case yet. A photo that is read on *Read a lesion* appears here by itself; a session file brings an earlier session back.",
            icon=":material/history:",
        )
        return
    for case in reversed(cases):
        _draw_case(case)


def _draw_files(cases: list[KeptCase]) -> None:
    if cases:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.download_button(
                f"Export the session ({len(cases)} case{'' if len(cases) == 1 else 's'})",
                # As they are when it is clicked: a note that was just written is in it.
                lambda kept=session_cases(): export_session(list(kept.values())),
                file_name="session.zip", mime="application/zip", icon=":material/download:", type="primary", on_click="ignore",
                key="session export",
            )  # fmt: skip
            st.caption(
                "One file with photos, facts, answers, labels and notes, without names of files and dates.",
                width="content",
            )
    notice = st.session_state.pop(_SAID, None)
    box = st.expander("Bring a session back", icon=":material/upload_file:", expanded=not cases or notice is not None)
    with box:
        st.file_uploader(
            "Session file (.zip)", key=_FILE, max_upload_size=MAX_SESSION_BYTES // 1_000_000, on_change=_take
        )
        if notice is not None:
            good, words = notice
            (st.success if good else st.error)(
                plain(words), icon=":material/history:" if good else ":material/folder_off:"
            )


def _take() -> None:
    """Reads the session file that was chosen."""
    file = st.session_state[_FILE]
    if file is None:
        return
    try:
        came = import_session(file.getvalue(), file.name)
    except InvalidSession as error:
        st.session_state[_SAID] = False, str(error)
        return
    except MemoryError:
        st.session_state[_SAID] = False, f"{file.name} is too large for this computer's memory."
        return
    here = session_cases()
    new = [one for one in came if one.photo_hash not in here]
    if new and is_full(sum(one.size for one in new), len(new)):
        st.session_state[_SAID] = (
            False,
            (
                f"{file.name} holds {len(came)} cases, for which this session has no room: it keeps {MAX_CASES} cases and "
                f"{MAX_SESSION_BYTES / 1e6:.0f} MB. Export and remove some first. None was taken."
            ),
        )
        return
    add(came)
    again = len(came) - len(new)
    more = f" {again} of them took the place of a case with the same photo." if again else ""
    st.session_state[_SAID] = True, f"{len(came)} case{'' if len(came) == 1 else 's'} from {file.name}.{more}"


def _draw_case(case: KeptCase) -> None:
    key = case.photo_hash
    with st.container(border=True, key=f"case {key}"):
        picture, words = st.columns([1, 5], gap="medium")
        with picture:
            st.image(case.thumbnail, alt=f"The photo of {case.label}", width=112)
        with words:
            facts = describe_facts(case.facts) or "no facts"
            melanoma = "" if case.top == "mel" else f", melanoma {percent(case.probabilities['mel'])}"
            square = ", a square of the photo" if case.crop else ""
            st.markdown(
                f"**{NAMES[case.top]} {percent(case.probabilities[case.top])}**{melanoma} · {plain(case.model)} · {facts}{square}"
                + ("" if case.reading else " · from a session file, not read again yet")
            )
            st.text_input("Label", case.label, MAX_LABEL, key=f"label {key}", on_change=_said, args=(key,))
            st.text_area("Note", case.note, 68, MAX_NOTE, key=f"note {key}", on_change=_said, args=(key,))
            with st.container(horizontal=True, gap="small"):
                if st.button("Open this case", icon=":material/biotech:", key=f"open {key}"):
                    open_kept(case)
                    st.switch_page(HOME)
                st.button("Remove", type="tertiary", key=f"forget {key}", on_click=forget, args=(key,))


def _said(key: str) -> None:
    put_words(key, st.session_state[f"label {key}"], st.session_state[f"note {key}"])
