"""A case set as one file: JSON with ids, truths, facts and licences, never a photo. It may come from anywhere."""

import json
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct, field

from core.schemas.kind import InvalidRecord, Kind
from core.teaching.case_sets.record import CaseSet, InvalidCaseSet, TeachingCase
from core.teaching.file_bytes import read_bounded

FORMAT, VERSION = "melascope-cases", 1
SUFFIX = ".cases.json"
MAX_SET_BYTES = 5_000_000  # a thousand cases need some 500 KB
_RENEWAL = "Save the set again on the Teach page, or make it by `python -m core cases lists`."
_RENEWAL_OF_KEPT = "Another version kept this case: begin a new room, quiz or study."


class _SetFile(Struct):
    """A file's parts: its kind and version, and those of a `CaseSet`."""

    format: str
    version: int
    title: str
    cases: list[TeachingCase]
    description: str = ""
    made_from: dict[str, Annotated[str, Meta(max_length=199)]] = field(default_factory=dict)


_SET = Kind("case set", _SetFile, VERSION, key="version", mark=FORMAT)
_CASE = Kind("case", TeachingCase)


def write_case_set(cases: CaseSet) -> bytes:
    """The bytes of a file; the same for the same set."""
    return (json.dumps(set_to_record(cases), indent=1, ensure_ascii=False) + "\n").encode("utf-8")


def set_to_record(cases: CaseSet) -> dict:
    """A set as plain values."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "title": cases.title,
        "description": cases.description,
        **({"made_from": dict(cases.made_from)} if cases.made_from else {}),
        "cases": [case_record(case) for case in cases.cases],
    }


def case_record(case: TeachingCase) -> dict:
    """A case as plain values; what is empty or unknown is left out."""
    facts = {k: v for k, v in vars(case.facts).items() if v is not None and v != "unknown"}
    record = {"id": case.id, "truth": case.truth, "confirmed": case.confirmed, "facts": facts}
    record |= {k: v for k in ("source", "sha256", "why", "group") if (v := getattr(case, k))}
    return record | {"licence": case.licence, "attribution": case.attribution}


def read_case_set(source: bytes | str | Path) -> CaseSet:
    """Reads a file that nobody has checked.

    Args:
        source: the file's bytes, or its path.

    Raises:
        InvalidCaseSet: no such file, too large, not JSON, another kind or version of file, or a case that cannot be.
    """
    data, name = read_bounded(source, MAX_SET_BYTES, InvalidCaseSet, _RENEWAL)
    try:
        return _case_set(_SET.read(data, name, _RENEWAL))
    except InvalidRecord as error:
        raise InvalidCaseSet(str(error)) from None


def set_from_record(record: object, name: str) -> CaseSet:
    """The set of plain values, named so in errors; the opposite of `set_to_record`. Raises as `read_case_set` does."""
    try:
        return _case_set(_SET.convert(record, name, _RENEWAL))
    except InvalidRecord as error:
        raise InvalidCaseSet(str(error)) from None


def kept_case(record: object) -> TeachingCase:
    """A case of the plain values that the store keeps. Raises `InvalidCaseSet`."""
    try:
        return _CASE.convert(record, "A kept case", _RENEWAL_OF_KEPT)
    except InvalidRecord as error:
        raise InvalidCaseSet(str(error)) from None


def _case_set(file: _SetFile) -> CaseSet:
    return CaseSet(file.title, tuple(file.cases), file.description, file.made_from)
