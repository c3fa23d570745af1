"""The photos behind a cell of the confusion matrix: a table, and the photos themselves where they are at hand."""

import pandas as pd
import streamlit as st

from core.diagnoses import NAMES
from core.webapp.evaluation.rows import case_rows
from core.webapp.shared.cases.offer import MOST, offer_photos
from core.webapp.shared.evaluations import Evaluated
from core.webapp.shared.export import draw_table
from core.webapp.shared.photo.folder import ask_folder, load_photo
from core.webapp.shared.photo.open_case import offer_case, row_facts
from core.webapp.shared.words import plain, unbroken
from core.wording import percent

# Photos on one page of the gallery.
SHOWN = 8
COLUMNS = 4


def draw_cell(model: Evaluated, true: str, predicted: str, rule: str = "likeliest") -> None:
    """Draws the cases of a cell, the most confident answer first.

    Args:
        true, predicted: codes, or `evaluation_rows.ANY`.
        rule: that decided.
    """
    rows = case_rows(model, true, predicted, rule)
    if rows.empty:
        st.info("No photo is in this cell.", icon=":material/info:")
        return
    draw_table(
        rows,
        f"Cases of {model.name}, true {true}, predicted {predicted}, rule {rule}",
        f"{len(rows)} photos of {rows['Lesion'].nunique()} lesions, the most confident answer first.",
        tallest=11,
        probabilities=("Probability of the answer", "Probability of the truth"),
    )
    there = ask_folder() is not None
    offer_photos(rows["Photo"].head(MOST), "cell", "of this cell")
    if there:
        _draw_photos(model, rows)


def _draw_photos(model: Evaluated, rows: pd.DataFrame) -> None:
    pages = -(-len(rows) // SHOWN)
    page = 1
    if pages > 1:
        page = st.number_input(f"Page of photos, 1 to {pages}", 1, pages, 1, key="cases page", width=220)
    shown = rows.iloc[(page - 1) * SHOWN : page * SHOWN]
    with st.container(key="cases photos"):
        for start in range(0, len(shown), COLUMNS):
            for column, (_, row) in zip(
                st.columns(COLUMNS, gap="small"), shown.iloc[start : start + COLUMNS].iterrows(), strict=False
            ):
                with column:
                    _draw_photo(model, row)


def _draw_photo(model: Evaluated, row: pd.Series) -> None:
    photo = load_photo(row["Photo"])
    truth, answer = NAMES[row["True"]], NAMES[row["Predicted"]]
    label = f"{row['Photo']}: {truth}, called {answer.lower()} with {percent(row['Probability of the answer'])}"
    if photo is None:
        st.info(f"The photo of {plain(row['Photo'])} is missing or cannot be read.", icon=":material/hide_image:")
        st.caption(plain(label))
        return
    st.image(photo.pixels, caption=unbroken(label), alt=label, width="stretch", output_format="JPEG")
    known = row.rename({"Age": "age", "Sex": "sex", "Site": "localization"})
    offer_case(
        row["Photo"], row_facts(known), model.name, f"A held-out photo: {truth}, confirmed by {row['Confirmed by']}."
    )
