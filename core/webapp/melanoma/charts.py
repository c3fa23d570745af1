"""The melanoma page's figures, as Plotly figures without ground and text colour: the theme, light or dark, gives both."""

import numpy as np
import plotly.graph_objects as go

from core.diagnoses import CODES, NAMES
from core.estimates import CorrectedDifference, Estimate
from core.evaluation.melanoma import DecisionCurve
from core.evaluation.melanoma_looks import Group
from core.webapp.shared.charts import SHARE_TICKS, whiskers
from core.webapp.shared.score_charts import GREY, translucent
from core.webapp.shared.theme import COLORS, PATTERNS
from core.wording import percent

MEL, NV = COLORS["mel"], COLORS["nv"]
_LEGEND = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}
HEIGHT = 380
BINS = 25


def _layout(figure: go.Figure, x: dict, y: dict, height: int = HEIGHT) -> go.Figure:
    figure.update_layout(
        height=height,
        margin={"l": 0, "r": 8, "t": 70, "b": 0},
        xaxis={"fixedrange": True, "zeroline": False} | x,
        yaxis={"fixedrange": True, "zeroline": False, "automargin": True} | y,
        legend=_LEGEND,
        dragmode=False,
    )
    return figure


def _band(figure: go.Figure, x, low, high, color: str) -> None:
    figure.add_scatter(
        x=np.r_[x, x[::-1]],
        y=np.r_[high, low[::-1]],
        fill="toself",
        fillcolor=translucent(color, 0.16),
        line={"width": 0},
        hoverinfo="skip",
        showlegend=False,
    )


def two_sided_chart(melanomas: np.ndarray, nevi: np.ndarray, threshold: float, operating: float | None) -> go.Figure:
    """Scores of the melanomas (up) and nevi (down), with the threshold and the operating point."""
    edges = np.linspace(0, 1, BINS + 1)
    middle, figure = (edges[:-1] + edges[1:]) / 2, go.Figure()
    tallest = 0.0
    for values, code, sign, name in ((melanomas, "mel", 1, "melanomas"), (nevi, "nv", -1, "nevi")):
        counts = np.histogram(values, edges)[0]
        share = counts / max(1, len(values))
        tallest = max(tallest, float(share.max()))
        figure.add_bar(
            x=middle,
            y=sign * share,
            width=np.diff(edges) * 0.92,
            name=name,
            marker={
                "color": COLORS[code],
                "line": {"width": 0},
                "pattern": {"shape": PATTERNS[code], "solidity": 0.25, "size": 7},
            },
            customdata=np.stack([counts, share * 100], axis=1),
            hovertemplate=f"score %{{x:.2f}}<br>%{{customdata[0]}} {name}, %{{customdata[1]:.1f}} %<extra></extra>",
        )
    if operating is not None:
        figure.add_vline(x=operating, line={"color": GREY, "width": 1.5, "dash": "dot"})
    figure.add_vline(x=threshold, line={"color": GREY, "width": 3})
    top = max(0.05, tallest) * 1.08
    ticks = [t for t in (-0.8, -0.6, -0.4, -0.2, -0.1, 0, 0.1, 0.2, 0.4, 0.6, 0.8) if abs(t) <= top]
    _layout(
        figure,
        {"title": "score", "range": [0, 1], "dtick": 0.2},
        {
            "title": "share of photos",
            "range": [-top, top],
            "tickvals": ticks,
            "ticktext": [f"{abs(t) * 100:.0f} %" for t in ticks],
        },
    )
    figure.update_layout(barmode="relative")
    return figure


def duel_roc_chart(curve: tuple, here: tuple[float, float], operating: tuple[float, float] | None) -> go.Figure:
    """Sensitivity over false alarms among nevi, with its band, where the threshold stands, and the operating point.

    Args:
        curve: grid, x, y, low, high.
        here, operating: (false-alarm rate, sensitivity).
    """
    grid, x, y, low, high = curve
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        line={"color": GREY, "width": 1, "dash": "dot"},
        hoverinfo="skip",
        showlegend=False,
    )
    _band(figure, grid, low, high, MEL)
    figure.add_scatter(
        x=x,
        y=y,
        mode="lines",
        line={"color": MEL, "width": 2},
        name="every threshold",
        hovertemplate="false alarms %{x:.2f}<br>melanomas found %{y:.2f}<extra></extra>",
    )
    if operating is not None:
        figure.add_scatter(
            x=[operating[0]],
            y=[operating[1]],
            mode="markers",
            name="operating point",
            marker={"size": 13, "color": GREY, "symbol": "circle-open", "line": {"width": 3}},
            hovertemplate="operating point<br>false alarms %{x:.2f}<br>melanomas found %{y:.2f}<extra></extra>",
        )
    figure.add_scatter(
        x=[here[0]],
        y=[here[1]],
        mode="markers",
        name="this threshold",
        marker={"size": 10, "color": NV},
        hovertemplate="this threshold<br>false alarms %{x:.2f}<br>melanomas found %{y:.2f}<extra></extra>",
    )
    axis = {"range": [-0.01, 1.01], "dtick": 0.2}
    return _layout(
        figure, axis | {"title": "false alarms among nevi"}, axis | {"title": "melanomas found (sensitivity)"}
    )


def decision_chart(curve: DecisionCurve, prevalence: float) -> go.Figure:
    """Net benefit of the network, of its fixed threshold, and of excising all or nothing."""
    figure = go.Figure()
    harm = curve.harm
    _band(figure, harm, 1000 * curve.low, 1000 * curve.high, MEL)
    for values, name, color, dash in (
        (curve.model, "network, deciding at this harm", MEL, "solid"),
        (curve.fixed, "network at this threshold", NV, "dash"),
        (curve.everything, "excise all", GREY, "dot"),
        (np.zeros(len(harm)), "excise nothing", GREY, "solid"),
    ):
        figure.add_scatter(
            x=harm,
            y=1000 * values,
            mode="lines",
            name=name,
            line={"color": color, "dash": dash, "width": 2 if color != GREY else 1.5},
            hovertemplate=f"{name}<br>at %{{x:.2f}}: %{{y:.1f}} per 1,000<extra></extra>",
        )
    top = 1000 * prevalence * 1.08
    return _layout(
        figure,
        {
            "title": "nevi one would excise for one melanoma",
            "range": [0, float(harm[-1])],
            "tickvals": [1 / 31, 1 / 11, 1 / 6, 1 / 4, 1 / 3, 1 / 2],
            "ticktext": ["30", "10", "5", "3", "2", "1"],
        },
        {"title": "net melanomas found per 1,000", "range": [-0.35 * top, top]},
        height=HEIGHT + 30,
    )


def groups_chart(groups: list[Group], axis: str) -> go.Figure:
    """False alarms among nevi and missed melanomas of each group, with intervals; two rows of dots on one scale."""
    figure = go.Figure()
    for key, count, code, name, move in (
        ("alarms", "nevi", "nv", "nevi called melanoma", -0.12),
        ("missed", "melanomas", "mel", "melanomas missed", 0.12),
    ):
        known = [(i, g) for i, g in enumerate(groups) if getattr(g, key).value is not None]
        rates = [getattr(g, key) for _, g in known]
        figure.add_scatter(
            x=[i + move for i, _ in known],
            y=[r.value for r in rates],
            mode="markers",
            name=name,
            marker={"size": 11, "color": COLORS[code], "symbol": "circle" if code == "nv" else "diamond"},
            error_y=whiskers(rates, COLORS[code], width=4),
            customdata=[(g.name, getattr(g, count), r.value * 100) for (_, g), r in zip(known, rates, strict=True)],
            hovertemplate=f"%{{customdata[0]}}<br>{name}: %{{customdata[2]:.0f}} % of %{{customdata[1]}}<extra></extra>",
        )
    return _layout(
        figure,
        {
            "title": axis,
            "tickvals": list(range(len(groups))),
            "ticktext": [g.name for g in groups],
            "range": [-0.5, len(groups) - 0.5],
            "showgrid": False,
        },
        {"title": "share of photos", "range": [0, 1.02], **SHARE_TICKS},
    )


def ratios_chart(rows: list[tuple[str, Estimate]], code: str) -> go.Figure:
    """Odds ratios with intervals, on a logarithmic scale; 1 is no influence."""
    names = [name for name, _ in rows][::-1]
    ratios = [ratio for _, ratio in rows][::-1]
    figure = go.Figure()
    figure.add_vline(x=1, line={"color": GREY, "width": 1, "dash": "dot"})
    figure.add_scatter(
        x=[r.value for r in ratios],
        y=names,
        mode="markers",
        marker={"size": 11, "color": COLORS[code]},
        error_x=whiskers(ratios, COLORS[code], width=4),
        hovertemplate="%{y}: odds x %{x:.2f}<extra></extra>",
        showlegend=False,
    )
    _layout(
        figure,
        {
            "title": "odds of the error, times",
            "type": "log",
            "tickvals": [0.25, 0.5, 1, 2, 4],
            "ticktext": ["¼", "½", "1", "2", "4"],
        },
        {"title": None},
        height=90 + 40 * len(rows),
    )
    figure.update_layout(margin={"l": 0, "r": 8, "t": 10, "b": 0})
    return figure


def changes_chart(rows: list[tuple[str, CorrectedDifference]], label: str) -> go.Figure:
    """Paired differences to plain with intervals, 0 is no difference."""
    names = [name for name, _ in rows][::-1]
    values = [d for _, d in rows][::-1]
    clear = [d.p_holm < 0.05 for d in values]
    figure = go.Figure()
    figure.add_vline(x=0, line={"color": GREY, "width": 1, "dash": "dot"})
    figure.add_scatter(
        x=[d.value for d in values],
        y=names,
        mode="markers",
        marker={
            "size": 11,
            "color": MEL,
            "symbol": ["circle" if one else "circle-open" for one in clear],
            "line": {"width": 2},
        },
        error_x=whiskers(values, MEL, width=4),
        hovertemplate="%{y}: %{x:+.3f}<extra></extra>",
        showlegend=False,
    )
    _layout(
        figure, {"title": f"{label}: change against plain", "tickformat": "+.2f"}, {"title": None}, 90 + 32 * len(rows)
    )
    figure.update_layout(margin={"l": 0, "r": 8, "t": 10, "b": 0})
    return figure


def trajectory_chart(
    strengths: list[float], answers: list[dict[str, float]], here: float, neutral: float, unit: str, threshold: float
) -> go.Figure:
    """Probabilities of melanoma and nevus, and of all others together, as a change of colour grows."""
    figure = go.Figure()
    others = [sum(a[c] for c in CODES if c not in ("mel", "nv")) for a in answers]
    for values, name, color, dash in (
        ([a["mel"] for a in answers], NAMES["mel"], MEL, "solid"),
        ([a["nv"] for a in answers], NAMES["nv"], NV, "dash"),
        (others, "the other five together", GREY, "dot"),
    ):
        figure.add_scatter(
            x=strengths,
            y=values,
            customdata=[percent(value) for value in values],
            mode="lines+markers",
            name=name,
            line={"color": color, "dash": dash, "width": 2},
            marker={"size": 6},
            hovertemplate=f"{name}<br>%{{x:g}} {unit}: %{{customdata}}<extra></extra>",
        )
    figure.add_hline(y=threshold, line={"color": MEL, "width": 1, "dash": "dot"})
    figure.add_vline(x=neutral, line={"color": GREY, "width": 1, "dash": "dot"})
    figure.add_vline(x=here, line={"color": GREY, "width": 3})
    return _layout(
        figure,
        {"title": f"strength ({unit})"},
        {"title": "probability", "range": [-0.02, 1.02], **SHARE_TICKS},
    )
