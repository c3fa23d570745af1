"""The app's Plotly figures as vectors for a PDF: of Plotly, what the charts of `core.webapp` use, and no more."""

import math
import re
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
from reportlab.graphics.shapes import Circle, Drawing, Group, Line, Polygon, PolyLine, Rect, String
from reportlab.lib.colors import Color, HexColor
from reportlab.pdfbase.pdfmetrics import stringWidth

FONT, BOLD, SIZE = "Helvetica", "Helvetica-Bold", 7.5
INK, GRID = HexColor("#18272b"), HexColor("#e3e9ea")
# A figure's height on paper in points for each pixel on the page.
POINTS_PER_PIXEL = 0.58
DASHES = {"dash": [5, 3], "dot": [1.5, 2], "dashdot": [5, 2, 1.5, 2]}
# The standard fonts of a PDF know Windows' Western European letters only.
_ENCODING = "cp1252"
_WRITTEN_OUT = str.maketrans({"≥": ">=", "≤": "<=", "−": "-", "→": "->", "×": "x", "\u202f": " ", "\u00a0": " "})


def clean(text: str) -> str:
    """Text with letters that a PDF's standard fonts have; "?" for others."""
    return text.translate(_WRITTEN_OUT).encode(_ENCODING, "replace").decode(_ENCODING)


@dataclass(frozen=True)
class _Axis:
    """Where values of one axis stand on paper.

    Args:
        low, high: values at `start` and `end`, points.
        names: categories, in order of appearance; empty for numbers.
    """

    low: float
    high: float
    start: float
    end: float
    names: tuple[str, ...]

    def place(self, value) -> float:
        if self.names and isinstance(value, str):
            value = self.names.index(value)
        return self.start + (float(value) - self.low) / (self.high - self.low) * (self.end - self.start)


def vector_drawing(figure: go.Figure, width: float) -> Drawing:
    """Draws a figure, `width` points wide and as high as on the page in proportion.

    Knows scatter (lines, markers, fills, whiskers), bars, heat maps with text, rectangles, lines, annotations and the
    legend. Other kinds of traces are left out.
    """
    layout = figure.layout
    height = (layout.height or 400) * POINTS_PER_PIXEL
    legend = _legend_rows(figure, width)
    names = {axis: _categories(figure, axis) for axis in "xy"}
    ranges = {axis: _range(figure, axis, names[axis]) for axis in "xy"}
    ticks = {axis: _ticks(layout[f"{axis}axis"], ranges[axis], names[axis]) for axis in "xy"}
    shown = {axis: layout[f"{axis}axis"].visible is not False for axis in "xy"}
    longest = {axis: max((_wide(text) for _, text in ticks[axis]), default=0) if shown[axis] else 0 for axis in "xy"}
    slanted = bool(layout.xaxis.tickangle)
    titled = {axis: bool(layout[f"{axis}axis"].title.text) * 12 if shown[axis] else 0 for axis in "xy"}
    below = (longest["x"] * 0.72 if slanted else 8) + titled["x"] + 8 if shown["x"] else 2
    on_top = layout.xaxis.side == "top"
    left, right = longest["y"] + titled["y"] + 6, width - (longest["x"] * 0.6 if slanted and on_top else 6)
    bottom, top = (4 if on_top else below), height - (below if on_top else 4)
    drawing = Drawing(width, height + 11 * len(legend))
    axes = {
        "x": _Axis(*ranges["x"], left, right, names["x"]),
        "y": _Axis(*ranges["y"], bottom, top, names["y"]),
    }
    _draw_axes(drawing, layout, axes, ticks, shown, (left, right, bottom, top), longest, on_top, slanted)
    _draw_shapes(drawing, layout, axes, below=True)
    stacked = {}
    traces: Any = figure.data
    bars = [t for t in traces if t.type == "bar"]
    for trace in traces:
        if trace.visible is False:
            continue
        if trace.type == "heatmap":
            _draw_cells(drawing, trace, axes)
        elif trace.type == "bar":
            _draw_bars(drawing, trace, axes, bars, layout.barmode, stacked)
        elif trace.type == "scatter":
            _draw_scatter(drawing, trace, axes)
    _draw_shapes(drawing, layout, axes, below=False)
    _draw_annotations(drawing, layout, axes)
    for row, entries in enumerate(legend):
        y = height + 11 * (len(legend) - row) - 8
        for x, trace in entries:
            color, dash = _color_of(trace)
            if trace.type == "bar":
                drawing.add(Rect(x, y - 1, 14, 7, fillColor=color, strokeColor=None))
            else:
                drawing.add(
                    Line(
                        x,
                        y + 2.5,
                        x + 14,
                        y + 2.5,
                        strokeColor=color,
                        strokeWidth=1.5,
                        strokeDashArray=DASHES.get(dash),
                    )
                )
            drawing.add(_text(x + 18, y, trace.name))
    return drawing


def _draw_axes(drawing, layout, axes, ticks, shown, box, longest, on_top, slanted) -> None:
    left, right, bottom, top = box
    if shown["x"]:
        for value, text in ticks["x"]:
            x = axes["x"].place(value)
            if layout.xaxis.showgrid is not False:
                drawing.add(Line(x, bottom, x, top, strokeColor=GRID, strokeWidth=0.5))
            if slanted:
                turn = 50 if on_top else -40
                drawing.add(_turned(text, x, top + 4 if on_top else bottom - 9, turn))
            else:
                drawing.add(_text(x, top + 3 if on_top else bottom - 10, text, "middle"))
        title = layout.xaxis.title.text
        if title:
            space = longest["x"] * 0.72 if slanted else 8
            drawing.add(_text((left + right) / 2, top + space + 10 if on_top else bottom - space - 13, title, "middle"))
    if shown["y"]:
        for value, text in ticks["y"]:
            y = axes["y"].place(value)
            if layout.yaxis.showgrid is not False:
                drawing.add(Line(left, y, right, y, strokeColor=GRID, strokeWidth=0.5))
            drawing.add(_text(left - 4, y - 2.5, text, "end"))
        if layout.yaxis.title.text:
            drawing.add(_turned(layout.yaxis.title.text, 7, (bottom + top) / 2, 90, "middle"))


def _draw_cells(drawing, trace, axes) -> None:
    low, high = trace.zmin or 0, trace.zmax or 1
    for i, y in enumerate(trace.y):
        for j, x in enumerate(trace.x):
            value = trace.z[i][j]
            share = 0 if value is None or math.isnan(value) else (value - low) / (high - low)
            color = _on_scale(trace.colorscale, share)
            x0, x1 = sorted(axes["x"].place(float(x) + d) for d in (-0.48, 0.48))
            y0, y1 = sorted(axes["y"].place(float(y) + d) for d in (-0.48, 0.48))
            drawing.add(Rect(x0, y0, x1 - x0, y1 - y0, fillColor=color, strokeColor=None))
            if trace.text is not None:
                ink = HexColor("#ffffff") if share > 0.55 else INK
                drawing.add(_text((x0 + x1) / 2, (y0 + y1) / 2 - 2.5, str(trace.text[i][j]), "middle", ink))


def _draw_bars(drawing, trace, axes, bars, mode, stacked) -> None:
    along, across = ("y", "x") if trace.orientation == "h" else ("x", "y")
    places, values = (trace.y, trace.x) if trace.orientation == "h" else (trace.x, trace.y)
    several = mode == "group" and len(bars) > 1
    color, _ = _color_of(trace)
    shapes = trace.marker.pattern.shape
    for k, (place, value) in enumerate(zip(places, values, strict=True)):
        if value is None or math.isnan(value):
            continue
        own = axes[along].names.index(place) if isinstance(place, str) else float(place)
        width = (
            trace.width[k] if isinstance(trace.width, (list, tuple)) or hasattr(trace.width, "__len__") else trace.width
        )
        width = float(width or 0.75) / (len(bars) if several else 1)
        middle = own + (bars.index(trace) - (len(bars) - 1) / 2) * width if several else own
        a0, a1 = sorted(axes[along].place(middle + d * width) for d in (-0.46, 0.46))
        b0, b1 = sorted((axes[across].place(0), axes[across].place(value)))
        box = (b0, a0, b1 - b0, a1 - a0) if trace.orientation == "h" else (a0, b0, a1 - a0, b1 - b0)
        fill = _item(trace.marker.color, k)
        fill = _color(fill) if fill is not None else color
        drawing.add(Rect(*box, fillColor=fill, strokeColor=None))
        if _item(shapes, k):
            _hatch(drawing, box)
        error = trace.error_x if trace.orientation == "h" else trace.error_y
        if error.array is not None:
            ends = value - _item(error.arrayminus, k), value + error.array[k]
            _whisker(drawing, axes, across, (a0 + a1) / 2, ends)


def _draw_scatter(drawing, trace, axes) -> None:
    if trace.x is None or not len(trace.x) or trace.opacity == 0:
        return
    points = [(axes["x"].place(x), axes["y"].place(y)) for x, y in zip(trace.x, trace.y, strict=True) if y is not None]
    mode, (color, dash) = trace.mode or "lines", _color_of(trace)
    flat = [v for point in points for v in point]
    if trace.fill == "toself":
        drawing.add(Polygon(flat, fillColor=_color(trace.fillcolor), strokeColor=None))
    elif trace.fill == "tozeroy":
        ground = axes["y"].place(0)
        drawing.add(
            Polygon(
                [points[0][0], ground, *flat, points[-1][0], ground],
                fillColor=_color(trace.fillcolor),
                strokeColor=None,
            )
        )
    if "lines" in mode and trace.line.width != 0 and len(points) > 1:
        width = (trace.line.width or 2) * 0.6
        drawing.add(PolyLine(flat, strokeColor=color, strokeWidth=width, strokeDashArray=DASHES.get(dash)))
    for k, (x, y) in enumerate(points):
        for axis, error, value in (("x", trace.error_x, trace.x[k]), ("y", trace.error_y, trace.y[k])):
            if error.array is not None:
                ends = value - _item(error.arrayminus, k), value + error.array[k]
                _whisker(drawing, axes, axis, y if axis == "x" else x, ends, color)
        if "markers" in mode and trace.marker.opacity != 0:
            fill = _item(trace.marker.color, k)
            fill = _color(fill) if fill is not None else color
            radius = float(_item(trace.marker.size, k) or 6) * 0.3
            hollow = "open" in str(trace.marker.symbol)
            drawing.add(Circle(x, y, radius, fillColor=None if hollow else fill, strokeColor=fill, strokeWidth=1))


def _draw_shapes(drawing, layout, axes, below: bool) -> None:
    for shape in layout.shapes:
        if (shape.layer == "below") != below:
            continue
        (x0, x1), (y0, y1) = (
            [_end(axes[a], getattr(shape, f"{a}{k}"), getattr(shape, f"{a}ref")) for k in (0, 1)] for a in "xy"
        )
        if shape.type == "line":
            color, dash = _color(shape.line.color), DASHES.get(shape.line.dash)
            drawing.add(Line(x0, y0, x1, y1, strokeColor=color, strokeWidth=0.8, strokeDashArray=dash))
        elif shape.type == "rect":
            (x0, x1), (y0, y1) = sorted((x0, x1)), sorted((y0, y1))
            stroke = _color(shape.line.color) if shape.line.color and shape.line.width != 0 else None
            fill = _color(shape.fillcolor) if shape.fillcolor else None
            drawing.add(Rect(x0, y0, x1 - x0, y1 - y0, fillColor=fill, strokeColor=stroke, strokeWidth=1.2))


def _draw_annotations(drawing, layout, axes) -> None:
    anchors = {"left": "start", "right": "end"}
    for note in layout.annotations:
        if not note.text:
            continue
        x, y = (_end(axes[a], getattr(note, a), getattr(note, f"{a}ref")) for a in "xy")
        color = _color(note.font.color) if note.font.color else INK
        drop = -2 if note.yanchor == "bottom" else 2.5
        drawing.add(_text(x, y - drop, note.text, anchors.get(note.xanchor, "middle"), color))


def _end(axis: _Axis, value, reference: str | None) -> float:
    if reference and ("paper" in reference or "domain" in reference):
        return axis.start + float(value) * (axis.end - axis.start)
    return axis.place(value)


def _hatch(drawing, box) -> None:
    """Strokes over a bar whose diagnosis is malignant, as on the page."""
    x, y, width, height = box
    group, step = Group(), 4
    offset = step
    while offset < width + height:
        start = (x + max(0, offset - height), y + min(offset, height))
        end = (x + min(offset, width), y + max(0, offset - width))
        group.add(Line(*start, *end, strokeColor=HexColor("#ffffff"), strokeWidth=0.5))
        offset += step
    drawing.add(group)


def _whisker(drawing, axes, axis, other, ends, color=None) -> None:
    low, high = (axes[axis].place(end) for end in ends)
    strokes = {"strokeColor": color or HexColor("#56656b"), "strokeWidth": 0.9}
    for a, b, c, d in ((low, other, high, other), *((end, other - 2, end, other + 2) for end in (low, high))):
        drawing.add(Line(a, b, c, d, **strokes) if axis == "x" else Line(b, a, d, c, **strokes))


def _categories(figure, axis: str) -> tuple[str, ...]:
    categories = {}
    for trace in figure.data:
        values = getattr(trace, axis, None)
        for value in values if values is not None else ():
            if isinstance(value, str):
                categories.setdefault(value)
    return tuple(categories)


def _range(figure, axis: str, names: tuple[str, ...]) -> tuple[float, float]:
    given = figure.layout[f"{axis}axis"].range
    if given:
        return float(given[0]), float(given[1])
    if names:
        return -0.5, len(names) - 0.5
    values = [
        float(v)
        for t in figure.data
        for v in (getattr(t, axis, None) if getattr(t, axis, None) is not None else ())  # pyright: ignore[reportOptionalIterable]
        if v is not None
    ]
    values = [v for v in values if not math.isnan(v)] or [0.0, 1.0]
    low, high = min(values), max(values)
    if any(t.type == "bar" and (t.orientation == "h") == (axis == "x") for t in figure.data):
        low, high = min(0.0, low), max(0.0, high)
    room = (high - low or 1) * 0.04
    return low - room, high + room


def _ticks(axis, ends: tuple[float, float], names: tuple[str, ...]) -> list[tuple[float, str]]:
    low, high = min(ends), max(ends)
    if axis.tickvals is not None:
        texts = axis.ticktext if axis.ticktext is not None else axis.tickvals
        return [(v, _words(str(t))) for v, t in zip(axis.tickvals, texts, strict=True) if low <= v <= high]
    if names:
        return [(k, _words(name)) for k, name in enumerate(names)]
    step = axis.dtick
    if not step:
        rough = (high - low) / 5
        power = 10 ** math.floor(math.log10(rough))
        step = next(f * power for f in (1, 2, 5, 10) if f * power >= rough)
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    values = [k * step for k in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]
    return [(v, f"{v + 0:.{digits}f}") for v in values]


def _legend_rows(figure, width: float) -> list[list[tuple[float, Any]]]:
    named = [t for t in figure.data if t.name and t.showlegend is not False]
    if figure.layout.showlegend is False or (len(named) < 2 and len(figure.data) < 2):
        return []
    rows, x = [[]], 0.0
    for trace in named:
        needed = _wide(_words(trace.name)) + 34
        if x and x + needed > width:
            rows.append([])
            x = 0.0
        rows[-1].append((x, trace))
        x += needed
    return rows if named else []


def _color_of(trace) -> tuple[Color, str | None]:
    line = getattr(trace, "line", None)
    plain = trace.marker.color if isinstance(trace.marker.color, str) else None
    color = (line.color if line is not None else None) or plain
    return (_color(color) if color else HexColor("#7d8a92")), (line.dash if line is not None else None)


def _item(values, k: int):
    return values if values is None or isinstance(values, str) or not hasattr(values, "__len__") else values[k]


def _color(text: str) -> Color:
    """A colour as Plotly writes it: "#rrggbb", "rgb(...)" or "rgba(...)"."""
    if text.startswith("#"):
        return HexColor(text)
    numbers = [float(n) for n in re.findall(r"[\d.]+", text)]
    return Color(*(n / 255 for n in numbers[:3]), alpha=numbers[3] if len(numbers) > 3 else 1)


def _on_scale(scale, share: float) -> Color:
    share = min(1.0, max(0.0, share))
    for (low, first), (high, second) in zip(scale[:-1], scale[1:], strict=True):
        if share <= high:
            part = (share - low) / (high - low)
            a, b = _color(first), _color(second)
            return Color(*(p + (q - p) * part for p, q in zip(a.rgb(), b.rgb(), strict=True)))
    return _color(scale[-1][1])


def _words(text: str) -> str:
    """Plotly's text without its tags."""
    text = re.sub(r"<[^>]+>", "", text.replace("<br>", " "))
    return clean(text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))


def _wide(text: str) -> float:
    return stringWidth(text, FONT, SIZE)


def _text(x: float, y: float, text: str, anchor: str = "start", color: Color = INK) -> String:
    font = BOLD if text.startswith("<b>") else FONT
    return String(x, y, _words(text), textAnchor=anchor, fontName=font, fontSize=SIZE, fillColor=color)


def _turned(text: str, x: float, y: float, degrees: float, anchor: str = "start") -> Group:
    group = Group(_text(0, 0, text, anchor))
    group.translate(x, y)
    group.rotate(degrees)
    return group
