"""The table of what can be measured of a shipped model beyond its scores; each leaves its files in the model's folder."""

import importlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from core.card import Card, DamagedFile, bind_files, read_bound, read_card, short_name
from core.choices import find_choice
from core.schemas.kind import InvalidRecord, Kind, read_json
from core.threads import Progress
from core.trust.measure_records import (
    ColourRecord,
    FactsRecord,
    GateRecord,
    LookalikesRecord,
    MapsRecord,
    SetRecord,
    SimilarRecord,
)

if TYPE_CHECKING:  # at run time this would load TensorFlow, and pages read measures without it
    from core.bundle import Bundle


class InvalidMeasure(ValueError):
    """A measure that is not there to be used; the sentence says why, and ends with the command that makes it."""


class MissingMeasure(InvalidMeasure):
    """A measure that was never made: what it would say is not known, and nothing is wrong."""


class DamagedMeasure(InvalidMeasure):
    """A measure that was made and cannot be used: its file is damaged, lost, exchanged, or of other weights than the model's."""


@dataclass(frozen=True)
class Measure:
    """One thing to measure.

    Args:
        about: one sentence.
        function: "module:function", imported when it is run; called with (bundle, folder, progress), it writes its files
            into the bundle's folder.
        file: the JSON file that it writes there, with the digest that it rests on.
        record: what that file holds.
        rests_on: "weights_sha256" where it is of feature maps alone, which no calibration changes; else "probabilities_sha256"
            (see `binding_of`). The file holds the digest under this name.
        also: further files that it writes there.
    """

    about: str
    function: str
    file: str
    record: type[Struct]
    rests_on: str = "probabilities_sha256"
    also: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        """All that it writes."""
        return (self.file, *self.also)

    def run(self, bundle: "Bundle", folder: str | Path, progress: Progress | None = None) -> None:
        """Measures a model on a HAM10000 folder, and binds what was written to the model's card."""
        module, name = self.function.split(":")
        # The card names what other measures left meanwhile.
        bundle = replace(bundle, card=read_card(bundle.folder))
        getattr(importlib.import_module(module), name)(bundle, Path(folder), progress)
        bind_files(bundle.folder, self.files)


MEASURES: dict[str, Measure] = {
    "set": Measure(
        "The 90 % set of diagnoses: thresholds from validation, coverage and size on held-out photos.",
        "core.trust.measures.prediction_set:measure_set",
        "set.json",
        SetRecord,
    ),
    "facts": Measure(
        "How common each combination of age, sex and site is in training, and how often facts change the answer on held-out photos.",
        "core.trust.measures.facts:measure_facts",
        "facts.json",
        FactsRecord,
    ),
    "lookalikes": Measure(
        "The index of training lesions, what the nearest are worth as a second opinion, and whether a photo was trained on.",
        "core.trust.measures.lookalikes:measure_lookalikes",
        "lookalikes.json",
        LookalikesRecord,
        also=("lookalikes.npz",),
    ),
    "gate": Measure(
        "The photo gate: fitted on training photos, thresholds from validation, false refusals and strangers caught on held-out photos.",
        "core.trust.measures.gate:measure_gate",
        "gate.json",
        GateRecord,
        rests_on="weights_sha256",
    ),
    "maps": Measure(
        "Do the maps mean anything: lesion masks, deletion and insertion, shuffled weights, agreement, on held-out photos.",
        "core.trust.measures.maps:measure_maps",
        "maps.json",
        MapsRecord,
        also=("maps.csv",),
    ),
    "similar": Measure(
        "Which held-out melanomas and nevi the network finds alike: hard pairs and look-alikes.",
        "core.trust.measures.pairs:measure_similar",
        "similar.json",
        SimilarRecord,
        rests_on="weights_sha256",
        also=("similar.npz",),
    ),
    "colour": Measure(
        "Melanoma against nevus under each change of colour, on held-out photos.",
        "core.trust.measures.colour:measure_colour",
        "colour.json",
        ColourRecord,
        also=("colour.csv",),
    ),
}


def find_measure(name: str) -> Measure:
    """Looks a measure up.

    Raises:
        ValueError: no such measure; the message lists those there are.
    """
    return find_choice("measure", name, MEASURES)


def binding_of(name: str, card: Card) -> dict[str, str]:
    """What a measure's file is bound to its model by: the entry that its record holds.

    Raises:
        ValueError: no such measure.
    """
    rests_on = find_measure(name).rests_on
    return {rests_on: card.weights["sha256"] if rests_on == "weights_sha256" else card.probabilities_sha256}


def read_measured_file(name: str, file: str, folder: str | Path, card: Card) -> bytes:
    """The bytes of a file that a measure left in a model's folder, which are those that it was measured with.

    Raises:
        MissingMeasure: the measure was never made.
        DamagedMeasure: the file is not the one that the card names; the sentence ends with the command that makes it.
    """
    again = measure_again(name, folder)
    try:
        return read_bound(folder, file, card)
    except FileNotFoundError:
        raise MissingMeasure(
            f"{short_name(Path(folder) / file)} is missing: this was never measured. {again}"
        ) from None
    except DamagedFile as error:
        raise DamagedMeasure(f"{error} {again}") from None


def measure_again(name: str, folder: str | Path) -> str:
    """The sentence with the command that makes a measure."""
    return f"Run `python -m core measure {Path(folder).name} --data HAM10000_FOLDER --only {name}`."


def read_measure(name: str, folder: str | Path, card: Card) -> dict:
    """What a measure left in a model's folder.

    Raises:
        MissingMeasure: it was never made.
        DamagedMeasure: its file is damaged, lost, exchanged or of other weights; the sentence ends with the command that makes it.
    """
    path = Path(folder) / find_measure(name).file
    content = read_measured_file(name, path.name, folder, card)
    kind = Kind("measure", find_measure(name).record)
    try:
        record = read_json(content, short_name(path), measure_again(name, folder))
        kind.convert(record, short_name(path), measure_again(name, folder))
    except InvalidRecord as error:
        raise DamagedMeasure(str(error)) from None
    stale = {key: record.get(key) for key in binding_of(name, card)} != binding_of(name, card)
    if stale:
        raise DamagedMeasure(
            f"{short_name(path)} is stale: it was measured with other weights or another calibration of {card.name}. "
            f"{measure_again(name, folder)}"
        )
    return record
