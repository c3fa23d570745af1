"""What a section of the page asks for."""

import streamlit as st

from core.decisions import DECISIONS, SCORED
from core.diagnoses import NAMES
from core.evaluation.curves import MALIGNANCY
from core.webapp.evaluation.rows import (
    ANY,
)
from core.webapp.shared.evaluations import Evaluated

ALL = "all"


def ask_rule() -> str:
    """Which decision rule a figure shows."""
    return st.segmented_control(
        "Decision rule", SCORED, format_func=lambda rule: DECISIONS[rule].title.capitalize(), default=SCORED[0], required=True,
        key="rule", bind="query-params", help=" ".join(DECISIONS[rule].about for rule in SCORED),
    )  # fmt: skip


def ask_one(models: dict[str, Evaluated]) -> Evaluated:
    """Which of the chosen models a figure of one model shows; not asked where there is one."""
    names = list(models)
    if len(names) == 1:
        return models[names[0]]
    return models[st.selectbox("Shown model", names, key="shown", bind="query-params", filter_mode=None, width=300)]


def named(code: str) -> str:
    return {ANY: "Any", ALL: "All diagnoses", MALIGNANCY: "Any malignant or pre-malignant"}.get(code) or NAMES[code]
