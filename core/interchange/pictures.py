"""Colour pictures as DICOM: a reading to look at, with the notice burned in, and the photo itself where it was none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageCms, ImageDraw, ImageFont

from core.data.patient import Facts
from core.diagnoses import NAMES
from core.interchange.evidence import MAKER, add_equipment, new_uid, reference
from core.interchange.identity import fill_identity
from core.interchange.read import DicomSource
from core.reading import READING_NOTICE, LesionReading

if TYPE_CHECKING:
    from pydicom import Dataset

PHOTOGRAPH, CAPTURE = "1.2.840.10008.5.1.4.1.1.77.1.4", "1.2.840.10008.5.1.4.1.1.7"
# Long side of each of the two pictures of a capture, pixels.
_SHOWN = 640
_INK, _WARNING, _PAPER = (20, 20, 20), (160, 30, 20), (255, 255, 255)


def draw_capture(reading: LesionReading, photo: np.ndarray) -> np.ndarray:
    """A photo, its heatmap and the probabilities, with the notice above and below them.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    shown = [_fitted(photo)]
    if reading.heatmap_overlay is not None:
        shown.append(_fitted(reading.heatmap_overlay))
    line, margin = 26, 16
    height = max(picture.height for picture in shown)
    rows = sorted(reading.here, key=lambda code: -reading.here[code])
    there = f"; second column re-weighted for: {reading.elsewhere.mixture.title}" if reading.elsewhere else ""
    width = len(shown) * (_SHOWN + margin) + margin
    sheet = Image.new("RGB", (width, 2 * margin + (len(rows) + 4) * line + height + margin), _PAPER)
    draw, font, bold = ImageDraw.Draw(sheet), ImageFont.load_default(18), ImageFont.load_default(22)
    draw.text((margin, margin), READING_NOTICE, _WARNING, bold)
    for place, picture in enumerate(shown):
        sheet.paste(picture, (margin + place * (_SHOWN + margin), margin + line + 8))
    y = margin + line + 8 + height + 8
    draw.text((margin, y), f"{reading.model}; heatmap ({reading.method}) of {NAMES[reading.target]}{there}", _INK, font)
    for code in rows:
        y += line
        numbers = (reading.probabilities[code], *((reading.here[code],) if there else ()))
        draw.text((margin, y), "  ".join((*(f"{number:.3f}" for number in numbers), NAMES[code])), _INK, font)
    draw.text((margin, y + line), READING_NOTICE, _WARNING, bold)
    return np.asarray(sheet)


def make_capture(
    pixels: np.ndarray,
    evidence: Dataset,
    source: DicomSource,
    model: str,
    weights: str,
    identity: Dataset | None,
    facts: Facts,
) -> Dataset:
    """A Secondary Capture image that refers to its source."""
    ds = _make_picture(pixels, CAPTURE, identity, facts)
    ds.StudyInstanceUID = evidence.StudyInstanceUID
    ds.Modality, ds.SeriesNumber, ds.ConversionType = "OT", 9004, "WSD"
    ds.ImageType = ["DERIVED", "SECONDARY"]
    ds.SeriesDescription = f"{MAKER}: a reading to look at. Not a diagnosis."
    ds.DerivationDescription = f"Photo, heatmap and probabilities by {MAKER}. {READING_NOTICE}"
    ds.SourceImageSequence = [reference(source)]
    # The notice names nobody; what the source has burned in, it shows.
    ds.BurnedInAnnotation = "YES" if source.burned_in else "NO"
    if source.lossy:
        ds.LossyImageCompression = "01"
    add_equipment(ds, model, weights)
    return ds


def make_photo(pixels: np.ndarray, identity: Dataset | None, facts: Facts) -> tuple[Dataset, DicomSource]:
    """A VL Photographic image of a photo that came as no DICOM object, for the other objects to refer to."""
    ds = _make_picture(pixels, PHOTOGRAPH, identity, facts)
    ds.StudyInstanceUID = new_uid()
    ds.Modality, ds.SeriesNumber, ds.ImageType = "XC", 1, ["DERIVED", "PRIMARY"]
    ds.DerivationDescription = "Turned into 8-bit sRGB from a file that was no DICOM object"
    ds.AcquisitionContextSequence, ds.LossyImageCompression = [], ""
    ds.Manufacturer = ""
    height, width = pixels.shape[:2]
    source = DicomSource(
        "VL Photographic Image",
        PHOTOGRAPH,
        ds.SOPInstanceUID,
        ds.StudyInstanceUID,
        ds.SeriesInstanceUID,
        1,
        1,
        (width, height),
    )
    return ds, source


def _fitted(picture: np.ndarray) -> Image.Image:
    image = Image.fromarray(picture)
    scale = _SHOWN / max(image.size)
    return image.resize([max(1, round(side * scale)) for side in image.size], Image.Resampling.LANCZOS)


def _make_picture(pixels: np.ndarray, class_uid: str, identity: Dataset | None, facts: Facts) -> Dataset:
    from pydicom.dataset import Dataset as New
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    ds = New()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID, ds.SOPInstanceUID, ds.SeriesInstanceUID = class_uid, new_uid(), new_uid()
    fill_identity(ds, identity, facts)
    ds.InstanceNumber, ds.PatientOrientation, ds.Laterality = 1, "", ""
    ds.Rows, ds.Columns = pixels.shape[:2]
    ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PlanarConfiguration = 3, "RGB", 0
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 8, 8, 7, 0
    ds.ICCProfile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    ds.ColorSpace = "SRGB"
    data = np.ascontiguousarray(pixels).tobytes()
    ds.PixelData = data + b"\0" * (len(data) % 2)
    ds["PixelData"].VR = "OB"
    return ds
