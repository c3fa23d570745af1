"""The answer to a photo: the likeliest diagnosis or that the network does not know, how probable malignancy is, and the differential."""

import streamlit as st

from core.diagnoses import DIAGNOSES, NAMES
from core.trust.conformal import PredictionSet
from core.webapp.charts import CONFIG, describe, differential_chart
from core.webapp.second_set import UNKNOWING, draw_set
from core.webapp.theme import GROUPS
from core.wording import frequency, percent

_ABOUT = {d.code: d.about for d in DIAGNOSES}


def draw_answer(reading, found: PredictionSet | None = None, record: dict | None = None) -> None:
    """Draws what a `LesionReading` says, answer first.

    Args:
        reading: of the photo.
        found: its 90 % set, if the set was measured for this network.
        record: of `set.json`.
    """
    top, malignancy = reading.top, reading.malignancy
    likeliest, risk = st.columns(2, gap="medium", border=True)
    with likeliest:
        if found and found.abstains:
            st.caption("No answer")
            st.subheader(UNKNOWING, anchor=False)
            st.markdown(f"{found.doubt} Likeliest all the same: {NAMES[top]}, {percent(reading.probabilities[top])}.")
        else:
            st.caption("Likeliest diagnosis")
            st.subheader(NAMES[top], anchor=False)
            st.markdown(
                f"**{percent(reading.probabilities[top])}**, {frequency(reading.probabilities[top])} · {GROUPS[top]}"
            )
    with risk:
        st.caption("Malignant or pre-malignant")
        st.subheader(percent(malignancy), anchor=False)
        st.markdown(
            f"{frequency(malignancy).capitalize()} · melanoma, basal cell carcinoma and actinic keratosis together"
        )
    if found:
        draw_set(found, record)
    st.plotly_chart(
        differential_chart(reading.probabilities),
        config=CONFIG,
        alt=describe(reading.probabilities),
        key="differential",
    )
    st.caption(
        f"Hatched bars in warm colours: malignant or pre-malignant. Plain bars in cool colours: benign.  \n{NAMES[top]}: {_ABOUT[top]}"
    )
