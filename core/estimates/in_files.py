"""How measured numbers stand in files: as objects with the fields' names. Here alone they are written, and read back as records."""

import json
from dataclasses import asdict, fields
from typing import Any

from core.estimates.estimate import CorrectedDifference, CountedEstimate, DecidedEstimate, Difference, Estimate

_NUMBER = {field.name for field in fields(Estimate)}
# What an object holds besides the number and its ends -> the record that it is.
RECORDS: dict[frozenset[str], type[Estimate]] = {
    frozenset(field.name for field in fields(kind)) - _NUMBER: kind
    for kind in (Estimate, CountedEstimate, DecidedEstimate, Difference, CorrectedDifference)
}


def to_text(record: Any, *, indent: int | None = 1, ensure_ascii: bool = True) -> str:
    """JSON text of a record that may hold estimates at any depth.

    Raises:
        ValueError: it holds NaN or an infinity, which JSON has none of.
        TypeError: it holds something else that JSON has none of.
    """
    return json.dumps(record, indent=indent, ensure_ascii=ensure_ascii, allow_nan=False, default=_written)


def from_text(text: str | bytes) -> Any:
    """What `to_text` wrote, estimates as records.

    Raises:
        ValueError: not JSON.
    """
    return json.loads(text, object_hook=_read)


def to_plain(record: Any) -> Any:
    """A record as plain values, as in a file."""
    return json.loads(to_text(record, indent=None))


def _written(value: object) -> dict:
    if not isinstance(value, Estimate):
        raise TypeError(f"A {type(value).__name__} cannot be written as JSON.")
    entry = asdict(value)
    if value.value is not None and value.low is None and value.high is None:
        # A number that was measured without an interval.
        del entry["low"], entry["high"]
    return entry


def _read(entry: dict) -> Any:
    if "value" not in entry or not all(_is_number(entry.get(name)) for name in _NUMBER):
        return entry
    kind = RECORDS.get(frozenset(entry) - _NUMBER)
    return kind(**entry) if kind else entry


def _is_number(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))
