"""Where the network looked: the photo beside its attention and heat map, with the controls that change them at once."""

import json

import numpy as np
import streamlit as st

from core.diagnoses import CODES, NAMES
from core.explain import EXPLAINERS, encode_png, legend_colors, overlay
from core.reading import METHOD, read_encoded, shrunk
from core.trust.signals.map_agreement import map_agreement, place_agreement
from core.webapp.shared.failures import FAILURES, failure
from core.webapp.shared.map_verdict import draw_map_verdict
from core.webapp.shared.words import plain
from core.wording import rate

# Pictures on the page are at most this large, pixels; downloads have the photo's own resolution.
SHOWN_SIDE = 900
OPACITY = 50  # per cent
_LIKELIEST = "likeliest"


def ask_target(unset: str) -> str | None:
    """Asks for the diagnosis to explain.

    Args:
        unset: what the first choice is called.

    Returns:
        A code, or None for the likeliest.
    """
    chosen = st.selectbox(
        "Explain the diagnosis",
        [_LIKELIEST, *CODES],
        format_func=lambda code: NAMES.get(code, unset),
        key="target",
        filter_mode=None,
        width=300,
    )
    return None if chosen == _LIKELIEST else chosen


def ask_method() -> str:
    """Asks for the explainer whose heat map is shown; all but soft attention, which always is."""
    methods = [m for m in EXPLAINERS if EXPLAINERS[m].per_class]
    return st.segmented_control(
        "Heat map",
        methods,
        default=methods[0],
        required=True,
        format_func=lambda m: EXPLAINERS[m].title,
        key="method",
        persist_state="session",
        help="\n\n".join(f"**{e.title}**: {e.about}" for e in EXPLAINERS.values()),
    )


def ask_opacity() -> float:
    """Asks for the overlays' opacity, 0..1."""
    return (
        st.slider("Opacity", 0, 100, OPACITY, 5, format="%d %%", key="opacity", persist_state="session", width=220)
        / 100
    )


def draw_legend() -> None:
    """The colour scale of both maps."""
    st.html(
        '<div role="img" aria-label="Colour scale from dark violet, mattered least, to yellow, mattered most" '
        'style="display:flex;align-items:center;gap:.6rem;font-size:.875rem;flex-wrap:wrap">'
        "<span>mattered least</span>"
        f'<span style="flex:1 1 8rem;max-width:20rem;height:.8rem;border-radius:.4rem;'
        f'background:linear-gradient(to right,{",".join(legend_colors())})"></span>'
        "<span>mattered most</span></div>"
    )


def draw_picture(pixels: np.ndarray, caption: str, alt: str, width: int | str = "stretch") -> None:
    """A picture at the size of the page, not of the photo."""
    st.image(shrunk(pixels, SHOWN_SIDE), caption=caption, alt=alt, width=width, output_format="JPEG")


@st.fragment
def draw_overlays(encoded, facts, maps: dict | None = None, faults: tuple[str, ...] = ()) -> None:
    """The photo, attention and heat map. A fragment: its controls run the head alone, and redraw nothing else.

    Args:
        maps: record of `maps.json`, if it was measured: then the agreement of both maps is placed among the test photos.
        faults: sentences on what is damaged of the network's files; the reading's file says so too.
    """
    st.header("Where the network looked", anchor=False)
    with st.container(horizontal=True, gap="medium"):
        target = ask_target("The likeliest")
        method = ask_method()
        opacity = ask_opacity()
    try:
        reading = read_encoded(encoded, facts, method=method, target=target, opacity=opacity, side=SHOWN_SIDE)
    except FAILURES as error:
        st.error(failure(error), icon=":material/error:")
        return
    name, title = NAMES[reading.target], EXPLAINERS[method].title
    with st.container(key="photos"):
        photo, attention, heatmap = st.columns(3, gap="small")
        with photo:
            draw_picture(encoded.photo, "The photo", "The photo as it was given")
        with attention:
            draw_picture(
                reading.attention_overlay,
                "Soft attention: the same for every diagnosis",
                "The network's soft attention, laid over the photo in colour",
            )
        with heatmap:
            draw_picture(
                reading.heatmap_overlay,
                f"{title} for {name}",
                f"{title} for {name}, laid over the photo in colour",
            )
    draw_legend()
    draw_map_verdict(encoded.bundle.folder, encoded.bundle.card, ["soft-attention", method])
    if maps and method == METHOD and reading.target == reading.top:
        st.markdown(agreement_words(map_agreement(reading.attention, reading.heatmap), maps))
    for note in reading.notes:
        st.info(plain(note), icon=":material/info:")
    height, width = encoded.photo.shape[:2]
    frame = "" if height == width else " The white frame marks the square that the network saw."
    st.caption(f"Colours say what moved the network's answer, not where disease is.{frame}")
    with st.container(horizontal=True, gap="small"):
        # Made only on a click: a large photo takes a second, and a file made ahead is gone after the next change.
        for key, label, values, file in (
            ("attention", "Attention as PNG", reading.attention, "attention.png"),
            ("heatmap", f"{title} as PNG", reading.heatmap, f"heatmap-{reading.target}.png"),
        ):
            st.download_button(
                label,
                lambda values=values: encode_png(overlay(encoded.photo, values, opacity)),
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


def agreement_words(value: float, record: dict) -> str:
    """How far attention and Grad-CAM agree on this photo, and how often answers were wrong where they agreed as little or as much."""
    placed = place_agreement(value, record)
    if placed is None:
        return "The two maps cannot be compared: one of them points nowhere."
    quarter, errors = placed
    which = ("lowest", "second lowest", "second highest", "highest")[quarter - 1]
    return (
        f"**Agreement of attention and Grad-CAM: {value:.2f}**, in the {which} quarter of the test photos, where the likeliest diagnosis "
        f"was wrong in {rate(errors)}. (1: the same places. 0: unrelated.)"
    )
