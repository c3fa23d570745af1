"""Whether probabilities mean what they say, diagnosis by diagnosis."""

import streamlit as st

from core.diagnoses import CODES, MELANOMA, NAMES
from core.evaluation.curves import MALIGNANCY, reliability, reliability_of, score_distribution
from core.webapp.evaluation.asked import named
from core.webapp.evaluation.rows import (
    calibration_rows,
)
from core.webapp.shared.evaluations import Evaluated
from core.webapp.shared.export import draw_figure, draw_table
from core.webapp.shared.score_charts import distribution_chart, reliability_chart
from core.wording import interval, percent


def draw_calibration(models: dict[str, Evaluated]) -> None:
    _draw_reliability_of_each(models)
    st.subheader("Reliability of the answer", anchor=False)
    draw_figure(
        reliability_chart(
            [
                (f"{name}, ECE {interval(model.results.evaluation.metrics['ece'])}", reliability(model.results))
                for name, model in models.items()
            ]
        ),
        "reliability",
        "On the dotted line, answers given with 70 % are right 7 times in 10; below, the network promises too much. Larger dots hold more "
        "photos. ECE is the mean distance from the line.",
        "; ".join(f"{n}: calibration error {interval(m.results.evaluation.metrics['ece'])}" for n, m in models.items()),
    )
    draw_table(
        [
            {
                "Model": name,
                "From": f"{100 * b.low:.0f} %",
                "To": f"{100 * b.high:.0f} %",
                "Photos": b.photos,
                "Mean probability": b.confidence,
                "Share right": b.accuracy,
            }
            for name, model in models.items()
            for b in reliability(model.results)
        ],
        "Reliability bins",
        probabilities=("Mean probability", "Share right"),
    )
    st.subheader("Score distributions", anchor=False)
    code = st.selectbox(
        "Diagnosis", CODES, index=MELANOMA, format_func=named, key="scored", bind="query-params", filter_mode=None,
        width=300,
    )  # fmt: skip
    for name, model in models.items():
        edges, of_class, others = score_distribution(model.results, code)
        draw_figure(
            distribution_chart(edges, of_class, others, code),
            f"distribution {code} {name}",
            f"{name}: bars up are photos of {NAMES[code].lower()}, bars down all others; the less they face each other, the better the two "
            "are told apart.",
            f"{name}: {percent(float(of_class[10:].sum()))} of the photos with, {percent(float(others[10:].sum()))} of those without "
            f"{NAMES[code]} get a probability above one half",
        )


def _draw_reliability_of_each(models: dict[str, Evaluated]) -> None:
    """What was said of each diagnosis, and of malignancy, against what came true."""
    st.subheader("Reliability by diagnosis", anchor=False)
    asked = st.selectbox(
        "Diagnosis", [*CODES, MALIGNANCY], index=MELANOMA, format_func=named, key="calibrated", bind="query-params",
        filter_mode=None, width=300,
    )  # fmt: skip
    errors = {
        name: model.results.evaluation.metrics["malignancy_ece"] if asked == MALIGNANCY
        else model.results.evaluation.per_class[asked]["ece"]
        for name, model in models.items()
    }  # fmt: skip
    draw_figure(
        reliability_chart(
            [(f"{name}, ECE {interval(errors[name])}", reliability_of(model.results, asked)) for name, model in models.items()],
            f"probability of {named(asked).lower()}", "share that it was",
        ),
        f"reliability {asked}",
        f"All photos by the probability that they got for {named(asked).lower()}. On the dotted line, of photos said to be it with 30 %, "
        "3 in 10 are; below, too much is said. Larger dots hold more photos.",
        "; ".join(f"{name}: calibration error {interval(error)}" for name, error in errors.items()),
    )  # fmt: skip
    for name, model in models.items():
        draw_table(
            calibration_rows(model),
            f"Said and true of {name}",
            "The probabilities hold where diagnoses are as common as in the photos that the calibration was fitted on.",
        )
    draw_table(
        [
            {
                "Model": name,
                "Diagnosis": named(question),
                "From": round(b.low, 3),
                "To": round(b.high, 3),
                "Photos": b.photos,
                "Mean probability": round(b.confidence, 3),
                "True share": round(b.accuracy, 3),
            }
            for name, model in models.items()
            for question in (*CODES, MALIGNANCY)
            for b in reliability_of(model.results, question)
        ],
        "Reliability bins by diagnosis",
    )
