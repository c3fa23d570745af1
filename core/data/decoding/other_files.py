"""Bounds on WebP, BMP, GIF, HEIC and AVIF files, from what their headers announce; nothing is decoded."""

import struct

from core.data.decoding.decode_limits import MAX_COMMENT_BYTES, MAX_EXIF, MAX_RUN_BYTES, check_count, check_pixels
from core.data.decoding.tiff_directory import BadDirectory, TiffBytes
from core.data.decoding.unreadable import damaged, too_much

# Where a TIFF header begins an EXIF block in a HEIC or AVIF file.
_EXIF_STARTS = (b"\0\0\0\0II*\0", b"\0\0\0\0MM\0*", b"Exif\0\0II*\0", b"Exif\0\0MM\0*")
_RLE = (1, 2)
# GIF's blocks.
_EXTENSION, _PICTURE = 0x21, 0x2C
# Measured; decoders of these keep several copies of the picture. 9.2 lets phones' 48 megapixels through.
BYTES_A_PIXEL = {"WebP": 20, "BMP": 8, "GIF": 8, "HEIC": 9.2, "AVIF": 12}


def check_webp(data: bytes, name: str) -> None:
    """Whether all bytes are there that the file announces.

    Raises:
        UnreadablePhoto: not whole.
    """
    if 8 + int.from_bytes(data[4:8], "little") > len(data) + 1:  # some programs forget the byte that fills up
        raise damaged(name)


def check_bmp(data: bytes, name: str) -> bytes:
    """Bounds run-length coding, which takes long to decode.

    Returns:
        The embedded ICC profile; empty without one.

    Raises:
        UnreadablePhoto: too much of it.
    """
    size = int.from_bytes(data[14:18], "little")
    if size >= 40 and int.from_bytes(data[30:34], "little") in _RLE and len(data) > MAX_RUN_BYTES:
        raise too_much(
            name,
            f"is a BMP of {len(data) / 1e6:.0f} MB with run-length coding",
            f"{MAX_RUN_BYTES / 1e6:.0f} MB of it",
        )
    if size >= 124 and data[70:74] == b"DEBM":  # "MBED" as a little-endian number: the profile is in the file
        place, length = struct.unpack_from("<II", data, 126)
        return data[14 + place : 14 + place + length]
    return b""


def check_gif(data: bytes, name: str) -> None:
    """Bounds what stands before the first picture.

    Raises:
        UnreadablePhoto: no picture, or more comments than any photo has.
    """
    place, before = 13 + (3 * 2 ** ((data[10] & 7) + 1) if len(data) > 10 and data[10] & 0x80 else 0), 0
    while place < len(data) and data[place] != _PICTURE:
        if data[place] != _EXTENSION:
            raise damaged(name)
        place += 2
        while place < len(data) and (length := data[place]):
            place, before = place + 1 + length, before + length
            check_count(name, before, MAX_COMMENT_BYTES, "bytes of comments before its picture")
        place += 1
    if place >= len(data):
        raise damaged(name)


def check_heif(data: bytes, name: str) -> None:
    """Bounds EXIF, of which a decoder might unpack every tag.

    Raises:
        UnreadablePhoto: tags that claim more than `MAX_EXIF` bytes.
    """
    for start in _EXIF_STARTS:
        place = data.find(start)
        while place >= 0:
            try:
                block = TiffBytes(data[place + len(start) - 4 :])
                fields, _ = block.directory(block.first)
                claimed = sum(field.size for field in fields.values())
            except BadDirectory:
                claimed = 0
            check_count(name, claimed, MAX_EXIF, "bytes of EXIF")
            place = data.find(start, place + 1)


def check_canvas(name: str, size: tuple[int, int], kind: str) -> None:
    """Refuses photos that would fill the memory; see `check_pixels`."""
    check_pixels(name, *size, BYTES_A_PIXEL[kind], f"{'an' if kind[0] in 'AEIO' else 'a'} {kind}")
