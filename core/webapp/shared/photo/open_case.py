"""Opening a case on the page that reads a lesion, from wherever its picture stands: one function, one button."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from core.data.framing.crop import Crop
from core.data.images import UnreadablePhoto, read_bytes
from core.data.patient import SEXES, SITES, Facts, InvalidFacts
from core.webapp.shared.photo.facts import set_facts
from core.webapp.shared.photo.folder import find_photo
from core.webapp.shared.photo.in_use import CASE, SLOTS, SOURCE, held_in, hold, refuse, set_crop

if TYPE_CHECKING:  # nobody who only opens the page should wait for it
    import pandas as pd

HOME = "app.py"
OPENING = "case to open"


@dataclass(frozen=True)
class Opening:
    """A case on its way to the page.

    Args:
        photo: a file's bytes, or where it lies.
        model: name of a model's folder; None leaves the network in use.
        name: of the photo, as sentences about it say.
        about: what is known of it, in a sentence.
        crop: the square that is read; None for the whole photo.
    """

    photo: bytes | Path
    facts: Facts
    model: str | None
    name: str
    about: str
    crop: Crop | None = None


def open_case(
    photo: bytes | Path | str,
    facts: Facts | None = None,
    model: str | None = None,
    *,
    name: str = "",
    about: str = "",
    crop: Crop | None = None,
) -> None:
    """Opens a case: the page that reads a lesion will show this photo with these facts, read by this network.

    May be called anywhere in a script, before or after widgets are drawn; the page takes it over with `take_opened` when it is drawn
    next. `st.switch_page(HOME)` goes there at once.

    Args:
        photo: a file's bytes, or its path.
        facts: of the patient; nothing is known when None.
        model: name of a model's folder; None leaves the network in use.
        name: of the photo; the file's own when "".
        about: what is known of the case, in a sentence, such as its true diagnosis.
        crop: the square that is read; None for the whole photo.
    """
    if not isinstance(photo, bytes):
        photo = Path(photo)
        name = name or photo.name
    st.session_state[OPENING] = Opening(photo, facts or Facts(), model, name or "The case's photo", about, crop)


def take_opened(models) -> None:
    """Takes over a case that was opened, if one was. To be called by the page before it asks for anything.

    Args:
        models: names of the models that there are; another one leaves the network in use.
    """
    opening: Opening | None = st.session_state.pop(OPENING, None)
    if opening is None:
        return
    st.session_state[SOURCE] = CASE
    try:
        content = opening.photo if isinstance(opening.photo, bytes) else read_bytes(opening.photo, opening.name)[0]
    except UnreadablePhoto as error:
        refuse(SLOTS[CASE], str(error))
        return
    if hold(SLOTS[CASE], content, opening.name, opening.about):
        opened = held_in(SLOTS[CASE]).hash
        set_facts(opening.facts, opened)
        set_crop(opened, opening.crop)
    if opening.model in models:
        st.session_state["model"] = opening.model


def offer_case(image_id: str, facts: Facts, model: str | None = None, about: str = "", place: str = "") -> None:
    """Draws the button that opens a photo of the folder in use; nothing where the photo is not at hand.

    Args:
        place: where on the page the button stands, if the same photo may stand there twice.
    """
    path = find_photo(image_id)
    if path is None:
        return
    if st.button(
        "Open this case", key=f"open {place} {image_id}", type="tertiary", icon=":material/biotech:",
        help="Reads this photo, with the patient's facts, on the page *Read a lesion*.",
    ):  # fmt: skip
        open_case(path, facts, model, name=image_id, about=about)
        st.switch_page(HOME)


def row_facts(row: "pd.Series") -> Facts:
    """The facts of a table's row of HAM10000 (columns age, sex, localization), as the network takes them."""
    try:
        return Facts(
            None if row.age is None or row.age != row.age else float(row.age),  # not a number: unknown
            row.sex if row.sex in SEXES else "unknown",
            row.localization if row.localization in SITES else "unknown",
        )
    except InvalidFacts:
        return Facts()
