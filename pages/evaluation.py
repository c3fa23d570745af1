"""Evaluation: how good each network is and where it fails, drawn from the files that `evaluate` wrote; no photos needed."""

import streamlit as st

from core.webapp.evaluation.abroad import draw_abroad
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
from core.webapp.shared.common_photos import common_photos, on_common_photos, scored_alike
from core.webapp.shared.evaluations import read_evaluated
from core.webapp.shared.export import ask_format
from core.webapp.shared.frame import page_frame
from core.webapp.shared.photo.ask import say_broken, say_no_models
from core.webapp.shared.shelf import read_shelf
from core.webapp.shared.words import plain
from core.wording import listed

DRAW = dict(
    zip(
        SECTIONS,
        (
            draw_scores,
            draw_confusion,
            draw_curves,
            draw_calibration,
            draw_subgroups,
            draw_comparison,
            draw_abroad,
            draw_report,
        ),
        strict=True,
    )
)

# Sections that set models side by side.
COMPARING = ("Scores", "Curves", "Calibration", "Compare two")

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
if section in COMPARING and not scored_alike(chosen):
    common = len(common_photos(chosen))
    if not common:
        st.warning(
            f"{listed(names)} have no held-out photo in common: their scores do not compare.", icon=":material/warning:"
        )
    elif st.toggle(
        f"On the {common:,} photos that all of them were held out from",
        value=True,
        key="common",
        bind="query-params",
        help="These models were scored on different photos. Only on those that all were held out from do their scores compare.",
    ):
        chosen = on_common_photos(chosen)
    else:
        st.warning("Each model is scored on its own photos: the numbers do not compare.", icon=":material/warning:")
DRAW[section](chosen)
st.divider()
say_provenance(chosen)
