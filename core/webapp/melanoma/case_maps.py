"""A failure's maps: what the network looked at, what speaks for the diagnosis it said, and what for the true one."""

import pandas as pd
import streamlit as st

from core.diagnoses import NAMES
from core.reading import read_encoded
from core.webapp.melanoma.state import Choice
from core.webapp.shared.failures import FAILURES, failure
from core.webapp.shared.map_verdict import draw_map_verdict
from core.webapp.shared.photo.encoded import encode
from core.webapp.shared.photo.folder import load_photo
from core.webapp.shared.photo.models import load_model
from core.webapp.shared.photo.open_case import row_facts
from core.webapp.shared.photo.overlays import draw_legend, draw_picture
from core.webapp.shared.shelf import Shelf
from core.webapp.shared.words import plain


def draw_case_maps(choice: Choice, shelf: Shelf, image_id: str, row: pd.Series) -> None:
    """Soft attention, and Grad-CAM for what was said and for what is true.

    Args:
        row: of the photo, with `said` and `dx`.
    """
    name, photo = choice.model.name, load_photo(image_id)
    wanted = {"said": row.said, "true": row.dx}
    try:
        bundle = load_model(shelf.folder(name), choice.model.card).network_without(image_id)
        encoded = encode(bundle, photo)
        readings = {how: read_encoded(encoded, row_facts(row), target=code) for how, code in wanted.items()}
    except FAILURES as error:
        st.error(failure(error), icon=":material/error:")
        return
    of_answer = readings["said"]
    # On a phone what was said and what is true stay side by side, and the attention goes below.
    pair, attention = st.columns([2, 1], gap="small")
    with pair:
        columns = st.columns(2, gap="small", wrap=False)
    for column, (how, reading) in zip(columns, readings.items(), strict=True):
        what = f"{'What was said' if how == 'said' else 'What is true'}: {NAMES[wanted[how]].lower()}"
        with column:
            draw_picture(reading.heatmap_overlay, what, f"Grad-CAM over photo {image_id}. {what}")
    with attention:
        draw_picture(
            of_answer.attention_overlay, "Soft attention: where it looked", f"Soft attention over photo {image_id}"
        )
    if choice.model.card.is_fold_set:
        st.caption(f"Maps of {plain(bundle.name)}, the network that never saw this lesion.")
    draw_legend()
    draw_map_verdict(shelf.folder(name), choice.model.card, ["soft-attention", of_answer.method])
    for note in of_answer.notes:
        st.caption(plain(note))
