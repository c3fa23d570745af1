"""Where the photos of a set come from: the archive, or a folder on the teacher's machine."""

from pathlib import Path

import streamlit as st

from core.teaching.case_sets.record import ARCHIVE, CaseSet
from core.webapp.shared.cases.offer import offer_photos
from core.webapp.shared.photo.allowed import NOT_ALLOWED, is_allowed
from core.webapp.shared.words import plain
from core.webapp.teach.pictures import choose_folder, chosen_folder, missing_photos


def offer_set_photos(cases: CaseSet, key: str) -> None:
    """Says which photos are missing, and offers to name their folder."""
    lacking = missing_photos(cases)
    offer_photos([case.id for case in cases.cases if case.source == ARCHIVE], f"set {key}", "of this set")
    label = (
        f"Photos: all {len(cases)} are here"
        if not lacking
        else f"Photos: {len(lacking)} of {len(cases)} are not on this computer"
    )
    with st.expander(label, icon=":material/photo_library:", expanded=False):
        box = f"photo folder {key}"
        st.text_input(
            "Folder with the photos, on the computer that runs Melascope",
            value=chosen_folder(),
            key=box,
            placeholder="~/ham10000",
            help="The unpacked HAM10000 download, or a folder with your own photos. Phones get photos from here, never from elsewhere.",
            on_change=_take_folder,
            args=(box,),
        )
        if fault := st.session_state.get(f"fault of {box}"):
            st.error(fault, icon=":material/folder_off:")
        if lacking:
            st.caption(f"Missing: {plain(', '.join(lacking[:12]))}{' ...' if len(lacking) > 12 else ''}.")


def _take_folder(box: str) -> None:
    """Takes what was typed, and only then: two teachers' pages would else take the folder from each other. What cannot be is not taken."""
    typed, fault = st.session_state[box].strip(), ""
    if typed and not is_allowed(typed):
        fault = f"{NOT_ALLOWED} A class: `melascope class --photos FOLDER`."
    elif typed and not _is_folder(typed):
        fault = f"There is no folder {plain(typed)} on the computer that runs Melascope. Photos come from where they did before."
    else:
        choose_folder(typed)
    st.session_state[f"fault of {box}"] = fault


def _is_folder(typed: str) -> bool:
    try:
        return Path(typed).expanduser().is_dir()
    except (OSError, RuntimeError, ValueError):
        return False
