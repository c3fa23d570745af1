"""A report as PDF: pages laid out by ReportLab, figures as Matplotlib's own vectors. No browser and no system package.

Headings stay with what follows them, tables repeat their head over pages, and no word or number is broken: a table whose columns
do not fit side by side is set in a smaller size, and then as two, the first column repeated.
"""

import io
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from pypdf import PdfReader, PdfWriter, Transformation
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import (
    BaseDocTemplate,
    CondPageBreak,
    Flowable,
    Frame,
    Image,
    KeepTogether,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
    TableStyle,
)

from core.diagnoses import CODES, MALIGNANT, NAMES
from core.webapp.reports import parts as report
from core.webapp.reports.parts import encode_figure, encode_picture, said, with_commands
from core.webapp.shared.frame import NAME, NOTICE
from core.webapp.shared.theme import BENIGN_COLOR, GROUPS, MALIGNANT_COLOR
from core.wording import percent

MARGIN = 18 * mm
WIDTH = A4[0] - 2 * MARGIN
INK, SOFT, TEAL, PALE, LINE = (colors.HexColor(c) for c in ("#18272b", "#46575c", "#0b6b72", "#f2f6f6", "#d5dfe0"))
# Sizes that a table is tried in, points; smaller ones are not read with ease.
_SIZES = (7.5, 7.0, 6.5)
_PADDING = 3
# A table of more rows is torn between two of them, and begins on a page only where so much of it fits, points.
_WHOLE, _BEGINNING = 10, 130
# Matplotlib brings this font: letters beyond Western European ones, "≥" and "≤" are in it.
_FONTS = {"Melascope": "DejaVuSans.ttf", "Melascope-Bold": "DejaVuSans-Bold.ttf"}
_TEXT = ParagraphStyle("text", fontName="Melascope", fontSize=8.8, leading=12.5, textColor=INK, spaceAfter=5)
_TITLE = ParagraphStyle("title", parent=_TEXT, fontName="Melascope-Bold", fontSize=17, leading=21, spaceAfter=6)
_NAME = ParagraphStyle("name", parent=_TEXT, fontName="Melascope-Bold", fontSize=8)
_SHARE = ParagraphStyle("share", parent=_NAME, fontName="Melascope")
_HEADING = ParagraphStyle("heading", parent=_TEXT, fontName="Melascope-Bold", fontSize=12, leading=15, spaceBefore=10)
_LARGE = ParagraphStyle("large", parent=_TEXT, fontName="Melascope-Bold", fontSize=10, leading=13.5)
_SMALL = ParagraphStyle("small", parent=_TEXT, fontSize=7.5, leading=10, textColor=SOFT)


def report_pdf(title: str, parts: Sequence[report.Part]) -> bytes:
    """The report as a PDF file's bytes; every page carries the notice and its number."""
    _register_fonts()
    file = io.BytesIO()
    document = BaseDocTemplate(file, pagesize=A4, title=title, author=NAME, creator=NAME)
    low, high = 18 * mm, 16 * mm
    frame = Frame(MARGIN, low, WIDTH, A4[1] - low - high, leftPadding=0, rightPadding=0, topPadding=0, bottomPadding=0)

    def foot(canvas, _):
        canvas.saveState()
        canvas.setFont("Melascope", 7)
        canvas.setFillColor(SOFT)
        canvas.drawString(MARGIN, 10 * mm, NOTICE)
        canvas.drawRightString(A4[0] - MARGIN, 10 * mm, str(canvas.getPageNumber()))
        canvas.restoreState()

    places: list[_Place] = []
    flow: list[Flowable] = [Paragraph(escape(said(title)), _TITLE)]
    for section in _sections(parts):
        made = [flowable for part in section for flowable in _WRITERS[type(part)](part)]
        places += [flowable for flowable in made if isinstance(flowable, _Place)]
        long = any(isinstance(part, report.Rows) and len(part.rows) > _WHOLE for part in section)
        flow += [CondPageBreak(_BEGINNING), *made] if long else [KeepTogether(made)]
    document.addPageTemplates(PageTemplate(frames=[frame], onPage=foot))
    document.build(flow)
    return _stamped(file, places)


class _Place(Flowable):
    """Room for a figure; where it came to stand is known once the pages are laid out."""

    def __init__(self, figure: bytes):
        super().__init__()
        self.figure = PdfReader(io.BytesIO(figure)).pages[0]
        box = self.figure.mediabox
        self.scale = min(1.0, WIDTH / float(box.width))
        self.width, self.height = float(box.width) * self.scale, float(box.height) * self.scale
        self.page, self.corner = 0, (0.0, 0.0)

    def draw(self):
        self.page, self.corner = self.canv.getPageNumber() - 1, self.canv.absolutePosition(0, 0)


def _stamped(file: io.BytesIO, places: list[_Place]) -> bytes:
    """The laid-out file with each figure at its place."""
    if not places:
        return file.getvalue()
    writer = PdfWriter(clone_from=file)
    for place in places:
        move = Transformation().scale(place.scale).translate(*place.corner)
        writer.pages[place.page].merge_transformed_page(place.figure, move)
    done = io.BytesIO()
    writer.write(done)
    return done.getvalue()


def _sections(parts: Sequence[report.Part]) -> list[list[report.Part]]:
    """Parts, each with the heading and the paragraphs that lead to it, and the small sentences that follow it."""
    sections, shown = [[]], False
    for part in parts:
        begins = isinstance(part, report.Heading) and not all(isinstance(one, report.Heading) for one in sections[-1])
        if begins or (shown and not (isinstance(part, report.Text) and part.small)):
            sections.append([])
            shown = False
        sections[-1].append(part)
        shown = shown or not isinstance(part, report.Heading | report.Text)
    return sections


def _paragraph(part: report.Text) -> list[Flowable]:
    return [Paragraph(escape(said(part.text)), _SMALL if part.small else _LARGE if part.large else _TEXT)]


def _notice(part: report.Notice) -> list[Flowable]:
    box = Table([[Paragraph(with_commands(part.text, '<font face="Courier">', "</font>"), _TEXT)]], colWidths=[WIDTH])
    style = [("BACKGROUND", (0, 0), (-1, -1), PALE), ("LINEBEFORE", (0, 0), (0, -1), 2.5, TEAL)]
    box.setStyle(TableStyle([*style, ("TOPPADDING", (0, 0), (-1, -1), 5), ("BOTTOMPADDING", (0, 0), (-1, -1), 2)]))
    return [box, Spacer(0, 6)]


def _rows(part: report.Rows) -> list[Flowable]:
    if not part.printed:
        return []
    columns = [list(column) for column in zip(*part.printed, strict=True)]
    for size in _SIZES:
        if sum(_narrowest(column, size) for column in columns) <= WIDTH:
            return _table(columns, size)
    # Too wide even so: what fits beside the first column, and below it the rest beside it again.
    size, flow, group = _SIZES[0], [], [columns[0]]
    for column in columns[1:]:
        if len(group) > 1 and sum(_narrowest(one, size) for one in (*group, column)) > WIDTH:
            flow += _table(group, size)
            group = [columns[0]]
        group.append(column)
    return flow + _table(group, size)


def _table(columns: list[list[str]], size: float) -> list[Flowable]:
    """A table of one width that breaks between rows and repeats its head."""
    narrow = [_narrowest(column, size) for column in columns]
    wanted = [max(_wide(text, size, k == 0) for k, text in enumerate(column)) + 2 * _PADDING for column in columns]
    widths, room = [*narrow], WIDTH - sum(narrow)
    # Room left over goes, bit by bit, where the longest text would need most lines.
    while room > 0 and any(w > have for w, have in zip(wanted, widths, strict=True)):
        worst = max(range(len(columns)), key=lambda c: wanted[c] / widths[c])
        bit = min(4.0, room, wanted[worst] - widths[worst])
        widths[worst], room = widths[worst] + bit, room - bit
    scale = min(1.0, WIDTH / sum(widths))
    cell = ParagraphStyle("cell", parent=_TEXT, fontSize=size, leading=size * 1.27, spaceAfter=0)
    head = ParagraphStyle("head", parent=cell, fontName="Melascope-Bold")
    content = [
        [Paragraph(escape(text), head if k == 0 else cell) for text in row]
        for k, row in enumerate(zip(*columns, strict=True))
    ]
    drawn = Table(content, colWidths=[w * scale for w in widths], repeatRows=1, hAlign="LEFT", spaceAfter=8)
    drawn.setStyle(
        TableStyle(
            [
                ("GRID", (0, 0), (-1, -1), 0.4, LINE),
                ("BACKGROUND", (0, 0), (-1, 0), PALE),
                ("VALIGN", (0, 0), (-1, 0), "BOTTOM"),
                ("VALIGN", (0, 1), (-1, -1), "TOP"),
                *((f"{side}PADDING", (0, 0), (-1, -1), _PADDING) for side in ("LEFT", "RIGHT", "TOP", "BOTTOM")),
            ]
        )
    )
    return [drawn]


def _narrowest(column: list[str], size: float) -> float:
    """The least width of a column, points, with its longest word whole; a word as long as half a page may break."""
    words = ((word, k == 0) for k, text in enumerate(column) for word in text.split(" "))
    longest = max((_wide(word, size, bold) for word, bold in words), default=0.0)
    return min(longest, WIDTH / 2) + 2 * _PADDING + 0.5


def _wide(text: str, size: float, bold: bool) -> float:
    return pdfmetrics.stringWidth(text, "Melascope-Bold" if bold else "Melascope", size)


def _bars(part: report.Bars) -> list[Flowable]:
    names, full, rows = WIDTH * 0.6, WIDTH * 0.3, []
    for code in sorted(CODES, key=part.probabilities.__getitem__, reverse=True):
        p = part.probabilities[code]
        color = MALIGNANT_COLOR if MALIGNANT[CODES.index(code)] else BENIGN_COLOR
        name = Paragraph(f"{escape(NAMES[code])} <font size=7 color='#46575c'>{GROUPS[code]}</font>", _NAME)
        long = max(0.7, full * p)
        bar = Table([["", ""]], colWidths=[long, full - long + 0.1], rowHeights=[9])
        bar.setStyle(TableStyle([("BACKGROUND", (0, 0), (0, 0), colors.HexColor(color))]))
        rows.append([name, bar, Paragraph(escape(said(percent(p))), _SHARE)])
    drawn = Table(rows, colWidths=[names, full + 8, WIDTH - names - full - 8], hAlign="LEFT", spaceAfter=8)
    drawn.setStyle(TableStyle([(f"{side}PADDING", (0, 0), (-1, -1), 0) for side in ("LEFT", "RIGHT", "TOP", "BOTTOM")]))
    return [drawn]


def _pictures(part: report.Pictures) -> list[Flowable]:
    """Pictures in a row of at least three places."""
    if not part.pictures:
        return []
    places = max(3, len(part.pictures))
    width, cells = WIDTH / places - 8, []
    for pixels, caption in part.pictures:
        height, long = pixels.shape[:2]
        image = Image(io.BytesIO(encode_picture(pixels)), width, width * height / long, hAlign="LEFT")
        cells.append([image, Spacer(0, 2), Paragraph(escape(said(caption)), _SMALL)])
    row = Table([cells + [""] * (places - len(cells))], colWidths=[WIDTH / places] * places, hAlign="LEFT")
    row.setStyle(
        TableStyle(
            [
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LEFTPADDING", (0, 0), (-1, -1), 0),
                ("RIGHTPADDING", (0, 0), (-1, -1), 8),
            ]
        )
    )
    return [row]


def _register_fonts() -> None:
    import matplotlib

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    for name, file in _FONTS.items():
        if name not in pdfmetrics.getRegisteredFontNames():
            pdfmetrics.registerFont(TTFont(name, folder / file))
    pdfmetrics.registerFontFamily("Melascope", normal="Melascope", bold="Melascope-Bold")


_WRITERS = {
    report.Heading: lambda part: [Paragraph(escape(said(part.text)), _HEADING)],
    report.Text: _paragraph,
    report.Notice: _notice,
    report.Rows: _rows,
    report.Bars: _bars,
    report.Pictures: _pictures,
    report.Drawing: lambda part: [_Place(encode_figure(part, "pdf")), Spacer(0, 6)],
}
