"""A kind of JSON file as a schema. What does not fit it gets a sentence that ends with what renews the file."""

import dataclasses
import functools
import re
import typing
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from core.estimates.in_files import from_text

T = TypeVar("T")
_NAMED = 5  # parts that a sentence lists


class InvalidRecord(ValueError):
    """A file that is damaged, or of another kind or version; the sentence ends with what renews it."""


@dataclass(frozen=True)
class Kind(Generic[T]):
    """What a kind of file holds.

    Args:
        name: in sentences, such as "card".
        record: a dataclass or `msgspec.Struct`: its fields are the file's parts, and their types are checked.
        format: of the present version, which the file names; None where the kind has no number.
        key: under which the file names its format.
        mark: what the part "format" says where another part counts versions; None for the files of a model, which are told by their place.
        closed: whether a part that the record does not name is refused; else it is left alone.
    """

    name: str
    record: type[T]
    format: int | None = None
    key: str = "format"
    closed: bool = True
    mark: str | None = None

    def read(self, content: bytes | str, file: object, renewal: str) -> T:
        """Reads a file's content.

        Args:
            file: what to call it.
            renewal: a sentence with the command that makes the file anew.

        Raises:
            InvalidRecord: see `InvalidRecord`.
        """
        return self.convert(read_json(content, file, renewal), file, renewal)

    def convert(self, record: object, file: object, renewal: str) -> T:
        """The record of plain values; raises as `read` does."""
        record = self.check_format(record, file, renewal)
        lacking, foreign = _apart(record, self.record)
        foreign = foreign if self.closed else []
        if foreign or lacking:
            told = [f"no {', '.join(lacking[:_NAMED])}"] if lacking else []
            told += [f"{', '.join(foreign[:_NAMED])[:120]}, which this version does not know"] if foreign else []
            raise InvalidRecord(
                f"{file} is not a complete {self.name} of this version: it has {', and '.join(told)}. {renewal}"
            )
        try:
            return msgspec.convert(record, self.record)
        except msgspec.ValidationError as error:
            raise InvalidRecord(
                f"{file} is not a complete {self.name} of this version: {_plain(str(error), record)} {renewal}"
            ) from None

    def check_format(self, record: object, file: object, renewal: str) -> dict:
        """Gives the record back; stops at what is none, and at another format than this version's."""
        marked = record.get("format") if isinstance(record, dict) else type(record).__name__
        if self.mark and marked != self.mark:
            raise InvalidRecord(f"{file} is no {self.name}: its format is {marked!r:.60}. {renewal}")
        came = record.get(self.key) if isinstance(record, dict) else type(record).__name__
        if isinstance(record, dict) and (self.format is None or (came == self.format and came is not True)):
            return record
        mismatch = f"{file} has {self.name} {self.key} {came!r:.60}; this version reads {self.key} {self.format}"
        if self.format is None:
            raise InvalidRecord(f"{file} is a {came}. Expected a {self.name}, an object of named parts. {renewal}")
        if isinstance(came, int) and not isinstance(came, bool):
            if came > self.format:
                raise InvalidRecord(
                    f"{mismatch}: a newer Melascope wrote it. Update Melascope, or make it anew here. {renewal}"
                )
            raise InvalidRecord(f"{mismatch}: an older Melascope wrote it. {renewal}")
        raise InvalidRecord(f"{mismatch}. {renewal}")


def read_json(content: bytes | str, file: object, renewal: str) -> Any:
    """Values of JSON, measured numbers as `Estimate`; raises `InvalidRecord`."""
    try:
        return from_text(content)
    except (ValueError, RecursionError) as error:
        raise InvalidRecord(f"{file} cannot be read as JSON ({error}). {renewal}") from None


def _apart(record: dict, kind: type, within: str = "") -> tuple[list[str], list[str]]:
    """Names of parts that a record lacks, and of those that it has too many, those of the records within it too."""
    fields = _fields(kind)
    lacking = [within + name for name, (_, needed) in fields.items() if needed and name not in record]
    foreign = [within + str(name) for name in record if name not in fields]
    for name, (type_, _) in fields.items():
        for place, value, below in _records_in(record.get(name), type_):
            further = _apart(value, below, f"{within}{name}{place}.")
            lacking, foreign = lacking + further[0], foreign + further[1]
    return lacking, foreign


def _records_in(value: object, type_: Any) -> list[tuple[str, dict, type]]:
    """Of a field's value: the record that it is, or those that it lists, each with its place, such as "[2]", and its kind."""
    if typing.get_origin(type_) is typing.Annotated:
        type_ = typing.get_args(type_)[0]
    if isinstance(value, dict) and isinstance(type_, type) and _is_record(type_):
        return [("", value, type_)]
    if isinstance(value, list) and typing.get_origin(type_) in (list, tuple):
        inner = typing.get_args(type_)[0]
        return [(f"[{n}]", one, kind) for n, each in enumerate(value) for _, one, kind in _records_in(each, inner)]
    return []


@functools.cache
def _fields(kind: type) -> dict[str, tuple[Any, bool]]:
    """Name of each field of a record -> its type, and whether it must be there."""
    if dataclasses.is_dataclass(kind):
        missing, types = dataclasses.MISSING, typing.get_type_hints(kind)
        needed = {f.name: f.default is missing and f.default_factory is missing for f in dataclasses.fields(kind)}
        return {name: (types[name], must) for name, must in needed.items()}
    return {field.encode_name: (field.type, field.required) for field in msgspec.structs.fields(kind)}


def _is_record(kind: type) -> bool:
    return dataclasses.is_dataclass(kind) or issubclass(kind, msgspec.Struct)


def _value(record: Any, place: str) -> str:
    """What stands at a place such as "weights.sha256" or "confusion[2]"; long values are cut."""
    for step in place.replace("[", ".[").split("."):
        index = step.strip("[]")
        try:
            record = record[int(index)] if step.startswith("[") else record[step]
        except (KeyError, IndexError, TypeError, ValueError):
            return "wrong"
    return f"{record!r:.60}"


_WORDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
    "bool": "true or false",
    "object": "an object",
    "array": "a list",
    "null": "nothing",
}
_BOUNDS = {">=": "at least", "<=": "at most"}


def _plain(told: str, record: Any) -> str:
    """What msgspec says, such as "Expected `int`, got `str` - at `$.image_size`", in plain words."""
    fault, _, place = told.partition(" - at `$")
    part = place.removesuffix("`").lstrip(".")
    if not fault.startswith("Expected "):
        return f"{part}: {fault.rstrip('.')}.".removeprefix(": ")  # a record's own check
    expected = fault.removeprefix("Expected ").split(", got ")[0]
    expected = re.sub(
        r"`([^`]*)`", lambda names: " or ".join(_WORDS.get(n, n) for n in names[1].split(" | ")), expected
    )
    expected = re.sub(r"(?:of length )?([<>]=) (\d+)(?:\.0)?", lambda bound: f"of {_BOUNDS[bound[1]]} {bound[2]}", expected)
    unit = " characters" if expected.startswith("a text of ") else " entries" if expected.startswith("a list of ") else ""
    return f"{part} is {_value(record, part)}; expected {expected}{unit}."
