"""Replaying a saved case on the page: the same digits, or what differs."""

import streamlit as st

from core.card import read_card
from core.webapp.shared.failures import FAILURES, failure
from core.webapp.shared.photo.models import load_model
from core.webapp.shared.shelf import Shelf
from core.webapp.shared.words import plain


@st.fragment
def offer_replay(shelf: Shelf) -> None:
    """A place for a case bundle, closed until it is wanted."""
    box = st.expander("Replay a saved case", icon=":material/replay:", key="replay section", on_change="rerun")
    if not box.open:
        return
    with box:
        file = st.file_uploader("Case bundle (.zip)", type="zip", key="replay file", max_upload_size=50)
        if file is not None:
            _draw_replay(shelf, file.getvalue())


def _draw_replay(shelf: Shelf, content: bytes) -> None:
    # What reading needs is loaded when a case is there, not with the page.
    from core.explain import encode_png
    from core.trust.replay import InvalidCase, read_case, replay, replay_table
    from core.webapp.shared.photo.open_case import open_case
    from core.webapp.shared.photo.overlays import draw_picture

    try:
        case = read_case(content)
        replayed = replay(case, lambda folder: load_model(folder, read_card(folder)), shelf.root)
    except InvalidCase as error:
        st.error(plain(str(error)), icon=":material/folder_off:")
        return
    except FAILURES as error:
        st.error(failure(error), icon=":material/error:")
        return
    show = st.success if replayed.same and not replayed.differences else st.info if replayed.same else st.warning
    show(plain(" ".join([replayed.words, *replayed.differences])), icon=":material/replay:")
    draw_picture(case.photo, f"Read by {plain(case.model)}", "The photo of the saved case", width=200)
    if st.button("Open this case", icon=":material/open_in_full:", key="open replayed"):
        open_case(encode_png(case.photo), case.facts, case.model, name="The saved case's photo")
        st.rerun(scope="app")
    if replayed.probabilities:
        st.dataframe(
            [
                {"Diagnosis": row["Diagnosis"], "Then": f"{row['Then']:.4f}", "Now": f"{row['Now']:.4f}"}
                for row in replay_table(case, replayed)
            ],
            hide_index=True,
            alt="Each probability then and now",
        )
