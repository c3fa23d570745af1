"""From an upload, a path or a request to photos with facts and source: DICOM with all its frames, and any other photo.

The app, the command line and the service call `read_photos` alike.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.data.decoding.dicom_file import DicomFile, open_dicom, quietly
from core.data.decoding.photo_formats import recognise_format
from core.data.images import read_bytes, read_frames, read_photo_file
from core.data.patient import MAX_AGE, Facts
from core.interchange.body_sites import site_of_code, site_of_part

if TYPE_CHECKING:
    from pydicom import Dataset

_AGE = re.compile(r"(\d{1,3})([DWMY])")
_UNITS = {"D": 365.25, "W": 365.25 / 7, "M": 12.0, "Y": 1.0}
_DATE = re.compile(r"(\d{4})(\d\d)(\d\d)")
# What the SOP classes of multi-frame captures begin with.
MULTI_FRAME = "1.2.840.10008.5.1.4.1.1.7."
_SEXES = {"F": "female", "M": "male"}


@dataclass(frozen=True)
class DicomSource:
    """Which DICOM object a photo comes from: for references in written objects, and for nothing else.

    Args:
        kind: what the standard calls such an object.
        class_uid, instance_uid, study_uid, series_uid: of the object; empty where its header lacks them.
        frame: which of its frames, from 1.
        frames: how many it has.
        size: width and height of the object's frames, pixels; the photo is smaller where it had to be bounded.
        burned_in: whether it says that text is burned into its pixels.
        lossy: whether it has been through lossy compression.
    """

    kind: str
    class_uid: str
    instance_uid: str = field(repr=False)
    study_uid: str = field(repr=False)
    series_uid: str = field(repr=False)
    frame: int
    frames: int
    size: tuple[int, int]
    burned_in: bool = False
    lossy: bool = False

    @property
    def referenced_frame(self) -> int | None:
        """The frame that a reference names; None for classes of a single frame, of which the standard lets none be named."""
        return self.frame if self.class_uid.startswith(MULTI_FRAME) else None


@dataclass(frozen=True, eq=False)
class SourcePhoto:
    """A photo, and what its file says beside the pixels.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        notes: sentences on what could not be followed.
        facts: age, sex and body site from the header, for a person to confirm; all unknown for other files than DICOM.
        source: of a DICOM file; None for any other.
    """

    pixels: np.ndarray
    notes: tuple[str, ...] = ()
    facts: Facts = Facts()
    source: DicomSource | None = None


def read_photos(source: bytes | str | Path, name: str = "", *, force: bool = False) -> tuple[SourcePhoto, ...]:
    """Reads a file of any accepted kind; of a DICOM file each frame is a photo.

    Args:
        source: the file's bytes, or its path.
        name: what to call it in an error; the file's name when empty.
        force: takes also a DICOM file that says that text is burned into its pixels.

    Raises:
        UnreadablePhoto: see `core.data.images.read_photo_file` and `core.data.decoding.dicom_file.open_dicom`.
    """
    data, name = read_bytes(source, name)
    kind = recognise_format(data)
    if kind is None or kind.decoder != "DICOM":
        photo = read_photo_file(data, name)
        return (SourcePhoto(photo.pixels, photo.notes),)
    file = open_dicom(data, name, force=force)
    facts, described = quietly(
        lambda: (header_facts(file.header), _source(file)), name, "its header cannot be followed"
    )
    return tuple(
        SourcePhoto(photo.pixels, photo.notes, facts, replace(described, frame=number))
        for number, photo in enumerate(read_frames(file, name), 1)
    )


def read_header_facts(source: bytes | str | Path, name: str = "") -> Facts:
    """Age, sex and body site in the header of a DICOM file; nothing is known of any other. Decodes no pixel.

    Raises:
        UnreadablePhoto: a DICOM file that cannot be read.
    """
    data, name = read_bytes(source, name)
    kind = recognise_format(data)
    if kind is None or kind.decoder != "DICOM":
        return Facts()
    file = open_dicom(data, name, force=True)
    return quietly(lambda: header_facts(file.header), name, "its header cannot be followed")


def describe_facts(facts: Facts) -> str:
    """What is known of age, sex and body site, in words; empty where nothing is."""
    parts = [f"age {facts.age:g}" if facts.age is not None else "", facts.sex, facts.site]
    return ", ".join(part for part in parts if part not in ("", "unknown"))


def header_facts(header: Dataset) -> Facts:
    """Age, sex and body site as far as a header tells them in a way that can be followed."""
    sex = _SEXES.get(str(header.get("PatientSex") or "").strip().upper(), "unknown")
    return Facts(_age(header), sex, _site(header))


def _age(header: Dataset) -> float | None:
    """The age in years that is stated, or that follows from the birth date at the day of the photo."""
    stated = _AGE.fullmatch(str(header.get("PatientAge") or "").strip().upper())
    if stated:
        years = int(stated[1]) / _UNITS[stated[2]]
        # Months and days in whole years as people count them, but for the first two.
        age = round(years, 1) if years < 2 else float(int(years))
        return age if age <= MAX_AGE else None
    born = _DATE.match(str(header.get("PatientBirthDate") or ""))
    days = (header.get(k) for k in ("AcquisitionDate", "AcquisitionDateTime", "ContentDate", "StudyDate"))
    taken = next((match for day in days if (match := _DATE.match(str(day or "")))), None)
    if not born or not taken:
        return None
    (year, *birthday), (now, *day) = (tuple(map(int, date.groups())) for date in (born, taken))
    age = now - year - (day < birthday)
    return float(age) if 0 <= age <= MAX_AGE else None


def _site(header: Dataset) -> str:
    for region in header.get("AnatomicRegionSequence") or ():
        site = site_of_code(str(region.get("CodingSchemeDesignator") or ""), str(region.get("CodeValue") or ""))
        if site != "unknown":
            return site
    return site_of_part(str(header.get("BodyPartExamined") or ""))


def _source(file: DicomFile) -> DicomSource:
    header = file.header
    return DicomSource(
        kind=file.photo_class.name,
        class_uid=file.photo_class.uid,
        instance_uid=file.uid("SOPInstanceUID"),
        study_uid=file.uid("StudyInstanceUID"),
        series_uid=file.uid("SeriesInstanceUID"),
        frame=1,
        frames=file.frames,
        size=file.size,
        burned_in=str(header.get("BurnedInAnnotation") or "").strip().upper() == "YES",
        lossy=str(header.get("LossyImageCompression") or "").strip() == "01" or "JPEG" in file.syntax.name,
    )
