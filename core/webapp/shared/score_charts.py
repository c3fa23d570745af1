"""The evaluation's figures, as Plotly figures without ground and text colour: the theme, light or dark, gives both."""

import numpy as np
import plotly.graph_objects as go

from core.diagnoses import CODES, NAMES
from core.evaluation.curves import BandedCurve, CalibrationBin, row_shares
from core.webapp.shared.charts import BLUES, CLEAR, DARK_TEXT, LIGHT_TEXT
from core.webapp.shared.theme import COLORS, PATTERNS, SHORT_NAMES

# Models are told apart by line, diagnoses by colour.
DASHES = ("solid", "dash", "dot", "dashdot")
GREY = "#7d8a92"
MISSED, ALARM = ("mel", "nv"), ("nv", "mel")


def confusion_chart(confusion: list, shares: bool = False, height: int = 470) -> go.Figure:
    """The confusion matrix, rows true, columns predicted; each cell can be clicked. Melanoma called nevus, and back, are framed.

    Args:
        confusion: (7, 7) counts.
        shares: print per cent of the row instead of counts; the colour is the row's share either way.
    """
    part = row_shares(confusion)
    places = list(range(len(CODES)))
    figure = go.Figure(
        go.Heatmap(
            z=part,
            x=places,
            y=places,
            xgap=2,
            ygap=2,
            zmin=0,
            zmax=1,
            colorscale=BLUES,
            showscale=False,
            hoverinfo="skip",
        )
    )
    x, y, text, hover = [], [], [], []
    for i, true in enumerate(CODES):
        for j, predicted in enumerate(CODES):
            share, count = part[i, j], confusion[i][j]
            of_row = "" if np.isnan(share) else f"{share * 100:.0f} %"
            x.append(j)
            y.append(i)
            text.append((of_row.removesuffix(" %") if shares else str(count)) if count else "·")
            hover.append((NAMES[true], NAMES[predicted], count, of_row))
    # Plotly's own text on heat maps turns grey in dark themes.
    for column, row, words in zip(x, y, text, strict=True):
        color = LIGHT_TEXT if part[row, column] > 0.5 else DARK_TEXT
        figure.add_annotation(x=column, y=row, text=words, showarrow=False, font={"color": color, "size": 12})
    # Heat maps cannot be clicked in Streamlit; unseen markers above them can.
    unseen = {"marker": {"opacity": 0}}
    figure.add_scatter(
        x=x,
        y=y,
        mode="markers",
        marker={"size": 34, "symbol": "square", "opacity": 0, "color": BLUES[-1][1]},
        selected=unseen,
        unselected=unseen,
        customdata=hover,
        hovertemplate="true: %{customdata[0]}<br>predicted: %{customdata[1]}<br>%{customdata[2]} photos, %{customdata[3]}<extra></extra>",
        showlegend=False,
    )
    for true, predicted in (MISSED, ALARM):
        i, j = CODES.index(true), CODES.index(predicted)
        figure.add_shape(
            type="rect", x0=j - 0.47, x1=j + 0.47, y0=i - 0.47, y1=i + 0.47, line={"color": COLORS["mel"], "width": 2}
        )
    names = [SHORT_NAMES[code] for code in CODES]
    axis = {"tickvals": places, "ticktext": names, "fixedrange": True, "showgrid": False, "zeroline": False}
    figure.update_layout(
        height=height,
        margin={"l": 0, "r": 28, "t": 110, "b": 8},
        xaxis=axis
        | {
            "side": "top",
            "tickangle": -50,
            "title": {"text": "predicted", "standoff": 4},
            "range": [-0.5, 6.5],
            "ticklabeloverflow": "allow",
        },
        yaxis=axis | {"range": [6.5, -0.5], "automargin": True, "title": {"text": "true", "standoff": 14}},
        clickmode="event+select",
        dragmode=False,
    )
    return figure


def curve_chart(
    curves: list[tuple[str, str, BandedCurve]],
    kind: str,
    bands: bool = True,
    marks: list[tuple[str, str, tuple[float, float]]] | None = None,
) -> go.Figure:
    """ROC or precision-recall curves with bands and operating points.

    Args:
        curves: (label, diagnosis code, curve) each; diagnoses give the colour, the place among one diagnosis' curves the dash.
        kind: "roc" or "pr".
        bands: whether to draw them; several diagnoses in one figure are clearer without.
        marks: (label, diagnosis code, (x, y)) of further points on the curves, drawn as diamonds.
    """
    figure, drawn = go.Figure(), {}
    names = ("false alarms", "sensitivity") if kind == "roc" else ("sensitivity", "precision")
    if kind == "roc":
        figure.add_scatter(
            x=[0, 1],
            y=[0, 1],
            mode="lines",
            line={"color": GREY, "width": 1, "dash": "dot"},
            hoverinfo="skip",
            showlegend=False,
        )
    for label, code, curve in curves:
        color = COLORS[code]
        dash = DASHES[drawn.setdefault(code, 0) % len(DASHES)]
        drawn[code] += 1
        if bands:
            figure.add_scatter(
                x=np.r_[curve.grid, curve.grid[::-1]],
                y=np.r_[curve.high, curve.low[::-1]],
                fill="toself",
                fillcolor=translucent(color, 0.16),
                line={"width": 0},
                hoverinfo="skip",
                showlegend=False,
            )
        if kind == "pr":
            figure.add_hline(y=curve.baseline, line={"color": translucent(color, 0.6), "width": 1, "dash": "dot"})
        figure.add_scatter(
            x=curve.x,
            y=curve.y,
            mode="lines",
            line={"color": color, "width": 2, "dash": dash},
            name=label,
            hovertemplate=f"{label}<br>{names[0]} %{{x:.2f}}<br>{names[1]} %{{y:.2f}}<extra></extra>",
        )
        if curve.point:
            figure.add_scatter(
                x=[curve.point[0]],
                y=[curve.point[1]],
                mode="markers",
                marker={"size": 12, "color": color, "symbol": "circle-open-dot", "line": {"width": 2}},
                hovertemplate=f"{label}: where it works<br>{names[0]} %{{x:.2f}}<br>{names[1]} %{{y:.2f}}<extra></extra>",
                showlegend=False,
            )
    for label, code, (x, y) in marks or ():
        figure.add_scatter(
            x=[x],
            y=[y],
            mode="markers",
            marker={"size": 12, "color": COLORS[code], "symbol": "diamond", "line": {"width": 1.5, "color": "#ffffff"}},
            hovertemplate=f"{label}<br>{names[0]} %{{x:.2f}}<br>{names[1]} %{{y:.2f}}<extra></extra>",
            showlegend=False,
        )
    titles = (
        ("false-alarm rate (1 - specificity)", "sensitivity")
        if kind == "roc"
        else ("sensitivity (recall)", "precision")
    )
    _square(figure, *titles)
    return figure


def reliability_chart(
    models: list[tuple[str, list[CalibrationBin]]],
    said: str = "probability of the answer",
    true: str = "share of answers that were right",
) -> go.Figure:
    """What came true against what was promised; the dot's size is the number of photos."""
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        line={"color": GREY, "width": 1, "dash": "dot"},
        hoverinfo="skip",
        showlegend=False,
    )
    most = max((b.photos for _, bins in models for b in bins), default=1)
    colors = (COLORS["nv"], COLORS["mel"], COLORS["df"], COLORS["bcc"])
    for k, (label, bins) in enumerate(models):
        figure.add_scatter(
            x=[b.confidence for b in bins],
            y=[b.accuracy for b in bins],
            mode="lines+markers",
            line={"width": 1.5, "dash": DASHES[k % 4], "color": colors[k % 4]},
            marker={"size": [6 + 18 * (b.photos / most) ** 0.5 for b in bins], "opacity": 0.85},
            name=label,
            customdata=[b.photos for b in bins],
            hovertemplate=f"{label}<br>promised %{{x:.2f}}, came true %{{y:.2f}}<br>%{{customdata}} photos<extra></extra>",
        )
    _square(figure, said, true)
    return figure


def distribution_chart(edges: np.ndarray, of_class: np.ndarray, others: np.ndarray, code: str) -> go.Figure:
    """A diagnosis' probability on the photos that have it (up) and on the others (down)."""
    middle, width = (edges[:-1] + edges[1:]) / 2, np.diff(edges) * 0.92
    figure = go.Figure()
    for values, name, color, pattern in (
        (of_class, f"{NAMES[code]}", COLORS[code], PATTERNS[code]),
        (-others, "all other photos", GREY, ""),
    ):
        figure.add_bar(
            x=middle,
            y=values,
            width=width,
            name=name,
            marker={"color": color, "line": {"width": 0}, "pattern": {"shape": pattern, "solidity": 0.25, "size": 7}},
            customdata=np.abs(values) * 100,
            hovertemplate=f"{name}<br>probability %{{x:.3f}}<br>%{{customdata:.1f}} % of these photos<extra></extra>",
        )
    top = max(0.05, float(max(of_class.max(), others.max()))) * 1.05
    figure.update_layout(
        height=340,
        barmode="relative",
        margin={"l": 0, "r": 8, "t": 60, "b": 0},
        xaxis={"title": f"probability of {NAMES[code].lower()}", "range": [0, 1], "fixedrange": True},
        yaxis={
            "title": "share of photos",
            "range": [-top, top],
            "fixedrange": True,
            "tickvals": [-1, -0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75, 1],
            "ticktext": ["100 %", "75 %", "50 %", "25 %", "0", "25 %", "50 %", "75 %", "100 %"],
        },
        legend=_LEGEND,
    )
    return figure


def bars_chart(
    groups: list[str], series: list[tuple[str, list, list | None, list | None, str, str]], axis: str
) -> go.Figure:
    """Grouped bars from 0, with values and, where known, intervals.

    Args:
        groups: what stands along the axis.
        series: (name, values, lows, highs, colour, pattern) each; None where there is no value or interval.
    """
    figure = go.Figure()
    for name, values, lows, highs, color, pattern in series:
        error = None
        if lows and highs:
            error = {
                "type": "data",
                "symmetric": False,
                "array": [0 if v is None else h - v for v, h in zip(values, highs, strict=True)],
                "arrayminus": [0 if v is None else v - low for v, low in zip(values, lows, strict=True)],
                "thickness": 1.2,
                "width": 3,
                "color": GREY,
            }
        figure.add_bar(
            x=groups,
            y=values,
            name=name,
            error_y=error,
            marker={"color": color, "line": {"width": 0}, "pattern": {"shape": pattern, "solidity": 0.25, "size": 6}},
            hovertemplate=f"{name}<br>%{{x}}: %{{y:.2f}}<extra></extra>",
        )
    figure.update_layout(
        height=400,
        barmode="group",
        bargap=0.25,
        margin={"l": 0, "r": 8, "t": 80, "b": 0},
        xaxis={"fixedrange": True, "tickangle": -40},
        yaxis={"title": axis, "range": [0, 1.02], "fixedrange": True},
        legend=_LEGEND,
    )
    return figure


_LEGEND = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}


def translucent(color: str, opacity: float) -> str:
    """A "#rrggbb" colour as Plotly's "rgba(...)"."""
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def _square(figure: go.Figure, x: str, y: str) -> None:
    axis = {"range": [-0.01, 1.01], "fixedrange": True, "dtick": 0.2, "zeroline": False}
    figure.update_layout(
        height=440,
        margin={"l": 0, "r": 8, "t": 90, "b": 0},
        xaxis=axis | {"title": x},
        yaxis=axis | {"title": y},
        legend=_LEGEND,
        plot_bgcolor=CLEAR,
    )
