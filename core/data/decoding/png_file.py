"""What a PNG file announces, what of it is handed to the decoder, and which colours it says it has.

Reference: W3C, "Portable Network Graphics (PNG) Specification, Third Edition", 2025: of the chunks that tell colours the first of cICP,
iCCP, sRGB, and gAMA with cHRM counts.
"""

import math
import struct
import zlib
from dataclasses import dataclass

from core.data.decoding.colour_space import SRGB, ColourSpace, InvalidColours, coded_space, gamma_space
from core.data.decoding.decode_limits import MAX_EXIF, MAX_PROFILE, MAX_SEGMENTS, check_count, check_pixels
from core.data.decoding.packed_pixels import unpacked_size
from core.data.decoding.unreadable import damaged

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# All else, such as comments and further frames, changes no pixel.
_KEPT = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_COLOURS = (b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"eXIf")
_XMP = b"XML:com.adobe.xmp\0"
# Decoded and shrunk; transparent pictures are copied once more for it.
_BYTES_A_PIXEL, _TRANSPARENT_BYTES_A_PIXEL = 8, 11
_WITH_ALPHA = (4, 6)
# Colour type -> channels.
_CHANNELS, _PALETTE = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}, 3


@dataclass(frozen=True, eq=False)
class PngFile:
    """A PNG file.

    Args:
        data: what a decoder needs of it.
        deep: 16 where it has 16 bits a channel, else 0.
        profile: ICC, empty without one, or without one that can be unpacked.
        space: the colours that other chunks tell; None without them.
        exif: block, empty without one.
        xmp: text, likewise.
        note: what is wrong with what it says of its colours; empty if nothing is.
    """

    data: bytes
    deep: int
    profile: bytes
    space: ColourSpace | None
    exif: bytes
    xmp: bytes
    note: str = ""


def inspect_png(data: bytes, name: str) -> PngFile:
    """Walks through a PNG's chunks and checks each against its checksum; decodes nothing.

    Raises:
        UnreadablePhoto: more work than any photo, colours that are not handled, or not whole.
    """
    kept, told, place = [SIGNATURE], {}, len(SIGNATURE)
    for count in range(1, MAX_SEGMENTS + 2):
        check_count(name, count, MAX_SEGMENTS, "chunks")
        length, kind = int.from_bytes(data[place : place + 4], "big"), data[place + 4 : place + 8]
        end = place + 12 + length
        if end > len(data):
            raise damaged(name)
        if kind in _KEPT:
            if zlib.crc32(memoryview(data)[place + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
                raise damaged(name, "its checksums do not match its pixels")
            kept.append(data[place:end])
        elif kind in _COLOURS and length <= MAX_PROFILE and (kind == b"eXIf" or kept[-1][4:8] != b"IDAT"):
            # Behind the pixels no decoder has heeded colours.
            told.setdefault(kind, data[place + 8 : end - 4])
        elif kind == b"iTXt" and data[place + 8 : place + 8 + len(_XMP)] == _XMP:
            told.setdefault(kind, data[place + 8 : min(end - 4, place + 8 + MAX_EXIF)])
        place = end
        if kind == b"IEND":
            break
    if len(kept) < 4 or kept[1][4:8] != b"IHDR" or len(kept[1]) != 25:
        raise damaged(name)
    width, height, depth, colours = struct.unpack_from(">IIBB", kept[1], 8)
    clear = colours in _WITH_ALPHA or any(chunk[4:8] == b"tRNS" for chunk in kept[1:4])
    check_pixels(name, width, height, _TRANSPARENT_BYTES_A_PIXEL if clear else _BYTES_A_PIXEL, "a PNG")
    _check_rows(kept, name)
    profile, space, note = _colours(told, name)
    exif, deep = told.get(b"eXIf", b""), 16 if depth == 16 else 0
    exif = exif if len(exif) <= MAX_EXIF else b""
    return PngFile(b"".join(kept), deep, profile, space, exif, told.get(b"iTXt", b""), note)


def _check_rows(kept: list[bytes], name: str) -> None:
    """Whether all rows are there: the decoder leaves those that are missing black."""
    width, height, depth, colours, *_, interlaced = struct.unpack_from(">IIBBBBB", kept[1], 8)
    if colours == _PALETTE and not any(chunk[4:8] == b"PLTE" for chunk in kept):
        raise damaged(name, "its palette is missing")
    if interlaced or colours not in _CHANNELS:
        return  # the decoder tells by itself
    wanted = (math.ceil(width * depth * _CHANNELS[colours] / 8) + 1) * height
    if (unpacked_size((chunk[8:-4] for chunk in kept if chunk[4:8] == b"IDAT"), wanted) or 0) < wanted:
        raise damaged(name)


def _colours(told: dict[bytes, bytes], name: str) -> tuple[bytes, ColourSpace | None, str]:
    """Profile, colour space and note, from the first chunk that counts."""
    try:
        if len(told.get(b"cICP", b"")) == 4:
            primaries, transfer, matrix, full = told[b"cICP"]
            space = coded_space(primaries, transfer, name)
            if space is not None and matrix == 0 and full == 1:
                return b"", space, ""
        if b"iCCP" in told:
            profile = _unpacked(told[b"iCCP"])
            return profile, None, "" if profile else "Its colour profile is damaged and was not followed."
        if b"sRGB" in told:
            return b"", SRGB, ""
        gamma, points = told.get(b"gAMA", b""), told.get(b"cHRM", b"")
        if len(gamma) == 4:
            white_and_primaries = struct.unpack(">8I", points) if len(points) == 32 else ()
            return b"", gamma_space(int.from_bytes(gamma, "big"), white_and_primaries), ""
    except InvalidColours as error:
        return b"", None, f"What it says of its colours cannot be ({error}) and was not followed."
    return b"", None, ""


def _unpacked(chunk: bytes) -> bytes:
    """The profile in an iCCP chunk: a name, a zero, the method and the packed profile."""
    start = chunk.find(b"\0", 0, 81)
    try:
        unpacker = zlib.decompressobj()
        profile = unpacker.decompress(chunk[start + 2 :], MAX_PROFILE) if start > 0 else b""
    except zlib.error:
        return b""
    return profile if unpacker.eof else b""
