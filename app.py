"""Melascope's home page, "Read a lesion": a photo and a patient's facts in; an answer out, and all that lets one question it."""

import streamlit as st

from core.webapp.read.replay import offer_replay
from core.webapp.shared.frame import page_frame
from core.webapp.shared.photo.ask import ask_mixture, ask_model, ask_photo, say_broken, say_no_models
from core.webapp.shared.photo.facts import ask_facts
from core.webapp.shared.photo.models import preload
from core.webapp.shared.photo.open_case import take_opened
from core.webapp.shared.shelf import read_shelf

page_frame("Read a lesion")
shelf = read_shelf()
if not shelf.models:
    say_no_models(shelf)
    say_broken(shelf)
    st.stop()
take_opened(shelf.models)

asked, answered = st.columns([2, 3], gap="large")
with asked:
    photo = ask_photo()
    facts = ask_facts(photo)
    name = ask_model(shelf)
    mixture = ask_mixture(shelf.models[name])
    say_broken(shelf)
    offer_replay(shelf)

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
        preload(shelf.folder(name), shelf.models[name], "core.webapp.read.view")
        st.stop()
    if facts is None:
        st.stop()
    # The answer needs pandas and scikit-learn, for which nobody who only opens the page should wait.
    from core.webapp.read.view import draw_questions, draw_reading

    case = draw_reading(shelf, name, photo, facts, mixture)

draw_questions(case)
