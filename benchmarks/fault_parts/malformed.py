"""Malformed uploads from a seeded fuzzer: whole photos of every accepted kind, spoilt in one of six ways."""

import io
import random
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageCms

from core.data.drawn import draw_lesion

# One in six uploads each.
WAYS = ("bits", "truncation", "header", "profile", "exif", "dicom")
# Bytes that a format's header takes, about.
HEADER = 64
# Numbers that programs stumble over.
_EDGES = (b"\x00", b"\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\xff", b"\x80\x00\x00\x00", b"\x00\x00\x00\x00")


@dataclass(frozen=True)
class Upload:
    """A file as somebody might upload it.

    Args:
        name: of the file.
        way: one of `WAYS`.
        content: its bytes.
    """

    name: str
    way: str
    content: bytes


def malformed_uploads(count: int, seed: int = 0, photo: Image.Image | None = None) -> Iterator[Upload]:
    """Spoilt files, the same for the same seed.

    Args:
        photo: what all of them show; a drawn lesion when None.
    """
    rng = random.Random(seed)
    picture = photo or Image.fromarray(draw_lesion("mel", (240, 180), seed=seed)[0])
    whole, dicoms = _whole_files(picture), _dicom_files(picture)
    for number in range(count):
        way = WAYS[number % len(WAYS)]
        if way == "dicom":
            kind = rng.choice(sorted(dicoms))
            content = _spoil_dicom(rng, dicoms[kind])
        elif way in ("profile", "exif"):
            kind = rng.choice(("JPEG", "PNG", "WEBP", "TIFF"))
            content = _with_block(rng, picture, kind, way)
        else:
            kind, content = rng.choice(sorted((whole | dicoms).items()))
            content = {"bits": _flip, "truncation": _cut, "header": _spoil_header}[way](rng, content)
        yield Upload(f"{number:04d}-{way}.{kind.lower()}", way, content)


def _whole_files(picture: Image.Image) -> dict[str, bytes]:
    """The photo in every kind of file but DICOM."""
    from pillow_heif import register_heif_opener

    register_heif_opener()
    kinds = {
        "JPEG": ("JPEG", {"quality": 85, "icc_profile": _profile(), "exif": _exif(picture)}),
        "PROGRESSIVE.JPEG": ("JPEG", {"quality": 85, "progressive": True, "subsampling": 0}),
        "PNG": ("PNG", {}),
        "TIFF": ("TIFF", {"compression": "tiff_lzw"}),
        "DEFLATE.TIFF": ("TIFF", {"compression": "tiff_adobe_deflate"}),
        "WEBP": ("WEBP", {}),
        "BMP": ("BMP", {}),
        "GIF": ("GIF", {}),
        "AVIF": ("AVIF", {}),
        "HEIC": ("HEIF", {}),
    }
    files = {}
    for kind, (written_as, options) in kinds.items():
        file = io.BytesIO()
        picture.save(file, written_as, **options)
        files[kind] = file.getvalue()
    return files


def _dicom_files(picture: Image.Image) -> dict[str, bytes]:
    """The photo in DICOM: plain, deflated, and a JPEG within."""
    from pydicom import dcmwrite
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.encaps import encapsulate
    from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, JPEGBaseline8Bit, generate_uid

    jpeg = io.BytesIO()
    picture.save(jpeg, "JPEG", quality=90)
    files = {}
    for kind, syntax in {
        "DCM": ExplicitVRLittleEndian,
        "DEFLATED.DCM": DeflatedExplicitVRLittleEndian,
        "JPEG.DCM": JPEGBaseline8Bit,
    }.items():
        ds = Dataset()
        ds.file_meta = FileMetaDataset()
        ds.file_meta.TransferSyntaxUID = syntax
        ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.77.1.7"
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[kind])
        ds.StudyInstanceUID, ds.SeriesInstanceUID = (generate_uid(entropy_srcs=[kind, one]) for one in "ab")
        ds.PatientName, ds.PatientID, ds.PatientSex, ds.PatientAge, ds.Modality = "X^Y", "1", "F", "055Y", "XC"
        ds.Columns, ds.Rows = picture.size
        ds.SamplesPerPixel, ds.PlanarConfiguration, ds.PixelRepresentation = 3, 0, 0
        ds.BitsAllocated = ds.BitsStored = 8
        ds.HighBit = 7
        within = syntax == JPEGBaseline8Bit
        ds.PhotometricInterpretation = "YBR_FULL_422" if within else "RGB"
        ds.PixelData = encapsulate([jpeg.getvalue()]) if within else np.asarray(picture).tobytes()
        ds["PixelData"].VR = "OB"
        file = io.BytesIO()
        dcmwrite(file, ds, enforce_file_format=True)
        files[kind] = file.getvalue()
    return files


def _profile() -> bytes:
    """sRGB, without the hour at which it was made."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile[:24] + bytes(12) + profile[36:]


def _exif(picture: Image.Image) -> bytes:
    exif = picture.getexif()
    exif[0x0112], exif[0x010F], exif[0x011A] = 6, "Somebody", 72.0
    return exif.tobytes()


def _flip(rng: random.Random, content: bytes) -> bytes:
    """Up to 64 bits the other way, anywhere."""
    spoilt = bytearray(content)
    for _ in range(rng.choice((1, 2, 8, 64))):
        spoilt[rng.randrange(len(spoilt))] ^= 1 << rng.randrange(8)
    return bytes(spoilt)


def _cut(rng: random.Random, content: bytes) -> bytes:
    """Its beginning, its end, or without a piece in the middle."""
    first, last = sorted(rng.randrange(len(content)) for _ in range(2))
    return rng.choice((content[:first], content[:last], content[first:], content[:first] + content[last:]))


def _spoil_header(rng: random.Random, content: bytes, length: int = HEADER) -> bytes:
    """Other bytes, or numbers at the edge of what fits, in its beginning."""
    spoilt = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 6))):
        piece = rng.choice((*_EDGES, rng.randbytes(rng.randint(1, 4))))
        start = rng.randrange(min(length, len(spoilt)))
        spoilt[start : start + len(piece)] = piece
    return bytes(spoilt)


def _with_block(rng: random.Random, picture: Image.Image, kind: str, way: str) -> bytes:
    """A sound picture with a colour profile or EXIF block that is none."""
    sound = _profile() if way == "profile" else _exif(picture)
    block = rng.choice(
        (
            rng.randbytes(rng.choice((1, 16, 128, 4096))),
            _flip(rng, sound),
            _cut(rng, sound) or b"\x00",
            _spoil_header(rng, sound, len(sound)),
        )
    )
    if way == "exif" and rng.random() < 0.7 and not block.startswith(b"Exif\x00\x00"):
        block = b"Exif\x00\x00" + block
    file = io.BytesIO()
    name = "icc_profile" if way == "profile" else "exif"
    try:
        picture.save(file, kind, **{name: block})
    except Exception:  # noqa: BLE001 - the writer itself stumbles: then the block is spoilt within a whole file
        file = io.BytesIO()
        picture.save(file, kind, **{name: sound})
        content = file.getvalue()
        place = max(content.find(sound[:16]), 0)
        return content[:place] + _spoil_header(rng, content[place:], len(sound))
    return file.getvalue()


def _spoil_dicom(rng: random.Random, content: bytes) -> bytes:
    """Lengths, tags and values of its elements, before the pixels."""
    return _spoil_header(rng, content, 1400) if rng.random() < 0.8 else _flip(rng, content[:1400]) + content[1400:]
