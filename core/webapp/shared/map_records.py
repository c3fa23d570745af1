"""`maps.json` of the shipped models, read once for everyone and again when it changes."""

from pathlib import Path

import streamlit as st

from core.card import Card
from core.trust.measure_table import InvalidMeasure, find_measure, read_measure
from core.webapp.shared.shelf import Shelf


def maps_record(folder: str | Path, card: Card) -> dict:
    """What was measured of a model's maps.

    Raises:
        InvalidMeasure: nothing usable; the sentence ends with the command that makes it.
    """
    path = Path(folder) / find_measure("maps").file
    try:
        state = path.stat()
        stamp = (state.st_mtime_ns, state.st_size, card.files.get(path.name))
    except OSError:
        stamp = None
    return _read(str(folder), card.probabilities_sha256, stamp, card)


def read_measured(shelf: Shelf) -> tuple[dict[str, dict], dict[str, str]]:
    """Records of all models of the shelf that have one, and for each other one the sentence why not."""
    measured, lacking = {}, {}
    for name, card in shelf.models.items():
        try:
            measured[name] = maps_record(shelf.folder(name), card)
        except InvalidMeasure as error:
            lacking[name] = str(error)
    return measured, lacking


@st.cache_resource(max_entries=32, show_spinner=False)
def _read(folder: str, sha256: str, stamp: tuple | None, _card: Card) -> dict:
    return read_measure("maps", folder, _card)
