"""Many photos at once: a table of answers that is sorted, filtered, taken along, and leads to each case."""

import streamlit as st

from core.webapp.batch.ask import ask_items
from core.webapp.batch.run import BatchSettings, held_run
from core.webapp.shared.frame import page_frame
from core.webapp.shared.photo.ask import ask_mixture, ask_model, say_broken, say_no_models
from core.webapp.shared.shelf import read_shelf

page_frame("Many photos", "Several photos or a folder at once: one row a photo, and a click opens the case.")
shelf = read_shelf()
if not shelf.models:
    say_no_models(shelf)
    say_broken(shelf)
    st.stop()

left, right = st.columns([1, 1], gap="large")
with left:
    items = ask_items()
with right:
    name = ask_model(shelf)
    mixture = ask_mixture(shelf.models[name])
    auto = st.checkbox(
        "Crop what is framed otherwise",
        key="batch auto",
        help="Where a photo is framed otherwise than training photos, the suggested square is read. Else the whole photo is read, and the "
        "remark says so.",
    )
    force = st.checkbox("Read also what the photo gate refuses", key="batch force")
begin = st.button(
    f"Read {len(items)} photo{'' if len(items) == 1 else 's'}" if items else "Read photos",
    type="primary",
    disabled=not items,
    icon=":material/play_arrow:",
    key="batch begin",
)
# The answers need pandas and what judges them, for which nobody who only opens the page should wait.
if begin:
    from core.webapp.batch.view import start_run

    start_run(shelf, items, BatchSettings(name, mixture.title if mixture else "", "auto" if auto else "none", force), mixture)
run = held_run().run
if run is not None:
    from core.webapp.batch.view import draw_run

    draw_run(shelf, run)
