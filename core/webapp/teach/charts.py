"""Class, learner and readers beside the network on the ROC, with intervals."""

import plotly.graph_objects as go

from core.teaching.scores import Point
from core.webapp.shared.evaluations import Evaluated, kept_curve, read_evaluated
from core.webapp.shared.score_charts import GREY, curve_chart
from core.webapp.shared.shelf import read_shelf
from core.webapp.shared.theme import COLORS

# Name of a mark -> colour, symbol, size.
MARKS: dict[str, tuple[str, str, int]] = {
    "network": (COLORS["mel"], "diamond", 14),
    "before": (COLORS["nv"], "circle", 13),
    "after": (COLORS["df"], "square", 13),
    "majority": (COLORS["bcc"], "star", 15),
    "each": (GREY, "circle-open", 8),
}


def find_evaluated(model: str) -> Evaluated | None:
    """A network on all its held-out photos; None where it has no evaluation on this computer."""
    return read_evaluated(read_shelf())[0].get(model)


def people_roc_chart(
    points: list[tuple[str, str, Point]], model: Evaluated | None = None, target: str = "mel"
) -> go.Figure:
    """Points with their intervals, over a model's curve where there is one for this target.

    Args:
        points: (label, key of `MARKS`, point) each; those that lack a side are left out.
        model: its curve on all its held-out photos.
        target: key of `answers.TARGETS`.
    """
    curve = kept_curve(model, "roc", target) if model is not None and target == "mel" else None
    figure = curve_chart([(f"{model.name}, all held-out photos", target, curve)] if model and curve else [], "roc")
    named = set()
    for label, mark, point in points:
        found, spared = point.sensitivity, point.specificity
        if found.value is None or found.low is None or found.high is None:
            continue
        if spared.value is None or spared.low is None or spared.high is None:
            continue
        color, symbol, size = MARKS[mark]
        x, error_x, error_y = 1 - spared.value, None, None
        if mark != "each":
            line = {"type": "data", "symmetric": False, "thickness": 1.2, "width": 4, "color": color}
            error_x = line | _away(x, 1 - spared.high, 1 - spared.low)
            error_y = line | _away(found.value, found.low, found.high)
        figure.add_scatter(
            x=[x],
            y=[found.value],
            mode="markers",
            marker={"color": color, "symbol": symbol, "size": size, "line": {"width": 1.5}},
            error_x=error_x,
            error_y=error_y,
            name=label,
            legendgroup=mark,
            showlegend=mark not in named,
            hovertemplate=f"{label if mark != 'each' else point.name}<br>false alarms %{{x:.2f}}<br>sensitivity %{{y:.2f}}<extra></extra>",
        )
        named.add(mark)
    return figure


def _away(value: float, low: float, high: float) -> dict:
    """Plotly's whiskers."""
    return {"array": [high - value], "arrayminus": [value - low]}
