"""From untrusted bytes to a photo, and from a photo to the square image that a network sees."""

import hashlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from core.data.decoding.colour_profile import plain_mode, to_srgb
from core.data.decoding.colour_space import ADOBE_RGB, SRGB, ColourSpace, coded_space
from core.data.decoding.decode_limits import MAX_BYTES, MAX_EXIF, MAX_PIXELS, MAX_SIDE, MIN_SIDE, check_sides
from core.data.decoding.dicom_file import DicomFile, open_dicom
from core.data.decoding.dicom_pixels import decode_frames
from core.data.decoding.jpeg_file import check_whole, inspect_jpeg
from core.data.decoding.other_files import check_bmp, check_canvas, check_gif, check_heif, check_webp
from core.data.decoding.photo_formats import ACCEPTED, PhotoFormat, recognise_format
from core.data.decoding.pixel_depth import check_range, deep_grey
from core.data.decoding.png_file import inspect_png
from core.data.decoding.tiff_directory import ExifFacts, exif_facts
from core.data.decoding.tiff_file import inspect_tiff, open_tiff
from core.data.decoding.unreadable import UnreadablePhoto, damaged

__all__ = [
    "ACCEPTED", "MAX_BYTES", "MAX_PIXELS", "MAX_SIDE", "MIN_SIDE", "PhotoFile", "UnreadablePhoto",
    "centre_square", "fit_image", "photo_hash", "read_bytes", "read_frames", "read_photo", "read_photo_file",
]  # fmt: skip
_WHITE = (255, 255, 255, 255)
# Modes whose colours a colour space of red, green and blue tells.
_COLOURED = ("RGB", "RGBA", "L", "LA")
# How the decoder's rows and columns are turned for EXIF's orientations 2 to 8.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_XMP_ORIENTATION = re.compile(rb'tiff:Orientation(?:="|>)([1-8])')


@dataclass(frozen=True, eq=False)
class PhotoFile:
    """A photo as it was read.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        notes: sentences on what could not be followed, such as a broken colour profile; each names the photo.
    """

    pixels: np.ndarray
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class _Decoded:
    """What a format's decoder gives: a picture, and all that its file says of its way up and its colours."""

    picture: Image.Image
    profile: bytes = b""
    space: ColourSpace | None = None
    facts: ExifFacts = ExifFacts()
    note: str = ""


def read_photo(source: bytes | str | Path, name: str = "") -> np.ndarray:
    """Reads a photo from a file or from bytes that nobody has checked; see `read_photo_file`.

    Returns:
        The photo, (H, W, 3) uint8 RGB.
    """
    return read_photo_file(source, name).pixels


def read_photo_file(source: bytes | str | Path, name: str = "") -> PhotoFile:
    """Reads a photo from a file or from bytes that nobody has checked.

    What it is its content tells, not its name. What its headers announce is bounded before anything is decoded. EXIF rotation is
    applied; colours are turned into sRGB as its profile, its PNG chunks or its EXIF tell them; transparency is laid over white;
    grey, palette, CMYK and 16-bit photos become 8-bit RGB; of a TIFF the largest page is taken, of an animation or a
    DICOM file the first frame; the long side is bounded to `MAX_SIDE`. Nothing but pixels comes back: no EXIF, no name. No file stays
    open.

    Args:
        source: the photo's bytes, or the path of a file.
        name: what to call the photo in an error; the file's name when empty.

    Raises:
        UnreadablePhoto: the bytes are missing, too many, damaged, not a photo or of a kind that is not read, or a photo too
            small or too large.
    """
    data, name = read_bytes(source, name)
    kind = recognise_format(data)
    if kind is None or not kind.read:
        raise _not_a_photo(kind, data, name)
    try:
        return _finished(_DECODERS[kind.decoder](data, name, kind), name)
    except UnreadablePhoto:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        count = re.search(r"\((\d+) pixels\)", str(error))
        size = f"{int(count[1]) / 1e6:,.0f} million pixels" if count else "too many pixels"
        raise UnreadablePhoto(
            f"{name} would unpack to {size}, which was not tried. Expected at most {MAX_PIXELS / 1e6:.0f} million pixels; "
            "make the photo smaller."
        ) from None
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - on damaged bytes decoders raise anything: OSError, SyntaxError, struct.error
        raise damaged(name) from None


def read_frames(file: DicomFile, name: str) -> Iterator[PhotoFile]:
    """Reads all frames of a DICOM file, each a photo, one after the other.

    Args:
        file: from `open_dicom`.
        name: what to call it in an error.

    Raises:
        UnreadablePhoto: damaged pixels, or a codec that is not installed.
    """
    for picture, profile in decode_frames(file, name):
        yield _finished(_Decoded(picture, profile), name)


def _finished(decoded: _Decoded, name: str) -> PhotoFile:
    """A decoded picture the right way up, bounded, in sRGB and over white."""
    picture = plain_mode(decoded.picture)
    if decoded.facts.orientation in _TURNS:
        picture = picture.transpose(_TURNS[decoded.facts.orientation])
    picture.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.BICUBIC)
    check_sides(name, *picture.size)
    profile = decoded.profile
    if not profile:
        space = decoded.space or (ADOBE_RGB if decoded.facts.adobe_rgb else None)
        profile = space.profile() if space is not None and space != SRGB and picture.mode in _COLOURED else b""
    picture, note = to_srgb(picture, profile)
    if picture.mode == "RGBA":
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, _WHITE), picture).convert("RGB")
    notes = tuple(f"{name}: {text}" for text in (decoded.note, note) if text)
    return PhotoFile(np.array(picture), notes)


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


def read_bytes(source: bytes | str | Path, name: str) -> tuple[bytes, str]:
    """The bytes of a photo, and what to call it; its size is checked before anything is read.

    Raises:
        UnreadablePhoto: no file, an empty one, one that may not be read or is too large.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        data, name = bytes(source), name or "The photo"
        _check_size(len(data), name)
        return data, name
    path = Path(source)
    name = name or path.name
    try:
        if not path.is_file():
            what = "is a folder" if path.is_dir() else "does not exist"
            raise UnreadablePhoto(f"{path} {what}. Expected the path of {ACCEPTED}.")
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


def _read_jpeg(data: bytes, name: str, kind: PhotoFormat) -> _Decoded:
    file = inspect_jpeg(data, name)
    check_sides(name, *file.size)
    check_whole(file, name)
    picture = Image.open(io.BytesIO(file.data), formats=("JPEG",))
    picture.draft(None, (MAX_SIDE, MAX_SIDE))  # large JPEGs decode at a half or a quarter
    picture.load()
    return _Decoded(picture, file.profile, facts=_facts(file.exif, file.xmp))


def _read_png(data: bytes, name: str, kind: PhotoFormat) -> _Decoded:
    file = inspect_png(data, name)
    picture = _loaded(file.data, name, "PNG")
    if picture.mode.startswith("I;16"):
        picture = deep_grey(picture, 65535)
    if file.deep:
        check_range(picture, file.deep, name)
    return _Decoded(picture, file.profile, file.space, _facts(file.exif, file.xmp), file.note)


def _read_tiff(data: bytes, name: str, kind: PhotoFormat) -> _Decoded:
    photo = inspect_tiff(data, name)
    picture = open_tiff(photo)
    if photo.deep and photo.full_scale == 2**photo.deep - 1:
        check_range(picture, photo.deep, name)
    return _Decoded(picture, photo.profile, facts=photo.facts)


def _read_other(data: bytes, name: str, kind: PhotoFormat) -> _Decoded:
    profile = b""
    if kind.decoder == "WEBP":
        check_webp(data, name)
    elif kind.decoder == "BMP":
        profile = check_bmp(data, name)
    elif kind.decoder == "GIF":
        check_gif(data, name)
    else:
        check_heif(data, name)
    picture = _loaded(data, name, kind.decoder, kind.short.removesuffix(" photo"))
    space = _coded(data, name) if kind.decoder == "AVIF" else None
    facts = _facts(picture.info.get("exif", b""), picture.info.get("xmp", b""))
    return _Decoded(picture, profile or picture.info.get("icc_profile") or b"", space, facts)


def _read_heic(data: bytes, name: str, kind: PhotoFormat) -> _Decoded:
    # Loaded here, since its codecs take a while and few photos need them.
    import pillow_heif

    check_heif(data, name)
    file = pillow_heif.open_heif(io.BytesIO(data))
    check_sides(name, *file.size)
    check_canvas(name, file.size, "HEIC")
    told = file.info.get("nclx_profile") or {}
    space = coded_space(told["color_primaries"], told["transfer_characteristics"], name, loose=True) if told else None
    picture = file.to_pillow()
    # The way up is in the container, and the decoder has followed it.
    return _Decoded(
        picture, picture.info.get("icc_profile") or b"", space, _upright(exif_facts(file.info.get("exif") or b""))
    )


def _read_dicom(data: bytes, name: str, kind: PhotoFormat) -> _Decoded:
    file = open_dicom(data, name)
    picture, profile = next(decode_frames(file, name))
    note = f"It holds {file.frames} frames; this is the first." if file.frames > 1 else ""
    return _Decoded(picture, profile, note=note)


_DECODERS = {
    "DICOM": _read_dicom,
    "JPEG": _read_jpeg,
    "PNG": _read_png,
    "TIFF": _read_tiff,
    "HEIF": _read_heic,
    **dict.fromkeys(("WEBP", "BMP", "GIF", "AVIF"), _read_other),
}


def _loaded(data: bytes, name: str, decoder: str, kind: str = "") -> Image.Image:
    """Decodes with Pillow, after a look at the size that the file announces."""
    picture = Image.open(io.BytesIO(data), formats=(decoder,))
    check_sides(name, *picture.size)
    if kind:
        check_canvas(name, picture.size, kind)
    picture.load()
    return picture


def _facts(exif: bytes, xmp: bytes) -> ExifFacts:
    """What EXIF tells; the way up also from XMP, where EXIF is silent."""
    facts = exif_facts(exif[:MAX_EXIF])
    told = _XMP_ORIENTATION.search(xmp[:MAX_EXIF]) if facts.orientation == 1 else None
    return ExifFacts(int(told[1]), facts.adobe_rgb) if told else facts


def _upright(facts: ExifFacts) -> ExifFacts:
    return ExifFacts(1, facts.adobe_rgb)


def _coded(data: bytes, name: str) -> ColourSpace | None:
    """The colour space in an AVIF's `colr` box of type nclx, where the picture has no profile."""
    place = data.find(b"colrnclx")
    if place < 0:
        return None
    return coded_space(*(int.from_bytes(data[place + at : place + at + 2], "big") for at in (8, 10)), name, loose=True)  # pyright: ignore[reportCallIssue]


def _not_a_photo(kind: PhotoFormat | None, data: bytes, name: str) -> UnreadablePhoto:
    """Says what the bytes look like, whatever the name ends in."""
    if kind is not None:
        return UnreadablePhoto(f"{name} is {kind.name}, which is not read. Expected {ACCEPTED}. {kind.advice}")
    text = all(byte >= 32 or byte in b"\t\n\r\f" for byte in data[:512])
    what = "text, not a photo, whatever its name ends in" if text else "not a photo in a known format"
    return UnreadablePhoto(f"{name} is {what}. Expected {ACCEPTED}; choose the photo itself, or export it as JPEG.")
