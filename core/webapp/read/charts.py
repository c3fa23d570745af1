"""The charts of what-if: probabilities against age, and by sex and body site. Grounds and text colours are the theme's."""

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from core.data.patient import SEXES, SITES
from core.diagnoses import CODES, MELANOMA, NAMES
from core.trust.signals.what_if import WhatIf
from core.webapp.shared.charts import SHARE_TICKS
from core.webapp.shared.theme import COLORS
from core.wording import percent

_GREY = "#8c96a0"


def age_chart(what: WhatIf, threshold: float | None = None) -> go.Figure:
    """Melanoma and the likeliest diagnosis against age, at the entered sex and site; the entered age is marked."""
    figure = go.Figure()
    sex = what.facts.sex
    for other in SEXES:
        if other not in (sex, "unknown"):
            figure.add_scatter(
                x=what.ages,
                y=what.by_age[other][:, MELANOMA],
                customdata=[percent(p) for p in what.by_age[other][:, MELANOMA]],
                name=f"melanoma, if {other}",
                mode="lines",
                line={"color": COLORS["mel"], "width": 1, "dash": "dot"},
                hovertemplate=f"%{{x}} years, {other}: %{{customdata}}<extra></extra>",
            )
    shown = ("mel",) if what.top == "mel" else ("mel", what.top)
    for code in shown:
        figure.add_scatter(
            x=what.ages,
            y=what.by_age[sex][:, CODES.index(code)],
            customdata=[percent(p) for p in what.by_age[sex][:, CODES.index(code)]],
            name=NAMES[code].lower() if code == "mel" else f"{NAMES[code]} (likeliest)",
            mode="lines",
            line={"color": COLORS[code], "width": 3},
            hovertemplate=f"%{{x}} years: {NAMES[code]} %{{customdata}}<extra></extra>",
        )
    if what.facts.age is not None:
        figure.add_scatter(
            x=[what.facts.age] * len(shown),
            y=[what.entered[CODES.index(code)] for code in shown],
            customdata=[percent(what.entered[CODES.index(code)]) for code in shown],
            name=f"as entered, {what.facts.age:g}",
            mode="markers",
            marker={"size": 12, "color": [COLORS[c] for c in shown], "line": {"width": 2, "color": "white"}},
            hovertemplate="%{x} years, as entered: %{customdata}<extra></extra>",
        )
    if threshold is not None:
        figure.add_hline(y=threshold, line={"width": 1, "dash": "dash", "color": _GREY})
    figure.update_layout(
        height=300,
        margin={"l": 0, "r": 8, "t": 8, "b": 0},
        xaxis={"title": "age in years", "fixedrange": True, "range": [0, 92], "dtick": 15},
        yaxis={"title": "probability", "fixedrange": True, "range": [0, 1], **SHARE_TICKS},
        legend={"orientation": "h", "y": -0.28, "yanchor": "top", "x": 0},
    )
    return figure


def place_chart(what: WhatIf, threshold: float | None = None) -> go.Figure:
    """Probability of melanoma by sex, and below it by body site, all else as entered; the entered ones are filled."""
    sexes = [(sex, what.by_sex[sex][MELANOMA], sex == what.facts.sex) for sex in SEXES]
    sites = sorted((s for s in SITES if s != "unknown"), key=lambda s: what.by_site[s][MELANOMA], reverse=True)
    places = [(site, what.by_site[site][MELANOMA], site == what.facts.site) for site in sites]
    places.append(("unknown", what.by_site["unknown"][MELANOMA], what.facts.site == "unknown"))
    count = len(sexes) + len(places)
    figure = make_subplots(
        rows=2,
        cols=1,
        shared_xaxes=True,
        vertical_spacing=0.1,
        row_heights=[len(sexes) / count, len(places) / count],
        subplot_titles=["Sex", "Body site"],
    )
    for row, points in enumerate((sexes, places), start=1):
        figure.add_scatter(
            x=[p for _, p, _ in points],
            y=[name for name, _, _ in points],
            customdata=[percent(p) for _, p, _ in points],
            mode="markers",
            marker={
                "size": 11,
                "symbol": ["circle" if entered else "circle-open" for *_, entered in points],
                "color": COLORS["mel"],
                "line": {"width": 2},
            },
            hovertemplate="%{y}: %{customdata}<extra></extra>",
            row=row,
            col=1,
        )
    figure.update_annotations(x=0, xanchor="left", font={"size": 13})  # the titles of the two parts
    figure.add_vline(x=float(what.withheld[MELANOMA]), line={"width": 1, "dash": "dot", "color": _GREY})
    if threshold is not None:
        figure.add_vline(x=threshold, line={"width": 1, "dash": "dash", "color": _GREY})
    figure.update_layout(
        height=130 + 22 * count,
        margin={"l": 0, "r": 8, "t": 24, "b": 0},
        xaxis2={"title": "probability of melanoma"},
        showlegend=False,
    )
    figure.update_xaxes(fixedrange=True, range=[-0.02, 1], **SHARE_TICKS)
    figure.update_yaxes(fixedrange=True, automargin=True, autorange="reversed", title=None)
    return figure


def describe_ages(what: WhatIf) -> str:
    """The age chart in words, for those who do not see it."""
    points = what.by_age[what.facts.sex][:, MELANOMA]
    at_ages = ", ".join(f"at {what.ages[i]} {percent(points[i])}" for i in range(0, len(what.ages), 3))
    return f"Probability of melanoma by age: {at_ages}. As entered {percent(what.entered[MELANOMA])}."


def describe_places(what: WhatIf) -> str:
    """The chart of sexes and sites in words."""
    places = [f"{name} {percent(p[MELANOMA])}" for name, p in (*what.by_sex.items(), *what.by_site.items())]
    return f"Probability of melanoma by sex and body site: {', '.join(places)}."
