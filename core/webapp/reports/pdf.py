"""PDF reports in the look of the app, written by ReportLab: pure Python, no browser and no system package.

How to use it: make parts, top to bottom, and hand them to `build_pdf`, which gives the bytes for a download button.

    from core.webapp.reports.pdf import build_pdf, figure, heading, notice, paragraph, picture, beside, table

    data = build_pdf(
        "Case report",
        [
            paragraph("What the network says of this photo."),
            notice("For research and teaching."),
            heading("Probabilities"),
            figure(differential_chart(reading.probabilities), "The likeliest on top."),   # any Plotly figure of core.webapp
            beside([picture(photo, "The photo"), picture(overlay, "Soft attention")]),   # (H, W, 3) uint8
            table([{"Diagnosis": "Melanoma", "Probability": "0.72"}]),                    # dicts or a DataFrame
        ],
    )

All texts are plain: markup characters in them are printed as they are. Only Western European letters can be set; others are
written as "?".
"""

import io
from collections.abc import Sequence
from xml.sax.saxutils import escape

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from PIL import Image as Picture
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import (
    Flowable,
    Image,
    KeepTogether,
    LongTable,
    PageBreak,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
    TableStyle,
)

from core.webapp.reports.pdf_figure import clean, vector_drawing
from core.webapp.shared.frame import NAME, NOTICE

MARGIN = 18 * mm
WIDTH = A4[0] - 2 * MARGIN
# Pictures are stored at most this large, pixels: sharp in print, and a report stays small.
PICTURE_SIDE = 900
INK, TEAL, PALE, LINE = (colors.HexColor(c) for c in ("#18272b", "#0b6b72", "#f2f6f6", "#d5dfe0"))
_TEXT = ParagraphStyle("text", fontName="Helvetica", fontSize=9.5, leading=13, textColor=INK, spaceAfter=5)
_TITLE = ParagraphStyle("title", parent=_TEXT, fontName="Helvetica-Bold", fontSize=19, leading=23, spaceAfter=6)
_HEADING = ParagraphStyle("heading", parent=_TEXT, fontName="Helvetica-Bold", fontSize=13, leading=16, spaceBefore=10)
_SMALL = ParagraphStyle("small", parent=_TEXT, fontSize=8, leading=10.5, textColor=colors.HexColor("#46575c"))
_CELL = ParagraphStyle("cell", parent=_TEXT, fontSize=7.5, leading=9.5, spaceAfter=0)
_HEAD = ParagraphStyle("head", parent=_CELL, fontName="Helvetica-Bold")


class _Together(KeepTogether):
    """Parts that stay on one page, and that a column can hold."""

    def __init__(self, parts: list[Flowable]):
        super().__init__(parts)
        self.parts = parts


def heading(text: str) -> Flowable:
    """A section's heading; stays with what follows it."""
    return Paragraph(_said(text), ParagraphStyle("kept", parent=_HEADING, keepWithNext=1))


def paragraph(text: str) -> Flowable:
    return Paragraph(_said(text), _TEXT)


def caption(text: str) -> Flowable:
    """A small sentence: how to read what stands above it."""
    return Paragraph(_said(text), _SMALL)


def notice(text: str) -> Flowable:
    """A sentence in a pale box: a warning, or what the report is for."""
    box = Table([[Paragraph(_said(text), _TEXT)]], colWidths=[WIDTH])
    style = [("BACKGROUND", (0, 0), (-1, -1), PALE), ("LINEBEFORE", (0, 0), (0, -1), 2.5, TEAL)]
    box.setStyle(TableStyle([*style, ("TOPPADDING", (0, 0), (-1, -1), 5), ("BOTTOMPADDING", (0, 0), (-1, -1), 2)]))
    return KeepTogether([box, Spacer(0, 6)])


def page_break() -> Flowable:
    return PageBreak()


def table(rows: list[dict] | pd.DataFrame, widths: Sequence[float] | None = None) -> Flowable:
    """A table that breaks over pages and repeats its head.

    Args:
        rows: dicts with the same keys, or a DataFrame; empty cells for None and NaN.
        widths: shares of the page's width; by the longest text of each column when None.
    """
    frame = pd.DataFrame(rows)
    cells = [[_cell(value) for value in row] for row in frame.itertuples(index=False)]
    names = [str(name) for name in frame.columns]
    if widths is None:
        widths = [
            min(46, max(6, *(len(text) for text in (names[c], *(row[c] for row in cells))))) for c in range(len(names))
        ]
    total = sum(widths)
    content = [[Paragraph(_said(name), _HEAD) for name in names]]
    content += [[Paragraph(_said(text), _CELL) for text in row] for row in cells]
    drawn = LongTable(content, colWidths=[WIDTH * w / total for w in widths], repeatRows=1, spaceAfter=6)
    drawn.setStyle(
        TableStyle(
            [
                ("GRID", (0, 0), (-1, -1), 0.4, LINE),
                ("BACKGROUND", (0, 0), (-1, 0), PALE),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                *(
                    ((side, (0, 0), (-1, -1), 3))
                    for side in ("LEFTPADDING", "RIGHTPADDING", "TOPPADDING", "BOTTOMPADDING")
                ),
            ]
        )
    )
    return drawn


def figure(chart: go.Figure, how: str = "", width: float = WIDTH) -> Flowable:
    """One of the app's Plotly figures as vectors, with the sentence on how to read it.

    Args:
        width: points (1/72 inch).
    """
    return _Together([vector_drawing(chart, width), *([caption(how)] if how else [Spacer(0, 6)])])


def picture(pixels: np.ndarray, how: str = "", width: float = WIDTH / 3) -> Flowable:
    """A photo or overlay, (H, W, 3) uint8, `width` points wide, with its caption. Pixels only: no EXIF, no name."""
    shown = Picture.fromarray(np.asarray(pixels, "uint8"))
    shown.thumbnail((PICTURE_SIDE, PICTURE_SIDE))
    file = io.BytesIO()
    shown.save(file, "JPEG", quality=90)
    file.seek(0)
    image = Image(file, width, width * shown.height / shown.width, hAlign="LEFT")
    return _Together([image, *([caption(how)] if how else [])])


def beside(parts: Sequence[Flowable]) -> Flowable:
    """Parts in columns of equal width; make them (pictures, figures) no wider than `WIDTH / len(parts) - 6`."""
    cells = [part.parts if isinstance(part, _Together) else part for part in parts]
    row = Table([cells], colWidths=[WIDTH / len(parts)] * len(parts))
    style = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("RIGHTPADDING", (0, 0), (-1, -1), 6),
    ]
    row.setStyle(TableStyle(style))
    return row


def build_pdf(title: str, parts: Sequence[Flowable], *, footer: str = NOTICE) -> bytes:
    """The whole report as a PDF file's bytes; every page carries the footer and its number.

    Args:
        title: on the first page, and the document's title.
        parts: what the functions above made, top to bottom.
        footer: a sentence for the foot of every page.
    """
    file = io.BytesIO()
    document = SimpleDocTemplate(
        file,
        pagesize=A4,
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=16 * mm,
        bottomMargin=18 * mm,
        title=clean(title),
        author=NAME,
        creator=NAME,
    )

    def foot(canvas, _):
        canvas.saveState()
        canvas.setFont("Helvetica", 7.5)
        canvas.setFillColor(colors.HexColor("#46575c"))
        canvas.drawString(MARGIN, 10 * mm, clean(footer)[:150])
        canvas.drawRightString(A4[0] - MARGIN, 10 * mm, str(canvas.getPageNumber()))
        canvas.restoreState()

    document.build([Paragraph(_said(title), _TITLE), *parts], onFirstPage=foot, onLaterPages=foot)
    return file.getvalue()


def _said(text: str) -> str:
    return escape(clean(str(text)))


def _cell(value: object) -> str:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    return f"{value:.3f}" if isinstance(value, float) else str(value)
