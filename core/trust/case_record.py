"""What `case.json` of a case bundle holds, read by a schema."""

from typing import Annotated

from msgspec import Meta, Struct

from core.data.patient import Facts, InvalidFacts
from core.diagnoses import CODES
from core.schemas.kind import InvalidRecord, Kind, read_json

FORMAT = 1
CASE_FILE = "case.json"


class InvalidCase(ValueError):
    """A case bundle that cannot be read; the message says what came, what was expected and how to fix it."""


class _Weights(Struct):
    """Of the card of what read the photo, what replay asks for."""

    sha256: str
    temperature: float = 1.0
    biases: list[float] = []


class _Reading(Struct):
    """Of the reading, what replay asks for."""

    model: str
    card: _Weights
    probabilities: dict[str, Annotated[float, Meta(ge=0, le=1)]]
    facts: dict
    versions: dict[str, str] = {}
    engine: str = "tensorflow"


class CaseRecord(Struct):
    """`case.json`."""

    format: int
    photo_sha256: str
    reading: _Reading
    more: dict = {}


# Readings hold more than replay asks for, and each version's a little more.
_CASE = Kind("case", CaseRecord, FORMAT, closed=False)


def check_record(content: bytes, name: str) -> tuple[dict, Facts]:
    """The record and the patient's facts of the bytes of `case.json`; `name` is the bundle's.

    Raises:
        InvalidCase: it is not JSON, of another version, not complete, or its facts cannot be.
    """
    again = "Save the case again on the reading page of this version."
    file = f"{CASE_FILE} in {name}"
    try:
        record = read_json(content, file, again)
        checked = _CASE.convert(record, file, again)
    except InvalidRecord as error:
        raise InvalidCase(str(error)) from None
    if set(checked.reading.probabilities) != set(CODES):
        raise InvalidCase(f"{file} is not a complete case: it does not hold a probability of each diagnosis. {again}")
    try:
        facts = Facts(**checked.reading.facts)
    except InvalidFacts as error:
        raise InvalidCase(f"{file} has facts that cannot be: {error} {again}") from None
    except TypeError as error:
        raise InvalidCase(f"{file} is not a complete case: its facts are no patient's ({error}). {again}") from None
    return record, facts
