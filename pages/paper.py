"""The paper side by side: its result tables and figures next to this project's numbers, with footnotes where it contradicts itself."""

import streamlit as st

from core.studies.paper import CITATION, FOOTNOTES, OWN_RUNS, WHY_LOWER
from core.webapp.paper.view import ITEMS, draw_item, title_of
from core.webapp.shared.evaluations import read_evaluated
from core.webapp.shared.export import ask_format
from core.webapp.shared.frame import page_frame
from core.webapp.shared.shelf import read_shelf
from core.webapp.shared.words import plain

page_frame(
    "The paper side by side",
    "What the soft-attention paper printed, what its notebooks ran, and what this project measured.",
)
found, lacking = read_evaluated(read_shelf())
with st.expander("Why honest numbers are lower", icon=":material/help:", expanded=True):
    st.markdown("\n".join(f"- {reason}" for reason in WHY_LOWER))
    st.markdown(OWN_RUNS)
for reason in lacking.values():
    st.warning(plain(reason), icon=":material/warning:")
with st.container(horizontal=True, vertical_alignment="bottom"):
    item = st.selectbox(
        "Table, figure or experiment",
        ITEMS,
        format_func=title_of,
        key="item",
        bind="query-params",
        filter_mode=None,
        width=420,
    )
    ask_format()
draw_item(item, found)
with st.expander("All footnotes on the paper"):
    st.markdown("\n".join(f"- **{key}** {plain(text)}" for key, text in FOOTNOTES.items()))
st.caption(plain(CITATION))
