"""Compare backbones: one photo through every shipped network, where they agree and who dissents."""

import streamlit as st

from core.webapp.compare.view import draw_all_overlays, draw_votes, passes_gate
from core.webapp.shared.frame import page_frame
from core.webapp.shared.photo.all_networks import read_with_all
from core.webapp.shared.photo.ask import ask_photo, say_broken, say_no_models
from core.webapp.shared.photo.facts import ask_facts
from core.webapp.shared.photo.overlays import draw_picture
from core.webapp.shared.shelf import read_shelf

page_frame("Compare backbones", "One photo through every network that is shipped, side by side.")
shelf = read_shelf()
if not shelf.models:
    say_no_models(shelf)
    say_broken(shelf)
    st.stop()

asked, answered = st.columns([2, 3], gap="large")
with asked:
    photo = ask_photo()
    facts = ask_facts(photo)
    say_broken(shelf)
    if photo is not None:
        draw_picture(photo.pixels, f"The photo, {photo.size}", "The photo as it was given", width=260)

with answered:
    if photo is None:
        count = len(shelf.models)
        st.markdown(
            "##### What you will see\n"
            f"What {'the one network' if count == 1 else f'each of {count} networks'} in `weights/` says about the same photo and patient, "
            "whether they agree, who dissents, how long each takes, and where each looked.\n\n"
            "Networks that disagree are a reason to trust none of them. Agreement is no proof: they learnt from the same photos."
        )
        st.stop()
    if facts is None:
        st.stop()
    if not passes_gate(shelf, photo):
        st.stop()
    opinions = read_with_all(shelf, photo, facts)
    if not opinions:
        st.stop()
    draw_votes(opinions)

draw_all_overlays(opinions, facts)
