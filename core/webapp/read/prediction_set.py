"""The 90 % set on the page: the differential in words, what it was worth on held-out photos, and its table."""

import streamlit as st

from core.diagnoses import CODES, NAMES
from core.trust.signals.prediction_set import PredictionSet
from core.webapp.shared.export import draw_table
from core.wording import listed, rate

UNKNOWING = "The network does not know"


def draw_set(prediction_set: PredictionSet, record: dict) -> None:
    """The set as a differential, with its measure."""
    st.markdown(f"**{prediction_set.words}**")
    st.caption(set_worth(prediction_set, record))


def set_worth(prediction_set: PredictionSet, record: dict) -> str:
    """How such sets fared on the held-out photos."""
    test = record["test"]
    by_photo = rate(test["coverage_by_photo"])
    coverage = (
        f"The true diagnosis was in such a set for {rate(test['coverage'])} of held-out lesions, by photo {by_photo}."
    )
    if prediction_set.unusual:
        return (
            f"{coverage} Where nothing fitted, the likeliest diagnosis was wrong in {rate(test['unusual'])} of photos."
        )
    row = test["by_size"].get(str(len(prediction_set.codes)))
    if row is None:
        return coverage
    if len(prediction_set.codes) == 1:
        return f"{coverage} Where a set held one diagnosis alone, that was wrong in {rate(row['wrong'])} of photos."
    return (
        f"{coverage} Where a set held {len(prediction_set.codes)} diagnoses, the likeliest of them was wrong in "
        f"{rate(row['wrong'])} of photos."
    )


def draw_set_record(record: dict) -> None:
    """How the set was calibrated and how it fared, by diagnosis and by group of patients."""
    test = record["test"]
    st.markdown(
        f"##### The 90 % set on {test['coverage'].lesions:,} held-out lesions\n"
        f"The true diagnosis was in it for {rate(test['coverage'])} of lesions, as promised to be 90 %; counted by photo, "
        f"{rate(test['coverage_by_photo'])} of {test['coverage'].photos:,}. It held {test['size'].value:.1f} diagnoses on average. "
        f"For {rate(test['abstains'])} the answer was that the network does not know: there its likeliest diagnosis was wrong in "
        f"{rate(test['abstained'])} of photos, elsewhere in {rate(test['answered'])}."
    )
    pooled = [c for c in CODES if record["thresholds"][c]["with"]]
    if pooled:
        few = min(record["thresholds"][c]["lesions"] for c in pooled)
        st.caption(
            f"{listed([NAMES[c] for c in pooled])} were calibrated together: {few} validation lesions of the rarest are too few for a "
            "promise of its own, so the 90 % hold for these together."
        )
    rows = [_row(NAMES[code], "diagnosis", test["per_class"][code]) for code in CODES]
    for title, groups in test["groups"].items():
        rows += [_row(name, title.lower(), scores) for name, scores in groups.items()]
    draw_table(
        rows,
        "The 90 percent set by diagnosis and group",
        "Share of held-out lesions whose diagnosis is in the set, with its 95 % interval over lesions, and the same by photo. Groups of "
        "patients have at least 30 lesions; diagnoses have their row however rare they are.",
        tallest=7,
    )


def _row(name: str, kind: str, scores: dict) -> dict:
    return {
        "Group": name,
        "Kind": kind,
        "True diagnosis in the set": rate(scores["coverage"]),
        "By photo": rate(scores["coverage_by_photo"]),
        "Diagnoses in the set": round(scores["size"].value, 2) if scores["size"].value is not None else None,
        "Does not know": rate(scores["abstains"]),
        "Lesions": scores["coverage"].lesions,
    }
