"""Real cases on the start page: lists that ship, whose photos one click fetches and another opens."""

import io
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.archive.photos import fetched_thumbnail
from core.diagnoses import NAMES
from core.folders import CannotWrite
from core.teaching.case_sets.record import CONFIRMED, CaseSet, InvalidCaseSet, TeachingCase
from core.teaching.case_sets.shipped import read_lists
from core.webapp.shared.cases.offer import offer_photos
from core.webapp.shared.photo.folder import find_photo, photo_credit
from core.webapp.shared.photo.open_case import open_case
from core.webapp.shared.words import plain

FIRST = "melanomas-called-nevus"
SIDE = 256  # pixels of a thumbnail's longer side, as the archive's
WIDTH = 132  # on the page


def draw_case_lists(first: DeltaGenerator) -> None:
    """Offers to fetch the cases that ship, and shows those that are there.

    Args:
        first: the page's first place, where the offer stands as long as nothing is there.
    """
    try:
        lists = _lists()
    except InvalidCaseSet as error:
        st.warning(plain(str(error)), icon=":material/heart_broken:")
        return
    ids = list(dict.fromkeys(case.id for cases in lists.values() for case in cases.cases))
    if not any(map(find_photo, ids)):
        titles = ", ".join(cases.title for cases in lists.values())
        with first:
            offer_photos(ids, "start", "of real cases", f"Chosen by rule from test photos: {titles}. ")
        return
    st.subheader("Real cases", anchor=False)
    offer_photos(ids, "start", "more")
    key = st.selectbox(
        "List",
        list(lists),
        index=list(lists).index(FIRST) if FIRST in lists else 0,
        format_func=lambda k: f"{lists[k].title} ({len(lists[k])})",
        key="start list",
        filter_mode=None,
        width=340,
    )
    st.caption(plain(lists[key].description))
    _draw_list(lists[key])


def _draw_list(cases: CaseSet) -> None:
    with st.container(horizontal=True, gap="small", key="start-cases"):
        for case in cases.cases:
            path = find_photo(case.id)
            if path is None:
                continue
            with st.container(width=WIDTH, gap="xxsmall"):
                st.image(_thumbnail(case.id, str(path), path.stat().st_mtime_ns), alt=f"Photo {case.id}", width=WIDTH)
                st.button(
                    f"{case.group + ': ' if case.group else ''}Open",
                    key=f"start {case.id}",
                    help=f"Reads {case.id}, with the patient's own facts.",
                    width="stretch",
                    on_click=_open,
                    args=(case, path),
                )
    credits = {(c.licence, c.attribution) for case in cases.cases if (c := photo_credit(case.id))}
    credits = credits or {(case.licence, case.attribution) for case in cases.cases}
    st.caption(
        "Photos: " + "; ".join(f"{plain(attribution)}, {plain(licence)}" for licence, attribution in sorted(credits))
    )


def _open(case: TeachingCase, path: Path) -> None:
    credit = photo_credit(case.id)
    whose = f"{credit.attribution}, {credit.licence}" if credit else f"{case.attribution}, {case.licence}"
    about = f"{NAMES[case.truth]}, by {CONFIRMED[case.confirmed]}. {case.why} Photo: {whose}."
    open_case(path, case.facts, None, name=case.id, about=about)


@st.cache_resource(show_spinner=False)
def _lists() -> dict[str, CaseSet]:
    return read_lists()


@st.cache_data(max_entries=300, show_spinner=False)
def _thumbnail(photo_id: str, path: str, stamp: int) -> bytes:
    """The archive's thumbnail, or one made of the photo."""
    from PIL import Image

    try:
        if there := fetched_thumbnail(photo_id):
            return there.read_bytes()
    except (CannotWrite, OSError):
        pass
    file = io.BytesIO()
    with Image.open(path) as picture:
        picture.draft("RGB", (SIDE, SIDE))
        picture.thumbnail((SIDE, SIDE))
        picture.convert("RGB").save(file, "JPEG", quality=85)
    return file.getvalue()
