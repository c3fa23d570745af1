"""A model that answers questions about photos: its network, what was measured of it, and the jury beside it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.bundle import Bundle, load_bundle
from core.card import CARD_FILE, InvalidBundle, read_card
from core.data.framing.framed import frame_photo
from core.data.patient import Facts
from core.decisions import EVEN, decide
from core.diagnoses import CODES
from core.interchange import SourcePhoto, describe_facts
from core.reading import READING_NOTICE, LesionReading, encode_photo, encoded_for, read_encoded, warm_up
from core.threads import once

if TYPE_CHECKING:  # with pandas, and a command that is refused need not wait for it
    from core.questions.question import Question
    from core.trust.signals.opinion import Signals

HEADER = "The DICOM header says"


@dataclass(frozen=True, eq=False)
class Answer:
    """What came of one photo.

    Args:
        record: as plain values: no pictures, no file name.
        reading: None where the gate kept the photo from being read.
    """

    record: dict
    reading: LesionReading | None


class OpenModel:
    """A model and all that its answers rest on, loaded when first asked for.

    Args:
        folder: the model's.
        load: a model's folder -> `Bundle`, for the model and its jurors.

    Raises:
        InvalidBundle: see `read_card`.
    """

    def __init__(self, folder: Path, load: Callable[[Path], Bundle] = load_bundle):
        self.folder, self.card, self._load = folder, read_card(folder), load
        self.jury_notes: list[str] = []
        self.jury_faults: list[str] = []

    def digest(self) -> dict:
        """What answers depend on, as plain values."""
        card = self.card
        return {
            "weights": card.weights["sha256"],
            "probabilities": card.probabilities_sha256,
            "files": card.files,
        }

    @once
    def bundle(self) -> Bundle:
        from core.trust.signals.eye import open_eye

        bundle = self._load(self.folder)
        with ThreadPoolExecutor(2) as pool:
            # Nobody asks how this ended: what is wrong with the eye is said when a photo comes to the gate.
            pool.submit(open_eye, bundle.folder)
            # Else the first reading's seconds would be those of compiling the network.
            warm = pool.submit(warm_up, bundle)
            # Meanwhile, what judges the answer, with pandas.
            import core.trust.signals.opinion  # noqa: F401
        warm.result()
        return bundle

    @once
    def signals(self) -> Signals:
        from core.trust.signals.opinion import read_signals

        return read_signals(self.bundle.folder, self.bundle.card)

    @once
    def jurors(self) -> list[Bundle]:
        """The networks that vote: those beside the model, itself among them if it is a network of its own."""
        from core.trust.signals.jury import votes

        jurors, members = [], {member.folder.resolve(): member for member in self.bundle.members}
        for path in sorted(Path(self.bundle.folder).resolve().parent.glob(f"*/{CARD_FILE}")):
            try:
                card = read_card(path.parent)
                if path.parent == Path(self.bundle.folder).resolve():
                    jurors += [self.bundle] if votes(card) else []
                elif votes(card):
                    jurors.append(members.get(path.parent.resolve()) or self._load(path.parent))
            except InvalidBundle as error:
                self.jury_faults.append(f"Not on the jury: {error}")
        if len(jurors) < 2:
            self.jury_notes.append(
                f"No jury: there are not two networks in {Path(self.bundle.folder).resolve().parent}."
            )
        return jurors

    def answer(self, photo: SourcePhoto, question: Question, *, paint: bool = True) -> Answer:
        """Reads a photo and says how far to trust it.

        Args:
            paint: False leaves out the overlays.

        Raises:
            InvalidBundle, ValueError: see `load_bundle`, `frame_photo` and `read_encoded`.
        """
        bundle = self.bundle
        from core.trust.signals.opinion import form_gate, form_opinion

        facts, told = _facts(photo, question)
        framed = frame_photo(photo.pixels, question.crop, question.words.crop)
        encoded = encode_photo(bundle, framed.pixels)
        gate = form_gate(self.signals, encoded)
        reading = None
        if question.force or gate is None or not gate.stops:
            reading = read_encoded(
                encoded,
                facts,
                method=question.method,
                target=question.target,
                paint=paint,
                mixture=question.mixture,
            )
            reading = replace(reading, seconds=_with_encoding(reading.seconds, encoded.seconds))
        opinion = form_opinion(
            self.signals, encoded, reading, gate=gate, jury=lambda: self._jury(encoded, facts, reading, question)
        )
        record = (reading.to_json() if reading else self._refusal(facts, question)) | opinion.to_json()
        if reading is not None and question.threshold is not None:
            record["decision"] = _decision(reading, question.threshold)
        record |= framed.to_json()
        record["notes"] = [*photo.notes, *told, *framed.notes, *record["notes"]]
        record["trust_notes"] = [*record["trust_notes"], *dict.fromkeys(self.jury_notes)]
        record["faults"] = [*record["faults"], *dict.fromkeys(self.jury_faults)]
        if photo.source is not None:
            record["header_facts"] = vars(photo.facts)
        return Answer(record, reading)

    def _jury(self, encoded, facts: Facts, reading: LesionReading, question: Question):
        """What all networks say, or None where fewer than two vote."""
        from core.trust.signals.jury import convene

        if not question.jury or len(self.jurors) < 2:
            return None
        opinions = {}
        for juror in self.jurors:
            if juror is self.bundle:
                opinions[juror.name] = reading.probabilities
            else:
                # An ensemble's members have encoded the photo already.
                shared = juror in self.bundle.members
                seen = encoded_for(juror, encoded) if shared else encode_photo(juror, encoded.photo, explain=False)
                vote = read_encoded(seen, facts, explain=False)
                opinions[juror.name] = vote.probabilities
        return convene(opinions)

    def _refusal(self, facts: Facts, question: Question) -> dict:
        """The record of a photo that was not read."""
        card, force = self.bundle.card, question.words.force
        return {
            "model": self.bundle.name,
            "facts": vars(facts),
            "notes": [f"Not read. {force} reads it anyway; what is said of such a photo means little."],
            "card": {"sha256": card.weights["sha256"]},
            "notice": READING_NOTICE,
        }


def _facts(photo: SourcePhoto, question: Question) -> tuple[Facts, tuple[str, ...]]:
    """The facts about a photo's patient, and what is to be said of those in its header."""
    given, told, words = question.facts, photo.facts, question.words
    known = describe_facts(told)
    if not known:
        return given, ()
    if not question.use_header:
        return given, (f"{HEADER}: {known}. Not used; {words.header} takes what {words.facts} leave out.",)
    facts = Facts(
        told.age if given.age is None else given.age,
        told.sex if given.sex == "unknown" else given.sex,
        told.site if given.site == "unknown" else given.site,
    )
    return facts, (f"{HEADER}: {known}. Used where {words.facts} say nothing; please check.",)


def _decision(reading: LesionReading, threshold: float) -> dict:
    """What the rule "costs" decides at the reader's threshold, of the probabilities where the photo comes from."""
    here = reading.here
    (decided,) = decide("costs", [list(here.values())], replace(EVEN, threshold=threshold))
    return {
        "rule": "costs",
        "threshold": threshold,
        "melanoma": here["mel"],
        "above": here["mel"] >= threshold,
        "diagnosis": CODES[int(decided)],
    }


def _with_encoding(seconds: dict[str, float], encoding: dict[str, float]) -> dict[str, float]:
    """A reading's seconds, and those of the encoding that went before it."""
    gradients = encoding.get("gradients", 0.0)
    return seconds | {
        "encode": encoding["encode"],
        "heatmap": seconds["heatmap"] + gradients,
        "total": seconds["total"] + encoding["encode"] + gradients,
    }
