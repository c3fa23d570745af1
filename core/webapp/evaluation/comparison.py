"""Two models on the same photos."""

import streamlit as st

from core.decisions import rule_of
from core.estimates import Estimate
from core.evaluation.metrics import DECIDED
from core.webapp.evaluation.rows import (
    METRICS,
)
from core.webapp.shared.evaluations import Evaluated, kept_comparison
from core.webapp.shared.export import draw_table
from core.webapp.shared.words import plain
from core.wording import difference, interval, p_value

# Of the verdict beneath a comparison.
SIGNIFICANT = 0.05
COMPARED_WORDS = METRICS | {"mel.sensitivity": "Melanoma sensitivity", "mel.specificity": "Melanoma specificity"}


def draw_comparison(models: dict[str, Evaluated]) -> None:
    if len(models) < 2:
        st.info("Choose two models above to compare them.", icon=":material/compare:")
        return
    names = list(models)
    with st.container(horizontal=True):
        a = st.selectbox("Model A", names, key="a", bind="query-params", filter_mode=None)
        others = [name for name in names if name != a]
        b = st.selectbox("against model B", others, key="b", bind="query-params", filter_mode=None)
    try:
        comparison = kept_comparison(models[a], models[b])
    except ValueError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    draw_table(
        [
            {
                "Score": COMPARED_WORDS[metric],
                "Rule": rule_of(metric) if metric in DECIDED or metric.startswith("mel.") else "",
                a: interval(_score_of(models[a], metric)),
                b: interval(_score_of(models[b], metric)),
                "A minus B, 95 %": difference(apart),
                "p (bootstrap)": p_value(apart.p),
            }
            for metric, apart in comparison.differences.items()
        ],
        f"{a} against {b}",
        "Both models see the same resampled lesions. An interval that holds 0 leaves the order open; with several scores, trust the first.",
    )
    verdict = (
        "The two are equally often right, as far as these photos tell."
        if comparison.p >= SIGNIFICANT
        else f"{a if comparison.only_a > comparison.only_b else b} is right more often than chance explains."
    )
    st.markdown(
        f"**McNemar's test, by lesion**: {comparison.only_a} photos are right with {plain(a)} only, {comparison.only_b} with {plain(b)} "
        f"only ({comparison.both} with both, {comparison.neither} with none): p = {p_value(comparison.p)}. {plain(verdict)}"
    )
    st.caption(
        "Photos of one lesion tend to be right or wrong together; the test lets them (Obuchowski 1998). Taking photos for independent "
        f"would give p = {p_value(comparison.p_by_photo)}."
    )
    st.subheader(f"{len(comparison.disagreements)} photos on which they disagree", anchor=False)
    columns = {
        "image_id": "Photo",
        "lesion_id": "Lesion",
        "dx": "True",
        "a": f"{a} says",
        "p a": f"{a} with",
        "b": f"{b} says",
    }
    columns["p b"] = f"{b} with"
    draw_table(
        comparison.disagreements.rename(columns=columns),
        f"Where {a} and {b} disagree",
        "The most confident answer of model A first.",
        tallest=11,
        probabilities=(columns["p a"], columns["p b"]),
    )


def _score_of(model: Evaluated, metric: str) -> Estimate | None:
    code, _, key = metric.rpartition(".")
    ruled = model.results.evaluation.under(rule_of(metric))
    return ruled.per_class[code][key] if code else ruled.metrics.get(metric)
