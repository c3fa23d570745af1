"""Melascope's home page, "Read a lesion": a photo and a patient's facts in; an answer out, and all that lets one question it."""

import streamlit as st

from core.reading import read_lesion
from core.trust.conformal import build_set
from core.webapp.answer import draw_answer
from core.webapp.ask import ask_facts, ask_model, ask_photo, is_example, say_broken, say_no_models
from core.webapp.cached import FAILURES, encode, failure, load_model, preload, second_opinion
from core.webapp.frame import page_frame
from core.webapp.gate_view import draw_gate
from core.webapp.lookalikes_view import draw_seen
from core.webapp.overlays import draw_overlays
from core.webapp.second_facts import ask_what_if, draw_facts_in_short
from core.webapp.second_measures import kept_measure, kept_signals
from core.webapp.second_replay import offer_replay
from core.webapp.second_sections import Case, draw_keeping, draw_sections
from core.webapp.second_threshold import default_threshold, reader_threshold, say_threshold
from core.webapp.shelf import read_shelf
from core.webapp.words import milliseconds

page_frame("Read a lesion")
shelf = read_shelf()
if not shelf.models:
    say_no_models(shelf)
    say_broken(shelf)
    st.stop()

asked, answered = st.columns([2, 3], gap="large")
with asked:
    photo = ask_photo()
    facts = ask_facts()
    name = ask_model(shelf)
    say_broken(shelf)
    offer_replay(shelf)
card, folder = shelf.models[name], shelf.folder(name)

with answered:
    if photo is None:
        st.markdown(
            "##### What you will see\n"
            "1. **Seven calibrated probabilities**, how probable malignancy is, and what cannot be ruled out\n"
            "2. **Similar known cases**, and how far to trust the answer\n"
            "3. **Where the network looked**: its own attention, and a heat map for any diagnosis\n\n"
            "Upload a dermoscopic photo to begin, or choose *Drawn example* to see how it works. "
            "Age, sex and body site help the network; each may stay unknown."
        )
        preload(folder, card)
        st.stop()
    if facts is None:
        st.stop()
    signals = kept_signals(folder, card)
    facts_record, facts_problem = kept_measure("facts", folder, card)
    default = default_threshold(shelf, name, card)
    threshold = reader_threshold(default)
    try:
        bundle = load_model(folder, card)
        encoded = encode(bundle, photo)
        opinion = second_opinion(signals, bundle, encoded)
        if is_example():
            if opinion.refused:
                st.caption(":material/draw: The photo gate refuses this drawing, rightly. The example goes on all the same.")
        elif not draw_gate(opinion.gate, signals.records.get("gate"), photo.hash):
            st.stop()
        reading = read_lesion(bundle, None, facts, encoded=encoded, explain=False)
        what = ask_what_if(bundle, encoded, facts, facts_record)
    except FAILURES as error:
        st.error(failure(error), icon=":material/error:")
        st.stop()
    draw_seen(opinion.seen)
    measured = signals.records.get("set")
    found = build_set(reading.probabilities, measured) if measured else None
    draw_answer(reading, found, measured)
    say_threshold(reading.probabilities["mel"], threshold)
    draw_facts_in_short(what, threshold)
    st.caption(
        f"Read by {name} in {milliseconds(encoded.seconds['encode'] + reading.seconds['head'])}; photo of {photo.size}."
    )

case = Case(
    shelf, name, card, photo, facts, bundle, encoded, reading, signals, opinion, found, what, threshold, default
)
draw_sections(case, facts_record, facts_problem)
draw_overlays(bundle, encoded, facts, signals.records.get("maps"))
draw_keeping(case)
