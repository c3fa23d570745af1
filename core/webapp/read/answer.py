"""The answer to a photo: the likeliest diagnosis and what the melanoma threshold says, alike in weight; then the differential."""

import streamlit as st

from core.diagnoses import DIAGNOSES, NAMES
from core.glossary import explain_term
from core.trust.signals.prediction_set import PredictionSet
from core.webapp.read.prediction_set import UNKNOWING
from core.webapp.shared.charts import CONFIG, describe_differential, differential_chart
from core.webapp.shared.operating_point import Standing
from core.webapp.shared.theme import GROUPS
from core.webapp.shared.words import unbroken
from core.wording import frequency, percent

_ABOUT = {d.code: d.about for d in DIAGNOSES}


def draw_answer(reading, prediction_set: PredictionSet | None = None, standing: Standing | None = None) -> None:
    """Draws what a `LesionReading` says in two lines, and below them what could not be ruled out.

    Args:
        reading: of the photo.
        found: its 90 % set, if the set was measured for this network.
        standing: where melanoma stands to the threshold in use.
    """
    answer = reading.elsewhere or reading
    top, probabilities = answer.top, reading.here
    with st.container(border=True, key="answer", gap="xsmall"):
        if prediction_set and prediction_set.abstains:
            st.caption("No answer")
            st.subheader(UNKNOWING, anchor=False)
            st.markdown(f"{prediction_set.doubt} Likeliest all the same: {NAMES[top]}, {percent(probabilities[top])}.")
        else:
            st.caption("Likeliest diagnosis", help=explain_term("calibrated"))
            st.subheader(f"{NAMES[top]} · {percent(probabilities[top])}", anchor=False)
            st.markdown(f"{frequency(probabilities[top]).capitalize()} · {GROUPS[top]}")
        st.caption("Melanoma, by the threshold", help=explain_term("operating_point"))
        if standing is None:
            st.subheader(f"Melanoma · {percent(probabilities['mel'])}", anchor=False)
            st.markdown("This network has no threshold yet: set yours below.")
        else:
            st.subheader("Possible melanoma" if standing.above else "Below the melanoma threshold", anchor=False)
            st.markdown(unbroken(f"{standing.words}."))
    if prediction_set:
        st.markdown(f"**{prediction_set.words}**", help=explain_term("conformal_set"))
    st.markdown(
        unbroken(f"Malignant or pre-malignant: **{percent(answer.malignancy)}**, {frequency(answer.malignancy)}."),
        help=explain_term("malignancy"),
    )


def draw_differential(reading) -> None:
    """All seven probabilities, as bars."""
    top, probabilities = (reading.elsewhere or reading).top, reading.here
    st.plotly_chart(differential_chart(probabilities), config=CONFIG, alt=describe_differential(probabilities), key="differential")
    st.caption(
        f"Hatched bars in warm colours: malignant or pre-malignant. Plain bars in cool colours: benign.  \n{NAMES[top]}: {_ABOUT[top]}"
    )


def draw_place(reading) -> None:
    """That the probabilities were re-weighted to where the photo comes from; nothing where they were not."""
    if not reading.elsewhere:
        return
    title = reading.elsewhere.mixture.title
    st.info(
        f"Re-weighted by Bayes' rule for {title[0].lower()}{title[1:]}. As calibrated: {NAMES[reading.top].lower()} "
        f"{percent(reading.probabilities[reading.top])}, melanoma {percent(reading.probabilities['mel'])}. What was measured on "
        "photos (the 90 % set, the jury, the network's operating point) goes by the probabilities as calibrated; the answer, a "
        "threshold of your own and *What if* go by the re-weighted ones.",
        icon=":material/balance:",
    )
