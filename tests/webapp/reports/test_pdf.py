"""Reports as PDF: no word broken, no heading apart from what it heads, tables over pages, figures as vectors."""

import io

import numpy as np
import pytest
from matplotlib.figure import Figure
from pypdf import PdfReader

from core.diagnoses import CODES, NAMES
from core.webapp.reports.parts import Bars, Drawing, Heading, Notice, Pictures, Rows, Text, said
from core.webapp.reports.pdf import report_pdf

SCORE = "0.661 (0.624 to 0.699)"


def pages(*parts) -> list[str]:
    """What each page of a report says."""
    return [page.extract_text() for page in PdfReader(io.BytesIO(report_pdf("Report of Łódź", parts))).pages]


def figure(height: float = 3.0) -> Drawing:
    drawn = Figure(figsize=(6, height))
    drawn.subplots().set_title("a figure's own words")
    return Drawing(drawn, "a frame")


def test_letters_beyond_western_europe_and_markup_are_printed_as_they_are():
    (page,) = pages(Text("a <b> & c ≥ 3 €"), Notice("Beware <i>"), Rows([{"Nevus <i>": None}]))
    assert {"Łódź", "<b>", "≥", "€"} <= set(page.split()) and "Beware <i>" in page and "None" not in page


@pytest.mark.parametrize("columns", [3, 8, 14])
def test_no_word_and_no_number_of_a_table_is_broken(columns):
    row = {"Diagnosis": "Actinic keratosis / Bowen's disease"} | {f"Specificity {c}": SCORE for c in range(columns)}
    words = " ".join(pages(Rows([row] * 3))).replace("\u00a0", " ").split()
    assert words.count("keratosis") >= 3 and words.count("0.661") == words.count("(0.624") == 3 * columns
    assert words.count("Specificity") == columns


def test_a_long_table_repeats_its_head_and_loses_no_row():
    said = pages(Rows([{"Photo": f"ISIC_{n}", "Value": n / 200} for n in range(150)]))
    assert len(said) > 1 and all("Photo" in page for page in said)
    assert [n for n in range(150) if f"ISIC_{n}\n" not in "\n".join(said) + "\n"] == []


def test_a_heading_and_its_sentence_stay_with_their_figure():
    for filling in range(20, 60, 3):
        said = pages(*[Text("filling")] * filling, Heading("The heading"), Text("Its sentence."), figure(), figure())
        (page,) = [page for page in said if "The heading" in page]
        assert "Its sentence." in page and "a figure's own words" in page


def test_the_bars_are_ordered_and_as_long_as_their_values():
    probabilities = dict(zip(CODES, (0.1, 0.05, 0.05, 0.1, 0.4, 0.2, 0.1), strict=True))
    (page,) = pages(Bars(probabilities))
    assert page.index(NAMES["mel"]) < page.index(NAMES["nv"]) < page.index(NAMES["df"]) and "40 %" in page.replace(
        "\u00a0", " "
    )


def test_pictures_of_any_count_stand_in_one_row():
    photo = np.full((60, 90, 3), 128, "uint8")
    (page,) = PdfReader(
        io.BytesIO(report_pdf("Photos", [Pictures(((photo, "one"),)), Pictures(((photo, "many"),) * 5)]))
    ).pages
    assert len(page.images) >= 1 and page.extract_text().count("many") == 5


def test_a_figure_is_vectors_with_its_own_text():
    data = report_pdf("Figure", [figure()])
    (page,) = PdfReader(io.BytesIO(data)).pages
    assert "a figure's own words" in page.extract_text() and not page.images


def test_cells_are_said_once_for_all_files():
    assert [said(value) for value in (None, float("nan"), 0.25, 3, "a")] == ["", "", "0.250", "3", "a"]
    assert said("95.3 % of 9") == "95.3\u00a0% of 9" and said(SCORE) == "0.661 (0.624\u00a0to\u00a00.699)"


def test_rows_that_lack_a_column_leave_its_cell_empty():
    rows = Rows([{"Score": "AUC", "Value": 0.5}, {"Score": "Accuracy", "Rule": "likeliest"}])
    assert rows.printed == [["Score", "Value", "Rule"], ["AUC", "0.500", ""], ["Accuracy", "", "likeliest"]]
    (page,) = pages(rows)
    assert "likeliest" in page and "0.500" in page
