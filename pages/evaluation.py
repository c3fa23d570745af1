"""Evaluation: how good each network is and where it fails, drawn from the files that `evaluate` wrote; no photos needed."""

import streamlit as st

from core.webapp.evaluation.calibration import draw_calibration
from core.webapp.evaluation.comparison import draw_comparison
from core.webapp.evaluation.view import (
    SECTIONS,
    draw_confusion,
    draw_curves,
    draw_report,
    draw_scores,
    draw_subgroups,
    say_provenance,
)
from core.webapp.shared.evaluations import read_evaluated
from core.webapp.shared.export import ask_format
from core.webapp.shared.frame import page_frame
from core.webapp.shared.photo.ask import say_broken, say_no_models
from core.webapp.shared.shelf import read_shelf
from core.webapp.shared.words import plain

DRAW = dict(
    zip(
        SECTIONS,
        (draw_scores, draw_confusion, draw_curves, draw_calibration, draw_subgroups, draw_comparison, draw_report),
        strict=True,
    )
)

page_frame("Evaluation", "How good each network is on lesions it never saw, and where it fails.")
shelf = read_shelf()
found, lacking = read_evaluated(shelf)
if not shelf.models:
    say_no_models(shelf)
for reason in lacking.values():
    st.warning(plain(reason), icon=":material/warning:")
say_broken(shelf)
if not found:
    st.stop()

with st.container(horizontal=True, vertical_alignment="bottom"):
    names = st.multiselect("Models", list(found), default=list(found)[:2], key="models", bind="query-params", width=420)
    ask_format()
if not names:
    st.info("Choose at least one model.", icon=":material/info:")
    st.stop()
section = st.segmented_control(
    "Section", SECTIONS, default=SECTIONS[0], required=True, key="section", bind="query-params"
)
chosen = {name: found[name] for name in names}
DRAW[section](chosen)
st.divider()
say_provenance(chosen)
