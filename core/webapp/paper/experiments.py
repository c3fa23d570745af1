"""The project's own experiments on what the paper leaves open, drawn from experiments/results."""

import textwrap

import plotly.graph_objects as go
import streamlit as st

from core.studies.experiments import (
    EXPERIMENTS,
    Contrast,
    InvalidExperiment,
    difference_verdict,
    points_words,
    read_experiment,
)
from core.webapp.shared.charts import whiskers
from core.webapp.shared.export import draw_figure, draw_table
from core.webapp.shared.score_charts import GREY
from core.webapp.shared.theme import COLORS
from core.webapp.shared.words import plain

METRICS = {
    "balanced_accuracy": "Balanced accuracy",
    "accuracy": "Accuracy",
    "macro_f1": "F1, macro",
    "mel.sensitivity": "Melanoma sensitivity",
    "mel.specificity": "Melanoma specificity",
    "auc_macro": "AUC, macro",
}
# Levels of the experiments' factors, as a sentence names them.
_LEVELS = {
    "attention": {
        "none": "no attention module",
        "paper": "the paper's attention",
        "published": "the published code's attention",
        "uniform": "a constant map",
        "uniform_gamma": "a constant map with the paper's gamma",
        "normalised": "the shipped attention",
    },
    "metadata": {
        "none": "no facts",
        "real": "the patient's facts",
        "shuffled": "another lesion's facts",
        "only": "facts and no photo",
    },
    "weights": {
        "none": "no loss weights",
        "inverse": "weights N/Ni (the paper's original)",
        "paper": "weights N/(7 Ni) (the paper's new)",
        "sqrt_inverse": "square-root inverse weights",
        "normalised_inverse": "weights N/Ni over their sum (the paper's 'no weight' runs)",
    },
}
# More differences than this are drawn a network at a time; more of one network are read in the table, not in a figure.
DRAWN = 24
_WRAP = 40  # letters


def draw_experiment(name: str) -> tuple[str, ...]:
    """Draws one of `EXPERIMENTS`, or says in one sentence that it was not run.

    Returns:
        Keys of the footnotes that belong beside it.
    """
    experiment = EXPERIMENTS[name]
    st.markdown(experiment.question)
    try:
        results = read_experiment(name)
    except InvalidExperiment as error:
        st.info(plain(str(error)), icon=":material/hourglass_empty:")
        return experiment.footnotes
    entries = [comparison for result in results for comparison in result.comparisons]
    there = list(dict.fromkeys(entry.metric for entry in entries))
    metric = st.selectbox(  # pyright: ignore[reportCallIssue]
        "Score",
        there,
        format_func=lambda key: METRICS.get(key, key),
        key="score",
        bind="query-params",
        filter_mode=None,
        width=300,
    )
    entries = _of_one_network([entry for entry in entries if entry.metric == metric and entry.value is not None])
    differences = [entry for entry in entries if entry.is_difference]
    if differences:
        st.subheader(f"Differences in {METRICS.get(metric, metric).lower()}", anchor=False)
        if len(differences) <= DRAWN:
            draw_figure(
                experiment_chart(differences),
                f"experiment {name} {metric}",
                "Dot: the difference in points (hundredths) on the same test photos; whiskers: its 95 % interval. Right of the dashed line "
                "the first is better; an interval that crosses it leaves the order open.",
                "; ".join(f"{_named(entry)} ({entry.network}): {points_words(entry)}" for entry in differences),
            )
        draw_table(_rows(differences), f"Experiment {name}, differences, {metric}", _HOW, tallest=14)
    scores = [entry for entry in entries if not entry.is_difference]
    if scores:
        st.subheader(METRICS.get(metric, metric), anchor=False)
        draw_table(
            _rows(scores),
            f"Experiment {name}, scores, {metric}",
            "In points; in brackets the 95 % interval.",
            tallest=14,
        )
    st.caption(
        plain(
            f"{results[0].about} {results[0].confidence} Made by {results[0].command}."
        )
    )
    return experiment.footnotes


def _of_one_network(entries: list[Contrast]) -> list[Contrast]:
    """The entries of the network that the reader picks, where there are too many to look at together."""
    networks = list(dict.fromkeys(entry.network for entry in entries))
    if len(networks) == 1 or sum(entry.is_difference for entry in entries) <= DRAWN:
        return entries
    network = st.segmented_control(
        "Network", networks, default=networks[0], required=True, key="network", bind="query-params"
    )
    return [entry for entry in entries if entry.network == network]


_HOW = "*Better* or *worse*: the whole interval is on one side of zero. *Not shown*: the data do not tell. Points are hundredths."


def experiment_chart(entries: list[Contrast]) -> go.Figure:
    """Differences as dots with whiskers about zero, one row each."""
    entries = entries[::-1]
    names = [_named(entry) for entry in entries]
    if len({entry.network for entry in entries}) > 1:
        names = [f"{name} ({entry.network})" for name, entry in zip(names, entries, strict=True)]
    apart = [entry.estimate for entry in entries]
    places = list(range(len(entries)))
    figure = go.Figure(
        go.Scatter(
            x=[100 * one.known for one in apart],
            y=places,
            mode="markers",
            marker={"size": 10, "color": COLORS["nv"]},
            error_x=whiskers(apart, COLORS["nv"], scale=100),
            customdata=names,
            hovertemplate="%{customdata}<br>%{x:+.1f} points<extra></extra>",
        )
    )
    figure.add_vline(x=0, line={"color": GREY, "width": 1, "dash": "dash"})
    figure.update_layout(
        height=70 + 46 * len(entries),
        margin={"l": 0, "r": 8, "t": 4, "b": 40},
        xaxis={"title": "difference, points", "fixedrange": True, "zeroline": False},
        yaxis={
            "tickvals": places,
            "ticktext": ["<br>".join(textwrap.wrap(name, _WRAP)) for name in names],
            "range": [-0.6, len(entries) - 0.4],
            "fixedrange": True,
            "automargin": True,
            "zeroline": False,
        },
    )
    return figure


def _named(entry: Contrast) -> str:
    """What was compared, in words."""
    words, level, against = _LEVELS.get(entry.factor, {}), entry.level, entry.against
    text = f"{words[level]} against {words[against]}" if level in words and against in words else entry.name
    text = text[0].upper() + text[1:]
    if entry.group and entry.group != "all":
        text += f", {entry.group.replace('=', ' ')}"
    return text


def _rows(entries: list[Contrast]) -> list[dict]:
    rows = []
    for entry in entries:
        row = {"What": _named(entry), "Network": entry.network, "Points (95 %)": points_words(entry)}
        if entry.is_difference:
            row["Verdict"] = difference_verdict(entry)
        if entry.seed_low is not None and entry.seed_high is not None:
            row["Single seeds"] = f"{100 * entry.seed_low:.1f} to {100 * entry.seed_high:.1f}"
        if entry.train_accuracy is not None:
            row["Accuracy in training"] = f"{100 * entry.train_accuracy:.1f}"
        rows.append(row | {"Seeds": entry.seeds, "Photos": entry.n_photos, "Lesions": entry.n_lesions})
    return rows
