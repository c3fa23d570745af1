"""Do the maps mean anything? What was measured of each model's attention and heat maps, from files alone; no photos needed."""

import streamlit as st

from core.webapp.maps.view import (
    draw_agreement,
    draw_inside_lesion,
    draw_steps,
    draw_verdict_table,
    draw_verdicts,
    draw_weights,
)
from core.webapp.shared.export import ask_format
from core.webapp.shared.frame import page_frame
from core.webapp.shared.map_records import read_measured
from core.webapp.shared.photo.ask import say_broken, say_no_models
from core.webapp.shared.shelf import read_shelf
from core.webapp.shared.words import plain

page_frame(
    "Do the maps mean anything?",
    "A coloured map convinces, whether or not it is true. Here each model's maps were put to the test on photos it never saw.",
)
shelf = read_shelf()
found, lacking = read_measured(shelf)
if not shelf.models:
    say_no_models(shelf)
for reason in lacking.values():
    st.info(f"Not measured yet. {plain(reason)}", icon=":material/info:")
say_broken(shelf)
if not found:
    st.stop()

draw_verdict_table(found)
with st.container(horizontal=True, vertical_alignment="bottom"):
    name = st.selectbox("Model", list(found), key="model", bind="query-params", filter_mode=None, width=340)
    ask_format()
record = found[name]
draw_verdicts(name, record)
draw_inside_lesion(name, record)
draw_steps(name, record)
draw_weights(name, record)
draw_agreement(name, record)
st.divider()
st.caption(plain(f"{record['photos']:,} test photos of {record['lesions']:,} lesions. {record['confidence']}"))
