"""A protocol as a file: JSON that is checked, part by part, before anybody reads."""

import json
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct, field

from core.schemas.kind import InvalidRecord, Kind, read_json
from core.teaching.case_sets.file import set_from_record, set_to_record
from core.teaching.case_sets.record import InvalidCaseSet
from core.teaching.file_bytes import read_bounded
from core.teaching.studies.protocol import MOST_QUESTIONS, Arm, InvalidProtocol, Protocol, StudyQuestion

FORMAT, VERSION = "melascope-study", 1
MAX_BYTES = 6_000_000
MOST_STUDY_DAYS = 3660
_RENEWAL = "Make the protocol again on the Teach page, or by hand as docs/teaching.md shows."


class _Order(Struct):
    """Who reads what when; `cases` is the order of cases."""

    design: str = "crossover"
    washout_days: Annotated[float, Meta(ge=0, le=365)] = 14
    cases: str = "random"
    seed: Annotated[int, Meta(ge=0, le=2**32 - 1)] = 0


class _ProtocolFile(Struct):
    """A file's parts: its kind and version, and those of a `Protocol`; `cases` is a case set as its own file has it."""

    format: str
    version: int
    name: str
    arms: Annotated[list[Arm], Meta(min_length=1, max_length=2)]
    questions: Annotated[list[StudyQuestion], Meta(min_length=2, max_length=MOST_QUESTIONS)]
    cases: dict
    description: str = ""
    target: str = "mel"
    order: _Order = field(default_factory=_Order)
    repeats: int = 0
    consent: str = ""
    kept_days: Annotated[float, Meta(ge=1, le=MOST_STUDY_DAYS)] = 365


_PROTOCOL = Kind("study protocol", _ProtocolFile, VERSION, key="version", mark=FORMAT)


def read_protocol(source: bytes | str | Path) -> Protocol:
    """Reads a file that nobody has checked.

    Raises:
        InvalidProtocol: no file, no JSON, or a protocol that cannot be; the sentence says which part of it.
    """
    data, name = read_bounded(source, MAX_BYTES, InvalidProtocol, _RENEWAL)
    try:
        record = read_json(data, name, _RENEWAL)
    except InvalidRecord as error:
        raise InvalidProtocol(str(error)) from None
    return protocol_from_record(record, name)


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


def protocol_from_record(record: object, name: str = "The protocol") -> Protocol:
    """The protocol of plain values, named so in errors.

    Raises:
        InvalidProtocol: see `read_protocol`.
    """
    try:
        file = _PROTOCOL.convert(record, name, _RENEWAL)
        cases = set_from_record(file.cases, "cases")
    except (InvalidRecord, InvalidCaseSet) as error:
        raise InvalidProtocol(str(error)) from None
    order = file.order
    return Protocol(
        name=file.name,
        description=file.description,
        target=file.target,
        cases=cases,
        arms=tuple(file.arms),
        design=order.design,
        washout_days=order.washout_days,
        case_order=order.cases,
        seed=order.seed,
        repeats=file.repeats,
        questions=tuple(file.questions),
        consent=file.consent,
        kept_days=file.kept_days,
    )


def _question_record(q: StudyQuestion) -> dict:
    record: dict[str, object] = {"id": q.id, "prompt": q.prompt, "type": q.type}
    if q.type == "choice":
        record["choices"] = list(q.choices)
    if q.type == "scale":
        record |= {"low": q.low, "high": q.high}
    return record | {"required": q.required}
