"""Photos and readings exchanged with other systems as DICOM; behind the extra `dicom`."""

from core.interchange.read import DicomSource, SourcePhoto, describe_facts, read_photos

__all__ = ["DicomSource", "SourcePhoto", "describe_facts", "read_photos"]
