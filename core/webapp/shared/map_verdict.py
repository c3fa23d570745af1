"""Whether a shown map means anything: one calm line beside it, with what was measured on demand."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from core.card import Card
from core.explain import EXPLAINERS
from core.trust.measure_table import DamagedMeasure, InvalidMeasure
from core.trust.measures.map_summary import CHECKS
from core.webapp.shared.map_records import maps_record
from core.webapp.shared.words import plain
from core.wording import listed, without_signed_zero

PAGE = "pages/maps.py"
# What a check that is not passed comes to, in words that need no check's name.
FAILED = {
    "lesion": "it lies no more inside the lesion than chance",
    "photo": "it lies on this photo's lesion no better than another photo's map does",
    "deletion": "hiding the places that it marks most changes the answer no more than hiding others",
    "insertion": "the places that it marks most, shown alone, bring the answer back no better than others",
    "weights": "a network that learnt nothing gives much the same map",
}


def draw_map_verdict(folder: str | Path, card: Card, methods: Sequence[str]) -> None:
    """Draws the verdict on the maps of a model that are on the page; says what to run where nothing was measured.

    Args:
        folder: of the model, as `Bundle.folder`.
        methods: keys into `EXPLAINERS`, of the maps shown.
    """
    try:
        record = maps_record(folder, card)
    except DamagedMeasure as error:
        st.warning(plain(str(error)), icon=":material/heart_broken:")
        return
    except InvalidMeasure as error:
        st.caption(f"Whether these maps mean anything was not measured for this model. {plain(str(error))}")
        return
    st.markdown(f"**Can these maps be trusted?** {verdict_line(record, methods)}")
    known = [method for method in dict.fromkeys(methods) if method in record["methods"]]
    if not known:
        return
    with st.expander("What was measured", icon=":material/fact_check:"):
        for method in known:
            st.markdown(f"**{EXPLAINERS[method].title}**\n\n{check_lines(record, method)}")
        st.caption(
            f"On {record['photos']:,} held-out photos of {record['lesions']:,} lesions; 95 % intervals in brackets."
        )
        st.page_link(PAGE, label="All figures: do the maps mean anything?", icon=":material/arrow_forward:")


def verdict_line(record: dict, methods: Sequence[str]) -> str:
    """The verdicts on some methods in one line."""
    verdicts = []
    for method in dict.fromkeys(methods):
        title, measured = EXPLAINERS[method].title, record["methods"].get(method)
        if measured is None:
            verdicts.append(f"{title}: this network has none")
            continue
        verdict = measured["verdict"]
        if verdict["passes"]:
            verdicts.append(f"{title} passes all {verdict['made']} checks")
            continue
        failed = [FAILED[name] for name, check in measured["checks"].items() if not check["passes"]]
        why = f"; against it: {listed(failed)}" if failed else ""
        verdicts.append(f"{title} passes {verdict['passed']} of {verdict['made']} checks{why}")
    return ". ".join(verdicts) + "."


def check_lines(record: dict, method: str) -> str:
    """Each check with its figures, a paragraph each."""
    return "\n\n".join(
        f"{':material/check:' if check['passes'] else ':material/close:'} {CHECKS[name]}: "
        f"**{'yes' if check['passes'] else 'no'}**. {plain(without_signed_zero(check['said']))}"
        for name, check in record["methods"][method]["checks"].items()
    )
