"""From untrusted bytes to a photo, and from a photo to the square image that a network sees."""

import hashlib
import io
import re
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF")
ACCEPTED = "a JPEG, PNG, WebP, TIFF or BMP photo"
MAX_BYTES = 50_000_000
# Above this Pillow itself warns of a decompression bomb; dermatoscopes and phones stay well below.
MAX_PIXELS = 89_478_485
MAX_SIDE = 4096
MIN_SIDE = 32

_WHITE = (255, 255, 255, 255)
# Full scale of grey modes deeper than 8 bits.
_DEEP_GREY = {"I;16": 65535, "I;16B": 65535, "I;16L": 65535, "I;16N": 65535}
# TIFF tag 258, BitsPerSample: a 12-bit grey photo arrives in Pillow's 16-bit mode.
_BITS_PER_SAMPLE = 258
# Beginnings of what people upload by mistake: (offset, bytes, what it is, what to do).
_STRANGERS = (
    (0, b"%PDF", "a PDF document", "Export the photo from it as JPEG or PNG."),
    (128, b"DICM", "a DICOM file", "Export the photo from it as JPEG or PNG."),
    (4, b"ftyphei", "a HEIC photo", "Export it as JPEG (iPhone: Settings, Camera, Formats, Most compatible)."),
    (4, b"ftypmif", "a HEIF photo", "Export it as JPEG (iPhone: Settings, Camera, Formats, Most compatible)."),
    (4, b"ftypavif", "an AVIF photo", "Export it as JPEG or PNG."),
    (4, b"ftyp", "a video", "Upload a still photo."),
    (0, b"PK\x03\x04", "a ZIP archive", "Unpack it and upload one photo."),
    (0, b"<svg", "an SVG drawing", "Upload a photo."),
)
_PHOTO_STARTS = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"RIFF", b"II*\0", b"MM\0*", b"GIF8", b"BM")


class UnreadablePhoto(ValueError):
    """Bytes that cannot be read as a photo; the message says what came, what was expected and how to fix it."""


def read_photo(source: bytes | str | Path, name: str = "") -> np.ndarray:
    """Reads a photo from a file or from bytes that nobody has checked.

    EXIF rotation is applied; an embedded colour profile is turned into sRGB; transparency is laid over white; grey,
    palette, CMYK and 16-bit photos become 8-bit RGB; of an animation the first frame is taken; the long side is bounded
    to `MAX_SIDE`. Nothing but pixels comes back: no EXIF, no name. No file stays open.

    Args:
        source: the photo's bytes, or the path of a file.
        name: what to call the photo in an error; the file's name when empty.

    Returns:
        The photo, (H, W, 3) uint8 RGB.

    Raises:
        UnreadablePhoto: the bytes are missing, too many, damaged, not a photo, or a photo too small or too large.
    """
    data, name = _read_bytes(source, name)
    picture = _open(data, name)
    if picture.format in ("JPEG", "MPO") and not _jpeg_is_whole(data):
        raise _damaged(name)
    width, height = picture.size
    if width * height > MAX_PIXELS:
        raise _too_many_pixels(name, f"{width:,} x {height:,} pixels")
    try:
        picture.draft(None, (MAX_SIDE, MAX_SIDE))  # large JPEGs decode at a half or a quarter
        picture.load()
    except Exception:  # noqa: BLE001 - on damaged bytes Pillow raises anything: OSError, SyntaxError, struct.error
        raise _damaged(name) from None
    picture = _to_rgb(_turned(picture), name)
    picture.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.BICUBIC)
    if min(picture.size) < MIN_SIDE:
        raise UnreadablePhoto(
            f"{name} is {width} x {height} pixels: too small to read. Expected at least {MIN_SIDE} pixels a side, better 450; "
            "use the original photo, not a thumbnail."
        )
    return np.array(picture)


def fit_image(photo: np.ndarray, size: int) -> np.ndarray:
    """The image that a network sees: a photo's largest centre square, resized with antialiasing.

    Values are whole numbers, so that training from a uint8 cache and serving see the same pixels.

    Args:
        photo: (H, W, 3) uint8 RGB.
        size: side of the square, pixels.

    Returns:
        The image, (size, size, 3) float32, 0..255.

    Raises:
        ValueError: `photo` is not (H, W, 3) uint8.
    """
    if photo.dtype != np.uint8 or photo.ndim != 3 or photo.shape[2] != 3:
        raise ValueError(f"Expected a photo (H, W, 3) of uint8, from read_photo; got {photo.shape} of {photo.dtype}.")
    top, left, side = centre_square(*photo.shape[:2])
    square = Image.fromarray(np.ascontiguousarray(photo[top : top + side, left : left + side]))
    # Pillow's bicubic widens its support when it shrinks, which is the antialiasing; reducing_gap only makes that faster.
    return np.asarray(square.resize((size, size), Image.Resampling.BICUBIC, reducing_gap=3.0), dtype="float32")


def centre_square(height: int, width: int) -> tuple[int, int, int]:
    """Top, left and side, in pixels, of the largest centre square of a photo."""
    side = min(height, width)
    return (height - side) // 2, (width - side) // 2, side


def photo_hash(photo: np.ndarray) -> str:
    """SHA-256 of a photo's shape and pixels, in hexadecimal: what a cache knows a photo by."""
    digest = hashlib.sha256(repr(photo.shape).encode())
    digest.update(np.ascontiguousarray(photo))
    return digest.hexdigest()


def _read_bytes(source: bytes | str | Path, name: str) -> tuple[bytes, str]:
    """The bytes, and what to call them; sizes are checked before anything is read."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        data, name = bytes(source), name or "The photo"
        _check_size(len(data), name)
        return data, name
    path = Path(source)
    name = name or path.name
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise UnreadablePhoto(f"{path} {what}. Expected the path of {ACCEPTED}.")
    try:
        _check_size(path.stat().st_size, name)
        return path.read_bytes(), name
    except OSError as error:
        raise UnreadablePhoto(f"{path} cannot be read ({error.strerror}). Check the file's permissions.") from None


def _check_size(size: int, name: str) -> None:
    if size == 0:
        raise UnreadablePhoto(f"{name} is empty (0 bytes). Expected {ACCEPTED}; export or download it again.")
    if size > MAX_BYTES:
        raise UnreadablePhoto(
            f"{name} has {size / 1e6:,.0f} MB. Expected at most {MAX_BYTES / 1e6:.0f} MB; save it as JPEG or make it smaller."
        )


def _open(data: bytes, name: str) -> Image.Image:
    """Reads the header only; decodes nothing."""
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        count = re.search(r"\((\d+) pixels\)", str(error))
        size = f"{int(count[1]) / 1e6:,.0f} million pixels" if count else "too many pixels"
        raise _too_many_pixels(name, size) from None
    except Exception:  # noqa: BLE001 - as in read_photo: header parsers raise anything
        raise _not_a_photo(data, name) from None


def _jpeg_is_whole(data: bytes) -> bool:
    """Whether an end marker follows the picture; libjpeg paints what is missing grey and says nothing."""
    place = 2
    while place + 4 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if marker == 0xFF:  # fill byte
            place += 1
            continue
        if marker == 0xDA:  # start of scan: the header, and any thumbnail in it, ends here
            return data.find(b"\xff\xd9", place) > 0
        place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")
    return True  # not laid out as expected: let the decoder judge


def _turned(picture: Image.Image) -> Image.Image:
    try:
        ImageOps.exif_transpose(picture, in_place=True)
    except Exception:  # noqa: BLE001, S110 - damaged EXIF says nothing about the way up
        pass
    return picture


def _to_rgb(picture: Image.Image, name: str) -> Image.Image:
    """Turns any mode that Pillow reads into 8-bit RGB."""
    if picture.mode in _DEEP_GREY:
        bits = picture.tag_v2.get(_BITS_PER_SAMPLE, (16,))[0] if hasattr(picture, "tag_v2") else 16
        full_scale = 2**bits - 1 if bits < 16 else _DEEP_GREY[picture.mode]
        grey = np.asarray(picture).astype("float32") * (255.0 / full_scale)
        return Image.fromarray(np.clip(np.rint(grey), 0, 255).astype("uint8")).convert("RGB")
    if picture.mode in ("I", "F"):
        raise UnreadablePhoto(
            f"{name} has 32-bit pixels, whose brightness scale is not known. Expected 8 or 16 bits a channel; save it as JPEG or PNG."
        )
    picture = _to_srgb(picture)
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", picture.size, _WHITE), picture).convert("RGB")
    return picture.convert("RGB")


def _to_srgb(picture: Image.Image) -> Image.Image:
    """Follows an embedded colour profile (phones write Display P3, printers CMYK), without which colours would shift."""
    profile = picture.info.get("icc_profile")
    if not profile or picture.mode not in ("RGB", "CMYK"):
        return picture
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "sRGB" in ImageCms.getProfileDescription(source):
            return picture
        return ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except Exception:  # noqa: BLE001 - a damaged profile, or one for another mode: the pixels alone must do
        return picture


def _damaged(name: str) -> UnreadablePhoto:
    return UnreadablePhoto(
        f"{name} is damaged or incomplete: its pixels end too early or cannot be decoded. "
        "Expected a whole photo; copy or download it again."
    )


def _too_many_pixels(name: str, size: str) -> UnreadablePhoto:
    return UnreadablePhoto(
        f"{name} would unpack to {size}, which was not tried. "
        f"Expected at most {MAX_PIXELS / 1e6:.0f} million pixels; make the photo smaller."
    )


def _not_a_photo(data: bytes, name: str) -> UnreadablePhoto:
    """Says what the bytes look like, whatever the name ends in."""
    for offset, start, what, advice in _STRANGERS:
        if data[offset : offset + len(start)] == start:
            return UnreadablePhoto(f"{name} is {what}. Expected {ACCEPTED}. {advice}")
    if data.startswith(_PHOTO_STARTS):
        return _damaged(name)
    text = all(byte >= 32 or byte in b"\t\n\r\f" for byte in data[:512])
    what = "text, not a photo, whatever its name ends in" if text else "not a photo in a known format"
    return UnreadablePhoto(f"{name} is {what}. Expected {ACCEPTED}; choose the photo itself, or export it as JPEG.")
