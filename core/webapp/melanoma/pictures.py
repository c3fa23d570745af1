"""A case's picture: the photo where it is at hand, else a sketch of its lesion in its own colour and size."""

import numpy as np
import pandas as pd
import streamlit as st

from core.data.lesion_region import from_lab
from core.webapp.shared.photo.folder import archive_link, load_photo, photo_credit
from core.webapp.shared.photo.overlays import draw_picture
from core.webapp.shared.words import plain

_SKIN = (72.0, 14.0, 8.0)  # CIELAB, where the skin was not measured


def draw_case_picture(image_id: str, what: str, looks: pd.DataFrame | None, caption: str = "") -> bool:
    """Draws the photo, or a sketch, with a link to the archive.

    Args:
        what: it shows, for those who do not see it.
        looks: the table of lesions.

    Returns:
        Whether the photo itself was shown.
    """
    photo = load_photo(image_id)
    if photo is not None:
        draw_picture(photo.pixels, "", f"{what}, photo {image_id}")
    elif looks is not None and image_id in looks.index:
        st.html(_sketch(looks.loc[image_id], what))
    credit = photo_credit(image_id)
    parts = [f"[{image_id}]({archive_link(image_id)})", credit.licence if credit else "", caption]
    st.caption(" · ".join(filter(None, parts)), help=plain(credit.attribution) if credit else None)
    return photo is not None


def _sketch(look: pd.Series, what: str) -> str:
    """An ellipse of the lesion's mean colour on its skin's, as large as it is in the photo. No photo is in it."""
    skin = [look.skin_lightness, look.skin_a, look.skin_b]
    skin = _SKIN if any(np.isnan(v) for v in skin) else skin
    fill, ground = _css(look.lightness, look.a, look.b), _css(*skin)
    radius = 100 * float(np.sqrt(max(look.area, 0.002) / np.pi))
    return (
        f'<svg viewBox="0 0 100 100" role="img" aria-label="{what}: a sketch in the lesion\'s mean colour and size, not the photo" '
        'style="width:100%;max-width:14rem;border-radius:.5rem;display:block">'
        f'<rect width="100" height="100" fill="{ground}"/><ellipse cx="50" cy="50" rx="{radius * 1.08:.1f}" ry="{radius * 0.93:.1f}" '
        f'fill="{fill}"/><text x="50" y="96" text-anchor="middle" font-size="7" fill="{_ink(skin[0])}">sketch, not the photo</text></svg>'
    )


def _css(lightness: float, a: float, b: float) -> str:
    red, green, blue = from_lab(np.array([[[lightness, a, b]]], "float32"))[0, 0]
    return f"rgb({red},{green},{blue})"


def _ink(lightness: float) -> str:
    return "#18272b" if lightness > 50 else "#ffffff"
