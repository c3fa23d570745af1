"""Reports as PDF: every chart of the app as vectors, tables over pages, texts as they stand."""

import numpy as np
import pytest
from reportlab.graphics.shapes import Group, Rect, String

from core.diagnoses import CODES, NAMES
from core.estimates import Estimate
from core.evaluation.curves import BandedCurve
from core.webapp.reports import pdf
from core.webapp.reports.pdf_figure import clean, vector_drawing
from core.webapp.shared.charts import differential_chart, scores_chart
from core.webapp.shared.score_charts import bars_chart, confusion_chart, curve_chart, distribution_chart

PROBABILITIES = dict(zip(CODES, (0.1, 0.05, 0.05, 0.1, 0.4, 0.2, 0.1), strict=True))
GRID = np.linspace(0, 1, 5)
CURVE = BandedCurve(GRID, GRID, GRID, GRID * 0.9, GRID, (0.2, 0.5), 0.1)
CHARTS = {
    "differential": differential_chart(PROBABILITIES),
    "scores": scores_chart({NAMES["mel"]: Estimate(0.6, 0.5, 0.7), "Nevus": Estimate(0.9)}, "sensitivity"),
    "confusion": confusion_chart(np.diag(range(1, 8)).tolist()),
    "curve": curve_chart([("Melanoma 0.8", "mel", CURVE)], "pr"),
    "bars": bars_chart(["a", "b"], [("one", [0.1, None], [0.0, None], [0.2, None], "#7d8a92", "/")], "accuracy"),
    "distribution": distribution_chart(np.linspace(0, 1, 5), np.full(4, 0.25), np.full(4, 0.25), "mel"),
}


def texts(drawing) -> list[str]:
    found = []
    for part in drawing.contents:
        found += texts(part) if isinstance(part, Group) else [part.text] if isinstance(part, String) else []
    return found


@pytest.mark.parametrize("name", CHARTS)
def test_every_chart_becomes_vectors_inside_its_frame(name):
    drawing = vector_drawing(CHARTS[name], 400)
    left, bottom, right, top = drawing.getBounds()
    assert len(drawing.contents) > 5 and left >= -1 and bottom >= -8 and right <= 410 and top <= drawing.height + 8


def test_a_bar_is_as_long_as_its_value():
    drawing = vector_drawing(CHARTS["differential"], 400)
    bars = [r for r in drawing.contents if isinstance(r, Rect) and r.fillColor.alpha == 1]
    lengths = sorted(bar.width for bar in bars)
    assert len(bars) == 7 and lengths[-1] / lengths[0] == pytest.approx(0.4 / 0.05)
    assert any(NAMES["mel"] in text for text in texts(drawing)) and "40 %" in texts(drawing)


def test_a_matrix_prints_its_counts():
    assert {str(n) for n in range(1, 8)} <= set(texts(vector_drawing(CHARTS["confusion"], 400)))


def test_a_report_of_all_parts_on_several_pages():
    photo = np.full((60, 90, 3), 128, "uint8")
    parts = [
        pdf.heading("Heading"),
        pdf.paragraph("a <b> & c"),
        pdf.notice("For research."),
        pdf.figure(CHARTS["scores"], "How to read it."),
        pdf.beside([pdf.picture(photo, "The photo", 100), pdf.picture(photo)]),
        pdf.page_break(),
        pdf.table([{"Diagnosis": "Nevus <i>", "Value": 0.25, "None": None}] * 90),
    ]
    data = pdf.build_pdf("Report of Łódź ≥ 3", parts)
    assert data.startswith(b"%PDF-") and data.rstrip().endswith(b"%%EOF")
    assert data.count(b"/Type /Page\n") >= 3


def test_letters_that_the_fonts_lack():
    assert clean("≥ 0.5 µm – 患") == ">= 0.5 µm – ?"
