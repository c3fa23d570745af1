"""A DICOM file's header, read as far as a photo needs it and no further: who the patient is never leaves the file.

Only the elements of `WANTED` are taken out of the bytes, so that neither name nor identifier can reach an error, a log or a page.
What pydicom itself would say of a file is not passed on, since it quotes values.

Reference: DICOM PS3.5 (encoding), PS3.10 (file format), PS3.3 C.7.6.3 (image pixel module).
"""

from __future__ import annotations

import io
import logging
import re
import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from core.data.decoding.decode_limits import MAX_BYTES, check_count, check_pixels, check_sides
from core.data.decoding.unreadable import UnreadablePhoto, damaged, other_kind, too_much

if TYPE_CHECKING:
    from pydicom import Dataset

T = TypeVar("T")
INSTALL = 'pip install ".[dicom]"'
# Frames of one file; a photographic object has one, a capture of a dialogue some dozens.
MAX_FRAMES = 256
# Reads of a header: an element takes two or three. Photographs have some hundred elements, sequences included.
MAX_READS = 60_000
JPEG, LOSSLESS_JPEG = "JPEG", "lossless JPEG"
# Measured on colour photos of 6 to 24 megapixels, 8 bits a channel: what decoding holds beside the file, by plugin.
BYTES_A_PIXEL = {"": 18, "pydicom": 28, "pyjpegls": 24, "pylibjpeg": 24, JPEG: 12, LOSSLESS_JPEG: 15}
DEFLATED = "1.2.840.10008.1.2.1.99"
_IMPLICIT, _EXPLICIT, _BIG = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"
_ENCODINGS = {_IMPLICIT: (True, True), _BIG: (False, False)}
_LONG_KINDS = (b"OB", b"OW", b"OF", b"SQ", b"UN", b"UT", b"OD", b"OL", b"OV", b"UC", b"UR")
_UID = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*))+")


@dataclass(frozen=True)
class PhotoClass:
    """A kind of object that holds a photo.

    Args:
        name: as the standard calls it.
        uid: of the storage SOP class.
    """

    name: str
    uid: str


PHOTO_CLASSES: tuple[PhotoClass, ...] = (
    PhotoClass("Dermoscopic Photography Image", "1.2.840.10008.5.1.4.1.1.77.1.7"),
    PhotoClass("VL Photographic Image", "1.2.840.10008.5.1.4.1.1.77.1.4"),
    PhotoClass("Secondary Capture Image", "1.2.840.10008.5.1.4.1.1.7"),
    PhotoClass("Multi-frame Grayscale Byte Secondary Capture Image", "1.2.840.10008.5.1.4.1.1.7.2"),
    PhotoClass("Multi-frame Grayscale Word Secondary Capture Image", "1.2.840.10008.5.1.4.1.1.7.3"),
    PhotoClass("Multi-frame True Color Secondary Capture Image", "1.2.840.10008.5.1.4.1.1.7.4"),
)
CLASSES = {row.uid: row for row in PHOTO_CLASSES}


@dataclass(frozen=True)
class Syntax:
    """How pixels are stored.

    Args:
        name: as people say it.
        plugin: of pydicom, that decodes it; empty where the bytes are plain; `JPEG` or `LOSSLESS_JPEG` where libjpeg does,
            by way of the packages that read other JPEG photos.
        package: that the plugin needs.
    """

    name: str
    plugin: str = ""
    package: str = ""


_JPEG2000 = ("pylibjpeg", "pylibjpeg-openjpeg")
SYNTAXES: dict[str, Syntax] = {
    _IMPLICIT: Syntax("implicit VR, little endian"),
    _EXPLICIT: Syntax("explicit VR, little endian"),
    _BIG: Syntax("explicit VR, big endian"),
    DEFLATED: Syntax("deflated"),
    "1.2.840.10008.1.2.5": Syntax("RLE", "pydicom"),
    "1.2.840.10008.1.2.4.50": Syntax("JPEG baseline", JPEG),
    "1.2.840.10008.1.2.4.51": Syntax("JPEG extended, of 8 bits", JPEG),
    "1.2.840.10008.1.2.4.57": Syntax("JPEG lossless", LOSSLESS_JPEG),
    "1.2.840.10008.1.2.4.70": Syntax("JPEG lossless, first-order prediction", LOSSLESS_JPEG),
    "1.2.840.10008.1.2.4.80": Syntax("JPEG-LS lossless", "pyjpegls", "pyjpegls"),
    "1.2.840.10008.1.2.4.81": Syntax("JPEG-LS near-lossless", "pyjpegls", "pyjpegls"),
    "1.2.840.10008.1.2.4.90": Syntax("JPEG 2000 lossless", *_JPEG2000),
    "1.2.840.10008.1.2.4.91": Syntax("JPEG 2000", *_JPEG2000),
    "1.2.840.10008.1.2.4.201": Syntax("high-throughput JPEG 2000 lossless", *_JPEG2000),
    "1.2.840.10008.1.2.4.202": Syntax("high-throughput JPEG 2000 lossless, by resolution", *_JPEG2000),
    "1.2.840.10008.1.2.4.203": Syntax("high-throughput JPEG 2000", *_JPEG2000),
}
COLOURS = ("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR", "RGB", "YBR_FULL", "YBR_FULL_422", "YBR_RCT", "YBR_ICT")
_LUT_TAGS = tuple(
    f"{colour}PaletteColorLookupTable{part}" for colour in ("Red", "Green", "Blue") for part in ("Descriptor", "Data")
)
_SEGMENTED = tuple(f"Segmented{colour}PaletteColorLookupTableData" for colour in ("Red", "Green", "Blue"))
# All that is ever taken out of a file to show it. The birth date serves the age alone and goes no further.
WANTED = (
    "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID",
    "BurnedInAnnotation", "LossyImageCompression",
    "PatientAge", "PatientSex", "PatientBirthDate", "StudyDate", "AcquisitionDate", "ContentDate", "AcquisitionDateTime",
    "BodyPartExamined", "AnatomicRegionSequence",
    "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames", "Rows", "Columns",
    "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation",
    *_LUT_TAGS, *_SEGMENTED,
    "ICCProfile", "ColorSpace", "WindowCenter", "WindowWidth", "RescaleSlope", "RescaleIntercept",
    "ExtendedOffsetTable", "ExtendedOffsetTableLengths", "PixelData",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class DicomFile:
    """A DICOM object that holds a photo, checked as far as its header goes.

    Args:
        header: the elements of `WANTED` that it has.
        photo_class: what it is.
        syntax: how its pixels are stored.
        colours: its photometric interpretation.
        size: width and height, pixels.
        frames: how many photos it holds.
    """

    header: Dataset
    photo_class: PhotoClass
    syntax: Syntax
    colours: str
    size: tuple[int, int]
    frames: int

    def uid(self, keyword: str) -> str:
        """A UID of the header; empty where it is missing or none."""
        return plain_uid(self.header.get(keyword))


class _CountedBytes(io.BytesIO):
    """Bytes that end the reading where a header makes more work than any photo's does."""

    left = MAX_READS

    def read(self, size: int | None = -1) -> bytes:
        self.left -= 1
        if self.left < 0:
            raise _TooManyElements
        return super().read(size)


class _TooManyElements(Exception):
    pass


def open_dicom(data: bytes, name: str, *, force: bool = False) -> DicomFile:
    """Reads a header and bounds what it announces; no pixel is decoded.

    Args:
        data: with or without DICOM's preamble and file meta information.
        name: what to call the file in an error.
        force: takes also what says that text is burned into its pixels.

    Raises:
        UnreadablePhoto: pydicom is not installed, the file is damaged, holds no photo, too much, or what names the patient.
    """
    header = quietly(lambda: _read_header(data, name), name, "its header cannot be followed")
    photo_class = _photo_class(header, name)
    burned = quietly(
        lambda: str(header.get("BurnedInAnnotation") or "").strip().upper(), name, "its header cannot be followed"
    )
    if burned == "YES" and not force:
        raise UnreadablePhoto(
            f"{name} says that text is burned into its pixels (BurnedInAnnotation is YES), which may name the patient. Expected a photo "
            "without text; cut the text off, or force the reading (`--force`) where the text tells nobody's name."
        )
    uid = quietly(lambda: str(header.file_meta.TransferSyntaxUID), name, "its header cannot be followed")
    if uid not in SYNTAXES:
        raise other_syntax(name, uid)
    if "PixelData" not in header:
        raise damaged(name, "it has no pixels, or they end too early")
    return quietly(lambda: _checked(header, photo_class, SYNTAXES[uid], name), name, "its header contradicts itself")


def read_elements(data: bytes, keywords: tuple[str, ...], name: str) -> Dataset:
    """Elements of a DICOM file by keyword; nothing else is taken out of it."""
    return quietly(lambda: _read_header(data, name, keywords), name, "its header cannot be followed")


def plain_uid(value: object) -> str:
    """A UID as text; empty for anything that is none."""
    text = str(value or "").strip("\0 ")
    return text if len(text) <= 64 and _UID.fullmatch(text) else ""


def quietly(action: Callable[[], T], name: str, what: str) -> T:
    """Runs what follows an untrusted header; whatever goes wrong in it becomes one sentence that quotes nothing.

    The sentence is raised outside the handler, so that no library's exception, which may quote a name, hangs on to it.

    Raises:
        UnreadablePhoto: from the action, or since it failed.
    """
    try:
        hush()
        return action()
    except (UnreadablePhoto, MemoryError):
        raise
    except _TooManyElements:
        refusal = too_much(name, "has a header of very many elements", f"some {MAX_READS // 3:,}")
    except ImportError as error:
        refusal = missing_extra(name, error.name or "pydicom")
    except Exception:  # noqa: BLE001 - on damaged bytes a parser raises anything
        refusal = damaged(name, what)
    raise refusal


def hush() -> None:
    """Keeps pydicom's remarks, which quote values, out of logs and warnings; asked for anew, since others set these, too."""
    warnings.filterwarnings("ignore", module=r"(pydicom|highdicom|core\.data\.dicom|core\.interchange)")
    for library in ("pydicom", "highdicom"):
        logging.getLogger(library).setLevel(logging.CRITICAL + 1)


def missing_extra(name: str, package: str) -> UnreadablePhoto:
    """Says which extra reads a DICOM file."""
    return UnreadablePhoto(
        f"{name} is a DICOM file, and {package}, which reads it, is not installed. "
        f"Install the extra `dicom`: `{INSTALL}` in Melascope's folder."
    )


def other_syntax(name: str, uid: str) -> UnreadablePhoto:
    """A way to store pixels that is not read; only what the standard calls it is said, not what the file says."""
    from pydicom.uid import UID_dictionary

    known = UID_dictionary.get(uid)
    what = known[0].split(":")[0] if known else "in no transfer syntax of the standard"
    return UnreadablePhoto(
        f"{name} is a DICOM file that stores its pixels as {what}, which is not read. Expected plain pixels, RLE, JPEG, JPEG-LS "
        "or JPEG 2000; export the photo as JPEG or PNG."
        if known
        else f"{name} is a DICOM file {what}. Expected plain pixels, RLE, JPEG, JPEG-LS or JPEG 2000; export it again."
    )


def _read_header(data: bytes, name: str, keywords: tuple[str, ...] = WANTED) -> Dataset:
    from pydicom.dataset import FileMetaDataset
    from pydicom.filereader import read_dataset
    from pydicom.tag import Tag

    syntax, place = _meta(data)
    content = data[place:]
    if syntax == DEFLATED:
        unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
        content = unpacker.decompress(content, MAX_BYTES)
        if unpacker.unconsumed_tail:
            raise too_much(name, "unpacks to very many bytes", f"{MAX_BYTES / 1e6:.0f} MB")
    if not syntax:
        syntax = _EXPLICIT if content[4:6].isalpha() and content[4:6].isupper() else _IMPLICIT
    implicit, little = _ENCODINGS.get(syntax, (False, True))
    seen = set()
    header = read_dataset(
        _CountedBytes(content),
        implicit,
        little,
        stop_when=lambda tag, kind, length: seen.add(tag),
        specific_tags=[Tag(keyword) for keyword in keywords],
    )
    # pydicom drops all elements where one has no end.
    if "SOPClassUID" in keywords and Tag("SOPClassUID") in seen and "SOPClassUID" not in header:
        raise damaged(name, "its pixels or its header end too early")
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = syntax  # pyright: ignore[reportAttributeAccessIssue]
    return header


def _meta(data: bytes) -> tuple[str, int]:
    """The transfer syntax that the file meta information names, and where the data set begins."""
    place, syntax = (132 if data[128:132] == b"DICM" else 0), ""
    while data[place : place + 2] == b"\x02\0" and place + 8 <= len(data):
        element, kind = data[place + 2 : place + 4], data[place + 4 : place + 6]
        if kind in _LONG_KINDS:
            length, start = int.from_bytes(data[place + 8 : place + 12], "little"), place + 12
        elif kind.isalpha() and kind.isupper():
            length, start = int.from_bytes(data[place + 6 : place + 8], "little"), place + 8
        else:  # some programs write even this part implicitly
            length, start = int.from_bytes(data[place + 4 : place + 8], "little"), place + 8
        if element == b"\x10\0":
            syntax = data[start : start + length].decode("ascii", "replace").strip("\0 ")
        place = start + length
    return syntax, place


def _photo_class(header: Dataset, name: str) -> PhotoClass:
    from pydicom.uid import UID_dictionary

    uid = quietly(lambda: plain_uid(header.get("SOPClassUID")), name, "its header cannot be followed")
    if uid in CLASSES:
        return CLASSES[uid]
    expected = "Expected a Dermoscopic Photography, VL Photographic or Secondary Capture image"
    if uid in UID_dictionary:
        what = UID_dictionary[uid][0].removesuffix(" Storage")
        raise UnreadablePhoto(f"{name} is a DICOM object of another kind ({what}). {expected}; choose the photo.")
    raise UnreadablePhoto(
        f"{name} is a DICOM file that does not say what it holds (no SOP Class UID of the standard). {expected}; "
        "export it again."
    )


def _checked(header: Dataset, photo_class: PhotoClass, syntax: Syntax, name: str) -> DicomFile:
    size = int(header.Columns), int(header.Rows)
    frames = int(header.get("NumberOfFrames") or 1)
    bits, allocated, samples = int(header.BitsStored), int(header.BitsAllocated), int(header.SamplesPerPixel)
    colours = str(header.PhotometricInterpretation).strip().upper()
    if colours not in COLOURS:
        known = colours if colours in ("YBR_PARTIAL_420", "YBR_PARTIAL_422", "XYB", "HSV", "ARGB", "CMYK") else "none"
        raise UnreadablePhoto(
            f"{name} has colours of a kind that is not read (photometric interpretation: {known} of those known). "
            f"Expected one of {', '.join(COLOURS)}; export the photo as JPEG or PNG."
        )
    if samples != (1 if colours in COLOURS[:3] else 3) or not 1 <= bits <= allocated or frames < 1:
        raise damaged(name, "its header contradicts itself")
    if allocated not in (8, 16):
        raise other_kind(name, f"a DICOM photo of {allocated}-bit pixels")
    check_sides(name, *size)
    check_count(name, frames, MAX_FRAMES, "frames")
    check_pixels(name, *size, BYTES_A_PIXEL[syntax.plugin] * allocated / 8, f"a DICOM file ({syntax.name})")
    # All frames come back together, so together they are bounded as one photo is.
    check_pixels(name, size[0], size[1] * frames, 5, "all frames of a DICOM file")
    if not syntax.plugin:
        planes = 2 if colours == "YBR_FULL_422" else samples
        if size[0] * size[1] * frames * planes * allocated // 8 > len(header.PixelData):
            raise damaged(name)
    return DicomFile(header, photo_class, syntax, colours, size, frames)
