"""What the photo gate says: nothing when all is well, a sentence with reasons when not, and the reader's way past it."""

from collections.abc import Iterable

import streamlit as st

from core.trust.signals.gate import OK, UNUSABLE, Gate
from core.webapp.shared.photo.encoded import encode, opinion_of
from core.webapp.shared.photo.in_use import Photo, is_example
from core.webapp.shared.photo.measures import kept_signals
from core.webapp.shared.photo.models import load_model
from core.webapp.shared.shelf import Shelf
from core.webapp.shared.words import plain
from core.wording import percent, rate

ANYWAY = "Read it anyway"
_SAID = "photos read anyway"
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
        return True
    with st.container(key="gate"):
        reasons = " ".join(plain(reason) for reason in gate.reasons)
        if not gate.stops:
            st.warning(f"Take care with this answer. {reasons}", icon=":material/photo_camera:")
            return True
        st.error(f"**No diagnosis for this photo.** {reasons}", icon=":material/block:")
        st.caption(
            "If you know that this is a dermoscopic photo, you may go on."
            if gate.verdict == UNUSABLE
            else f"{measured(record)} If you know that the gate is mistaken, you may go on."
        )
        # Said once, it holds on every page that reads this photo.
        overruled = st.session_state.setdefault(_SAID, set())
        box = f"read anyway {photo}"
        st.checkbox(
            ANYWAY,
            value=photo in overruled,
            key=box,
            on_change=lambda: (overruled.add if st.session_state[box] else overruled.discard)(photo),
            help="The network answers whatever it is shown. Its measured scores do not hold here.",
        )
        return photo in overruled


def pass_gate(shelf: Shelf, name: str, photo: Photo) -> bool:
    """The gate of a network before a page reads a photo: draws its word.

    Returns:
        Whether to go on; see `draw_gate`. The drawn example goes on, unless there is nothing to be seen in it.

    Raises:
        One of `FAILURES`: the network cannot be loaded.
    """
    card, folder = shelf.models[name], shelf.folder(name)
    signals = kept_signals(folder, card)
    gate = opinion_of(signals, encode(load_model(folder, card), photo)).gate
    return draw_gate_of(gate, signals.records.get("gate"), photo)


def draw_gate_of(gate: Gate | None, record: dict | None, photo: Photo) -> bool:
    """`draw_gate` of a page's photo, which may be the drawn example: a gate refuses drawings, and the example goes on all the same."""
    if is_example() and not (gate and gate.verdict == UNUSABLE):
        if gate and gate.stops:
            st.caption(
                ":material/draw: The photo gate refuses this drawing, rightly. The example goes on all the same."
            )
        return True
    return draw_gate(gate, record, photo.hash)


def gate_words(gate: Gate | None, record: dict | None) -> str:
    """Below an answer: that the gate let the photo through, and how often it is wrong."""
    if gate is None:
        return ""  # that it was never measured stands above the answer
    passed = "The photo passed the gate." if gate.verdict == OK else "The gate let the photo through."
    return f"{passed} {measured(record)}".strip()


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
        f"On held-out photos the gate wrongly refused {rate(false)}; of pictures of a kind that it had never met, none of them a "
        f"dermoscopic photo, it refused {percent(caught.value)}."
    )
