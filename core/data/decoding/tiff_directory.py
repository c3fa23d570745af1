"""Directories of a TIFF file or of EXIF: tags looked at one by one, without unpacking what a file merely claims to hold.

Reference: Adobe, "TIFF Revision 6.0", 1992; "BigTIFF", libtiff. EXIF uses the same layout (JEITA CP-3451).
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass

ORIENTATION, EXIF_DIRECTORY, COLOR_SPACE, INTEROP_DIRECTORY, INTEROP_INDEX = 274, 34665, 40961, 40965, 1
# Bytes of each field type.
SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_WHOLE = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q", 18: "Q"}
# More tags than any program writes.
_MOST_TAGS = 1000


class BadDirectory(ValueError):
    """A directory that lies outside the file, or holds what cannot be."""


@dataclass(frozen=True)
class Field:
    """One tag's value, still in the file.

    Args:
        kind: TIFF field type.
        count: of values.
        place: of the first byte in the file.
    """

    kind: int
    count: int
    place: int

    @property
    def size(self) -> int:
        return self.count * SIZES[self.kind]


class TiffBytes:
    """The bytes of a TIFF file, or of an EXIF block.

    Args:
        data: beginning with the byte order.

    Raises:
        BadDirectory: `data` does not begin as a TIFF file does.
    """

    def __init__(self, data: bytes):
        self.data = data
        self.order = {b"II": "<", b"MM": ">"}.get(data[:2], "")
        version = self._number("H", 2) if self.order else 0
        if version not in (42, 43):
            raise BadDirectory("no TIFF header")
        self.big = version == 43
        self.first = self._number("Q", 8) if self.big else self._number("I", 4)

    def directory(self, place: int) -> tuple[dict[int, Field], int]:
        """The fields of the directory at `place`, and where the next one is (0: nowhere)."""
        count = self._number("Q" if self.big else "H", place)
        if count > _MOST_TAGS:
            raise BadDirectory(f"{count} tags")
        fields, entry, inline, room = (
            {},
            place + (8 if self.big else 2),
            (12 if self.big else 8),
            (8 if self.big else 4),
        )
        step, long = (20, "Q") if self.big else (12, "I")
        for _ in range(count):
            tag, kind = self._number("H", entry), self._number("H", entry + 2)
            number = self._number(long, entry + 4)
            if kind in SIZES:
                value = entry + inline
                if number * SIZES[kind] > room:
                    value = self._number(long, value)
                if value + number * SIZES[kind] <= len(self.data):
                    fields.setdefault(tag, Field(kind, number, value))
            entry += step
        return fields, self._number(long, entry) if entry + struct.calcsize(long) <= len(self.data) else 0

    def numbers(self, field: Field | None, most: int = 1) -> tuple[int, ...]:
        """Whole numbers of a field; none where it is missing, holds other things or more than `most`."""
        if field is None or field.kind not in _WHOLE or field.count > most:
            return ()
        return struct.unpack_from(f"{self.order}{field.count}{_WHOLE[field.kind]}", self.data, field.place)

    def raw(self, field: Field | None, most: int) -> bytes:
        """A field's bytes as they are; empty where it is missing or longer than `most`."""
        return b"" if field is None or field.size > most else self.data[field.place : field.place + field.size]

    def with_directory(self, fields: Iterable[tuple[int, int, int, bytes]]) -> bytes:
        """The file with one directory more, at its end, and the header pointing to it; BigTIFF becomes plain TIFF.

        Args:
            fields: (tag, type, count, bytes in the file's order); no type of 8-byte whole numbers.
        """
        fields = sorted(fields)
        start = len(self.data) + len(self.data) % 2
        after = start + 2 + 12 * len(fields) + 4
        entries, values = [], b""
        for tag, kind, count, content in fields:
            inline = content.ljust(4, b"\0")
            if len(content) > 4:
                inline = struct.pack(f"{self.order}I", after + len(values))
                values += content + bytes(len(content) % 2)
            entries.append(struct.pack(f"{self.order}HHI", tag, kind, count) + inline)
        begin = self.data[:2] + struct.pack(f"{self.order}HI", 42, start)
        head = struct.pack(f"{self.order}H", len(fields))
        return b"".join((begin, self.data[8:], bytes(start - len(self.data)), head, *entries, bytes(4), values))

    def _number(self, code: str, place: int) -> int:
        try:
            return struct.unpack_from(self.order + code, self.data, place)[0]
        except struct.error:
            raise BadDirectory("a directory beyond the end of the file") from None


@dataclass(frozen=True)
class ExifFacts:
    """What of EXIF matters for pixels.

    Args:
        orientation: 1 (upright) to 8.
        adobe_rgb: whether it says that the colours are Adobe RGB.
    """

    orientation: int = 1
    adobe_rgb: bool = False


def exif_facts(block: bytes) -> ExifFacts:
    """Reads an EXIF block, with or without "Exif" before it; damaged EXIF says nothing.

    Adobe RGB is told as cameras do by the design rule for camera file systems (DCF 2.0): an uncalibrated colour space and the
    interoperability index R03; or by colour space 2, as some programs write it.
    """
    try:
        file = TiffBytes(block.removeprefix(b"Exif\0\0"))
        fields, _ = file.directory(file.first)
        return directory_facts(file, fields)
    except BadDirectory:
        return ExifFacts()


def directory_facts(file: TiffBytes, fields: dict[int, Field]) -> ExifFacts:
    """The same from the first directory of a TIFF file."""
    turned = file.numbers(fields.get(ORIENTATION))
    orientation = turned[0] if turned and 1 <= turned[0] <= 8 else 1
    try:
        exif = _below(file, fields, EXIF_DIRECTORY)
        space = file.numbers(exif.get(COLOR_SPACE))
        interop = file.raw(_below(file, exif, INTEROP_DIRECTORY).get(INTEROP_INDEX), 8)
    except BadDirectory:
        return ExifFacts(orientation)
    adobe = space == (2,) or (space in ((), (0xFFFF,)) and interop[:3] == b"R03")
    return ExifFacts(orientation, adobe)


def _below(file: TiffBytes, fields: dict[int, Field], tag: int) -> dict[int, Field]:
    place = file.numbers(fields.get(tag))
    return file.directory(place[0])[0] if place else {}
