"""One photo read by every shipped network: the readings, their agreement, and where each looked."""

import streamlit as st

from core.card import Card
from core.data.patient import Facts
from core.diagnoses import CODES, NAMES
from core.explain import EXPLAINERS
from core.reading import read_encoded
from core.trust.signals.jury import convene, votes
from core.webapp.shared.charts import CONFIG, agreement_chart
from core.webapp.shared.failures import FAILURES
from core.webapp.shared.map_verdict import draw_map_verdict
from core.webapp.shared.photo.all_networks import NetworkReading
from core.webapp.shared.photo.gate import pass_gate
from core.webapp.shared.photo.in_use import Photo
from core.webapp.shared.photo.overlays import (
    SHOWN_SIDE,
    ask_method,
    ask_opacity,
    ask_target,
    draw_legend,
    draw_picture,
    patience,
)
from core.webapp.shared.shelf import Shelf, balanced_accuracy_of, is_leaky, scored_on
from core.webapp.shared.theme import SHORT_NAMES
from core.webapp.shared.words import plain
from core.wording import interval, listed, milliseconds, percent


def passes_gate(shelf: Shelf, photo: Photo) -> bool:
    """The photo gate, once for all networks: that of the first that can be loaded, as on the page that reads a lesion.

    Returns:
        Whether to go on. Where no network can be loaded, reading says why.
    """
    for name in shelf.models:
        try:
            return pass_gate(shelf, name, photo)
        except FAILURES:
            continue
    return True


def draw_votes(readings: list[NetworkReading]) -> None:
    """The votes, and every probability of every network.

    The votes are the jury's, as on the reading page: a model that is made of others stands in the table and does not vote beside them.
    """
    voters = [o for o in readings if votes(o.card)]
    with st.container(border=True):
        if voters:
            jury = convene({o.name: o.reading.probabilities for o in voters})
            st.subheader(jury.headline, anchor=False)
            st.markdown(f"{spread([o.reading.malignancy for o in voters])} {plain(jury.dissent)}")
        for network in readings:
            if not votes(network.card):
                st.caption(
                    f"{plain(network.name)} says {NAMES[network.reading.top]}. It does not vote: {_why_silent(network.card)}."
                )
    rows = {o.name: o.reading.probabilities for o in readings}
    st.plotly_chart(
        agreement_chart(rows, {o.name: o.reading.malignancy for o in readings}),
        config=CONFIG,
        alt="Probability of each diagnosis by network: " + "; ".join(_in_words(o) for o in readings),
        key="agreement",
    )
    st.caption(
        "Probabilities in per cent. The last column adds melanoma, basal cell carcinoma and actinic keratosis up."
    )
    st.dataframe(
        [
            {
                "Network": o.name,
                "Says": NAMES[o.reading.top],
                "Probability": percent(o.reading.probabilities[o.reading.top]),
                "Time": milliseconds(o.seconds),
                "Balanced accuracy, held out": interval(balanced_accuracy_of(o.card))
                + (", LEAKY" if is_leaky(o.card) else ""),
                "Scored on": scored_on(o.card),
            }
            for o in readings
        ],
        hide_index=True,
        alt="Each network's likeliest diagnosis, time for this photo and held-out balanced accuracy",
    )


def spread(malignancy: list[float]) -> str:
    """The lowest and highest probability that the lesion is malignant, as a sentence."""
    low, high = percent(min(malignancy)), percent(max(malignancy))
    return f"Malignant or pre-malignant: {low}." if low == high else f"Malignant or pre-malignant: {low} to {high}."


def _why_silent(card: Card) -> str:
    members = card.members
    if members:
        return f"it is made of {plain(listed([str(name) for name in members]))}"
    return "its split leaks, so nothing is known of how often it is right"


@st.fragment
def draw_all_overlays(readings: list[NetworkReading], facts: Facts) -> None:
    """Where each network looked. A fragment: its controls run the heads alone."""
    st.header("Where each network looked", anchor=False)
    with st.container(horizontal=True, gap="medium"):
        target = ask_target("Each network's likeliest")
        method = ask_method()
        opacity = ask_opacity()
    notes: dict[str, list[str]] = {}
    with st.container(key="photos"):
        for row in _pairs(readings):
            for column, network in zip(st.columns(2, gap="medium", border=True), row, strict=False):
                with column:
                    for note in _draw_maps(network, facts, target, method, opacity):
                        notes.setdefault(note, []).append(network.name)
    draw_legend()
    for note, names in notes.items():
        st.info(f"**{plain(listed(names))}**: {plain(note)}", icon=":material/info:")


def _draw_maps(
    network: NetworkReading, facts: Facts, target: str | None, method: str, opacity: float
) -> tuple[str, ...]:
    """One network's two overlays; returns the notes that belong to them."""
    with patience(method):
        reading = read_encoded(network.encoded, facts, method=method, target=target, opacity=opacity, side=SHOWN_SIDE)
    title, name = EXPLAINERS[method].title, NAMES[reading.target]
    st.markdown(
        f"**{plain(network.name)}** · {NAMES[reading.top]} {percent(reading.probabilities[reading.top])} · "
        f"{milliseconds(network.seconds)}"
    )
    attention, heatmap = st.columns(2, gap="small", wrap=False)
    with attention:
        draw_picture(reading.attention_overlay, "Soft attention", f"Soft attention of {network.name}, over the photo")
    with heatmap:
        draw_picture(
            reading.heatmap_overlay,
            f"{title}: {SHORT_NAMES[reading.target]}",
            f"{title} of {network.name} for {name}, over the photo",
        )
    draw_map_verdict(network.encoded.bundle.folder, network.encoded.bundle.card, ["soft-attention", method])
    return reading.notes


def _in_words(network: NetworkReading) -> str:
    ranked = sorted(CODES, key=network.reading.probabilities.__getitem__, reverse=True)
    likeliest = ", ".join(f"{NAMES[code]} {percent(network.reading.probabilities[code])}" for code in ranked[:3])
    return f"{network.name}: {likeliest}"


def _pairs(readings: list[NetworkReading]) -> list[list[NetworkReading]]:
    return [readings[i : i + 2] for i in range(0, len(readings), 2)]
