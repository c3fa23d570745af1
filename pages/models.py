"""Models: what each shipped network was made from, how well it does, and what it must not be used for."""

import streamlit as st

from core.webapp.models.card import draw_card, draw_overview
from core.webapp.shared.frame import page_frame
from core.webapp.shared.photo.ask import say_broken, say_no_models
from core.webapp.shared.shelf import read_shelf

page_frame("Models", "What each network was made from, how well it does on lesions it never saw, and its limits.")
shelf = read_shelf()
if shelf.models:
    draw_overview(shelf)
    chosen = st.selectbox(
        "Model card", list(shelf.models), key="card", bind="query-params", filter_mode=None, width=340
    )
    draw_card(shelf.models[chosen], shelf.folder(chosen))
else:
    say_no_models(shelf)
say_broken(shelf)
