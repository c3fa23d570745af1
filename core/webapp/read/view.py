"""The reading page once a photo is there: photo and answer side by side, and below all that lets one question it.

Apart from `app.py`, because it needs pandas, SciPy and scikit-learn, for which nobody who only opens the page should wait.
"""

from dataclasses import replace

import streamlit as st

from core.data.patient import Facts
from core.prevalence import Mixture
from core.reading import read_encoded
from core.trust.signals.opinion import with_held_out_answer
from core.trust.signals.prediction_set import build_set
from core.webapp.read.answer import draw_answer, draw_differential, draw_place
from core.webapp.read.contradictions import draw_contradictions
from core.webapp.read.facts import ask_what_if, draw_facts_in_short
from core.webapp.read.kept import keep_case
from core.webapp.read.lookalikes import draw_seen
from core.webapp.read.prediction_set import set_worth
from core.webapp.read.sections import Case, draw_keeping, draw_sections
from core.webapp.read.where import draw_map_worth, draw_where
from core.webapp.shared.failures import FAILURES, failure
from core.webapp.shared.operating_point import default_threshold, reader_threshold, stand
from core.webapp.shared.photo.encoded import encode, opinion_of
from core.webapp.shared.photo.gate import draw_faults, draw_gate_of, gate_words
from core.webapp.shared.photo.in_use import Photo
from core.webapp.shared.photo.line import turn
from core.webapp.shared.photo.measures import kept_measure, kept_signals
from core.webapp.shared.photo.models import load_model
from core.webapp.shared.shelf import Shelf
from core.wording import milliseconds


def draw_reading(shelf: Shelf, name: str, photo: Photo, facts: Facts, mixture: Mixture | None = None) -> Case | None:
    """The gate's word, then the answer.

    Returns:
        The case; None where the photo is refused or cannot be read, which is said.
    """
    card, folder = shelf.models[name], shelf.folder(name)
    signals = kept_signals(folder, card)
    facts_record, _ = kept_measure("facts", folder, card)
    default = default_threshold(shelf, name, card)
    threshold = reader_threshold(default)
    try:
        bundle = load_model(folder, card)
    except FAILURES as error:
        st.error(failure(error), icon=":material/error:")
        return None
    # Whole answers one after the other: all at once, each would take as long as all of them.
    with turn():
        try:
            encoded = encode(bundle, photo)
            opinion = opinion_of(signals, encoded)
            if not draw_gate_of(opinion.gate, signals.records.get("gate"), photo):
                draw_faults(f for f in opinion.faults if f != signals.gate_fault)
                return None
            reading = read_encoded(encoded, facts, explain=False, mixture=mixture)
            what = ask_what_if(encoded, facts, facts_record, mixture)
            opinion = replace(opinion, seen=with_held_out_answer(opinion.seen, encoded, facts))
        except FAILURES as error:
            st.error(failure(error), icon=":material/error:")
            return None
        draw_faults(opinion.faults)
        draw_seen(opinion.seen)
        measured = signals.records.get("set")
        prediction_set = build_set(reading.probabilities, measured) if measured else None
        standing = stand(reading, threshold)
        draw_answer(reading, prediction_set, standing)
        draw_facts_in_short(what, standing.threshold if standing and not standing.calibrated_only else None)
        case = Case(
            shelf=shelf,
            name=name,
            card=card,
            photo=photo,
            facts=facts,
            encoded=encoded,
            reading=reading,
            signals=signals,
            opinion=opinion,
            prediction_set=prediction_set,
            what=what,
            threshold=threshold,
            default=default,
        )
        keep_case(case)
        return case


def draw_questions(case: Case) -> None:
    """Below photo and answer, over the page's whole width: all probabilities, error rates, the sections, and taking the case along."""
    facts_record, facts_problem = kept_measure("facts", case.shelf.folder(case.name), case.card)
    records = case.signals.records
    with turn():
        probabilities, rates = st.columns([6, 5], gap="large")
        with probabilities:
            st.header("All seven diagnoses", anchor=False)
            draw_differential(case.reading)
        with rates:
            st.header("How often such answers are wrong", anchor=False)
            draw_place(case.reading)
            draw_contradictions(case)
            measured = records.get("set")
            if case.prediction_set and measured:
                st.markdown(set_worth(case.prediction_set, measured))
            if words := gate_words(case.opinion.gate, records.get("gate")):
                st.markdown(words)
            draw_map_worth(case)
            seconds = case.encoded.seconds["encode"] + case.reading.seconds["head"]
            st.caption(f"Read by {case.name} in {milliseconds(seconds)}; photo of {case.photo.size}.")
        draw_sections(case, facts_record, facts_problem)
        draw_keeping(case)


def show_where(case: Case) -> None:
    """Beside the answer: the photo with its maps."""
    with turn():
        draw_where(case.encoded, case.facts, case.opinion.faults)
