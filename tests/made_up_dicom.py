"""Drawn DICOM photos for tests, in every encoding, with a patient whose every element holds `MARKER`."""

import io

import numpy as np

from core.data.drawn import draw_lesion

# No output, page, log or error may hold any of these.
MARKER = "ZZMARK"
BIRTHDAY = "19610307"
DERMOSCOPY = "1.2.840.10008.5.1.4.1.1.77.1.7"
PHOTOGRAPH = "1.2.840.10008.5.1.4.1.1.77.1.4"
CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
IMPLICIT, EXPLICIT, BIG, DEFLATED = (f"1.2.840.10008.1.2{end}" for end in ("", ".1", ".2", ".1.99"))
RLE, BASELINE, LOSSLESS_JPEG = "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.70"
JPEG_LS, NEAR_LS, J2K_LOSSLESS, J2K = (f"1.2.840.10008.1.2.4.{end}" for end in (80, 81, 90, 91))


def lesion(height: int = 90, width: int = 120) -> np.ndarray:
    """A drawn lesion, (H, W, 3) uint8 RGB."""
    from PIL import Image

    pixels, _ = draw_lesion("mel", seed=3)
    return np.asarray(Image.fromarray(pixels).resize((width, height)))


def make_dataset(pixels: np.ndarray | None = None, **elements):
    """A VL Photographic image with a patient; elements by keyword replace its own, None removes one.

    Args:
        pixels: (H, W, 3), (H, W) or either with frames before; uint8 or uint16.
    """
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import generate_uid

    pixels = lesion() if pixels is None else pixels
    colour = pixels.shape[-1] == 3
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.SOPClassUID, ds.SOPInstanceUID = PHOTOGRAPH, generate_uid()
    ds.StudyInstanceUID, ds.SeriesInstanceUID = generate_uid(), generate_uid()
    ds.ImageType, ds.Modality = ["ORIGINAL", "PRIMARY"], "XC"
    ds.PatientName, ds.PatientID, ds.PatientBirthDate = f"{MARKER}^Ann", f"{MARKER}-1", BIRTHDAY
    ds.PatientSex, ds.PatientAge = "F", "055Y"
    ds.StudyDate, ds.StudyTime, ds.StudyID, ds.AccessionNumber = "20240607", "101500", "1", f"{MARKER}2"
    ds.ReferringPhysicianName = f"{MARKER}^Doctor"
    ds.Manufacturer, ds.SeriesNumber, ds.InstanceNumber, ds.Laterality = "Drawn", 1, 1, ""
    ds.PatientOrientation, ds.AcquisitionContextSequence, ds.LossyImageCompression = [], [], "00"
    region = Dataset()
    region.CodeValue, region.CodingSchemeDesignator, region.CodeMeaning = "66643007", "SCT", "Skin of back"
    ds.AnatomicRegionSequence = [region]
    ds.Rows, ds.Columns = pixels.shape[-3:-1] if colour else pixels.shape[-2:]
    ds.SamplesPerPixel = 3 if colour else 1
    ds.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
    if colour:
        ds.PlanarConfiguration = 0
    frames = pixels.ndim - (3 if colour else 2)
    if frames:
        ds.NumberOfFrames = pixels.shape[0]
    bits = pixels.dtype.itemsize * 8
    ds.BitsAllocated = ds.BitsStored = bits
    ds.HighBit, ds.PixelRepresentation = bits - 1, 0
    ds.PixelData = pixels.tobytes()
    ds["PixelData"].VR = "OB" if bits == 8 else "OW"
    for keyword, value in elements.items():
        if value is None:
            del ds[keyword]
        else:
            setattr(ds, keyword, value)
    return ds


def mark_everything(ds) -> None:
    """Puts `MARKER` into every element of group 10 and of people, places and devices, into private ones and nested sequences."""
    from pydicom.datadict import DicomDictionary, keyword_for_tag
    from pydicom.dataset import Dataset

    text = {"PN": f"{MARKER}^X", "LO": MARKER, "SH": MARKER, "LT": MARKER, "ST": MARKER, "UT": MARKER, "UC": MARKER}
    for tag, (kind, *_) in DicomDictionary.items():
        group = tag >> 16
        person = kind == "PN" or group == 0x0010 or (group in (0x0008, 0x0018, 0x0020, 0x0032, 0x0038, 0x0040))
        keyword = keyword_for_tag(tag)
        spared = ("Code", "SpecificCharacterSet", "Scheme", "PatientAge", "PatientSex")
        if person and kind in text and keyword and not any(word in keyword for word in spared):
            setattr(ds, keyword, text[kind])
    nested = Dataset()
    nested.PatientName, nested.PatientID = f"{MARKER}^Nested", MARKER
    nested.add_new(0x00091001, "LO", MARKER)
    deeper = Dataset()
    deeper.PatientName = f"{MARKER}^Deeper"
    nested.OtherPatientIDsSequence = [deeper]
    ds.OtherPatientIDsSequence = [nested]
    ds.RequestAttributesSequence = [nested]
    block = ds.private_block(0x0009, MARKER, create=True)
    block.add_new(0x01, "LO", MARKER)
    block.add_new(0x02, "SQ", [nested])
    ds.AnatomicRegionSequence[0].CodeMeaning = MARKER
    ds.AnatomicRegionSequence[0].add_new(0x00091001, "LO", MARKER)


def to_bytes(ds, syntax: str = EXPLICIT, *, preamble: bool = True) -> bytes:
    """Writes a data set whose pixels are plain, little endian."""
    from pydicom import dcmwrite

    ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    ds.file_meta.TransferSyntaxUID = syntax
    if syntax == BIG and ds.BitsAllocated == 16:
        ds.PixelData = np.frombuffer(ds.PixelData, "<u2").astype(">u2").tobytes()
    out = io.BytesIO()
    implicit, little = syntax == IMPLICIT, syntax != BIG
    dcmwrite(out, ds, implicit_vr=implicit, little_endian=little, enforce_file_format=True)
    return out.getvalue() if preamble else out.getvalue()[132:]


def compressed(ds, syntax: str, **options) -> bytes:
    """Writes a data set with its pixels compressed by pydicom's encoders."""
    from pydicom.uid import UID

    ds.file_meta.TransferSyntaxUID = EXPLICIT
    ds.compress(UID(syntax), generate_instance_uid=False, **options)
    return to_bytes(ds, syntax)


def encapsulated(ds, frames: list[bytes], syntax: str) -> bytes:
    """Writes a data set with frames that are compressed already."""
    from pydicom.encaps import encapsulate

    ds.PixelData = encapsulate(frames)
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    return to_bytes(ds, syntax)


def jpeg(pixels: np.ndarray, **options) -> bytes:
    """A picture as JPEG, by Pillow."""
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", **{"quality": 95, **options})
    return out.getvalue()


def lossless_jpeg(pixels: np.ndarray) -> bytes:
    """A picture of 8 bits as lossless JPEG without JFIF or Adobe marker, by first-order prediction (ITU-T T.81 annex H)."""
    planes = np.atleast_3d(pixels).astype("int32")
    height, width, count = planes.shape
    before = np.roll(planes, 1, axis=1)
    before[1:, 0], before[0, 0] = planes[:-1, 0], 128
    differences = (planes - before).ravel()
    # One Huffman table: the 9 sizes of a difference, each with a code of 4 bits.
    bits = []
    for difference in differences.tolist():
        size = abs(difference).bit_length()
        extra = difference if difference >= 0 else difference + (1 << size) - 1
        bits.append(f"{size:04b}" + (f"{extra:0{size}b}" if size else ""))
    text = "".join(bits)
    text += "1" * (-len(text) % 8)
    data = int(text, 2).to_bytes(len(text) // 8, "big").replace(b"\xff", b"\xff\0")
    ids = range(1, count + 1)
    frame = bytes(
        [8, *height.to_bytes(2, "big"), *width.to_bytes(2, "big"), count, *(v for i in ids for v in (i, 0x11, 0))]
    )
    table = bytes([0, 0, 0, 0, 9, *[0] * 12, *range(9)])
    scan = bytes([count, *(v for i in ids for v in (i, 0)), 1, 0, 0])
    parts = ((0xC3, frame), (0xC4, table), (0xDA, scan))
    head = b"".join(bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2, "big") + body for marker, body in parts)
    return b"\xff\xd8" + head + data + b"\xff\xd9"
