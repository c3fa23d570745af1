"""One photo read by every network on the shelf."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from core.card import Card
from core.data.patient import Facts
from core.reading import read_encoded
from core.webapp.shared.failures import FAILURES, failure
from core.webapp.shared.photo.encoded import encode
from core.webapp.shared.photo.in_use import Photo
from core.webapp.shared.photo.models import load_model
from core.webapp.shared.shelf import Shelf
from core.webapp.shared.words import plain

if TYPE_CHECKING:
    from core.reading import EncodedPhoto, LesionReading


@dataclass(frozen=True, eq=False)
class NetworkReading:
    """What one network says about the photo, and what later questions need.

    Args:
        name: of the model's folder.
        seconds: that the network took for this photo, encoder and head.
    """

    name: str
    card: Card
    encoded: "EncodedPhoto"
    reading: "LesionReading"
    seconds: float


def read_with_all(shelf: Shelf, photo: Photo, facts: Facts) -> list[NetworkReading]:
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
            reading = read_encoded(encoded, facts, explain=False)
        except FAILURES as error:
            st.error(f"**{plain(name)}**: {failure(error)}", icon=":material/error:")
            continue
        opinions.append(
            NetworkReading(name, card, encoded, reading, encoded.seconds["encode"] + reading.seconds["head"])
        )
    place.empty()
    return opinions
