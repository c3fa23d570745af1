"""What lets a reader question the answer: sections below it that open on demand, each computed only when it is looked at."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from core.webapp.read.case import Case
from core.webapp.read.case_report import draw_case_files
from core.webapp.read.facts import draw_what_if
from core.webapp.read.jury import ask_jury, draw_jury
from core.webapp.read.kept import draw_words
from core.webapp.read.lookalikes import draw_lookalikes
from core.webapp.read.prediction_set import draw_set_record
from core.webapp.shared.failures import FAILURES, failure
from core.webapp.shared.operating_point import draw_own_threshold
from core.webapp.shared.photo.folder import ask_folder
from core.webapp.shared.words import plain


def draw_sections(case: Case, facts_record: dict | None, facts_problem: str) -> None:
    """The sections between the answer and the maps."""
    with st.container(key="questions"):  # not printed where all are closed
        st.header("Question the answer", anchor=False)
        _draw_questions(case, facts_record, facts_problem)


def _draw_questions(case: Case, facts_record: dict | None, facts_problem: str) -> None:
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
    """The last sections: the reader's words, and taking the case along."""
    _section("Label and note, for this session", "edit_note", partial(draw_words, case))
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
    draw_own_threshold(case.shelf, case.name, case.threshold, case.default, case.reading)


def _say_missing(case: Case, measure: str) -> None:
    """Why a measure cannot be told of: it is damaged, or was never made; with the command that makes it."""
    if measure in case.signals.faults:
        st.warning(plain(case.signals.faults[measure]), icon=":material/heart_broken:")
    elif measure in case.signals.missing:
        st.caption(plain(case.signals.missing[measure]))
