"""The answer to a photo: the likeliest diagnosis, how probable malignancy is, and the differential."""

import streamlit as st

from core.diagnoses import DIAGNOSES, NAMES
from core.webapp.charts import CONFIG, describe, differential_chart
from core.webapp.theme import GROUPS
from core.webapp.words import frequency, percent

_ABOUT = {d.code: d.about for d in DIAGNOSES}


def draw_answer(reading) -> None:
    """Draws what a `LesionReading` says, answer first."""
    top, malignancy = reading.top, reading.malignancy
    likeliest, risk = st.columns(2, gap="medium", border=True)
    with likeliest:
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
    st.plotly_chart(
        differential_chart(reading.probabilities),
        config=CONFIG,
        alt=describe(reading.probabilities),
        key="differential",
    )
    st.caption(
        f"Hatched bars in warm colours: malignant or pre-malignant. Plain bars in cool colours: benign.  \n{NAMES[top]}: {_ABOUT[top]}"
    )
