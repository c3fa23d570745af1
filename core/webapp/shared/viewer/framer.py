"""A photo with a square over it that a person drags, or moves and sizes by keys; see framer.js."""

from collections.abc import Callable

import streamlit as st

from core.data.framing.crop import Crop
from core.data.images import MIN_SIDE
from core.webapp.shared.photo.in_use import Photo
from core.webapp.shared.viewer.viewer import component, photo_url

WHOLE, SHUT = "whole", "shut"


def draw_framer(photo: Photo, square: Crop, suggested: Crop, choose: Callable[[Crop | str], None], *, key: str) -> None:
    """Draws the photo with its square.

    Args:
        photo: whole.
        square: where it begins.
        suggested: where a button puts it.
        choose: called with the chosen square, `WHOLE` or `SHUT`, before the page is drawn anew.
    """
    height, width = photo.pixels.shape[:2]

    def chosen() -> None:
        came = (st.session_state.get(key) or {}).get("chosen")
        if came in (WHOLE, SHUT):
            choose(came)
        elif isinstance(came, list) and len(came) == 3 and all(isinstance(one, int | float) for one in came):
            choose(Crop(*(round(one) for one in came)).within(height, width))

    component("framer")(
        key=key,
        data={
            "id": photo.hash,
            "photo": photo_url(photo.pixels),
            "width": width,
            "height": height,
            "least": MIN_SIDE,
            "square": square.to_json(),
            "suggested": suggested.to_json(),
        },
        on_chosen_change=chosen,
    )
