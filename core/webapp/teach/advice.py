"""What a network says of the cases of a set: from its evaluation where it has one, else by reading the photos."""

import streamlit as st

from core.data.images import UnreadablePhoto, read_photo
from core.diagnoses import CODES
from core.teaching.advice import Advice, advice_of_test_photos
from core.teaching.case_sets.record import CaseSet
from core.webapp.shared.evaluations import read_evaluated
from core.webapp.shared.photo.models import load_model
from core.webapp.shared.shelf import Shelf
from core.webapp.shared.words import plain
from core.webapp.teach.pictures import find_path

NONE = ""


def ask_network(shelf: Shelf, key: str, none: str = "") -> str:
    """Asks whose answers are shown.

    Args:
        none: what "no network" is called; it cannot be chosen when empty.
    """
    names = [*shelf.models, *([NONE] if none else [])]
    return st.selectbox(
        "Network", names, format_func=lambda n: n or none, filter_mode=None, key=f"network {key}", width=320
    )


def learned_from(cases: CaseSet, name: str, shelf: Shelf) -> list[str]:
    """Ids of the cases that a network learned from, or was chosen by, and was never held out from: of these it would speak from memory."""
    if name not in shelf.models:
        return []
    card, evaluated = shelf.models[name], read_evaluated(shelf)[0].get(name)
    held_out = set(evaluated.results.table.image_id) if evaluated else set()
    met = {image_id for part in ("train", "validation") for image_id in card.split.get(part, ())}
    return [case.id for case in cases.cases if case.id in met - held_out]


def draw_learned(cases: CaseSet, name: str, shelf: Shelf) -> None:
    """Says of how many cases a network is silent, and which network was held out from most."""
    met = learned_from(cases, name, shelf)
    if not met:
        return
    count = len(cases.cases)
    fewest = min(shelf.models, key=lambda other: len(learned_from(cases, other, shelf)))
    left = len(learned_from(cases, fewest, shelf))
    better = f" {plain(fewest)} learned from {left or 'none'} of them." if left < len(met) else ""
    st.caption(
        f":material/info: {plain(name)} learned from {len(met)} of these {count} photos and says nothing of them: it would answer from "
        f"memory.{better}"
    )


def gather_advice(cases: CaseSet, name: str, shelf: Shelf) -> dict[str, Advice]:
    """Id of a case -> the network's answer; left out are cases that it learned from, and those that it cannot read.

    Raises:
        InvalidBundle: the network cannot be loaded.
    """
    if name not in shelf.models:
        return {}
    evaluated = read_evaluated(shelf)[0].get(name)
    advice = advice_of_test_photos(evaluated.results, [case.id for case in cases.cases], name) if evaluated else {}
    silent = {*advice, *learned_from(cases, name, shelf)}
    rest = [(case, path) for case in cases.cases if case.id not in silent and (path := find_path(case))]
    if not rest:
        return advice
    from core.reading import read_lesion

    bundle = load_model(shelf.folder(name), shelf.models[name])
    bar = st.progress(0.0, f"{name} reads {len(rest)} photos")
    for number, (case, path) in enumerate(rest, start=1):
        try:
            reading = read_lesion(bundle, read_photo(path), case.facts, explain=False)
        except (UnreadablePhoto, OSError):
            continue
        total = sum(reading.probabilities.values())
        advice[case.id] = Advice(name, {code: float(reading.probabilities[code]) / total for code in CODES})
        bar.progress(number / len(rest))
    bar.empty()
    return advice
