"""Framing on the page: says when a photo frames its lesion otherwise than training photos, and lets a reader set the square."""

import streamlit as st

from core.data.framing.crop import Crop
from core.data.framing.look import Framing, look_at_framing
from core.webapp.shared.photo.in_use import Photo, is_example, photo_in_use, set_crop, whole_in_use
from core.webapp.shared.photo.kept import keep
from core.webapp.shared.viewer.framer import WHOLE, draw_framer

# Hash of the photo whose square is being set, and those whose framing the reader left as it is.
_SETTING, _LEFT = "framing of", "framing left"


def is_setting() -> bool:
    """Whether the reader is setting the square of the photo in use."""
    whole = whole_in_use()
    return whole is not None and st.session_state.get(_SETTING) == whole.hash


def say_framing() -> None:
    """Above the photo: how it is framed otherwise than training photos, and what to do; nothing where all is well or was settled."""
    whole, read = whole_in_use(), photo_in_use()
    if whole is None or read is None or is_setting() or is_example():
        return
    if read.crop is not None or whole.hash in st.session_state.get(_LEFT, ()):
        return
    framing = framing_of(whole)
    if not framing.differs:
        return
    with st.container(key="framing", gap="xsmall"):
        st.warning(f"**Framed otherwise than training photos.** {' '.join(framing.reasons)}", icon=":material/crop:")
        with st.container(horizontal=True, gap="small"):
            st.button(
                "Read the suggested square",
                type="primary",
                key="framing suggested",
                on_click=set_crop,
                args=(whole.hash, framing.suggested),
            )
            st.button("Set the square", key="framing set", on_click=_begin, args=(whole.hash,))
            st.button("Leave it", type="tertiary", key="framing leave", on_click=_leave, args=(whole.hash,))


def draw_setting() -> None:
    """In the viewer's place: the whole photo with the square."""
    whole, read = whole_in_use(), photo_in_use()
    if whole is None or read is None:
        return
    framing = framing_of(whole)

    def choose(what: Crop | str) -> None:
        st.session_state.pop(_SETTING, None)
        if isinstance(what, Crop):
            set_crop(whole.hash, what)
        elif what == WHOLE:
            set_crop(whole.hash, None)
            _leave(whole.hash)

    draw_framer(whole, read.crop or framing.suggested, framing.around, choose, key="framer")


def offer_setting() -> None:
    """Below the photo: the way to its square, and what of the photo is read."""
    whole, read = whole_in_use(), photo_in_use()
    if whole is None or read is None or is_setting():
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="framing-tools"):
        if read.crop is not None:
            st.caption(f"Read is a square of {read.size} of the photo, which has {whole.size}.", width="content")
            st.button("Whole photo", type="tertiary", key="framing whole", on_click=_whole, args=(whole.hash,))
        st.button(
            "Frame the lesion", type="tertiary", icon=":material/crop:", key="framing begin", on_click=_begin, args=(whole.hash,)
        )  # fmt: skip


def framing_of(whole: Photo) -> Framing:
    """How a photo frames its lesion; looked at once."""
    return keep(("framing", whole.hash), lambda: look_at_framing(whole.pixels), lambda _: 0)


def _begin(photo_hash: str) -> None:
    st.session_state[_SETTING] = photo_hash


def _leave(photo_hash: str) -> None:
    st.session_state.setdefault(_LEFT, set()).add(photo_hash)


def _whole(photo_hash: str) -> None:
    set_crop(photo_hash, None)
    _leave(photo_hash)
