"""Who a written object is about: nobody, by DICOM's basic profile, or the source's patient where that was chosen.

Reference: DICOM PS3.15 annex E (attribute confidentiality profiles), PS3.16 CID 7050 (their codes).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from core.data.decoding.dicom_file import read_elements
from core.data.images import read_bytes
from core.data.patient import Facts

if TYPE_CHECKING:
    from pydicom import Dataset

# What a chosen identity consists of. Nothing else of a source's patient, visit or place is written.
IDENTITY = (
    "PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex", "PatientAge",
    "StudyDate", "StudyTime", "StudyID", "AccessionNumber", "ReferringPhysicianName",
)  # fmt: skip
# Elements that must be there, though they may be empty.
_EMPTY = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID", "AccessionNumber",
    "ReferringPhysicianName",
)  # fmt: skip
# The basic profile, and its options that leave something in: age and sex where they were given; the UIDs, so that the references hold.
BASIC, KEEPS_CHARACTERISTICS, KEEPS_UIDS = (
    ("113100", "Basic Application Confidentiality Profile"),
    ("113108", "Retain Patient Characteristics Option"),
    ("113110", "Retain UIDs Option"),
)
# Stands where a date must be and none may be told.
NO_DATE, NO_TIME = "19700101", "000000"
_AGE = re.compile(r"\d{3}[DWMY]")
_SEX_CODES = {"female": "F", "male": "M"}


def read_identity(source: bytes | str | Path, name: str = "") -> Dataset:
    """The patient and the study of a DICOM file, for objects that are to belong to them.

    Raises:
        UnreadablePhoto: its header cannot be followed.
    """
    data, name = read_bytes(source, name)
    return read_elements(data, ("SpecificCharacterSet", *IDENTITY), name)


def fill_identity(ds: Dataset, identity: Dataset | None, facts: Facts) -> None:
    """Sets a written object's patient and study.

    Args:
        identity: from `read_identity`; None for nobody.
        facts: as they were given to the network; of nobody, too, age and sex may be told.
    """
    ds.SpecificCharacterSet = "ISO_IR 192"
    for keyword in _EMPTY:
        setattr(ds, keyword, "")
    if identity is None:
        ds.PatientSex = _SEX_CODES.get(facts.sex, "")
        if facts.age is not None:
            ds.PatientAge = f"{int(facts.age):03d}Y" if facts.age >= 2 else f"{round(facts.age * 12):03d}M"
        return
    for keyword in IDENTITY:
        value = identity.get(keyword)
        if value not in (None, "") and (keyword != "PatientAge" or _AGE.fullmatch(str(value))):
            setattr(ds, keyword, str(value))


def finish_identity(ds: Dataset, identity: Dataset | None, facts: Facts) -> None:
    """Says in a written object how identity was removed, and removes the dates; leaves one with a chosen identity as it is."""
    if identity is not None:
        return
    from pydicom.dataset import Dataset as Item

    _remove_dates(ds)
    kept = [KEEPS_CHARACTERISTICS] if facts.age is not None or facts.sex != "unknown" else []
    codes = []
    for value, meaning in (BASIC, *kept, KEEPS_UIDS):
        code = Item()
        code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, "DCM", meaning
        codes.append(code)
    ds.PatientIdentityRemoved = "YES"
    ds.DeidentificationMethod = "DICOM PS3.15 basic profile, by Melascope"
    ds.DeidentificationMethodCodeSequence = codes
    ds.LongitudinalTemporalInformationModified = "REMOVED"


def _remove_dates(ds: Dataset) -> None:
    """Takes out every date and time; those that an object must have are set to 1970."""
    if "ContentDate" in ds:
        ds.ContentDate, ds.ContentTime = NO_DATE, NO_TIME
    for element in list(ds):
        if element.VR == "SQ":
            for item in element.value:
                _remove_dates(item)
        elif element.VR in ("DA", "TM", "DT") and element.keyword not in (
            "ContentDate", "ContentTime", "StudyDate", "StudyTime", "PatientBirthDate",
        ):  # fmt: skip
            del ds[element.tag]
