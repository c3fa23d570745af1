"""The table of photo formats: how each is recognised by its content, and whether it is read, or why not and what to do instead.

The page's uploader, the command line, the errors and `docs/photo-formats.md` all follow this table.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

EXPORT = "Export the photo from it as JPEG or PNG."
_DEVELOP = "Develop it in the camera's program and export it as JPEG."
# Of ISO base media files: brands of HEIC and of AVIF.
_HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs")
_AVIF = (b"avif", b"avis")
_HEIF = (b"mif1", b"msf1", b"mif2", b"heif")
# Groups of DICOM's first elements, and value representations, for a file without its preamble.
_DICOM_GROUPS = (b"\x02\0", b"\x08\0")
# Bytes that every row needs at most.
_SNIFFED = 1024
_DICOM_KINDS = (b"UL", b"OB", b"UI", b"SH", b"AE", b"CS", b"DA", b"TM", b"LO", b"DT", b"ST", b"UN")


@dataclass(frozen=True)
class PhotoFormat:
    """One format.

    Args:
        name: as people say it, with its article.
        suffixes: that its files usually end in, without the dot.
        recognise: whether a file's bytes begin as this format does.
        decoder: what reads it, by Pillow's name; empty where it is not read.
        advice: for a format that is not read: what to do instead.
        how: how it is recognised, in words, for the documentation.
    """

    name: str
    suffixes: tuple[str, ...]
    recognise: Callable[[bytes], bool]
    how: str
    decoder: str = ""
    advice: str = ""

    @property
    def read(self) -> bool:
        return bool(self.decoder)

    @property
    def short(self) -> str:
        """The name without its article."""
        return self.name.split(" ", 1)[1]


def recognise_format(data: bytes) -> PhotoFormat | None:
    """The format of a file by its content, whatever its name ends in; None for what no row knows."""
    return next((row for row in FORMATS if row.recognise(data)), None)


def sniff_format(path: Path) -> PhotoFormat | None:
    """The format of a file on disk, from its first bytes; None also for what cannot be opened."""
    try:
        with open(path, "rb") as file:
            return recognise_format(file.read(_SNIFFED))
    except OSError:
        return None


def holds_photo(path: Path) -> bool:
    """Whether a file among others is to be read as a photo: by its name, which it may have got wrong, or by its content."""
    if path.suffix.lower().removeprefix(".") in SUFFIXES:
        return True
    kind = sniff_format(path)
    return kind is not None and kind.read


def _starts(*starts: bytes, at: int = 0) -> Callable[[bytes], bool]:
    return lambda data: data[at : at + max(map(len, starts))].startswith(starts)


def _brands(data: bytes) -> list[bytes]:
    """Major and compatible brands of an ISO base media file."""
    if data[4:8] != b"ftyp":
        return []
    end = min(int.from_bytes(data[:4], "big"), 256, len(data))
    return [data[8:12], *(data[i : i + 4] for i in range(16, end - 3, 4))]


def _branded(*wanted: bytes) -> Callable[[bytes], bool]:
    return lambda data: any(brand in wanted for brand in _brands(data))


def _dicom(data: bytes) -> bool:
    if data[128:132] == b"DICM":
        return True
    # Without a preamble: a first element of group 2 or 8 with a known kind of value, or an implicit one of a small length.
    if data[:2] not in _DICOM_GROUPS or len(data) < 16:
        return False
    explicit = data[4:6] in _DICOM_KINDS
    implicit = (
        data[:4] in (b"\x02\0\0\0", b"\x08\0\0\0", b"\x08\0\x05\0", b"\x08\0\x08\0") and data[4:8] == b"\x04\0\0\0"
    )
    return explicit or implicit


def _tiff_raw(data: bytes) -> bool:
    """Canon's CR2 says so in its header; other makers' raws are told by their pages."""
    return data[:2] == b"II" and data[8:10] == b"CR"


FORMATS: tuple[PhotoFormat, ...] = (
    PhotoFormat("a JPEG-LS photo", ("jls",), _starts(b"\xff\xd8\xff\xf7"), "FF D8 FF F7", advice=EXPORT),
    PhotoFormat(
        "a JPEG photo", ("jpg", "jpeg", "jfif", "jpe", "jif", "mpo"), _starts(b"\xff\xd8\xff"), "FF D8 FF", "JPEG"
    ),
    PhotoFormat("a PNG photo", ("png", "apng"), _starts(b"\x89PNG\r\n"), "89 PNG", "PNG"),
    PhotoFormat(
        "a WebP photo", ("webp",), lambda d: d[:4] == b"RIFF" and d[8:12] == b"WEBP", "RIFF .... WEBP", "WEBP"
    ),
    PhotoFormat("a raw photo of a Canon camera", ("cr2",), _tiff_raw, "II*. .... CR", advice=_DEVELOP),
    PhotoFormat(
        "a TIFF photo", ("tif", "tiff"), _starts(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
        "II*. or MM.*, or + instead of *; a camera's raw is told by its pages", "TIFF",
    ),
    PhotoFormat("a BMP photo", ("bmp", "dib"), _starts(b"BM"), "BM", "BMP"),
    PhotoFormat("a GIF photo", ("gif",), _starts(b"GIF8"), "GIF8", "GIF"),
    PhotoFormat("an AVIF photo", ("avif",), _branded(*_AVIF), "ftyp with brand avif or avis", "AVIF"),
    PhotoFormat(
        "a HEIC photo", ("heic", "heif", "hif"), _branded(*_HEIC, *_HEIF),
        "ftyp with brand heic, heix, hevc, ..., or mif1", "HEIF",
    ),
    PhotoFormat("a raw photo of a Canon camera", ("cr3",), _branded(b"crx "), "ftyp with brand crx", advice=_DEVELOP),
    PhotoFormat(
        "a JPEG XL photo", ("jxl",), _starts(b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n"), "FF 0A, or JXL", advice=EXPORT
    ),
    PhotoFormat(
        "a JPEG 2000 photo", ("jp2", "j2k", "jpx"), _starts(b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51"),
        "jP, or FF 4F FF 51", advice=EXPORT,
    ),
    PhotoFormat(
        "a raw photo of an Olympus, Panasonic, Fujifilm or Sigma camera", ("orf", "rw2", "raf", "x3f"),
        _starts(b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"FUJIFILMCCD-RAW", b"FOVb"), "IIRO, IIU, FUJIFILM, FOVb",
        advice=_DEVELOP,
    ),
    # Read where the extra `dicom` is installed; its decoder says so where it is not.
    PhotoFormat("a DICOM file", ("dcm", "dicom"), _dicom, "DICM at 128, or an element of group 2 or 8", "DICOM"),
    PhotoFormat("a Photoshop file", ("psd", "psb"), _starts(b"8BPS"), "8BPS", advice=EXPORT),
    PhotoFormat("a PDF document", ("pdf",), _starts(b"%PDF"), "%PDF", advice=EXPORT),
    PhotoFormat(
        "a video", ("mp4", "mov", "avi"), lambda d: d[4:8] == b"ftyp" or (d[:4] == b"RIFF" and d[8:12] == b"AVI "),
        "ftyp with another brand, or RIFF .... AVI", advice="Choose a still photo.",
    ),
    PhotoFormat("a ZIP archive", ("zip",), _starts(b"PK\x03\x04"), "PK", advice="Unpack it and choose one photo."),
    PhotoFormat("an SVG drawing", ("svg",), _starts(b"<svg"), "<svg", advice="Choose a photo."),
)  # fmt: skip
# What a photo's file may end in; what it is, its content tells.
SUFFIXES = tuple(suffix for row in FORMATS if row.read for suffix in row.suffixes)
# What the uploader takes: also what is not read, so that a sentence can say why. TIFF-based raws are told by their pages.
UPLOADS = tuple(
    dict.fromkeys((*SUFFIXES, *(s for row in FORMATS for s in row.suffixes), "dng", "nef", "arw", "pef", "srw", "nrw"))
)
ACCEPTED = "a JPEG, PNG, WebP, TIFF, BMP, HEIC or AVIF photo"


def formats_markdown() -> str:
    """The table for the documentation."""
    lines = ["| Format | Files end in | Recognised by | Read |", "| --- | --- | --- | --- |"]
    for row in FORMATS:
        ends = ", ".join(f"`.{suffix}`" for suffix in row.suffixes)
        lines.append(f"| {row.short} | {ends} | {row.how} | {'yes' if row.read else f'no. {row.advice}'} |")
    return "\n".join(lines) + "\n"
