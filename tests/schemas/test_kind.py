"""Files by schema: whatever does not fit is said in one sentence that ends with its renewal."""

from dataclasses import dataclass, field

import pytest
from msgspec import Struct

from core.schemas.kind import InvalidRecord, Kind


class Part(Struct):
    size: int


@dataclass(frozen=True)
class Record:
    format: int
    name: str
    share: float
    part: Part
    parts: list[Part] = field(default_factory=list)


KIND = Kind("record", Record, 3)
GOOD = {"format": 3, "name": "a", "share": 1, "part": {"size": 2}}


def test_a_good_record_is_read_with_its_types():
    assert KIND.convert(GOOD, "x.json", "") == Record(3, "a", 1.0, Part(2))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": 2}, "has record format 2; this version reads format 3: an older Melascope wrote it."),
        ({"format": 4}, "format 4; this version reads format 3: a newer Melascope wrote it. Update Melascope"),
        ({"format": "3"}, "has record format '3'; this version reads format 3."),
        ({"format": True}, "has record format True"),
        ({"name": 1}, "is not a complete record of this version: name is 1; expected a text."),
        ({"share": "x" * 200}, "expected a number."),
        ({"part": {"size": 1.5}}, "part.size is 1.5; expected a whole number."),
        ({"part": {}}, "it has no part.size."),
        ({"part": {"size": 1, "old": 2}}, "it has part.old, which this version does not know."),
        ({"parts": [{"size": 1}, {"size": None}]}, r"parts[1].size is None; expected a whole number."),
        ({"new": 1}, "it has new, which this version does not know."),
    ],
)
def test_every_fault_is_one_sentence_that_names_file_and_renewal(change, said):
    with pytest.raises(InvalidRecord) as told:
        KIND.convert(GOOD | change, "x.json", "Run `this`.")
    words = str(told.value)
    assert words.startswith("x.json ") and said in words and words.endswith("Run `this`.") and len(words) < 300


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe\xff", b"[" * 100_000, b'{"a":' * 100_000, b"9" * 100_000, b""])
def test_what_is_no_json_is_a_sentence(content):
    with pytest.raises(InvalidRecord, match="cannot be read as JSON"):
        KIND.read(content, "x.json", "Run `this`.")


@pytest.mark.parametrize("record", [[], None, "text", 3])
def test_what_is_no_object_is_a_sentence(record):
    with pytest.raises(InvalidRecord, match="Run `this`"):
        KIND.convert(record, "x.json", "Run `this`.")


def test_an_open_kind_leaves_parts_alone_that_it_does_not_name():
    assert Kind("record", Part, closed=False).convert({"size": 1, "new": 2}, "x.json", "") == Part(1)
