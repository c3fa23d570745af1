"""What was measured of a model, kept for everyone until a file changes."""

from pathlib import Path

import streamlit as st

from core.card import Card
from core.evaluation.report import EVALUATION_FILE
from core.trust.measure_table import MEASURES, InvalidMeasure, read_measure


def kept_signals(folder: Path, card: Card):
    """All that opinions about a photo are formed with; see `core.trust.signals.opinion.read_signals`."""
    return _signals(str(folder), card.probabilities_sha256, _stamps(folder, card), card)


def kept_measure(name: str, folder: Path, card: Card) -> tuple[dict | None, str]:
    """A measure's record, or None and the sentence why there is none."""
    return _measure(name, str(folder), card.probabilities_sha256, _stamps(folder, card), card)


def _stamps(folder: Path, card: Card) -> tuple:
    """Size and time of what measures may have left, and what the card names, so that a new measure is seen at once."""
    stamps = [*card.files.items()]
    for name in sorted({file for m in MEASURES.values() for file in m.files} | {EVALUATION_FILE}):
        try:
            state = (folder / name).stat()
            stamps.append((name, state.st_mtime_ns, state.st_size))
        except OSError:
            pass  # not measured; the reader of the file says so
    return tuple(stamps)


@st.cache_resource(max_entries=24, show_spinner=False)
def _signals(folder: str, sha256: str, stamps: tuple, _card: Card):
    from core.trust.signals.opinion import read_signals

    return read_signals(folder, _card)


@st.cache_resource(max_entries=64, show_spinner=False)
def _measure(name: str, folder: str, sha256: str, stamps: tuple, _card: Card) -> tuple[dict | None, str]:
    try:
        return read_measure(name, folder, _card), ""
    except InvalidMeasure as error:
        return None, str(error)
