"""A protocol as a file: JSON that is checked, part by part, before anybody reads."""

import json
from pathlib import Path
from typing import Any

from core.teaching.answers import TARGETS
from core.teaching.case_sets.file import set_from_record, set_to_record
from core.teaching.case_sets.record import InvalidCaseSet
from core.teaching.studies.protocol import (
    CASE_ORDERS,
    DESIGNS,
    QUESTION_TYPES,
    SHOWS,
    Arm,
    InvalidProtocol,
    Protocol,
    StudyQuestion,
)
from core.teaching.text import clean_text

FORMAT, VERSION = "melascope-study", 1
MAX_BYTES = 6_000_000
MOST_STUDY_CASES, MOST_QUESTIONS, MOST_CHOICES = 500, 20, 20
MOST_STUDY_DAYS = 3660
PARTS = (
    *("format", "version", "name", "description", "target", "arms", "order", "repeats", "questions", "consent"),
    *("kept_days", "cases"),
)
# Parts of a question that only one type has.
_OF_TYPE = {"choice": {"choices"}, "scale": {"low", "high"}}


def read_protocol(source: bytes | str | Path) -> Protocol:
    """Reads a file that nobody has checked.

    Raises:
        InvalidProtocol: no file, no JSON, or a protocol that cannot be; the sentence says which part of it.
    """
    name = "The protocol" if isinstance(source, bytes) else Path(source).name
    try:
        data = source if isinstance(source, bytes) else Path(source).read_bytes()
    except (OSError, ValueError) as error:
        raise InvalidProtocol(f"{source} cannot be read ({getattr(error, 'strerror', None) or error}).") from None
    if len(data) > MAX_BYTES:
        raise InvalidProtocol(f"{name} has {len(data) / 1e6:,.0f} MB. Expected at most {MAX_BYTES / 1e6:.0f} MB.")
    try:
        record = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise InvalidProtocol(
            f"{name} is not JSON ({str(error)[:80]}). Expected a protocol as in docs/teaching.md."
        ) from None
    return protocol_from_record(record)


def write_protocol(protocol: Protocol) -> bytes:
    """The bytes of a file."""
    return (json.dumps(protocol_to_record(protocol), indent=1, ensure_ascii=False) + "\n").encode("utf-8")


def protocol_to_record(protocol: Protocol) -> dict:
    """A protocol as plain values."""
    order = {
        "design": protocol.design,
        "washout_days": protocol.washout_days,
        "cases": protocol.case_order,
        "seed": protocol.seed,
    }
    return {
        "format": FORMAT,
        "version": VERSION,
        "name": protocol.name,
        "description": protocol.description,
        "target": protocol.target,
        "arms": [{"name": arm.name, "shows": list(arm.shows)} for arm in protocol.arms],
        "order": order,
        "repeats": protocol.repeats,
        "questions": [_question_record(q) for q in protocol.questions],
        "consent": protocol.consent,
        "kept_days": protocol.kept_days,
        "cases": set_to_record(protocol.cases),
    }


def protocol_from_record(record: object) -> Protocol:
    """The protocol of plain values.

    Raises:
        InvalidProtocol: see `read_protocol`.
    """
    top = _part(record, "the protocol", {"name", "arms", "questions", "cases"}, set(PARTS))
    if top.get("format") != FORMAT:
        raise InvalidProtocol(f"format is {top.get('format')!r:.60}. Expected {FORMAT!r}.")
    if top.get("version") != VERSION:
        raise InvalidProtocol(
            f"version is {top.get('version')!r:.40}; this Melascope reads {VERSION}. Update Melascope."
        )
    order = _part(top.get("order", {}), "order", set(), {"design", "washout_days", "cases", "seed"})
    try:
        cases = set_from_record(top["cases"], "cases")
    except InvalidCaseSet as error:
        raise InvalidProtocol(str(error)) from None
    arms = tuple(_arm(arm, f"arms[{n}]") for n, arm in enumerate(_list(top["arms"], "arms", 1, 2)))
    questions = _list(top["questions"], "questions", 2, MOST_QUESTIONS)
    protocol = Protocol(
        name=_text(top["name"], "name", 100, empty=False),
        description=_text(top.get("description", ""), "description", 2000),
        target=_one_of(top.get("target", "mel"), "target", tuple(TARGETS)),
        cases=cases,
        arms=arms,
        design=_one_of(order.get("design", "crossover"), "order.design", DESIGNS),
        washout_days=_number(order.get("washout_days", 14), "order.washout_days", 0, 365),
        case_order=_one_of(order.get("cases", "random"), "order.cases", CASE_ORDERS),
        seed=int(_number(order.get("seed", 0), "order.seed", 0, 2**32 - 1, whole=True)),
        repeats=int(_number(top.get("repeats", 0), "repeats", 0, len(cases), whole=True)),
        questions=tuple(_question(q, f"questions[{n}]") for n, q in enumerate(questions)),
        consent=_text(top.get("consent", ""), "consent", 4000),
        kept_days=_number(top.get("kept_days", 365), "kept_days", 1, MOST_STUDY_DAYS),
    )
    _check_whole(protocol)
    return protocol


def _check_whole(protocol: Protocol) -> None:
    """What parts must be to one another."""
    if len(protocol.cases) > MOST_STUDY_CASES:
        raise InvalidProtocol(f"cases has {len(protocol.cases)} cases. Expected at most {MOST_STUDY_CASES}.")
    names = [arm.name.casefold() for arm in protocol.arms]
    if len(set(names)) < len(names):
        raise InvalidProtocol(f"arms has {protocol.arms[0].name!r} twice. Give each arm a name of its own.")
    ids = [q.id for q in protocol.questions]
    if twice := sorted({i for i in ids if ids.count(i) > 1}):
        raise InvalidProtocol(f"questions has the id {twice[0]!r} twice. Give each question an id of its own.")
    for kind in ("diagnosis", "confidence"):
        asked = [q for q in protocol.questions if q.type == kind]
        if len(asked) != 1 or not asked[0].required:
            raise InvalidProtocol(
                f"questions has {len(asked)} of type {kind!r}. Expected one, required: the ROC is made from it."
            )
    codes = TARGETS[protocol.target][1]
    positive = sum(case.truth in codes for case in protocol.cases.cases)
    if not 2 <= positive <= len(protocol.cases) - 2:
        raise InvalidProtocol(
            f"cases has {positive} with the target {protocol.target!r} of {len(protocol.cases)}. Expected two or more with it and two or "
            "more without, or nothing can be analysed."
        )


def _question_record(q: StudyQuestion) -> dict:
    record: dict[str, object] = {"id": q.id, "prompt": q.prompt, "type": q.type}
    if q.type == "choice":
        record["choices"] = list(q.choices)
    if q.type == "scale":
        record |= {"low": q.low, "high": q.high}
    return record | {"required": q.required}


def _arm(value: object, where: str) -> Arm:
    record = _part(value, where, {"name", "shows"}, {"name", "shows"})
    shows = _list(record["shows"], f"{where}.shows", 0, len(SHOWS))
    shows = tuple(_one_of(what, f"{where}.shows[{n}]", SHOWS) for n, what in enumerate(shows))
    if "map" in shows and "network" not in shows:
        raise InvalidProtocol(
            f"{where}.shows has the map without the network's answer. Add 'network', or leave the map out."
        )
    return Arm(_text(record["name"], f"{where}.name", 40, empty=False), shows)


def _question(value: object, where: str) -> StudyQuestion:
    known = {"id", "prompt", "type", "choices", "low", "high", "required"}
    record = _part(value, where, {"id", "prompt", "type"}, known)
    kind = _one_of(record["type"], f"{where}.type", tuple(QUESTION_TYPES))
    key = _text(record["id"], f"{where}.id", 40, empty=False)
    if not key.replace("_", "").isalnum() or not key.isascii():
        raise InvalidProtocol(f"{where}.id is {key!r}. Expected letters, digits and `_`.")
    foreign = set().union(*_OF_TYPE.values()) - _OF_TYPE.get(kind, set())
    if out := sorted(foreign & set(record)):
        raise InvalidProtocol(
            f"{where} is of type {kind!r} and has {', '.join(out)}. Leave {'it' if len(out) == 1 else 'them'} out."
        )
    choices: tuple[str, ...] = ()
    if kind == "choice":
        given = _list(record.get("choices"), f"{where}.choices", 2, MOST_CHOICES)
        choices = tuple(_text(c, f"{where}.choices[{n}]", 100, empty=False) for n, c in enumerate(given))
        if len(set(choices)) < len(choices):
            raise InvalidProtocol(f"{where}.choices has the same choice twice.")
    low = int(_number(record.get("low", 1), f"{where}.low", -1000, 1000, whole=True))
    high = int(_number(record.get("high", 5), f"{where}.high", -1000, 1000, whole=True))
    if low >= high:
        raise InvalidProtocol(
            f"{where}.low is {low} and {where}.high is {high}. Expected the low end below the high end."
        )
    required = record.get("required", True)
    if not isinstance(required, bool):
        raise InvalidProtocol(f"{where}.required is {required!r:.40}. Expected true or false.")
    return StudyQuestion(
        key, _text(record["prompt"], f"{where}.prompt", 500, empty=False), kind, choices, low, high, required
    )


# ---- parts ----


def _part(value: object, where: str, needed: set[str], known: set[str]) -> dict:
    if not isinstance(value, dict):
        raise InvalidProtocol(f"{where} is a {type(value).__name__}. Expected named parts: {', '.join(sorted(known))}.")
    foreign = sorted(set(value) - known)
    if foreign:
        raise InvalidProtocol(
            f"{where} has the unknown part {foreign[0]!r:.60}. Expected only: {', '.join(sorted(known))}."
        )
    lacking = sorted(needed - set(value))
    if lacking:
        raise InvalidProtocol(f"{where} has no {lacking[0]}. Add it.")
    return value


def _list(value: object, where: str, least: int, most: int) -> list:
    if not isinstance(value, list) or not least <= len(value) <= most:
        came = f"{len(value)} entries" if isinstance(value, list) else f"a {type(value).__name__}"
        raise InvalidProtocol(f"{where} has {came}. Expected a list of {least} to {most}.")
    return value


def _text(value: object, where: str, longest: int, *, empty: bool = True) -> str:
    return clean_text(value, where, longest, InvalidProtocol, empty=empty)


def _one_of(value: object, where: str, known: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in known:
        raise InvalidProtocol(f"{where} is {value!r:.60}. Expected one of: {', '.join(known)}.")
    return value


def _number(value: Any, where: str, low: float, high: float, *, whole: bool = False) -> float:
    fits = isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high
    if not fits or (whole and value != int(value)):
        kind = "a whole number" if whole else "a number"
        raise InvalidProtocol(f"{where} is {value!r:.40}. Expected {kind} from {low} to {high}.")
    return value
