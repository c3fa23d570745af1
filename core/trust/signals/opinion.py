"""The second reader: all that tells how far to trust one reading, from the encoded photo, for the app and the command line alike."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from core.card import Card, DamagedFile, InvalidBundle, read_bound, read_card
from core.data.patient import Facts
from core.estimates import CountedEstimate
from core.evaluation.report import EVALUATION_FILE
from core.members import network_folder
from core.trust.measure_table import MEASURES, DamagedMeasure, MissingMeasure, measure_again, read_measure
from core.trust.signals.gate import UNUSABLE, Gate, as_arrays, gate_photo
from core.trust.signals.jury import Jury
from core.trust.signals.lookalikes import Lookalike, LookalikeIndex, LookalikeVote, find_lookalikes, read_index
from core.trust.signals.map_agreement import map_agreement, place_agreement
from core.trust.signals.prediction_set import PredictionSet, build_set
from core.trust.signals.seen_before import SeenBefore, find_seen, hash_distances
from core.trust.signals.square import square_of

if TYPE_CHECKING:  # at run time this would load TensorFlow, and records are read without it
    from core.reading import EncodedPhoto, LesionReading

T = TypeVar("T")

NEEDED = ("gate", "set", "lookalikes", "maps")
# Asked for on the page alone; nobody misses it where it was never measured.
_OPTIONAL = ("facts",)
_NO_INDEX = "It lacks the index of training lesions."
# Explains what the maps were measured with.
_MAPS_METHOD = "grad-cam"


@dataclass(frozen=True, eq=False)
class Signals:
    """What was measured of a model, read once: all that opinions are formed with.

    Args:
        records: measure -> its record; those that are missing are left out.
        index: of the training lesions, or None.
        gate_index: what the gate compares a photo with: the same, or of a set of folds that of the network which the gate sees through.
        missing: measure -> sentence, with the command that makes it, for each that was never made.
        faults: name -> sentence, for each thing that was measured and cannot be used: damaged, lost, exchanged, of other weights.
    """

    records: Mapping[str, dict]
    index: LookalikeIndex | None
    missing: Mapping[str, str] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)
    gate_index: LookalikeIndex | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """The sentences on what was never measured."""
        return tuple(dict.fromkeys(self.missing.values()))

    @property
    def gate_fault(self) -> str:
        """Why the gate cannot judge although it was measured; empty where it can, or never was measured."""
        if "gate" in self.faults:
            return self.faults["gate"]
        if "gate" in self.records and self.gate_index is None:
            return self.faults.get("lookalikes") or self.missing.get("lookalikes", _NO_INDEX)
        return ""


@dataclass(frozen=True)
class MapsAgreement:
    """How far attention and heat map of a photo point at the same place.

    Args:
        agreement: -1..1, or None where a map points nowhere.
        quartile: 1 (least agreement) to 4 among the held-out photos; None where that is not known.
        errors: error rate of the held-out photos in this quarter, or None.
    """

    agreement: float | None
    quartile: int | None
    errors: CountedEstimate | None


@dataclass(frozen=True, eq=False)
class Opinion:
    """What the second reader says about one photo; None where nothing was measured, and `notes` says how to.

    Args:
        gate: whether the photo should be read.
        seen: the training photo that it shows; None also where there is none (then `looked` is True).
        looked: whether it was compared with the training photos.
        lookalikes: the nearest training lesions, nearest first.
        vote: of the nearest k lesions.
        set: the diagnoses that cannot be ruled out.
        maps: how far the two maps agree.
        jury: what all networks say, if they were asked.
        notes: see `Signals`.
        faults: sentences on what was measured and cannot be used; they must stand beside the answer.
    """

    gate: Gate | None = None
    seen: SeenBefore | None = None
    looked: bool = False
    lookalikes: tuple[Lookalike, ...] | None = None
    vote: LookalikeVote | None = None
    set: PredictionSet | None = None
    maps: MapsAgreement | None = None
    jury: Jury | None = None
    notes: tuple[str, ...] = field(default=())
    faults: tuple[str, ...] = field(default=())

    @property
    def refused(self) -> bool:
        return self.gate is not None and self.gate.stops

    def to_json(self) -> dict:
        """As plain values; what is not known is None."""
        return {
            "gate": self.gate.to_json() if self.gate else None,
            "set": list(self.set.codes) if self.set else None,
            "seen_before": self.seen.to_json() if self.seen else None,
            "lookalikes": None if self.lookalikes is None else [one.to_json() for one in self.lookalikes],
            "lookalike_vote": {**vars(self.vote), "agreement": self.vote.agreement} if self.vote else None,
            "jury": self.jury.to_json() if self.jury else None,
            "maps": {"agreement": self.maps.agreement, "quartile": self.maps.quartile} if self.maps else None,
            "trust_notes": list(self.notes),
            "faults": list(self.faults),
        }


def read_signals(folder: str | Path, card: Card) -> Signals:
    """Reads what was measured of a model. Nothing that is missing or damaged makes this fail: a note or a fault says so."""
    records, missing, faults = {}, {}, {}

    def reading(name: str, read: Callable[[], T]) -> T | None:
        try:
            return read()
        except MissingMeasure as error:
            if name not in _OPTIONAL:
                missing.setdefault(name, str(error))
        except DamagedMeasure as error:
            faults.setdefault(name, str(error))
        return None

    for name in (*NEEDED, *_OPTIONAL):
        record = reading(name, lambda name=name: read_measure(name, folder, card))
        if record is not None:
            records[name] = record
    if "gate" in records:
        try:
            records["gate"] = as_arrays(records["gate"])
        except (ValueError, TypeError, AttributeError) as error:
            del records["gate"]
            faults["gate"] = f"{MEASURES['gate'].file} cannot be used ({error}). {measure_again('gate', folder)}"
    gate_index = index = reading("lookalikes", lambda: read_index(folder, card))
    if network := records.get("gate", {}).get("network"):
        place = network_folder(card, folder, str(network))
        gate_index = reading("lookalikes", lambda: read_index(place, read_card(place)))
    try:
        read_bound(folder, EVALUATION_FILE, card)
    except FileNotFoundError:
        pass  # never evaluated: there is no operating point, which is said where one would stand
    except DamagedFile as error:
        faults["evaluation"] = f"{error} Run `python -m core evaluate {Path(folder).name} --data HAM10000_FOLDER`."
    return Signals(records, index, missing, faults, gate_index)


def form_gate(signals: Signals, encoded: "EncodedPhoto") -> Gate | None:
    """The gate's verdict, before anything else is asked; None where the gate was never measured.

    A gate that was measured and cannot be used gives a verdict of its own, which lets nothing through.
    """
    if signals.gate_fault:
        return _unusable(signals.gate_fault)
    if signals.gate_index is None or "gate" not in signals.records:
        return None
    try:
        return gate_photo(signals.gate_index, signals.records["gate"], encoded)
    except (ValueError, KeyError, IndexError, TypeError, OSError) as error:
        return _unusable(str(error) if isinstance(error, InvalidBundle) else f"{type(error).__name__}: {error}.")


def _unusable(why: str) -> Gate:
    return Gate(
        UNUSABLE,
        (f"The photo gate is damaged, so nothing has looked whether this is a dermoscopic photo. {why}",),
        math.nan,
    )


def form_opinion(
    signals: Signals,
    encoded: "EncodedPhoto",
    reading: "LesionReading | None",
    *,
    gate: Gate | None = None,
    jury: Callable[[], Jury | None] | None = None,
) -> Opinion:
    """All that the second reader says about one photo.

    Args:
        signals: of the photo's network.
        encoded: the photo, by `core.reading.encode_photo`.
        reading: of it; None for a photo that was refused, which then gets no set, maps and jury.
        gate: from `form_gate`, where it was asked already.
        jury: asks the networks, if they are to be asked.
    """
    gate = gate or form_gate(signals, encoded)
    faults = dict.fromkeys(signals.faults.values())
    if gate is not None and gate.verdict == UNUSABLE and not signals.gate_fault:
        faults |= dict.fromkeys(gate.reasons)
    seen, nearest, vote = _compare(signals, encoded)
    looked = nearest is not None
    if reading is None:
        return Opinion(gate, seen, looked, nearest, vote, notes=signals.notes, faults=tuple(faults))
    record = signals.records.get("set")
    return Opinion(
        gate,
        with_held_out_answer(seen, encoded, reading.facts),
        looked,
        nearest,
        vote,
        build_set(reading.probabilities, record) if record else None,
        _maps(signals, encoded, reading),
        jury() if jury else None,
        signals.notes,
        tuple(faults),
    )


def _compare(signals: Signals, encoded: "EncodedPhoto"):
    """Seen before, look-alikes and their vote."""
    from core.trust.signals.feature_vectors import pool_features

    record = signals.records.get("lookalikes")
    if signals.index is None or record is None:
        return None, None, None
    pooled = pool_features(encoded.feature_map)
    distances = hash_distances(signals.index, square_of(encoded).hashes)
    seen = find_seen(signals.index, distances, signals.index.similarities(pooled), record["thresholds"])
    if seen and (network := encoded.bundle.network_without(seen.image_id)) is not encoded.bundle:
        seen = replace(seen, network=network.name, several=bool(network.members))
    own = seen.lesion_id if seen else None
    return seen, *find_lookalikes(signals.index, pooled, record["k"], without=own)


def with_held_out_answer(seen: SeenBefore | None, encoded: "EncodedPhoto", facts: Facts) -> SeenBefore | None:
    """A set of folds' photo that was recognised, with what the network answers that never saw its lesion; others as they are."""
    from core.reading import encoded_for, read_encoded

    if seen is None or not seen.network:
        return seen
    network = encoded.bundle.network_without(seen.image_id)
    told = read_encoded(encoded_for(network, encoded), facts, explain=False)
    return replace(seen, answer=told.probabilities)


def _maps(signals: Signals, encoded: "EncodedPhoto", reading: "LesionReading") -> MapsAgreement | None:
    from core.reading import read_encoded

    record = signals.records.get("maps")
    if record is None:
        return None
    fits = reading.heatmap is not None and reading.method == _MAPS_METHOD and reading.target == reading.top
    if not fits:
        reading = read_encoded(encoded, reading.facts, method=_MAPS_METHOD)
    value = map_agreement(reading.attention, reading.heatmap)
    placed = place_agreement(value, record)
    return MapsAgreement(None if np.isnan(value) else value, *(placed or (None, None)))
