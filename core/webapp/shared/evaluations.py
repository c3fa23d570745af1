"""Evaluations that were read and computed once, for everyone: a click costs a look-up, not a bootstrap."""

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from core.card import Card
from core.evaluation.comparison import Comparison, compare_results
from core.evaluation.curves import BandedCurve, precision_recall, roc
from core.evaluation.report import EVALUATION_FILE
from core.evaluation.results import CASES_FILE, PREDICTIONS_FILE, InvalidResults, Results, read_results
from core.evaluation.subgroups import Subgroup, subgroup_scores
from core.webapp.shared.shelf import Shelf


@dataclass(frozen=True, eq=False)
class Evaluated:
    """A model with its evaluation.

    Args:
        name: of the model's folder.
        key: changes with the files; what is computed from them is kept under it.
    """

    name: str
    card: Card
    results: Results
    key: tuple


def read_evaluated(shelf: Shelf) -> tuple[dict[str, Evaluated], dict[str, str]]:
    """All models of the shelf that have a usable evaluation, and for each other one the sentence why not."""
    evaluated, lacking = {}, {}
    for name, card in shelf.models.items():
        folder = shelf.folder(name)
        key = (str(folder), card.probabilities_sha256, *_stamps(folder))
        try:
            evaluated[name] = Evaluated(name, card, _read(key, folder, card), key)
        except InvalidResults as error:
            lacking[name] = str(error)
    return evaluated, lacking


def kept_curve(model: Evaluated, kind: str, code: str) -> BandedCurve | None:
    """A banded curve; kind is "roc" or "pr"."""
    return _curve(model.key, kind, code, model.results)


def kept_subgroups(model: Evaluated, grouping: str) -> list[Subgroup]:
    return _subgroups(model.key, grouping, model.results)


def kept_comparison(a: Evaluated, b: Evaluated) -> Comparison:
    """Raises ValueError where the two were not scored on the same photos."""
    return _comparison(a.key, b.key, a.results, b.results)


def _stamps(folder: Path) -> tuple:
    """Size and time of each file, so that a new evaluation is seen at once."""
    stamps = []
    for file in (EVALUATION_FILE, PREDICTIONS_FILE, CASES_FILE):
        try:
            state = (folder / file).stat()
            stamps.append((state.st_mtime_ns, state.st_size))
        except OSError:
            stamps.append(None)
    return tuple(stamps)


@st.cache_resource(max_entries=32, show_spinner=False)
def _read(key: tuple, _folder: Path, _card: Card) -> Results:
    return read_results(_folder, _card)


@st.cache_resource(max_entries=256, show_spinner="Resampling lesions for the band")
def _curve(key: tuple, kind: str, code: str, _results: Results) -> BandedCurve | None:
    return (roc if kind == "roc" else precision_recall)(_results, code)


@st.cache_resource(max_entries=128, show_spinner="Resampling lesions of each group")
def _subgroups(key: tuple, grouping: str, _results: Results) -> list[Subgroup]:
    return subgroup_scores(_results, grouping)


@st.cache_resource(max_entries=64, show_spinner="Resampling lesions for both models")
def _comparison(key_a: tuple, key_b: tuple, _a: Results, _b: Results) -> Comparison:
    return compare_results(_a, _b)
