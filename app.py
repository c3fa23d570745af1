"""Melascope's home page, "Read a lesion": a photo and a patient's facts in; an answer out, and all that lets one question it."""

import streamlit as st

from core.webapp.read.photo.framing import draw_setting, is_setting, offer_setting, say_framing
from core.webapp.read.photo.start import ask_inputs, draw_alone, draw_waiting, say_what_comes
from core.webapp.shared.cases.lists import draw_case_lists
from core.webapp.shared.frame import page_frame
from core.webapp.shared.photo.ask import say_broken, say_no_models
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

first = st.container()
photo, name, mixture = ask_inputs(shelf)
if photo is None:
    draw_case_lists(first)
    say_what_comes()
    preload(shelf.folder(name), shelf.models[name], "core.webapp.read.view")
    st.stop()

with st.container(key="case"):
    seen, said = st.columns([6, 5], gap="large")
with seen:
    say_framing()
    where = None if is_setting() else draw_waiting(photo)
    if where is None:
        draw_setting()
    else:
        offer_setting()
with said:
    before = st.container()
    answer = st.container()
    facts = ask_facts(photo, before)
if facts is None:
    if where is not None:
        with where.container():
            draw_alone(photo)
    st.stop()
with answer:
    # The answer needs pandas and scikit-learn, for which nobody who only opens the page should wait.
    from core.webapp.read.view import draw_questions, draw_reading, show_where

    case = draw_reading(shelf, name, photo, facts, mixture)
if where is not None:
    with where.container():
        if case is None:
            draw_alone(photo)
        else:
            show_where(case)
if case is None:
    st.stop()
draw_questions(case)
