"""The answer to a photo: the likeliest diagnosis or that the network does not know, how probable malignancy is, and the differential."""

import streamlit as st

from core.diagnoses import DIAGNOSES, NAMES
from core.trust.signals.prediction_set import PredictionSet
from core.webapp.read.prediction_set import UNKNOWING, draw_set
from core.webapp.shared.charts import CONFIG, describe, differential_chart
from core.webapp.shared.operating_point import Standing
from core.webapp.shared.theme import GROUPS
from core.wording import frequency, percent

_ABOUT = {d.code: d.about for d in DIAGNOSES}


def draw_answer(
    reading, found: PredictionSet | None = None, record: dict | None = None, standing: Standing | None = None
) -> None:
    """Draws what a `LesionReading` says, answer first.

    Args:
        reading: of the photo.
        found: its 90 % set, if the set was measured for this network.
        record: of `set.json`.
        standing: where melanoma stands to the threshold in use.
    """
    said = reading.elsewhere or reading
    top, malignancy, probabilities = said.top, said.malignancy, reading.here
    likeliest, risk, melanoma = st.columns(3, gap="medium", border=True)
    with likeliest:
        if found and found.abstains:
            st.caption("No answer")
            st.subheader(UNKNOWING, anchor=False)
            st.markdown(f"{found.doubt} Likeliest all the same: {NAMES[top]}, {percent(probabilities[top])}.")
        else:
            st.caption("Likeliest diagnosis")
            st.subheader(NAMES[top], anchor=False)
            st.markdown(f"**{percent(probabilities[top])}**, {frequency(probabilities[top])} · {GROUPS[top]}")
    with risk:
        st.caption("Malignant or pre-malignant")
        st.subheader(percent(malignancy), anchor=False)
        st.markdown(
            f"{frequency(malignancy).capitalize()} · melanoma, basal cell carcinoma and actinic keratosis together"
        )
    with melanoma:
        st.caption("Melanoma, by the threshold")
        if standing is None:
            st.subheader(percent(probabilities["mel"]), anchor=False)
            st.markdown("This network has no threshold yet: set yours below.")
        else:
            st.subheader("Possible melanoma" if standing.above else "Below the threshold", anchor=False)
            st.markdown(f"{standing.words}.")
    if reading.elsewhere:
        title = reading.elsewhere.mixture.title
        st.info(
            f"Re-weighted by Bayes' rule for {title[0].lower()}{title[1:]}. As calibrated: {NAMES[reading.top].lower()} "
            f"{percent(reading.probabilities[reading.top])}, melanoma {percent(reading.probabilities['mel'])}. What was measured on "
            "photos (the 90 % set, the jury, the network's operating point) goes by the probabilities as calibrated; the answer, a "
            "threshold of your own and *What if* go by the re-weighted ones.",
            icon=":material/balance:",
        )
    if found:
        draw_set(found, record)
    st.plotly_chart(
        differential_chart(probabilities),
        config=CONFIG,
        alt=describe(probabilities),
        key="differential",
    )
    st.caption(
        f"Hatched bars in warm colours: malignant or pre-malignant. Plain bars in cool colours: benign.  \n{NAMES[top]}: {_ABOUT[top]}"
    )
