"""Where what judges the answer contradicts it, said in a sentence each: nobody is to find it out by comparing figures."""

import streamlit as st

from core.diagnoses import NAMES
from core.trust.signals.lookalikes import LookalikeVote
from core.webapp.read.case import Case


def draw_contradictions(case: Case) -> None:
    """One sentence for each voice that says something else than the answer; nothing where all agree."""
    for sentence in contradictions(case.reading, case.opinion.vote):
        st.warning(sentence, icon=":material/call_split:")


def contradictions(reading, vote: LookalikeVote | None) -> list[str]:
    """What contradicts the network's answer, or the answer itself.

    Args:
        reading: a `LesionReading`.
        vote: of the look-alikes.
    """
    sentences = []
    if vote is not None and reading.top not in vote.tied:
        sentences.append(f"The similar known cases say otherwise: {vote.words} The network says {NAMES[reading.top]}.")
    if reading.elsewhere and reading.elsewhere.top != reading.top:
        sentences.append(
            f"Where the photo is said to come from, the likeliest diagnosis is {NAMES[reading.elsewhere.top]}; as calibrated it is "
            f"{NAMES[reading.top]}. The 90 % set, the jury and the similar cases are compared with the latter."
        )
    return sentences
