"""What the command line asks about each photo, and the files that an answer goes into."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # loaded when a question is asked: help must not wait for it
    from core.data.patient import Facts
    from core.interchange import SourcePhoto
    from core.questions import OpenModel, Question

FILES = ("attention.png", "heatmap.png", "reading.json")
DICOM_FILES = ("photo.dcm", "attention.dcm", "heatmap.dcm", "reading.dcm", "capture.dcm")


class Questions:
    """One question about many photos; the model is loaded for the first readable one.

    Args:
        model: not loaded yet.
        question: about each photo.
        keep_identity: writes the patient of a DICOM photo into the DICOM files.
    """

    def __init__(self, model: OpenModel, question: Question, keep_identity: bool = False):
        self.model, self.question, self.keep_identity = model, question, keep_identity
        self.opened: dict[Path, tuple[SourcePhoto, ...]] = {}

    def digest(self) -> dict:
        """What answers depend on, as plain values: the model, and all that was asked."""
        return self.model.digest() | self.question.digest()

    def open(self, path: Path) -> tuple[SourcePhoto, ...]:
        """The photos in a file, each once read: one, or the frames of a DICOM file."""
        from core.interchange import read_photos

        if path not in self.opened:
            self.opened = {path: read_photos(path, force=self.question.force)}
        return self.opened[path]

    def read(self, path: Path, folder: Path | None, dicom: Path | None = None) -> list[dict]:
        """Reads a file's photos, writes their files if there are folders for them, and returns a record of each."""
        for place, names in ((folder, FILES), (dicom, DICOM_FILES)):
            if place is not None and path.resolve() in [(place / name).resolve() for name in names]:
                raise ValueError(f"{path} would be overwritten by its own reading. Choose another folder.")
        photos = self.open(path)
        self.opened = {}
        if len(photos) == 1:
            return [self.read_photo(path, photos[0], folder, dicom)]
        records = []
        for number, photo in enumerate(photos, 1):
            places = (place / f"frame-{number}" if place is not None else None for place in (folder, dicom))
            records.append({"frame": number, **self.read_photo(path, photo, *places)})
        return records

    def read_photo(
        self,
        path: Path,
        read: SourcePhoto,
        folder: Path | None = None,
        dicom: Path | None = None,
        given: Facts | None = None,
    ) -> dict:
        """Reads one photo, writes its files if there are folders for them, and returns its record.

        Args:
            path: of its file.
            folder, dicom: for its files.
            given: facts about this photo's patient; those that were asked about all photos when None.
        """
        from core.explain import encode_png
        from core.files import write_bytes, write_text

        question = self.question if given is None else replace(self.question, facts=given)
        answer = self.model.answer(read, question, paint=folder is not None or dicom is not None)
        record, reading = answer.record, answer.reading
        if dicom is not None and reading is not None:
            record["notes"] += self._write_dicom(path, read, reading, record["gate"], dicom)
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            if reading:
                write_bytes(folder / "attention.png", encode_png(reading.attention_overlay))
                write_bytes(folder / "heatmap.png", encode_png(reading.heatmap_overlay))
            write_text(folder / "reading.json", json.dumps(record, indent=1, allow_nan=False) + "\n")
        return record

    def _write_dicom(self, path: Path, photo: SourcePhoto, reading, gate: dict | None, folder: Path) -> list[str]:
        """Writes a reading as DICOM; returns what is to be said of that."""
        from core.files import write_together
        from core.interchange import BURNED_IN, CAPTURE, make_objects, read_identity

        identity = read_identity(path) if self.keep_identity and photo.source else None
        remarks = gate["reasons"] if gate and gate["verdict"] != "ok" else ()
        objects = make_objects(reading, photo, identity=identity, remarks=remarks)
        write_together(folder, objects)
        return [] if CAPTURE in objects else [BURNED_IN]


def ask(
    model: str,
    age: str,
    sex: str,
    site: str,
    *,
    method: str,
    target: str | None,
    prevalence: str,
    threshold: float | None,
    force: bool,
    jury: bool,
    use_header: bool,
    keep_identity: bool,
    crop: str,
) -> Questions:
    """What was typed, checked at once.

    Raises:
        ValueError: facts, a method, a diagnosis, a place, a threshold or a crop that cannot be, or no such model.
    """
    from core.card import find_bundle
    from core.data.framing.crop import parse_crop
    from core.prevalence import find_mixture
    from core.questions import OpenModel, Question, read_facts

    question = Question(
        read_facts(age, sex, site), method, target, None, threshold, force, jury, use_header, parse_crop(crop)
    )
    opened = OpenModel(find_bundle(model).resolve())
    mixture = find_mixture(prevalence, opened.card.calibrated_shares)
    return Questions(opened, replace(question, mixture=mixture), keep_identity)
