"""A new clinic, forecast: networks that were trained without a source, on that source's photos."""

import streamlit as st

from core.studies.abroad import SIZES, read_abroad
from core.webapp.evaluation.asked import ask_one
from core.webapp.shared.charts import scores_chart
from core.webapp.shared.evaluations import Evaluated
from core.webapp.shared.export import draw_figure, draw_table
from core.webapp.shared.words import plain
from core.wording import cut, difference, interval


def draw_abroad(models: dict[str, Evaluated]) -> None:
    model = ask_one(models)
    record = read_abroad(model.key[0])
    if record is None:
        st.info(
            f"For {plain(model.name)} it was not measured what a new clinic does: train networks without one source each (`train "
            "--leave-one-source-out`), evaluate them, then `sources`.",
            icon=":material/travel_explore:",
        )
        return
    network, sources = record["network"], record["sources"]
    st.subheader("Sources that a network never saw", anchor=False)
    draw_figure(
        scores_chart({name: row["melanoma_auc"] for name, row in sources.items()}, "AUC of melanoma"),
        f"sources {model.name}",
        f"Each source's photos by a network that was trained on the other sources alone ({network['backbone']}, {network['image_size']} "
        f"pixels, recipe {network['recipe']}): the nearest to a new clinic that there is. It is not {model.name} itself, which "
        "was trained on all sources, and longer.",
        "; ".join(f"{name} {interval(row['melanoma_auc'])}" for name, row in sources.items()),
    )
    draw_table(
        [
            {
                "Source left out": name,
                "Photos": row["photos"],
                "Melanomas": row["melanomas"],
                "Balanced accuracy (rule balanced)": interval(row["metrics"]["balanced_accuracy"]),
                "AUC, melanoma": interval(row["melanoma_auc"]),
                "AUC, macro": interval(row["metrics"]["auc_macro"]),
                "Melanoma called from": _cut(row["at_threshold"]["threshold"]),
                "Sensitivity there": interval(row["at_threshold"]["sensitivity"]),
                "Specificity there": interval(row["at_threshold"]["specificity"]),
                "Melanoma said": interval(row["melanoma_said"]),
                "Melanoma true": interval(row["melanoma_share"]),
                "Calibration error, mean": interval(row["metrics"]["macro_ece"]),
                "Diagnoses it lacks": ", ".join(row["absent"]),
            }
            for name, row in sources.items()
        ],
        f"Sources left out, {model.name}",
        "The threshold was chosen on photos of the other sources, for a sensitivity of 0.90.",
    )
    st.subheader("Recalibrated on some of the clinic's own photos", anchor=False)
    draw_table(
        [
            {"Source left out": name, "As it is": interval(curve["none"]["log_loss"])}
            | {
                f"{size} photos": interval(curve["photos"][str(size)]["log_loss"])
                for size in SIZES
                if str(size) in curve["photos"]
            }
            for name, curve in record["recalibration"].items()
            if curve["none"]
        ],
        f"Recalibration, {model.name}",
        "Log loss, nats, on photos of the source that did not recalibrate: mean, and 95 % of 40 draws of whole lesions. `recalibrate` does "
        "this with a clinic's labelled photos.",
    )
    if record["adaptation"]:
        st.subheader("Adapted to the clinic's photos without their diagnoses", anchor=False)
        draw_table(
            [
                {
                    "Source left out": name,
                    "Balanced accuracy": difference(row["balanced_accuracy"]),
                    "Accuracy": difference(row["accuracy"]),
                    "AUC, macro": difference(row["auc_macro"]),
                    "Melanoma sensitivity": difference(row["mel.sensitivity"]),
                    "Melanoma specificity": difference(row["mel.specificity"]),
                }
                for name, row in record["adaptation"].items()
            ],
            f"Adaptation, {model.name}",
            "Batch-norm adaptation: adapted minus as it was, rule likeliest, on the half of the lesions that did not adapt it, both ways.",
        )


def _cut(threshold: float | None) -> str:
    return "" if threshold is None else cut(threshold)
