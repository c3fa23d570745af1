"""What is asked about one photo, and its answer: a record, and files if there is a folder for them."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from core.prevalence import find_mixture

if TYPE_CHECKING:
    from core.data.patient import Facts

FILES = ("attention.png", "heatmap.png", "reading.json")
DICOM_FILES = ("photo.dcm", "attention.dcm", "heatmap.dcm", "reading.dcm", "capture.dcm")
HEADER = "The DICOM header says"
REFUSED = "Not read. --force reads it anyway; what is said of such a photo means little."


class Questions:
    """What is asked about each photo, checked at once; the models themselves are loaded for the first readable photo."""

    def __init__(
        self,
        model: str,
        age: str,
        sex: str,
        site: str,
        method: str,
        target: str | None,
        force: bool,
        ask_jury: bool,
        use_header: bool,
        keep_identity: bool,
        prevalence: str,
    ):
        from core.card import find_bundle, read_card
        from core.data.patient import Facts
        from core.diagnoses import index_of
        from core.explain import find_explainer

        known_age = None if age.strip().lower() in ("", "unknown") else age
        self.facts = Facts(known_age, sex.strip().lower(), site.strip().lower().replace("_", " "))
        if target is not None:
            index_of(target)
        find_explainer(method)
        folder = find_bundle(model).resolve()
        card = read_card(folder)
        self.mixture = find_mixture(prevalence, card.calibrated_shares)
        self.model, self.method, self.target = folder, method, target
        self.force, self.ask_jury = force, ask_jury
        self.use_header, self.keep_identity = use_header, keep_identity
        self.opened: dict[Path, tuple] = {}
        self._card = card
        self.jury_notes: list[str] = []
        self.jury_faults: list[str] = []

    def digest(self) -> dict:
        """What answers depend on, as plain values: the model, and all that was asked."""
        return {
            "weights": self._card.weights["sha256"],
            "probabilities": self._card.probabilities_sha256,
            "files": self._card.files,
            "facts": vars(self.facts),
            "asked": [self.method, self.target, self.force, self.ask_jury, self.use_header],
            "mixture": self.mixture.to_json() if self.mixture else None,
        }

    @cached_property
    def bundle(self):
        from core.bundle import load_bundle
        from core.reading import warm_up
        from core.trust.signals.eye import open_eye

        bundle = load_bundle(self.model)
        with ThreadPoolExecutor(2) as pool:
            # Nobody asks how this ended: what is wrong with the eye is said when a photo comes to the gate.
            pool.submit(open_eye, bundle.folder)
            # Else the first reading's seconds would be those of compiling the network.
            warm = pool.submit(warm_up, bundle)
            # Meanwhile, what judges the answer, with pandas.
            import core.trust.signals.opinion  # noqa: F401
        warm.result()
        return bundle

    @cached_property
    def signals(self):
        from core.trust.signals.opinion import read_signals

        return read_signals(self.bundle.folder, self.bundle.card)

    @cached_property
    def jurors(self) -> list:
        """The networks that vote: those beside the model, itself among them if it is a network of its own."""
        from core.bundle import load_bundle
        from core.card import CARD_FILE, InvalidBundle, read_card
        from core.trust.signals.jury import votes

        found, members = [], {member.folder.resolve(): member for member in self.bundle.members}
        for path in sorted(Path(self.bundle.folder).resolve().parent.glob(f"*/{CARD_FILE}")):
            try:
                card = read_card(path.parent)
                if path.parent == Path(self.bundle.folder).resolve():
                    found += [self.bundle] if votes(card) else []
                elif votes(card):
                    found.append(members.get(path.parent.resolve()) or load_bundle(path.parent))
            except InvalidBundle as error:
                self.jury_faults.append(f"Not on the jury: {error}")
        if len(found) < 2:
            self.jury_notes.append(
                f"No jury: there are not two networks in {Path(self.bundle.folder).resolve().parent}."
            )
        return found

    def open(self, path: Path) -> tuple:
        """The photos in a file, each once read: one, or the frames of a DICOM file."""
        from core.interchange import read_photos

        if path not in self.opened:
            self.opened = {path: read_photos(path, force=self.force)}
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
        self, path: Path, read, folder: Path | None = None, dicom: Path | None = None, given: Facts | None = None
    ) -> dict:
        """Reads one photo, writes its files if there are folders for them, and returns its record.

        Args:
            path: of its file.
            read: a `core.interchange.SourcePhoto`.
            folder, dicom: for its files.
            given: facts about this photo's patient; those that were asked about all photos when None.
        """
        from core.explain import encode_png
        from core.files import write_bytes, write_text

        photo, (facts, told) = read.pixels, self._facts(read, given or self.facts)
        from core.reading import encode_photo, read_encoded
        from core.trust.signals.opinion import form_gate, form_opinion

        bundle = self.bundle
        encoded = encode_photo(bundle, photo)
        gate = form_gate(self.signals, encoded)
        reading = None
        if self.force or gate is None or not gate.stops:
            reading = read_encoded(encoded, facts, method=self.method, target=self.target, mixture=self.mixture)
            reading = replace(reading, seconds=_with_encoding(reading.seconds, encoded.seconds))
        opinion = form_opinion(
            self.signals, encoded, reading, gate=gate, jury=lambda: self._jury(encoded, facts, reading)
        )
        record = (reading.to_json() if reading else self._refusal(facts)) | opinion.to_json()
        record["notes"] = [*read.notes, *told, *record["notes"]]
        record["trust_notes"] = [*record["trust_notes"], *dict.fromkeys(self.jury_notes)]
        record["faults"] = [*record["faults"], *dict.fromkeys(self.jury_faults)]
        if read.source is not None:
            record["header_facts"] = vars(read.facts)
        if dicom is not None and reading is not None:
            record["notes"] += self._write_dicom(path, read, reading, record["gate"], dicom)
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            if reading:
                write_bytes(folder / "attention.png", encode_png(reading.attention_overlay))
                write_bytes(folder / "heatmap.png", encode_png(reading.heatmap_overlay))
            write_text(folder / "reading.json", json.dumps(record, indent=1, allow_nan=False) + "\n")
        return record

    def _facts(self, photo, given: Facts) -> tuple:
        """The facts about a photo's patient, and what is to be said of those in its header."""
        from core.data.patient import Facts
        from core.interchange import describe_facts

        told, known = photo.facts, describe_facts(photo.facts)
        if not known:
            return given, ()
        if not self.use_header:
            return given, (
                f"{HEADER}: {known}. Not used; --header-facts takes what --age, --sex and --site leave out.",
            )
        facts = Facts(
            told.age if given.age is None else given.age,
            told.sex if given.sex == "unknown" else given.sex,
            told.site if given.site == "unknown" else given.site,
        )
        return facts, (f"{HEADER}: {known}. Used where --age, --sex and --site say nothing; please check.",)

    def _write_dicom(self, path: Path, photo, reading, gate: dict | None, folder: Path) -> list[str]:
        """Writes a reading as DICOM; returns what is to be said of that."""
        from core.files import write_together
        from core.interchange import BURNED_IN, CAPTURE, make_objects, read_identity

        identity = read_identity(path) if self.keep_identity and photo.source else None
        remarks = gate["reasons"] if gate and gate["verdict"] != "ok" else ()
        objects = make_objects(reading, photo, identity=identity, remarks=remarks)
        write_together(folder, objects)
        return [] if CAPTURE in objects else [BURNED_IN]

    def _jury(self, encoded, facts, reading):
        """What all networks say, or None where fewer than two vote."""
        from core.reading import encode_photo, encoded_for_members, read_encoded
        from core.trust.signals.jury import convene

        if not self.ask_jury or len(self.jurors) < 2:
            return None
        opinions, shared = {}, encoded_for_members(encoded)
        for juror in self.jurors:
            if juror is self.bundle:
                opinions[juror.name] = reading.probabilities
            else:
                # An ensemble's members have encoded the photo already.
                seen = shared.get(juror.name) if juror in self.bundle.members else None
                seen = seen or encode_photo(juror, encoded.photo, explain=False)
                said = read_encoded(seen, facts, explain=False)
                opinions[juror.name] = said.probabilities
        return convene(opinions)

    def _refusal(self, facts) -> dict:
        """The record of a photo that was not read."""
        from core.reading import NOTICE

        card = self.bundle.card
        return {
            "model": self.bundle.name,
            "facts": vars(facts),
            "notes": [REFUSED],
            "card": {"sha256": card.weights["sha256"]},
            "notice": NOTICE,
        }


def _with_encoding(seconds: dict[str, float], encoding: dict[str, float]) -> dict[str, float]:
    """A reading's seconds, and those of the encoding that went before it."""
    gradients = encoding.get("gradients", 0.0)
    return seconds | {
        "encode": encoding["encode"],
        "heatmap": seconds["heatmap"] + gradients,
        "total": seconds["total"] + encoding["encode"] + gradients,
    }
