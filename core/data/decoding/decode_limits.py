"""How much work one photo may be: bounds on what its structure announces, asked before anything is decoded.

A file of half a megabyte can announce work for hours. Every decoder here does work in proportion to what the headers announce
(pixels, scans, strips, segments), so the headers are bounded and nothing needs to be stopped on the way. What is allowed stays
below `SECONDS` and `MEMORY` on one core of 2020; dermatoscopes and phones stay far below.
"""

from core.data.decoding.unreadable import UnreadablePhoto, too_many_pixels, too_much

# What one photo may take, bytes and seconds; the bounds below follow from these two and are measured against them.
MEMORY = 500_000_000
SECONDS = 5.0
MAX_BYTES = 50_000_000
# Above this Pillow itself warns of a decompression bomb; dermatoscopes and phones stay well below.
MAX_PIXELS = 89_478_485
MAX_SIDE = 4096
MIN_SIDE = 32
# JPEG: Pillow writes at most 10 scans, mozjpeg some 20; libjpeg-turbo's authors advise to stop at 100.
MAX_SCANS = 100
# JPEG: scans times samples. A scan that brings nothing still visits every coefficient, about a thousand million in a second.
MAX_VISITS = 1_500_000_000
# JPEG segments and PNG chunks; a file of 50 MB in PNG chunks of 4 KB has 12,000.
MAX_SEGMENTS = 20_000
# TIFF strips or tiles: one a row is common, and three planes of them.
MAX_STRIPS = 100_000
# TIFF pages that are looked through for the photo.
MAX_PAGES = 256
# BMP: run lengths are decoded by Python, a million in about a second.
MAX_RUN_BYTES = 4_000_000
# GIF: bytes of comments before the picture, which Pillow joins one by one.
MAX_COMMENT_BYTES = 200_000
# An ICC profile: those of printers have 3 MB at most.
MAX_PROFILE = 8_000_000
# EXIF or XMP that is read for the way up and the colours.
MAX_EXIF = 1_000_000


def check_sides(name: str, width: int, height: int) -> None:
    """Refuses photos that are too small to read, or so long and narrow that nothing is left of the short side.

    Raises:
        UnreadablePhoto: says which of the two.
    """
    short, long = sorted((width, height))
    if short < MIN_SIDE:
        raise UnreadablePhoto(
            f"{name} is {width} x {height} pixels: too small to read. Expected at least {MIN_SIDE} pixels a side, better 450; "
            "use the original photo, not a thumbnail."
        )
    if short * MAX_SIDE < MIN_SIDE * long:
        raise UnreadablePhoto(
            f"{name} is {width:,} x {height:,} pixels: {long // short:,} times as long as wide, a strip and no photo of a lesion. "
            f"Expected at most {MAX_SIDE // MIN_SIDE} times; cut the lesion out of it."
        )


def check_pixels(name: str, width: int, height: int, bytes_a_pixel: float, kind: str) -> None:
    """Refuses photos that would fill the memory.

    Args:
        bytes_a_pixel: that decoding this format holds at once, at most.
        kind: the format's name.

    Raises:
        UnreadablePhoto: too many pixels.
    """
    most = min(MAX_PIXELS, (MEMORY - MAX_BYTES) / bytes_a_pixel)
    if width * height > most:
        raise too_many_pixels(name, width, height, most, kind)


def check_count(name: str, count: int, most: int, of: str) -> None:
    """Refuses files with more parts than any camera or program writes."""
    if count > most:
        raise too_much(name, f"has more than {most:,} {of}", f"{most:,}")
