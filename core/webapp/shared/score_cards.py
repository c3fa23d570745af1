"""The few scores that a page opens with, each with what it means and its interval."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.decisions import rule_of
from core.estimates import Estimate
from core.evaluation.metrics import DECIDED
from core.glossary import explain_term
from core.webapp.shared.words import plain
from core.wording import interval

# Score -> label, and the glossary's term that explains it. The last two are of the operating point on test photos.
HEADLINES = {
    "balanced_accuracy": ("Balanced accuracy", "balanced_accuracy"),
    "accuracy": ("Accuracy", "accuracy"),
    "auc_macro": ("AUC, mean of the diagnoses", "auc"),
    "malignancy_auc": ("AUC, malignant or benign", "auc"),
    "macro_ece": ("Calibration error", "calibration_error"),
    "operating_sensitivity": ("Melanomas found at the operating point", "operating_point"),
    "operating_specificity": ("Others spared at the operating point", "operating_point"),
}


def draw_score_cards(models: Mapping[str, Mapping[str, Any]]) -> None:
    """Draws a card for each of `HEADLINES` that is known, with every model's value.

    Args:
        models: name -> score -> its `Estimate`; what is no estimate is passed over.
    """
    with st.container(key="score-cards", horizontal=True):
        for score, (label, term) in HEADLINES.items():
            known = {name: scores[score] for name, scores in models.items() if isinstance(scores.get(score), Estimate)}
            if not known:
                continue
            rule = f" Decided by the rule {rule_of(score)}." if score in DECIDED else ""
            with st.container(border=True, gap="xsmall"):
                st.markdown(f"**{label}**", help=f"{explain_term(term)}{rule}")
                for name, value in known.items():
                    _draw_value(name if len(models) > 1 else "", interval(value))


def operating_scores(point: Mapping | None) -> dict[str, Estimate]:
    """Sensitivity and specificity at an evaluation's operating point, under the names of `HEADLINES`; empty without one."""
    return {f"operating_{kind}": point[kind] for kind in ("sensitivity", "specificity")} if point else {}


def _draw_value(name: str, text: str) -> None:
    value, _, rest = text.partition(" (")
    whose = f"{plain(name)}, " if name else ""
    st.markdown(f"<span style='font-size:1.4rem'>{value}</span>", unsafe_allow_html=True)
    st.caption(f"{whose}95 %: {rest.removesuffix(')')}" if rest else f"{whose}no interval")
