"""One photo read by every shipped network: the opinions, their agreement, and where each looked."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from core.card import Card
from core.data.patient import Facts
from core.diagnoses import CODES, NAMES
from core.explain import EXPLAINERS
from core.reading import read_lesion
from core.trust.jury import convene, votes
from core.webapp.ask import Photo
from core.webapp.cached import FAILURES, encode, failure, load_model
from core.webapp.charts import CONFIG, agreement_chart
from core.webapp.map_verdict import draw_map_verdict
from core.webapp.overlays import SHOWN_SIDE, ask_method, ask_opacity, ask_target, draw_legend, draw_picture
from core.webapp.shelf import Shelf, headline, is_leaky
from core.webapp.theme import SHORT_NAMES
from core.webapp.words import plain
from core.wording import interval, listed, milliseconds, percent

if TYPE_CHECKING:
    from core.bundle import Bundle
    from core.reading import EncodedPhoto, LesionReading


@dataclass(frozen=True, eq=False)
class Opinion:
    """What one network says about the photo, and what later questions need.

    Args:
        name: of the model's folder.
        seconds: that the network took for this photo, encoder and head.
    """

    name: str
    card: Card
    bundle: "Bundle"
    encoded: "EncodedPhoto"
    reading: "LesionReading"
    seconds: float


def read_with_all(shelf: Shelf, photo: Photo, facts: Facts) -> list[Opinion]:
    """Reads the photo with every model on the shelf; one that fails says so in place and leaves the rest be."""
    opinions = []
    place = st.empty()
    for number, (name, card) in enumerate(shelf.models.items(), start=1):
        place.progress(
            (number - 1) / len(shelf.models), f"Reading with {plain(name)} ({number} of {len(shelf.models)})"
        )
        try:
            bundle = load_model(shelf.folder(name), card)
            encoded = encode(bundle, photo)
            reading = read_lesion(bundle, None, facts, encoded=encoded, explain=False)
        except FAILURES as error:
            st.error(f"**{plain(name)}**: {failure(error)}", icon=":material/error:")
            continue
        opinions.append(
            Opinion(name, card, bundle, encoded, reading, encoded.seconds["encode"] + reading.seconds["head"])
        )
    place.empty()
    return opinions


def draw_agreement(opinions: list[Opinion]) -> None:
    """The votes, and every probability of every network.

    The votes are the jury's, as on the reading page: a model that is made of others stands in the table and does not vote beside them.
    """
    voters = [o for o in opinions if votes(o.card)]
    with st.container(border=True):
        if voters:
            jury = convene({o.name: o.reading.probabilities for o in voters})
            st.subheader(jury.headline, anchor=False)
            st.markdown(f"{spread([o.reading.malignancy for o in voters])} {plain(jury.dissent)}")
        for opinion in opinions:
            if not votes(opinion.card):
                st.caption(
                    f"{plain(opinion.name)} says {NAMES[opinion.reading.top]}. It does not vote: {_why_silent(opinion.card)}."
                )
    rows = {o.name: o.reading.probabilities for o in opinions}
    st.plotly_chart(
        agreement_chart(rows, {o.name: o.reading.malignancy for o in opinions}),
        config=CONFIG,
        alt="Probability of each diagnosis by network: " + "; ".join(_in_words(o) for o in opinions),
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
                "Balanced accuracy, held out": interval(headline(o.card)) + (", LEAKY" if is_leaky(o.card) else ""),
            }
            for o in opinions
        ],
        hide_index=True,
        alt="Each network's likeliest diagnosis, time for this photo and held-out balanced accuracy",
    )


def spread(malignancy: list[float]) -> str:
    """The lowest and highest probability that the lesion is malignant, as a sentence."""
    low, high = percent(min(malignancy)), percent(max(malignancy))
    return f"Malignant or pre-malignant: {low}." if low == high else f"Malignant or pre-malignant: {low} to {high}."


def _why_silent(card: Card) -> str:
    members = card.network.get("members")
    if members:
        return f"it is made of {plain(listed([str(name) for name in members]))}"
    return "its split leaks, so nothing is known of how often it is right"


@st.fragment
def draw_all_overlays(opinions: list[Opinion], facts: Facts) -> None:
    """Where each network looked. A fragment: its controls run the heads alone."""
    st.header("Where each network looked", anchor=False)
    with st.container(horizontal=True, gap="medium"):
        target = ask_target("Each network's likeliest")
        method = ask_method()
        opacity = ask_opacity()
    notes: dict[str, list[str]] = {}
    with st.container(key="photos"):
        for row in _pairs(opinions):
            for column, opinion in zip(st.columns(2, gap="medium", border=True), row, strict=False):
                with column:
                    for note in _draw_opinion(opinion, facts, target, method, opacity):
                        notes.setdefault(note, []).append(opinion.name)
    draw_legend()
    for note, names in notes.items():
        st.info(f"**{plain(listed(names))}**: {plain(note)}", icon=":material/info:")


def _draw_opinion(opinion: Opinion, facts: Facts, target: str | None, method: str, opacity: float) -> tuple[str, ...]:
    """One network's two overlays; returns the notes that belong to them."""
    reading = read_lesion(
        opinion.bundle,
        None,
        facts,
        encoded=opinion.encoded,
        method=method,
        target=target,
        opacity=opacity,
        side=SHOWN_SIDE,
    )
    title, name = EXPLAINERS[method].title, NAMES[reading.target]
    st.markdown(
        f"**{plain(opinion.name)}** · {NAMES[reading.top]} {percent(reading.probabilities[reading.top])} · "
        f"{milliseconds(opinion.seconds)}"
    )
    attention, heatmap = st.columns(2, gap="small", wrap=False)
    with attention:
        draw_picture(reading.attention_overlay, "Soft attention", f"Soft attention of {opinion.name}, over the photo")
    with heatmap:
        draw_picture(
            reading.heatmap_overlay,
            f"{title}: {SHORT_NAMES[reading.target]}",
            f"{title} of {opinion.name} for {name}, over the photo",
        )
    draw_map_verdict(opinion.bundle.folder, opinion.bundle.card, ["soft-attention", method])
    return reading.notes


def _in_words(opinion: Opinion) -> str:
    ranked = sorted(CODES, key=opinion.reading.probabilities.__getitem__, reverse=True)
    said = ", ".join(f"{NAMES[code]} {percent(opinion.reading.probabilities[code])}" for code in ranked[:3])
    return f"{opinion.name}: {said}"


def _pairs(opinions: list[Opinion]) -> list[list[Opinion]]:
    return [opinions[i : i + 2] for i in range(0, len(opinions), 2)]
