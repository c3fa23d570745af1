"""What a JPEG file announces, what of it is handed to the decoder, and whether its pixels are whole.

Reference: ITU-T T.81 (JPEG), annex B; T.872 (JFIF). Warnings that the decoder in Pillow swallows come from libjpeg's strict
reading through simplejpeg.
"""

import re
from dataclasses import dataclass

from core.data.decoding.decode_limits import (
    MAX_EXIF,
    MAX_PIXELS,
    MAX_PROFILE,
    MAX_SCANS,
    MAX_SEGMENTS,
    MAX_SIDE,
    MAX_VISITS,
    MEMORY,
    check_count,
)
from core.data.decoding.unreadable import UnreadablePhoto, damaged, other_kind, too_many_pixels, too_much

_MARKER = re.compile(rb"\xff+([\x01\xc0-\xcf\xd8-\xfe])")
_SOI, _EOI, _SOS, _APP0, _APP1, _APP2, _APP14, _COM = 0xD8, 0xD9, 0xDA, 0xE0, 0xE1, 0xE2, 0xEE, 0xFE
_NO_LENGTH = (0x01, _SOI)
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
# Start of frame: the kinds that are read, and what the others are.
_SEQUENTIAL, _PROGRESSIVE = (0xC0, 0xC1, 0xC9), (0xC2, 0xCA)
_FRAMES = (*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0), 0xF7)
# What libjpeg says of damage; its other warnings are of oddities that change no pixel.
_DAMAGE = re.compile(r"Corrupt JPEG data|Premature end|Inconsistent progression")
_EXTRA = re.compile(r"(\d+) extraneous bytes before marker 0xd9")
# Some cameras fill up the last bytes before the end.
_MOST_FILL = 8


@dataclass(frozen=True, eq=False)
class JpegFile:
    """A JPEG file.

    Args:
        data: what a decoder needs of it: no EXIF, comments, previews or profiles.
        size: width and height, pixels.
        components: 1 grey, 3 colour, 4 CMYK.
        samples: of all components, for each pixel.
        scans: passes over the picture.
        whole_first: whether all coefficients are kept until the last scan.
        profile: ICC, empty without one.
        exif: block, empty without one.
        xmp: likewise.
    """

    data: bytes
    size: tuple[int, int]
    components: int
    samples: float
    scans: int
    whole_first: bool
    profile: bytes
    exif: bytes
    xmp: bytes


def inspect_jpeg(data: bytes, name: str) -> JpegFile:
    """Walks through a JPEG's segments and scans; decodes nothing.

    Raises:
        UnreadablePhoto: of a kind that is not read, more work than any photo, or not whole.
    """
    kept, profiles, exif, xmp = [b"\xff\xd8"], {}, b"", b""
    frame, scans, place, first_scan = None, 0, 2, 0
    for count in range(1, MAX_SEGMENTS + 2):
        check_count(name, count, MAX_SEGMENTS, "segments")
        match = _MARKER.search(data, place)
        if not match:
            raise damaged(name)
        marker, begin = match[1][0], match.end() - 2
        if marker == _EOI:
            break
        if marker in _NO_LENGTH:
            place = match.end()
            continue
        place = match.end() + int.from_bytes(data[match.end() : match.end() + 2], "big")
        if place > len(data):
            raise damaged(name)
        body = data[match.end() + 2 : place] if marker in (_APP1, _APP2, *_FRAMES) else b""
        if marker == _SOS:
            scans, first_scan = scans + 1, first_scan or begin
            check_count(name, scans, MAX_SCANS, "passes over its pixels (a progressive JPEG)")
        elif first_scan:
            pass
        elif marker in _FRAMES:
            frame = frame or (marker, body)
            kept.append(data[begin:place])
        elif marker == _APP1 and body.startswith(b"Exif\0\0"):
            exif = exif or body[:MAX_EXIF]
        elif marker == _APP1 and body.startswith(_XMP):
            xmp = xmp or body[:MAX_EXIF]
        elif marker == _APP2 and body.startswith(b"ICC_PROFILE\0") and len(body) > 14:
            profiles.setdefault(body[12], body[14:])
        elif marker in (_APP0, _APP14) or not (_APP0 <= marker <= 0xEF or marker == _COM):
            kept.append(data[begin:place])
    if not frame or not scans:
        raise damaged(name)
    file = JpegFile(
        b"".join((*kept, data[first_scan : match.end()])),  # pyright: ignore[reportPossiblyUnboundVariable]
        *_frame(*frame, name),
        scans=scans,
        whole_first=frame[0] in _PROGRESSIVE or scans > 1,
        profile=b"".join(profiles[number] for number in sorted(profiles))[: MAX_PROFILE + 1],
        exif=exif,
        xmp=xmp,
    )
    _check_work(file, name)
    return file


def check_whole(file: JpegFile, name: str) -> None:
    """Decodes once more, strictly and small, which costs a fifth of the decoding itself.

    Raises:
        UnreadablePhoto: libjpeg warns of damage; Pillow would paint over it.
    """
    import simplejpeg

    try:
        simplejpeg.decode_jpeg(
            file.data, "CMYK" if file.components == 4 else "GRAY", min_height=1, min_width=1, fastdct=True, strict=True
        )
    except ValueError as error:
        # Its other errors are of kinds that it does not read and Pillow does, such as rare samplings.
        if _DAMAGE.search(str(error)) and not _is_fill(file.data, str(error)):
            raise damaged(name, "what it holds of its pixels contradicts itself") from None


def _is_fill(data: bytes, message: str) -> bool:
    """Whether all that libjpeg has found are a few bytes of filling before the end, after the last pixel."""
    extra = _EXTRA.search(message)
    return bool(extra) and int(extra[1]) <= _MOST_FILL and not data[-2 - int(extra[1]) : -2].strip(b"\0\xff")


def _frame(marker: int, body: bytes, name: str) -> tuple[tuple[int, int], int, float]:
    """Size, components and samples a pixel that a frame header announces."""
    if len(body) < 6 or len(body) < 6 + 3 * body[5]:
        raise damaged(name)
    precision, components = body[0], body[5]
    height, width = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
    if marker == 0xF7:
        raise other_kind(name, "a JPEG-LS photo")
    if marker not in (*_SEQUENTIAL, *_PROGRESSIVE):
        raise other_kind(name, "a lossless or hierarchical JPEG")
    if precision != 8:
        raise UnreadablePhoto(
            f"{name} is a {precision}-bit JPEG, which is not read. Expected a JPEG of 8 bits; save it as PNG or as 8-bit JPEG."
        )
    if components not in (1, 3, 4):
        raise other_kind(name, f"a JPEG of {components} channels")
    if not width or not height:
        raise damaged(name)
    factors = [(body[7 + 3 * i] >> 4, body[7 + 3 * i] & 15) for i in range(components)]
    if not all(across and down for across, down in factors):
        raise damaged(name)
    most = max(a for a, _ in factors) * max(d for _, d in factors)
    return (width, height), components, sum(a * d for a, d in factors) / most


def _check_work(file: JpegFile, name: str) -> None:
    width, height = file.size
    # Large JPEGs decode at a half, a quarter or an eighth; see `read_photo`.
    smaller = next((s for s in (8, 4, 2) if min(width, height) >= s * MAX_SIDE), 1)
    memory = 4 / smaller**2 + (2 * file.samples if file.whole_first else 0)
    most = min(MAX_PIXELS, (MEMORY - 2 * len(file.data)) / memory)
    if width * height > most:
        raise too_many_pixels(name, width, height, most, "such a JPEG")
    if file.scans * file.samples * width * height > MAX_VISITS:
        raise too_much(
            name,
            f"has {file.scans} passes over {width:,} x {height:,} pixels (a progressive JPEG)",
            f"{max(1, int(MAX_VISITS / (file.samples * width * height)))} passes for this size",
        )
