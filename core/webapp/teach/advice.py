"""What a network says of the cases of a set: from its evaluation where it has one, else by reading the photos."""

import streamlit as st

from core.data.images import UnreadablePhoto, read_photo
from core.diagnoses import CODES
from core.teaching.advice import Advice, advice_of_test_photos
from core.teaching.case_sets.record import CaseSet
from core.webapp.shared.evaluations import read_evaluated
from core.webapp.shared.photo.models import load_model
from core.webapp.shared.shelf import Shelf
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


def gather_advice(cases: CaseSet, name: str, shelf: Shelf) -> dict[str, Advice]:
    """Id of a case -> the network's answer; cases that it neither was tested on nor can read are left out.

    Raises:
        InvalidBundle: the network cannot be loaded.
    """
    if name not in shelf.models:
        return {}
    evaluated = read_evaluated(shelf)[0].get(name)
    advice = advice_of_test_photos(evaluated.results, [case.id for case in cases.cases], name) if evaluated else {}
    rest = [(case, path) for case in cases.cases if case.id not in advice and (path := find_path(case))]
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
