"""Where the network looked: photo and maps in one viewer beside the answer, and what such maps are worth below it."""

import json

import streamlit as st

from core.diagnoses import NAMES
from core.explain import EXPLAINERS, encode_png, overlay
from core.reading import METHOD, read_encoded
from core.trust.signals.map_agreement import map_agreement
from core.webapp.read.case import Case
from core.webapp.shared.failures import FAILURES, failure
from core.webapp.shared.map_verdict import draw_map_verdict
from core.webapp.shared.photo.overlays import OPACITY, agreement_words, ask_method, ask_target, patience
from core.webapp.shared.viewer.viewer import Layer, draw_viewer
from core.webapp.shared.words import plain

ATTENTION = "soft-attention"


@st.fragment
def draw_where(encoded, facts, faults: tuple[str, ...] = ()) -> None:
    """The photo, attention and heat map in the viewer. A fragment: its controls run the head alone, and redraw nothing else.

    Args:
        faults: sentences on what is damaged of the network's files; the reading's file says so too.
    """
    place = st.container()
    below = st.container(horizontal=True, gap="small", key="map-tools")
    with below, st.popover("Which map", icon=":material/gradient:"):
        target = ask_target("The likeliest")
        method = ask_method()
    try:
        with place, patience(method):
            reading = read_encoded(encoded, facts, method=method, target=target, side=1)
    except FAILURES as error:
        st.error(failure(error), icon=":material/error:")
        return
    name, title = NAMES[reading.target], EXPLAINERS[method].title
    height, width = encoded.photo.shape[:2]
    frame = "" if height == width else " The dashed frame marks the square that the network saw."
    with place:
        draw_viewer(
            encoded.photo,
            encoded.photo_hash,
            [
                Layer(
                    reading.attention,
                    "Attention",
                    "The network's soft attention, laid over the photo in colour",
                    f"Soft attention: the same for every diagnosis. Colours say what moved the answer, not where disease is.{frame}",
                ),
                Layer(
                    reading.heatmap,
                    title,
                    f"{title} for {name}, laid over the photo in colour",
                    f"{title} for {name}. Colours say what moved the answer, not where disease is.{frame}",
                ),
            ],
            alt="The photo as it was given",
            caption=f"The photo.{frame}",
            key="where",
            start=2,
        )
    for note in reading.notes:
        st.info(plain(note), icon=":material/info:")
    with below, st.popover("Downloads", icon=":material/download:"):
        # Made only on a click: a large photo takes a second, and a file made ahead is gone after the next change.
        for key, label, values, file in (
            ("attention", "Attention as PNG", reading.attention, "attention.png"),
            ("heatmap", f"{title} as PNG", reading.heatmap, f"heatmap-{reading.target}.png"),
        ):
            st.download_button(
                label,
                lambda values=values: encode_png(overlay(encoded.photo, values, OPACITY / 100)),
                file_name=file,
                mime="image/png",
                icon=":material/download:",
                on_click="ignore",
                key=f"download {key}",
            )
        st.download_button(
            "Reading as JSON",
            lambda: json.dumps(reading.to_json() | {"faults": list(faults)}, indent=1, allow_nan=False),
            file_name="reading.json",
            mime="application/json",
            icon=":material/download:",
            on_click="ignore",
            key="download reading",
        )


def draw_map_worth(case: Case) -> None:
    """Whether such maps mean anything, and how often answers are wrong whose two maps agree as little or as much."""
    draw_map_verdict(case.encoded.bundle.folder, case.encoded.bundle.card, [ATTENTION, METHOD])
    record = case.signals.records.get("maps")
    if record:
        reading = read_encoded(case.encoded, case.facts, side=1)
        st.markdown(agreement_words(map_agreement(reading.attention, reading.heatmap), record))
