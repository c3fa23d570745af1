"""Photos and readings exchanged with other systems as DICOM; behind the extra `dicom`."""

from core.interchange.identity import read_identity
from core.interchange.read import DicomSource, SourcePhoto, describe_facts, read_header_facts, read_photos
from core.interchange.write import BURNED_IN, CAPTURE, check_writer, make_objects

__all__ = [
    "BURNED_IN",
    "CAPTURE",
    "DicomSource",
    "SourcePhoto",
    "check_writer",
    "describe_facts",
    "make_objects",
    "read_header_facts",
    "read_identity",
    "read_photos",
]
