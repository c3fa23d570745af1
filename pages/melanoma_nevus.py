"""Melanoma versus nevus: the threshold, the failures case by case, and the question of colour; from files, photos only to look at."""

import streamlit as st

from core.webapp.ask import say_broken, say_no_models
from core.webapp.evaluations import read_evaluated
from core.webapp.export import ask_format
from core.webapp.frame import page_frame
from core.webapp.melanoma_colour import draw_colour
from core.webapp.melanoma_gallery import draw_failures, draw_pairs
from core.webapp.melanoma_lab import draw_lab
from core.webapp.melanoma_state import ask_choice, read_looks
from core.webapp.melanoma_threshold import draw_threshold, say_model
from core.webapp.photos import ask_folder
from core.webapp.shelf import read_shelf
from core.webapp.words import plain

THRESHOLD, FAILURES, PAIRS, COLOUR, LAB = "Threshold", "Failures", "Hard pairs", "Colour and errors", "Black-nevus lab"

page_frame(
    "Melanoma versus nevus",
    "The confusion that costs most: what a threshold means, where it fails, and whether colour is to blame.",
)
shelf = read_shelf()
found, lacking = read_evaluated(shelf)
if not shelf.models:
    say_no_models(shelf)
for reason in lacking.values():
    st.warning(plain(reason), icon=":material/warning:")
say_broken(shelf)
if not found:
    st.stop()

choice = ask_choice(found)
if choice is None:
    st.stop()
with st.container(horizontal=True, vertical_alignment="bottom"):
    view = st.segmented_control(
        "Section",
        [THRESHOLD, FAILURES, PAIRS, COLOUR, LAB],
        default=THRESHOLD,
        required=True,
        key="view",
        bind="query-params",
    )
    if view in (THRESHOLD, COLOUR, LAB):
        ask_format()
if view in (FAILURES, PAIRS, LAB):
    ask_folder()
if view == THRESHOLD:
    draw_threshold(choice)
elif view == FAILURES:
    draw_failures(choice, shelf, read_looks())
elif view == PAIRS:
    draw_pairs(choice, read_looks())
elif view == COLOUR:
    draw_colour(choice, read_looks())
else:
    draw_lab(choice, shelf)
st.divider()
say_model(choice)
