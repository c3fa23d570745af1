"""The cases that a session has read, each with the reader's label and note; in memory, until the tab closes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import streamlit as st

from core.data.framing.crop import Crop
from core.data.patient import Facts
from core.trust.session_file import MAX_CASES, MAX_SESSION_BYTES
from core.webapp.shared.photo.in_use import Photo, held_in_use, is_example
from core.webapp.shared.photo.open_case import open_case

if TYPE_CHECKING:
    from core.reading import LesionReading

_CASES = "session cases"


@dataclass(frozen=True, eq=False)
class KeptCase:
    """One case.

    Args:
        photo: the whole photo's file.
        photo_hash: of its pixels; a session has one case a photo.
        name: what sentences call the photo.
        crop: the square of it that was read; None for all of it.
        model: name of the network's folder.
        top: code of the likeliest diagnosis.
        probabilities: code -> probability as calibrated.
        thumbnail: a JPEG of what was read.
        reading: what was said of it; None of a case that came with a session file and was not read here yet.
        case: that case's bundle, as it came; b"" of one that was read here.
        label, note: the reader's words.
        then: the case as a session file brought it; None of one that began here.
    """

    photo: bytes
    photo_hash: str
    name: str
    facts: Facts
    crop: Crop | None
    model: str
    top: str
    probabilities: dict[str, float]
    thumbnail: bytes
    reading: LesionReading | None = None
    case: bytes = b""
    label: str = ""
    note: str = ""
    then: KeptCase | None = None

    @property
    def size(self) -> int:
        """Bytes that it keeps."""
        return len(self.photo) + len(self.case) + len(self.thumbnail)


def session_cases() -> dict[str, KeptCase]:
    """Hash of a photo -> its case, in the order in which they came."""
    return st.session_state.setdefault(_CASES, {})


def remember(photo: Photo, facts: Facts, reading: LesionReading) -> KeptCase | None:
    """Keeps what was read of the photo in use; what was kept of the same photo before gives way, but for label and note.

    Returns:
        The case; None where the session has no room, and of the drawn example, which is never kept.
    """
    held = held_in_use()
    if held is None or is_example():
        return None
    from core.trust.batch.row import thumbnail

    cases = session_cases()
    before = cases.get(photo.whole_hash)
    same = before is not None and before.crop == photo.crop
    made = KeptCase(
        held.content, photo.whole_hash, held.name, facts, photo.crop, reading.model, reading.top, reading.probabilities,
        before.thumbnail if before and same else thumbnail(photo.pixels), reading,
        label=before.label if before else f"Case {_next_number(cases)}", note=before.note if before else "",
        then=(before.then or (None if before.reading else before)) if before else None,
    )  # fmt: skip
    if before is None and is_full(made.size):
        return None
    cases[photo.whole_hash] = made
    return made


def add(cases: list[KeptCase]) -> None:
    """Takes over cases of a session file; one whose photo is here already takes its place."""
    session_cases().update({one.photo_hash: one for one in cases})


def is_full(more: int = 0, count: int = 1) -> bool:
    """Whether the session has no room for so many cases and bytes more."""
    cases = session_cases()
    return len(cases) + count > MAX_CASES or sum(one.size for one in cases.values()) + more > MAX_SESSION_BYTES


def put_words(photo_hash: str, label: str, note: str) -> None:
    """Puts the reader's words to a case."""
    cases = session_cases()
    if photo_hash in cases:
        cases[photo_hash] = replace(cases[photo_hash], label=label.strip() or cases[photo_hash].label, note=note)


def forget(photo_hash: str) -> None:
    """Removes a case."""
    session_cases().pop(photo_hash, None)


def open_kept(case: KeptCase) -> None:
    """Opens a case on the page that reads a lesion."""
    open_case(
        case.photo, case.facts, case.model, name=case.name, about=f"{case.label}, of this session.", crop=case.crop
    )


def _next_number(cases: dict[str, KeptCase]) -> int:
    taken = {one.label for one in cases.values()}
    return next(n for n in range(1, len(cases) + 2) if f"Case {n}" not in taken)
