"""Melanoma versus nevus: the threshold, the failures case by case, and the question of colour; from files, photos only to look at."""

import streamlit as st

from core.webapp.melanoma.colour import draw_colour
from core.webapp.melanoma.gallery import draw_failures, draw_pairs
from core.webapp.melanoma.lab import draw_lab
from core.webapp.melanoma.state import ask_choice, read_looks
from core.webapp.melanoma.threshold import draw_threshold, say_model
from core.webapp.shared.evaluations import read_evaluated
from core.webapp.shared.export import ask_format
from core.webapp.shared.frame import cases_first, page_frame
from core.webapp.shared.photo.ask import say_broken, say_no_models
from core.webapp.shared.photo.folder import ask_folder, photo_folder
from core.webapp.shared.shelf import read_shelf
from core.webapp.shared.words import plain

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

# On a phone the cases come before what narrows them; the frame's style moves containers of this name.
begin = st.container(key="choice")
with begin:
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
    with st.container(key="photo-folder"):
        offer = st.container()
        ask_folder()
if view in (FAILURES, PAIRS):
    cases_first(photo_folder() is not None)
if view == THRESHOLD:
    draw_threshold(choice)
elif view == FAILURES:
    draw_failures(choice, shelf, read_looks(), offer)
elif view == PAIRS:
    draw_pairs(choice, read_looks(), offer)
elif view == COLOUR:
    draw_colour(choice, read_looks())
else:
    draw_lab(choice, shelf, read_looks(), offer)
st.divider()
say_model(choice)
