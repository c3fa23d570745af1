"""What-if on the page: the answer under other facts, without facts, and over patients where a fact is unknown."""

import streamlit as st

from core.data.patient import Facts
from core.diagnoses import CODES, MELANOMA, NAMES
from core.prevalence import Mixture
from core.trust.signals.what_if import Expected, WhatIf, sweep_facts
from core.webapp.read.charts import age_chart, describe_ages, describe_places, place_chart
from core.webapp.shared.charts import CONFIG
from core.wording import listed, percent, rate


def ask_what_if(encoded, facts, record: dict | None, mixture: Mixture | None = None) -> WhatIf | None:
    """The sweep of a photo, kept with it; None for a network that looks at the photo only."""
    if not encoded.bundle.engine.uses_metadata:
        return None
    key = ("what if", facts, record is None, mixture and mixture.shares)
    return encoded.answers.get(key, lambda: sweep_facts(encoded, facts, record, mixture))


def draw_facts_in_short(what: WhatIf | None, threshold: float | None) -> None:
    """Beside the answer: warnings where facts alone decide, and the range where one is unknown."""
    if what is None:
        return
    for sentence in what.warnings(threshold):
        st.warning(sentence, icon=":material/person_alert:")
    if what.expected is not None:
        st.caption(over_patients(what.expected))


def over_patients(expected: Expected) -> str:
    """The mean and range over patients, in a sentence."""
    missing = listed(list(expected.unknown))
    who = "who share the known facts" if expected.matched else "of all kinds, as too few share the known facts"
    if len(expected.unknown) == 3:
        who = "of all kinds"
    low, mean, high = (percent(values[MELANOMA]) for values in (expected.low, expected.mean, expected.high))
    if low == high:
        return (
            f"{missing.capitalize()} unknown: whatever it is, melanoma stays at {mean} "
            f"(over {expected.lesions:,} training lesions {who})."
        )
    return (
        f"{missing.capitalize()} unknown. Over training patients {who} ({expected.lesions:,} lesions): with the facts of each in turn this "
        f"photo's melanoma gets {mean} on average, and for nine in ten of them {low} to {high}."
    )


def draw_what_if(what: WhatIf | None, record: dict | None, problem: str, threshold: float | None) -> None:
    """The curves, the baseline, and how much facts matter on held-out photos."""
    if what is None:
        st.caption("This network looks at the photo only: age, sex and body site do not change its answer.")
        return
    without = f"Facts withheld: {_two(what.withheld)}."
    st.markdown(
        f"{without} No facts are entered." if what.facts == Facts() else f"As entered: {_two(what.entered)}. {without}"
    )
    ages, places = st.columns(2, gap="medium")
    with ages:
        st.plotly_chart(age_chart(what, threshold), config=CONFIG, alt=describe_ages(what), key="what-if age")
        st.caption("The photo stays, the age changes; sex and site as entered. Dashed: the threshold.")
    with places:
        st.plotly_chart(place_chart(what, threshold), config=CONFIG, alt=describe_places(what), key="what-if places")
        st.caption("Filled: as entered. Dotted line: all facts withheld.")
    if what.expected is not None:
        st.markdown(over_patients(what.expected))
    st.caption(facts_worth(record) if record else f"How often facts change the answer was not measured. {problem}")


def facts_worth(record: dict) -> str:
    """How often facts change the answer on held-out photos, and which answer is right more often then."""
    test = record["test"]
    return (
        f"On held-out photos the facts change the likeliest diagnosis in {rate(test['flips'])}; then the answer with them was right in "
        f"{rate(test['flipped_right'])}, the one without in {rate(test['flipped_right_withheld'])}."
    )


def _two(probabilities) -> str:
    """The likeliest diagnosis, and melanoma where that is another."""
    top = int(probabilities.argmax())
    likeliest = f"**{NAMES[CODES[top]]} {percent(probabilities[top])}**"
    return likeliest if top == MELANOMA else f"{likeliest}, melanoma {percent(probabilities[MELANOMA])}"
