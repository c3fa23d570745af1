"""Answers to the questions of a protocol, checked."""

from typing import Any

from core.diagnoses import CODES
from core.teaching.studies.protocol import Protocol, StudyQuestion


def read_answers(protocol: Protocol, given: object) -> dict:
    """Answers to all questions of a case, checked.

    Raises:
        ValueError: the sentence is for the reader.
    """
    if not isinstance(given, dict):
        raise ValueError("No answers came. Answer the questions, then send them.")
    foreign = sorted(set(map(str, given)) - {q.id for q in protocol.questions})
    if foreign:
        raise ValueError(f"Nobody asked {', '.join(foreign[:3])[:100]}. Reload the page.")
    answers = {}
    for q in protocol.questions:
        value = given.get(q.id)
        if value is None:
            if q.required:
                raise ValueError(f"An answer is missing: {q.prompt}")
            continue
        answers[q.id] = _answer(q, value)
    return answers


def _answer(q: StudyQuestion, value: Any) -> str | int:
    known = {"diagnosis": CODES, "choice": q.choices}.get(q.type)
    if known is not None:
        if value not in known:
            raise ValueError(f"{q.prompt}: {value!r:.40} is no answer. Expected one of: {', '.join(known)}.")
        return value
    low, high = (0, 100) if q.type == "confidence" else (q.low, q.high)
    if type(value) is not int or not low <= value <= high:
        raise ValueError(f"{q.prompt}: {value!r:.40} is no answer. Expected a whole number from {low} to {high}.")
    return value
