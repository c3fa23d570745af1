"""What pages with maps share: the questions which map, the legend, pictures, and what two maps' agreement is worth."""

import sys
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import streamlit as st

from core.diagnoses import CODES, NAMES
from core.explain import EXPLAINERS, legend_colors
from core.reading import shrunk
from core.trust.signals.map_agreement import place_agreement
from core.wording import rate, signed

# Pictures on the page are at most this large, pixels; downloads have the photo's own resolution.
SHOWN_SIDE = 900
OPACITY = 70  # per cent
_LIKELIEST = "likeliest"
# Two maps' agreement (see `map_agreement`) from which on -> what they do.
_AGREEMENT = (
    (0.6, "point at the same places"),
    (0.2, "point at places that overlap"),
    (-0.2, "point at unrelated places"),
    (-1.0, "point at different places: where one is strong the other is weak"),
)


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


def patience(method: str) -> AbstractContextManager:
    """Says what a map's first time waits for, where that is TensorFlow."""
    explainer = EXPLAINERS[method]
    if not explainer.loads_tensorflow or "tensorflow" in sys.modules:
        return nullcontext()
    return st.spinner(f"{explainer.title} loads TensorFlow: some ten seconds, once", show_time=True)


def ask_opacity() -> float:
    """Asks for the overlays' opacity, 0..1."""
    return (
        st.slider("Opacity", 0, 100, OPACITY, 5, format="%d %%", key="opacity", persist_state="session", width=220)
        / 100
    )


def draw_legend() -> None:
    """The colour scale of both maps."""
    st.html(
        '<div role="img" aria-label="Colour scale: clear and dark violet mattered least, yellow mattered most" '
        'style="display:flex;align-items:center;gap:.6rem;font-size:.875rem;flex-wrap:wrap">'
        "<span>mattered least</span>"
        f'<span style="flex:1 1 8rem;max-width:20rem;height:.8rem;border-radius:.4rem;'
        f'background:linear-gradient(to right,{",".join(("transparent", *legend_colors()[1:]))})"></span>'
        "<span>mattered most</span></div>"
    )


def draw_picture(pixels: np.ndarray, caption: str, alt: str, width: int | str = "stretch") -> None:
    """A picture at the size of the page, not of the photo."""
    st.image(shrunk(pixels, SHOWN_SIDE), caption=caption, alt=alt, width=width, output_format="JPEG")


def agreement_words(value: float, record: dict) -> str:
    """How far attention and Grad-CAM agree on this photo, and how often answers were wrong where they agreed as little or as much."""
    placed = place_agreement(value, record)
    if placed is None:
        return "The two maps cannot be compared: one of them points nowhere."
    quarter, errors = placed
    which = ("lowest", "second lowest", "second highest", "highest")[quarter - 1]
    how = next(words for least, words in _AGREEMENT if value >= least)
    return (
        f"**Attention and Grad-CAM {how}** (agreement {signed(value, 2)}: 1 is the same places, 0 unrelated ones, -1 opposite ones). That "
        f"is in the {which} quarter of the held-out photos, where the likeliest diagnosis was wrong in {rate(errors)}."
    )
