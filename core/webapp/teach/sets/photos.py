"""Where the photos of a set come from: the archive, or a folder on the teacher's machine."""

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
        folder = st.text_input(
            "Folder with the photos, on the computer that runs Melascope",
            value=chosen_folder(),
            key=f"photo folder {key}",
            placeholder="~/ham10000",
            help="The unpacked HAM10000 download, or a folder with your own photos. Phones get photos from here, never from elsewhere.",
        )
        if folder.strip() != chosen_folder():
            choose_folder(folder)
            st.rerun()
        if folder.strip() and not is_allowed(folder.strip()):
            st.error(NOT_ALLOWED, icon=":material/folder_off:")
        if lacking:
            st.caption(f"Missing: {plain(', '.join(lacking[:12]))}{' ...' if len(lacking) > 12 else ''}.")
