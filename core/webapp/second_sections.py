"""What lets a reader question the answer: sections below it that open on demand, each computed only when it is looked at."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from core.card import Card
from core.data.patient import Facts
from core.trust.conformal import PredictionSet
from core.trust.what_if import WhatIf
from core.webapp.ask import Photo
from core.webapp.cached import FAILURES, failure
from core.webapp.lookalikes_view import draw_lookalikes
from core.webapp.photos import ask_folder
from core.webapp.second_facts import draw_what_if
from core.webapp.second_jury import ask_jury, draw_jury
from core.webapp.second_set import draw_set_record
from core.webapp.second_threshold import draw_threshold
from core.webapp.shelf import Shelf
from core.webapp.words import plain

if TYPE_CHECKING:  # at run time these would load TensorFlow
    from core.bundle import Bundle
    from core.reading import EncodedPhoto, LesionReading
    from core.trust.opinion import Opinion, Signals


@dataclass(frozen=True, eq=False)
class Case:
    """One photo, one patient, one network, and all that is known of them on the page.

    Args:
        name: of the model's folder.
        signals: what was measured of the model.
        opinion: gate, seen before and look-alikes.
        found: the 90 % set, or None where it was not measured.
        what: the sweep over facts, or None for a network without facts.
        threshold: the reader's, on the probability of melanoma; `default` is the model's own.
    """

    shelf: Shelf
    name: str
    card: Card
    photo: Photo
    facts: Facts
    bundle: "Bundle"
    encoded: "EncodedPhoto"
    reading: "LesionReading"
    signals: "Signals"
    opinion: "Opinion"
    found: PredictionSet | None
    what: WhatIf | None
    threshold: float | None
    default: float | None


def draw_sections(case: Case, facts_record: dict | None, facts_problem: str) -> None:
    """The sections between the answer and the maps."""
    st.header("Question the answer", anchor=False)
    for label, icon, draw in (
        ("Similar known cases", "photo_library", partial(_draw_similar, case)),
        ("How far to trust it: the 90 % set, the jury", "balance", partial(_draw_trust, case)),
        (
            "What if the facts were others",
            "person_search",
            partial(draw_what_if, case.what, facts_record, facts_problem, case.threshold),
        ),
        ("Your threshold for melanoma", "tune", partial(_draw_threshold, case)),
    ):
        _section(label, icon, draw)


def draw_keeping(case: Case) -> None:
    """The last section: taking the case along."""
    from core.webapp.second_case import draw_case_files

    _section("Keep the case: report, and a bundle to replay", "folder_zip", partial(draw_case_files, case))


@st.fragment
def _section(label: str, icon: str, draw: Callable[[], None]) -> None:
    """A section that is drawn only while it is open; a fragment, so that opening it redraws nothing else."""
    box = st.expander(label, icon=f":material/{icon}:", key=f"section {label}", on_change="rerun")
    if not box.open:
        return
    with box:
        try:
            draw()
        except FAILURES as error:
            st.error(failure(error), icon=":material/error:")


def _draw_similar(case: Case) -> None:
    opinion = case.opinion
    if opinion.lookalikes is None:
        _say_missing(case, "lookalikes")
        return
    draw_lookalikes(opinion.lookalikes, opinion.vote, case.signals.records.get("lookalikes"), case.reading.top)
    ask_folder()


def _draw_trust(case: Case) -> None:
    record = case.signals.records.get("set")
    if record:
        draw_set_record(record)
    else:
        _say_missing(case, "set")
    draw_jury(*ask_jury(case.shelf, case.photo, case.facts))


def _draw_threshold(case: Case) -> None:
    draw_threshold(case.shelf, case.name, case.threshold, case.default, case.reading)


def _say_missing(case: Case, file: str) -> None:
    """The sentences on what was not measured, with the command that does."""
    if file in case.signals.faults:
        st.warning(plain(case.signals.faults[file]), icon=":material/heart_broken:")
        return
    said = [note for note in case.signals.notes if file in note.lower()] or list(case.signals.notes)
    for note in said:
        st.caption(plain(note))
