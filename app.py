"""Melascope's home page, "Read a lesion": a photo and a patient's facts in; probabilities and where the network looked out."""

import streamlit as st

from core.reading import read_lesion
from core.webapp.answer import draw_answer
from core.webapp.ask import ask_facts, ask_model, ask_photo, say_broken, say_no_models
from core.webapp.cached import FAILURES, encode, failure, load_model, preload
from core.webapp.frame import page_frame
from core.webapp.overlays import draw_overlays
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
card, folder = shelf.models[name], shelf.folder(name)

with answered:
    if photo is None:
        st.markdown(
            "##### What you will see\n"
            "1. **Seven calibrated probabilities**, and how probable malignancy is\n"
            "2. **Where the network looked**: its own attention, and a heat map for any diagnosis\n\n"
            "Upload a dermoscopic photo to begin, or choose *Drawn example* to see how it works. "
            "Age, sex and body site help the network; each may stay unknown."
        )
        preload(folder, card)
        st.stop()
    if facts is None:
        st.stop()
    try:
        bundle = load_model(folder, card)
        encoded = encode(bundle, photo)
        reading = read_lesion(bundle, None, facts, encoded=encoded, explain=False)
    except FAILURES as error:
        st.error(failure(error), icon=":material/error:")
        st.stop()
    draw_answer(reading)
    st.caption(
        f"Read by {name} in {milliseconds(encoded.seconds['encode'] + reading.seconds['head'])}; photo of {photo.size}."
    )

draw_overlays(bundle, encoded, facts)
