"""A reading as DICOM objects that refer to their photo: two maps, a report, a picture to look at."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from core.data.decoding.dicom_file import INSTALL, hush
from core.interchange.evidence import make_evidence
from core.interchange.identity import finish_identity
from core.interchange.maps import enlarge_map, make_map, map_size
from core.interchange.pictures import draw_capture, make_capture, make_photo
from core.interchange.read import SourcePhoto
from core.interchange.report import make_report
from core.reading import LesionReading

if TYPE_CHECKING:
    from pydicom import Dataset

PHOTO, ATTENTION, HEATMAP, REPORT, CAPTURE = "photo.dcm", "attention.dcm", "heatmap.dcm", "reading.dcm", "capture.dcm"
BURNED_IN = (
    "No picture was written as DICOM: text is burned into the photo, which may name the patient. "
    "Keep the identity (`--keep-identity`) to write it all the same."
)


class MissingWriter(ValueError):
    """pydicom or highdicom is not installed; the sentence says which extra brings them."""


class InvalidIdentity(ValueError):
    """A header's patient cannot be written; the sentence quotes nothing of it."""


def check_writer() -> None:
    """Stops before a photo is read where no object could be written.

    Raises:
        MissingWriter: a package is missing.
    """
    try:
        import highdicom  # noqa: F401
    except ImportError as error:
        raise MissingWriter(
            f"Writing DICOM needs {error.name or 'highdicom'}, which is not installed. "
            f"Install the extra `dicom`: `{INSTALL}` in Melascope's folder."
        ) from None


def make_objects(
    reading: LesionReading, photo: SourcePhoto, *, identity: Dataset | None = None, remarks: Iterable[str] = ()
) -> dict[str, bytes]:
    """Makes the files of a reading.

    Args:
        reading: with its maps.
        photo: that was read; where it came as no DICOM object, it becomes one, too.
        identity: from `read_identity`, for objects that are to belong to the source's patient; None removes identity by DICOM
            PS3.15's basic profile, age, sex and UIDs retained.
        remarks: sentences that belong beside the result in the report, such as the photo gate's.

    Returns:
        File name -> content. Without the capture where text is burned into the photo and identity is to be removed.

    Raises:
        MissingWriter: a package is missing.
        InvalidIdentity: the source's header names its patient in a way that cannot be written.
    """
    check_writer()
    hush()
    try:
        return _make_objects(reading, photo, identity, tuple(remarks))
    except Exception:
        if identity is None or isinstance(sys.exc_info()[1], MemoryError):
            raise
    # Outside of the handler: what a library says of a value quotes it.
    raise InvalidIdentity(
        "The patient's data in the photo's header are not what DICOM allows (a date that is none, a name that is too long), so that no "
        "object can be written with them. Leave out --keep-identity, or mend the header."
    )


def _make_objects(
    reading: LesionReading, photo: SourcePhoto, identity: Dataset | None, remarks: tuple[str, ...]
) -> dict[str, bytes]:
    facts, model, weights = reading.facts, reading.model, reading.card["sha256"]
    objects: dict[str, Dataset] = {}
    source = photo.source
    if source is None or not source.instance_uid:
        objects[PHOTO], source = make_photo(photo.pixels, identity, facts)
    evidence = make_evidence(source, map_size(source.size), identity, facts)
    maps = (
        (ATTENTION, "ATTENTION", "Soft attention of the network", reading.attention),
        (HEATMAP, "HEATMAP", f"{reading.method} of {reading.target}", reading.heatmap),
    )
    for number, (name, label, meaning, values) in enumerate(maps, 1):
        if values is not None:
            enlarged = enlarge_map(values, map_size(source.size))
            objects[name] = make_map(enlarged, label, meaning, evidence, source, model, weights, number)
    objects[REPORT] = make_report(reading, evidence, source, remarks)
    if identity is not None or not source.burned_in:
        pixels = draw_capture(reading, photo.pixels)
        objects[CAPTURE] = make_capture(pixels, evidence, source, model, weights, identity, facts)
    for ds in objects.values():
        finish_identity(ds, identity, facts)
    return {name: _to_bytes(ds) for name, ds in objects.items()}


def _to_bytes(ds: Dataset) -> bytes:
    from pydicom import dcmwrite

    out = io.BytesIO()
    dcmwrite(out, ds, enforce_file_format=True)
    return out.getvalue()
