"""What the photo gate says: nothing loud when all is well, a sentence with reasons when not, and the reader's way past it."""

from collections.abc import Iterable

import streamlit as st

from core.trust.signals.gate import OK, UNUSABLE, Gate
from core.webapp.shared.words import plain
from core.wording import percent, rate

ANYWAY = "Read it anyway"
UNMEASURED = "This network's photo gate was never measured: nothing has looked whether this is a dermoscopic photo."


def draw_gate(gate: Gate | None, record: dict | None, photo: str = "") -> bool:
    """Draws the gate's verdict.

    Args:
        gate: None where the gate was not measured for this model; then that is said.
        record: of `gate.json`.
        photo: hash of the photo: what a reader decides for one photo holds for no other.

    Returns:
        Whether to go on: False for a refused photo and for a damaged gate, unless the reader wants it read knowingly.
    """
    if gate is None:
        st.caption(f":material/info: {UNMEASURED}")
        return True
    if gate.verdict == OK:
        st.caption(f":material/check_circle: The photo passed the gate. {measured(record)}")
        return True
    with st.container(key="gate"):
        reasons = " ".join(plain(reason) for reason in gate.reasons)
        if not gate.stops:
            st.warning(f"Take care with this answer. {reasons}", icon=":material/photo_camera:")
            st.caption(measured(record))
            return True
        st.error(f"**No diagnosis for this photo.** {reasons}", icon=":material/block:")
        st.caption(
            "If you know that this is a dermoscopic photo, you may go on."
            if gate.verdict == UNUSABLE
            else f"{measured(record)} If you know that the gate is mistaken, you may go on."
        )
        return st.checkbox(
            ANYWAY,
            key=f"read anyway {photo}",
            help="The network answers whatever it is shown. Its measured scores do not hold here.",
        )


def draw_faults(faults: Iterable[str]) -> None:
    """Warnings beside the answer: what was measured of this network and cannot be used."""
    for fault in faults:
        st.warning(f"**Damaged, and left out of what follows.** {plain(fault)}", icon=":material/heart_broken:")


def measured(record: dict | None) -> str:
    """How often the gate is wrong, in a sentence; empty without a record."""
    if not record:
        return ""
    false, caught = record["test"]["refused"], record["strangers_mean"]["refused"]
    return (
        f"On test photos the gate wrongly refused {rate(false)}; of pictures of a kind that it had never met, none of them a "
        f"dermoscopic photo, it refused {percent(caught['value'])}."
    )
