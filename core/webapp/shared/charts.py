"""The charts, as Plotly figures. They carry no ground and no text colour: Streamlit's theme, light or dark, gives both."""

from collections.abc import Sequence

import plotly.graph_objects as go

from core.diagnoses import CODES, NAMES
from core.estimates import Estimate
from core.webapp.shared.theme import COLORS, GROUPS, PATTERNS, SHORT_NAMES
from core.wording import percent

# No zoom, no tool bar: these charts are small and say all they know in text.
CONFIG = {"displayModeBar": False, "scrollZoom": False, "doubleClick": False, "showAxisDragHandles": False}
ROW = 46  # pixels for one diagnosis
BAR = 0.36  # of a row; its name stands above the bar
CLEAR = "rgba(0,0,0,0)"
# Single-hue scale, light to dark: read alike with every colour vision, and in print.
BLUES = [[0.0, "#f1f6fb"], [0.25, "#c3dbee"], [0.5, "#7fb2d9"], [0.75, "#3a80ba"], [1.0, "#0b4a83"]]
DARK_TEXT, LIGHT_TEXT = "#18272b", "#ffffff"

# Ticks of an axis of shares, 0..1, as the pages print them.
SHARE_TICKS = {"tickvals": [n / 5 for n in range(6)], "ticktext": [f"{20 * n} %" for n in range(6)]}


def differential_chart(probabilities: dict[str, float]) -> go.Figure:
    """The seven probabilities as horizontal bars, the likeliest on top. Names stand above the bars: narrow screens hold them."""
    ranked = sorted(probabilities, key=probabilities.__getitem__)
    figure = go.Figure(
        go.Bar(
            x=[probabilities[code] for code in ranked],
            y=list(range(len(ranked))),
            orientation="h",
            width=BAR,
            marker={
                "color": [COLORS[code] for code in ranked],
                # Overlaid, so that a malignant bar weighs as much on the eye as a benign one.
                "pattern": {
                    "shape": [PATTERNS[code] for code in ranked],
                    "fillmode": "overlay",
                    "size": 8,
                    "solidity": 0.25,
                },
                "line": {"width": 0},
            },
            customdata=[(NAMES[code], GROUPS[code], percent(probabilities[code])) for code in ranked],
            hovertemplate="%{customdata[0]}<br>%{customdata[1]}<br>%{customdata[2]}<extra></extra>",
        )
    )
    for place, code in enumerate(ranked):
        top = place == len(ranked) - 1
        name = f"<b>{NAMES[code]}</b>" if top else NAMES[code]
        common = {"y": place + 0.2, "yanchor": "bottom", "showarrow": False, "yref": "y"}
        figure.add_annotation(
            x=0,
            xref="paper",
            xanchor="left",
            text=f"{name} <span style='opacity:.85'>· {GROUPS[code]}</span>",
            **common,
        )
        value = percent(probabilities[code]).replace("<", "&lt;").replace(">", "&gt;")
        figure.add_annotation(x=1, xref="paper", xanchor="right", text=f"<b>{value}</b>" if top else value, **common)
    figure.update_layout(
        height=ROW * len(ranked) + 8,
        margin={"l": 0, "r": 0, "t": 4, "b": 0},
        xaxis={"range": [0, 1], "visible": False, "fixedrange": True},
        yaxis={"range": [-0.4, len(ranked) - 0.2], "visible": False, "fixedrange": True},
        showlegend=False,
        hovermode="closest",
    )
    # The whole length, faint, so that a bar is seen as a share of it.
    for place in range(len(ranked)):
        figure.add_shape(
            type="rect",
            xref="paper",
            x0=0,
            x1=1,
            y0=place - BAR / 2,
            y1=place + BAR / 2,
            fillcolor="rgba(128,140,150,0.16)",
            line_width=0,
            layer="below",
        )
    return figure


def agreement_chart(rows: dict[str, dict[str, float]], malignancy: dict[str, float]) -> go.Figure:
    """Probabilities of several models as a table of coloured cells: one row a model, one column a diagnosis.

    Args:
        rows: model -> code -> probability.
        malignancy: model -> probability that the lesion is malignant, the last column.
    """
    models = list(rows)[::-1]
    values = [[*(rows[m][code] for code in CODES), malignancy[m]] for m in models]
    columns = [*(SHORT_NAMES[code] for code in CODES), "<b>Malignant</b>"]
    full = [*(f"{NAMES[code]} ({GROUPS[code]})" for code in CODES), "Malignant or pre-malignant"]
    # The last column stands apart.
    places = [*range(len(CODES)), len(CODES) + 0.25]
    figure = go.Figure(
        go.Heatmap(
            z=values,
            x=places,
            y=list(range(len(models))),
            xgap=2,
            ygap=2,
            zmin=0,
            zmax=1,
            colorscale=BLUES,
            showscale=False,
            customdata=[
                [(model, name, percent(p)) for name, p in zip(full, row, strict=True)]
                for model, row in zip(models, values, strict=True)
            ],
            hovertemplate="%{customdata[0]}<br>%{customdata[1]}: %{customdata[2]}<extra></extra>",
        )
    )
    for y, row in enumerate(values):
        for x, value in zip(places, row, strict=True):
            text = percent(value).removesuffix(" %").replace("<", "&lt;").replace(">", "&gt;")
            color = LIGHT_TEXT if value > 0.55 else DARK_TEXT
            figure.add_annotation(x=x, y=y, text=text, showarrow=False, font={"color": color, "size": 12})
    figure.update_layout(
        height=110 + 40 * len(models),
        margin={"l": 0, "r": 36, "t": 86, "b": 0},
        xaxis={
            "tickvals": places,
            "ticktext": columns,
            "side": "top",
            "tickangle": -60,
            "fixedrange": True,
            "showgrid": False,
            "zeroline": False,
        },
        yaxis={
            "tickvals": list(range(len(models))),
            "ticktext": models,
            "fixedrange": True,
            "showgrid": False,
            "zeroline": False,
            "automargin": True,
        },
    )
    return figure


def whiskers(estimates: Sequence[Estimate], color: str, *, width: int = 5, scale: float = 1) -> dict:
    """Plotly's error bars of numbers with their intervals; none where there is no end.

    Args:
        estimates: whose values are all known.
        width: of the caps, pixels.
        scale: what the chart multiplies the numbers by.
    """
    values = [scale * one.known for one in estimates]
    lows = [one.low for one in estimates]
    highs = [one.high for one in estimates]
    return {
        "type": "data",
        "symmetric": False,
        "array": [0.0 if high is None else scale * high - value for value, high in zip(values, highs, strict=True)],
        "arrayminus": [0.0 if low is None else value - scale * low for value, low in zip(values, lows, strict=True)],
        "color": color,
        "thickness": 1.5,
        "width": width,
    }


def scores_chart(scores: dict[str, Estimate], label: str) -> go.Figure:
    """A score of several models with its 95 % intervals: dots and whiskers, the best on top.

    Args:
        scores: model -> its score, which is known.
        label: of the score.
    """
    names = list(scores)[::-1]
    ordered = [scores[name] for name in names]
    figure = go.Figure(
        go.Scatter(
            x=[score.known for score in ordered],
            y=names,
            mode="markers",
            marker={"size": 11, "color": COLORS["nv"]},
            error_x=whiskers(ordered, COLORS["nv"]),
            hovertemplate="%{y}: %{x:.3f}<extra></extra>",
        )
    )
    figure.update_layout(
        height=90 + 34 * len(names),
        margin={"l": 0, "r": 8, "t": 4, "b": 40},
        xaxis={"title": label, "fixedrange": True, "range": [0, 1], "dtick": 0.2},
        yaxis={"fixedrange": True, "automargin": True, "title": None},
    )
    return figure


def history_chart(history: list[dict]) -> go.Figure:
    """Training by epoch: balanced accuracy and accuracy on the validation part.

    Args:
        history: rows of `history.csv`, numbers as numbers.
    """
    epochs = [row["epoch"] for row in history]
    figure = go.Figure()
    for column, name, code, dash in (
        ("val_balanced_accuracy", "balanced accuracy", "nv", "solid"),
        ("val_accuracy", "accuracy", "mel", "dot"),
    ):
        figure.add_scatter(
            x=epochs,
            y=[row.get(column) for row in history],
            name=name,
            mode="lines+markers",
            line={"color": COLORS[code], "dash": dash, "width": 2},
            marker={"size": 5},
            hovertemplate=f"epoch %{{x}}: {name} %{{y:.3f}}<extra></extra>",
        )
    thawed = next((row["epoch"] for row in history if row.get("phase") == "fine-tune"), None)
    if thawed is not None and thawed != epochs[0]:
        figure.add_vline(
            x=thawed - 0.5, line={"width": 1, "dash": "dash", "color": "gray"}, annotation_text=" encoder thawed"
        )
    figure.update_layout(
        height=280,
        margin={"l": 0, "r": 8, "t": 30, "b": 0},
        xaxis={"title": "epoch", "fixedrange": True},
        yaxis={"title": "on validation photos", "fixedrange": True},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )
    return figure


def per_class_chart(per_class: dict[str, dict]) -> go.Figure:
    """Sensitivity of each diagnosis with its 95 % interval.

    Args:
        per_class: code -> {"sensitivity": its `Estimate`, ...}, as in `evaluation.json`.
    """
    known = {
        NAMES[code]: per_class[code]["sensitivity"]
        for code in CODES
        if per_class.get(code, {}).get("sensitivity", Estimate(None)).value is not None
    }
    return scores_chart(known, "sensitivity")


def describe_differential(probabilities: dict[str, float]) -> str:
    """The differential chart in words, for those who do not see it."""
    ranked = sorted(probabilities, key=probabilities.__getitem__, reverse=True)
    return "Differential, likeliest first: " + "; ".join(
        f"{NAMES[code]} ({GROUPS[code]}) {percent(probabilities[code])}" for code in ranked
    )
