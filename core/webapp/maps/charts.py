"""Figures on what the maps mean, as Plotly figures without ground and text colour: the theme gives both."""

import numpy as np
import plotly.graph_objects as go

from core.estimates import Estimate
from core.explain import EXPLAINERS
from core.trust.measures.map_summary import RANDOM
from core.webapp.shared.charts import whiskers
from core.webapp.shared.score_charts import GREY, translucent
from core.wording import interval

# Explainers have their own colours and lines, so that no map is taken for a diagnosis.
_LOOKS = (
    ("#169aa6", "solid", "circle"),
    ("#8f6fc8", "dash", "diamond"),
    ("#b5862c", "dashdot", "square"),
    ("#c0577d", "longdash", "triangle-up"),
    ("#5b8a3a", "longdashdot", "cross"),
)
_LEGEND = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}
ROW = 66  # pixels for one explainer


# What is drawn of every map in one figure, told apart by colour and marker: its row says which map it is.
SHOWN, COMPARED, CHANCE = ("#169aa6", "circle"), (GREY, "circle-open"), (GREY, "line-ns-open")


def look_of(method: str) -> tuple[str, str, str]:
    """Colour, dash and marker of an explainer; random order is grey and dotted."""
    if method == RANDOM:
        return GREY, "dot", "x-thin-open"
    return _LOOKS[list(EXPLAINERS).index(method) % len(_LOOKS)]


def dots_chart(
    rows: dict[str, list[tuple[str, Estimate, str, str]]], axis: str, ends: tuple[float, float]
) -> go.Figure:
    """Dots with whiskers: one row a method, several quantities in it.

    Args:
        rows: row -> (quantity, number, colour, marker) each.
        axis: its title.
        ends: of the axis.
    """
    figure, shown = go.Figure(), set()
    names = list(rows)[::-1]
    for place, row in enumerate(names):
        count = len(rows[row])
        for k, (quantity, score, color, symbol) in enumerate(rows[row]):
            if score.value is None:
                continue
            figure.add_scatter(
                x=[score.value],
                y=[place + 0.2 * ((count - 1) / 2 - k)],
                mode="markers",
                name=quantity,
                legendgroup=quantity,
                showlegend=quantity not in shown,
                marker={"size": 11, "color": color, "symbol": symbol},
                error_x=whiskers([score], color),
                hovertemplate=f"{row}: {quantity}<br>{interval(score)}<extra></extra>",
            )
            shown.add(quantity)
    figure.update_layout(
        height=120 + ROW * len(names),
        margin={"l": 0, "r": 8, "t": 60, "b": 40},
        xaxis={"title": axis, "range": list(ends), "fixedrange": True, "zeroline": False},
        yaxis={
            "tickvals": list(range(len(names))),
            "ticktext": names,
            "range": [-0.6, len(names) - 0.4],
            "fixedrange": True,
            "automargin": True,
            "showgrid": False,
            "zeroline": False,
        },
        legend=_LEGEND,
    )
    return figure


def steps_chart(curves: dict[str, dict], kind: str) -> go.Figure:
    """The answer's probability as cells are taken away ("deletion") or put back ("insertion"), with bands.

    Args:
        curves: order -> {"value", "low", "high"}, lists with a number after each step.
    """
    figure = go.Figure()
    for order, curve in curves.items():
        color, dash, _ = look_of(order)
        x = np.linspace(0, 100, len(curve["value"]))
        figure.add_scatter(
            x=np.r_[x, x[::-1]],
            y=np.r_[curve["high"], curve["low"][::-1]],
            mode="lines",
            fill="toself",
            fillcolor=translucent(color, 0.15),
            line={"width": 0},
            hoverinfo="skip",
            showlegend=False,
        )
        name = "random order" if order == RANDOM else EXPLAINERS[order].title
        figure.add_scatter(
            x=x,
            y=curve["value"],
            mode="lines",
            name=name,
            line={"color": color, "width": 2, "dash": dash},
            hovertemplate=f"{name}<br>%{{x:.0f}} % of the photo: probability %{{y:.2f}}<extra></extra>",
        )
    done = "taken away" if kind == "deletion" else "put back"
    figure.update_layout(
        height=380,
        margin={"l": 0, "r": 8, "t": 70, "b": 0},
        xaxis={"title": f"per cent of the photo {done}, strongest cells first", "range": [0, 100], "fixedrange": True},
        yaxis={"title": "probability of the answer", "range": [0, 1], "fixedrange": True},
        legend=_LEGEND,
    )
    return figure


def errors_chart(quartiles: list[dict]) -> go.Figure:
    """Error rate in each quarter of agreement, with intervals."""
    names = [f"{q + 1}: {row['low']:.2f} to {row['high']:.2f}" for q, row in enumerate(quartiles)]
    scores = [row["errors"] for row in quartiles]
    figure = go.Figure(
        go.Scatter(
            x=names,
            y=[s.value for s in scores],
            mode="lines+markers",
            line={"color": GREY, "width": 1, "dash": "dot"},
            marker={"size": 11, "color": look_of("grad-cam")[0]},
            error_y=whiskers(scores, look_of("grad-cam")[0]),
            customdata=[s.photos for s in scores],
            hovertemplate="%{x}<br>wrong in %{y:.3f} of %{customdata} photos<extra></extra>",
        )
    )
    top = min(1.0, max(0.1, 1.15 * max(s.high for s in scores)))
    figure.update_layout(
        height=340,
        margin={"l": 0, "r": 8, "t": 20, "b": 0},
        xaxis={"title": "quarter of agreement, least first (correlation of the maps)", "fixedrange": True},
        yaxis={"title": "share of wrong answers", "range": [0, top], "fixedrange": True},
        showlegend=False,
    )
    return figure
