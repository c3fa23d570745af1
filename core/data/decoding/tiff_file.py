"""The photo in a TIFF file: which page it is, whether it can be read right, and a plain file of it for the decoder.

Pillow reads the first page, takes the channels of 16-bit planes for one another and grey whose white is 0 for a negative. So the
photo's own directory is written anew with only what decoding needs, plane by plane where the colours lie apart.

Reference: Adobe, "TIFF Revision 6.0", 1992; "TIFF/EP" and "DNG" for NewSubfileType and SubIFDs.
"""

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

from core.data.decoding.decode_limits import (
    MAX_PAGES,
    MAX_PROFILE,
    MAX_SCANS,
    MAX_STRIPS,
    check_count,
    check_pixels,
    check_sides,
)
from core.data.decoding.jpeg_file import check_whole, inspect_jpeg
from core.data.decoding.packed_pixels import unpacked_size
from core.data.decoding.pixel_depth import deep_grey
from core.data.decoding.tiff_directory import BadDirectory, ExifFacts, Field, TiffBytes, directory_facts
from core.data.decoding.unreadable import damaged, other_kind

_KIND, _WIDTH, _HEIGHT, _BITS, _COMPRESSION, _MEANING = 254, 256, 257, 258, 259, 262
_STRIPS, _SAMPLES, _ROWS, _STRIP_BYTES, _PLANES = 273, 277, 278, 279, 284
_TILE_WIDTH, _TILE_HEIGHT, _TILES, _TILE_BYTES = 322, 323, 324, 325
_SUB, _EXTRA, _FORMAT, _MOST_VALUE, _PROFILE, _DNG = 330, 338, 339, 281, 34675, 50706
# Tags that decoding needs, and how many values each may have.
_NEEDED = {
    _WIDTH: 1, _HEIGHT: 1, _BITS: 8, _COMPRESSION: 1, _MEANING: 1, 266: 1, _SAMPLES: 1, _ROWS: 1, _PLANES: 1, 292: 1, 293: 1,
    317: 1, 320: 3 * 65536, _TILE_WIDTH: 1, _TILE_HEIGHT: 1, 332: 1, _EXTRA: 8, _FORMAT: 8, 347: 65536, 512: 1, 513: 1, 514: 1,
    519: 4, 520: 4, 521: 4, 529: 3, 530: 2, 531: 1, 532: 6,
}  # fmt: skip
_WHITE_IS_0, _BLACK_IS_0, _RGB, _PALETTE, _CMYK, _YCBCR, _LAB = 0, 1, 2, 3, 5, 6, 8
_MEANINGS = {
    _WHITE_IS_0: "grey",
    _BLACK_IS_0: "grey",
    _RGB: "RGB",
    _PALETTE: "palette",
    _CMYK: "CMYK",
    _YCBCR: "YCbCr",
    _LAB: "CIELAB",
}
# What a camera's sensor saw: one colour a pixel, or linear light before any rendering.
_RAW = (32803, 34892)
_PIXEL_FORMATS = {1: "whole-number", 2: "signed whole-number", 3: "floating-point"}
# Field types of 8-byte whole numbers, which only BigTIFF has.
_LONG8 = (16, 18)
_OLD_JPEG, _JPEG = 6, 7
_JPEG_TABLES = 347
_DEFLATE = (8, 32946)
# Decoded, shrunk and converted; transparent pictures are copied once more for it.
_BYTES_A_PIXEL, _TRANSPARENT_BYTES_A_PIXEL = 8, 11
# A JPEG in each strip, of few scans.
_SCANS_A_STRIP = 12


@dataclass(frozen=True, eq=False)
class TiffPhoto:
    """The photo of a TIFF file.

    Args:
        planes: files of one picture each, for the decoder: the photo, or its channels.
        mode: what the planes are merged to; empty where there is one.
        white_is_0: whether dark and bright must be exchanged after decoding.
        deep: bits of a channel where it has more than 8, else 0.
        full_scale: the brightest value, of a deep channel.
        profile: ICC, empty without one.
        facts: of its EXIF.
    """

    planes: tuple[bytes, ...]
    mode: str
    white_is_0: bool
    deep: int
    full_scale: int
    profile: bytes
    facts: ExifFacts


def inspect_tiff(data: bytes, name: str) -> TiffPhoto:
    """Finds the photo among the pages; decodes nothing.

    Raises:
        UnreadablePhoto: a camera's raw, a kind of pixels that is not read, more work than any photo, or not whole.
    """
    try:
        file = TiffBytes(data)
        pages = _pages(file)
        return _Page(file, _choose(file, pages, name), name).photo(pages[0])
    except BadDirectory as error:
        raise damaged(name, f"its directory is broken ({error})") from None


def open_tiff(photo: TiffPhoto) -> Image.Image:
    """Decodes the photo to 8 bits; raises anything on damaged bytes, as Pillow does."""
    channels = [_decode(plane, photo) for plane in photo.planes]
    return Image.merge(photo.mode, channels) if photo.mode else channels[0]


def _decode(plane: bytes, photo: TiffPhoto) -> Image.Image:
    picture = Image.open(io.BytesIO(plane), formats=("TIFF",))
    picture.load()
    if picture.mode.startswith("I;16"):
        picture = deep_grey(picture, photo.full_scale)
    return Image.eval(picture, lambda value: 255 - value) if photo.white_is_0 else picture


def _pages(file: TiffBytes) -> list[dict[int, Field]]:
    """The directories of all pages, and of pages below them, in the file's order."""
    pages, seen, waiting = [], set(), [file.first]
    while waiting and len(pages) < MAX_PAGES:
        place = waiting.pop(0)
        if not place or place in seen:
            continue
        seen.add(place)
        try:
            fields, following = file.directory(place)
        except BadDirectory:
            if not pages:
                raise
            continue
        pages.append(fields)
        waiting += [*file.numbers(fields.get(_SUB), 32), following]
    return pages


def _choose(file: TiffBytes, pages: list[dict[int, Field]], name: str) -> dict[int, Field]:
    """The photo itself: no preview, no mask, and the largest; the first of several."""

    def one(page, tag, default):
        return (file.numbers(page.get(tag)) or (default,))[0]

    pictures = [p for p in pages if one(p, _WIDTH, 0) and one(p, _HEIGHT, 0) and not one(p, _KIND, 0) & 4]
    if not pictures:
        raise damaged(name, "it holds no picture")
    whole = [p for p in pictures if not one(p, _KIND, 0) & 1]
    if any(one(p, _MEANING, 0) in _RAW for p in whole):
        kind = "DNG" if any(_DNG in p for p in pages) else "TIFF"
        raise other_kind(name, f"a camera's raw photo ({kind})", "whose colours only a raw developer can tell")
    largest = max(one(p, _WIDTH, 0) * one(p, _HEIGHT, 0) for p in whole or pictures)
    return next(p for p in whole or pictures if one(p, _WIDTH, 0) * one(p, _HEIGHT, 0) == largest)


class _Page:
    """One page, checked, and written anew."""

    def __init__(self, file: TiffBytes, fields: dict[int, Field], name: str):
        self.file, self.fields, self.name = file, fields, name
        self.width, self.height = self._one(_WIDTH), self._one(_HEIGHT)
        self.channels, self.meaning = self._one(_SAMPLES, 1), self._one(_MEANING, _BLACK_IS_0)
        self.bits = file.numbers(fields.get(_BITS), 8) or (1,)
        self.apart = self._one(_PLANES, 1) == 2 and self.channels > 1
        self.tiled = _TILES in fields
        self._check_kind()
        check_sides(name, self.width, self.height)
        clear = _EXTRA in fields or (self.meaning == _RGB and self.channels > 3)
        cost = _TRANSPARENT_BYTES_A_PIXEL if clear else _BYTES_A_PIXEL
        check_pixels(name, self.width, self.height, cost, "a TIFF")
        self._check_parts()

    def photo(self, first: dict[int, Field]) -> TiffPhoto:
        deep = max(self.bits) if max(self.bits) > 8 else 0
        # Pillow turns white and black round itself, but for deep grey.
        inverted = self.meaning == _WHITE_IS_0 and bool(deep)
        stated = self.file.numbers(self.fields.get(_MOST_VALUE), 8)
        full_scale = stated[0] if deep and self.channels == 1 and stated and 255 < stated[0] < 2**deep else 2**deep - 1
        own, above = directory_facts(self.file, self.fields), directory_facts(self.file, first)
        count = self.channels if self.apart else 1
        return TiffPhoto(
            planes=tuple(self._plane(number, count, inverted) for number in range(count)),
            mode={(_RGB, 3): "RGB", (_RGB, 4): "RGBA", (_CMYK, 4): "CMYK"}[self.meaning, count] if count > 1 else "",
            white_is_0=inverted,
            deep=deep,
            full_scale=full_scale,
            profile=self.file.raw(self.fields.get(_PROFILE), MAX_PROFILE),
            facts=own if own != ExifFacts() else above,
        )

    def _check_kind(self) -> None:
        channels = f"{self.channels} channel{'s' if self.channels != 1 else ''}"
        formats = set(self.file.numbers(self.fields.get(_FORMAT), 8)) or {1}
        what = _MEANINGS.get(self.meaning)
        if what is None:
            raise other_kind(self.name, f"a TIFF of a rare kind (photometric interpretation {self.meaning})")
        if formats != {1}:
            kinds = ", ".join(_PIXEL_FORMATS.get(f, "unknown") for f in sorted(formats))
            raise other_kind(
                self.name,
                f"a TIFF with {max(self.bits)}-bit {kinds} pixels in {channels}",
                "whose brightness scale is not known",
            )
        if max(self.bits) > 16:
            raise other_kind(
                self.name, f"a TIFF with {max(self.bits)}-bit pixels", "whose brightness scale is not known"
            )
        if len(set(self.bits)) > 1 or len(self.bits) not in (1, self.channels) or self.channels > 6:
            raise other_kind(self.name, f"a TIFF with {channels} of {', '.join(map(str, self.bits))} bits")
        if self.apart and (self.meaning, self.channels) not in ((_RGB, 3), (_RGB, 4), (_CMYK, 4)):
            raise other_kind(self.name, f"a TIFF with {channels} of {what} in separate planes")
        deep = max(self.bits) > 8
        if deep and self.meaning in (_LAB, _YCBCR, _PALETTE):
            raise other_kind(self.name, f"a TIFF with {max(self.bits)}-bit {what} pixels")
        if deep and what == "grey" and self.channels > 1:
            raise other_kind(self.name, f"a TIFF with {channels} of {max(self.bits)}-bit grey")

    def _check_parts(self) -> None:
        """Strips or tiles: not too many, all of them there, and whole where their packing tells."""
        places = self.fields.get(_TILES if self.tiled else _STRIPS)
        sizes = self.fields.get(_TILE_BYTES if self.tiled else _STRIP_BYTES)
        if places is None:
            raise damaged(self.name, "it does not say where its pixels are")
        check_count(self.name, places.count, MAX_STRIPS, "strips of pixels")
        wanted, pixels = self._part_grid()
        self.places = self.file.numbers(places, MAX_STRIPS)[:wanted]
        self.sizes = self.file.numbers(sizes, MAX_STRIPS)[:wanted]
        end = len(self.file.data)
        if len(self.places) < wanted or any(p + s > end for p, s in zip(self.places, self.sizes, strict=False)):
            raise damaged(self.name)
        packed = self._one(_COMPRESSION, 1)
        # Without compression the pixels' bytes can be counted.
        if packed == 1 and not self.tiled and len(self.sizes) == wanted:
            needed = math.ceil(self.width * max(self.bits) * self.channels / 8) * self.height
            if sum(self.sizes) < needed and self.meaning != _YCBCR:
                raise damaged(self.name)
        if packed in (_JPEG, _OLD_JPEG) and self.file.data.count(b"\xff\xda") > MAX_SCANS + _SCANS_A_STRIP * wanted:
            check_count(self.name, MAX_SCANS + 1, MAX_SCANS, "passes over its pixels (a progressive JPEG in a TIFF)")
        if packed == _JPEG:
            self._check_jpegs()
        if packed in _DEFLATE:
            self._check_deflated(pixels)

    def _part_grid(self) -> tuple[int, int]:
        """How many strips or tiles the pixels need, and the pixels of each."""
        if self.tiled:
            across, down = self._one(_TILE_WIDTH), self._one(_TILE_HEIGHT)
            if not across or not down:
                raise damaged(self.name, "its tiles have no size")
            check_pixels(self.name, across, down, _BYTES_A_PIXEL, "a tile of a TIFF")
            wanted, pixels = math.ceil(self.width / across) * math.ceil(self.height / down), across * down
        else:
            rows = min(self._one(_ROWS, self.height) or self.height, self.height)
            wanted, pixels = math.ceil(self.height / rows), rows * self.width
        return wanted * (self.channels if self.apart else 1), pixels

    def _parts(self) -> Iterator[bytes]:
        for place, size in zip(self.places, self.sizes, strict=False):
            yield self.file.data[place : place + size]

    def _check_jpegs(self) -> None:
        tables = self.file.raw(self.fields.get(_JPEG_TABLES), 1 << 16)
        shared = tables[:-2] if tables.startswith(b"\xff\xd8") and tables.endswith(b"\xff\xd9") else b""
        for part in self._parts():
            check_whole(inspect_jpeg(shared + part[2:] if shared else part, self.name), self.name)

    def _check_deflated(self, pixels: int) -> None:
        """The decoder stops at the last pixel, before the checksum."""
        # Rows are filled up to whole bytes.
        most = pixels * max(self.bits) * self.channels // 8 + 8 * self.height + 1
        for part in self._parts():
            if unpacked_size((part,), most) is None:
                raise damaged(self.name, "its checksums do not match its pixels")

    def _plane(self, number: int, count: int, inverted: bool) -> bytes:
        fields = {
            tag: self._copied(field)
            for tag, field in self.fields.items()
            if tag in _NEEDED and field.count <= _NEEDED[tag]
        }
        part = len(self.places) // count
        own = slice(number * part, (number + 1) * part)
        names = (_TILES, _TILE_BYTES) if self.tiled else (_STRIPS, _STRIP_BYTES)
        for tag, values in zip(names, (self.places, self.sizes), strict=True):
            if values:
                fields[tag] = self._long(values[own])
        if count > 1:
            fields |= {_SAMPLES: self._short(1), _PLANES: self._short(1), _BITS: self._short(self.bits[0])}
            fields[_MEANING] = self._short(_BLACK_IS_0)
            for tag in (_EXTRA, _FORMAT):
                fields.pop(tag, None)
        elif self.channels == 1:
            fields.pop(_PLANES, None)
        if inverted:
            fields[_MEANING] = self._short(_BLACK_IS_0)
        return self.file.with_directory((tag, *field) for tag, field in fields.items())

    def _copied(self, field: Field) -> tuple[int, int, bytes]:
        if field.kind in _LONG8:
            return self._long(self.file.numbers(field, MAX_STRIPS))
        return field.kind, field.count, self.file.raw(field, 1 << 20)

    def _one(self, tag: int, default: int = 0) -> int:
        return (self.file.numbers(self.fields.get(tag)) or (default,))[0]

    def _short(self, value: int) -> tuple[int, int, bytes]:
        return 3, 1, value.to_bytes(2, "little" if self.file.order == "<" else "big")

    def _long(self, values: tuple[int, ...]) -> tuple[int, int, bytes]:
        return 4, len(values), np.array(values, self.file.order + "u4").tobytes()
