"""The reading page once a photo is there: the gate, the answer, and all that lets one question it.

Apart from `app.py`, because it needs pandas, SciPy and scikit-learn, for which nobody who only opens the page should wait.
"""

import streamlit as st

from core.data.patient import Facts
from core.prevalence import Mixture
from core.reading import read_encoded
from core.trust.signals.gate import UNUSABLE
from core.trust.signals.prediction_set import build_set
from core.webapp.read.answer import draw_answer
from core.webapp.read.facts import ask_what_if, draw_facts_in_short
from core.webapp.read.gate import draw_faults, draw_gate
from core.webapp.read.lookalikes import draw_seen
from core.webapp.read.measures import kept_measure, kept_signals
from core.webapp.read.sections import Case, draw_keeping, draw_sections
from core.webapp.shared.failures import FAILURES, failure
from core.webapp.shared.operating_point import default_threshold, reader_threshold, stand
from core.webapp.shared.photo.encoded import encode, second_opinion
from core.webapp.shared.photo.in_use import Photo, is_example
from core.webapp.shared.photo.line import turn
from core.webapp.shared.photo.models import load_model
from core.webapp.shared.photo.overlays import draw_overlays
from core.webapp.shared.shelf import Shelf
from core.wording import milliseconds


def draw_reading(shelf: Shelf, name: str, photo: Photo, facts: Facts, mixture: Mixture | None = None) -> Case:
    """The gate's word, then the answer; the script ends here where the photo is refused or cannot be read."""
    card, folder = shelf.models[name], shelf.folder(name)
    signals = kept_signals(folder, card)
    facts_record, _ = kept_measure("facts", folder, card)
    default = default_threshold(shelf, name, card)
    threshold = reader_threshold(default)
    try:
        bundle = load_model(folder, card)
    except FAILURES as error:
        st.error(failure(error), icon=":material/error:")
        st.stop()
    # Whole answers one after the other: all at once, each would take as long as all of them.
    with turn():
        try:
            encoded = encode(bundle, photo)
            opinion = second_opinion(signals, encoded)
            if is_example() and not (opinion.gate and opinion.gate.verdict == UNUSABLE):
                if opinion.refused:
                    st.caption(
                        ":material/draw: The photo gate refuses this drawing, rightly. The example goes on all the same."
                    )
            elif not draw_gate(opinion.gate, signals.records.get("gate"), photo.hash):
                draw_faults(f for f in opinion.faults if f != signals.gate_fault)
                st.stop()
            reading = read_encoded(encoded, facts, explain=False, mixture=mixture)
            what = ask_what_if(encoded, facts, facts_record, mixture)
        except FAILURES as error:
            st.error(failure(error), icon=":material/error:")
            st.stop()
        draw_faults(opinion.faults)
        draw_seen(opinion.seen)
        measured = signals.records.get("set")
        found = build_set(reading.probabilities, measured) if measured else None
        standing = stand(reading, threshold)
        draw_answer(reading, found, measured, standing)
        draw_facts_in_short(what, standing.threshold if standing and not standing.calibrated_only else None)
        seconds = encoded.seconds["encode"] + reading.seconds["head"]
        st.caption(f"Read by {name} in {milliseconds(seconds)}; photo of {photo.size}.")
        return Case(
            shelf, name, card, photo, facts, encoded, reading, signals, opinion, found, what, threshold, default
        )


def draw_questions(case: Case) -> None:
    """Below the answer, over the page's whole width: the sections, the maps, and taking the case along."""
    facts_record, facts_problem = kept_measure("facts", case.shelf.folder(case.name), case.card)
    with turn():
        draw_sections(case, facts_record, facts_problem)
        draw_overlays(case.encoded, case.facts, case.signals.records.get("maps"), case.opinion.faults)
        draw_keeping(case)
