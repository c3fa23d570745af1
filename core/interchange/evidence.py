"""What every written object says of its photo, its series and its maker."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from core import __version__
from core.data.patient import Facts
from core.interchange.identity import fill_identity
from core.interchange.read import DicomSource

if TYPE_CHECKING:
    from pydicom import Dataset

MAKER = "Melascope"
# Melascope as an observer of reports: one UID for all of its installations.
OBSERVER_UID = f"2.25.{uuid.uuid5(uuid.NAMESPACE_URL, 'melascope').int}"


def new_uid() -> str:
    """A UID that needs no registered root."""
    return f"2.25.{uuid.uuid4().int}"


def uid_from(uid: str, part: str) -> str:
    """The UID of a study or series that a source does not name: the same for all objects of one source."""
    return f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, f'{uid} {part}').int}"


def make_evidence(source: DicomSource, size: tuple[int, int], identity: Dataset | None, facts: Facts) -> Dataset:
    """The source image as far as objects refer to it and belong to its study; it holds nothing else of its header.

    Args:
        size: width and height of what is derived from it, pixels.
    """
    from pydicom.dataset import Dataset as New

    ds = New()
    ds.SOPClassUID, ds.SOPInstanceUID = source.class_uid, source.instance_uid
    ds.StudyInstanceUID = source.study_uid or uid_from(source.instance_uid, "study")
    ds.SeriesInstanceUID = source.series_uid or uid_from(source.instance_uid, "series")
    ds.Columns, ds.Rows = size
    fill_identity(ds, identity, facts)
    return ds


def add_equipment(ds: Dataset, model: str, weights: str) -> None:
    """Names the network that made an object: its weights' SHA-256 is its serial number."""
    ds.Manufacturer, ds.ManufacturerModelName = MAKER, model[:64]
    ds.SoftwareVersions, ds.DeviceSerialNumber = __version__, weights


def reference(source: DicomSource) -> Dataset:
    """An item that refers to the source image, and to its frame where it has several."""
    from pydicom.dataset import Dataset as Item

    item, purpose = Item(), Item()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = source.class_uid, source.instance_uid
    if source.referenced_frame:
        item.ReferencedFrameNumber = source.referenced_frame
    purpose.CodeValue, purpose.CodingSchemeDesignator = "121322", "DCM"
    purpose.CodeMeaning = "Source image for image processing operation"
    item.PurposeOfReferenceCodeSequence = [purpose]
    return item
