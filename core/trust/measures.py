"""The table of what can be measured of a shipped model beyond its scores; each leaves its files in the model's folder."""

import importlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.card import Card

if TYPE_CHECKING:  # at run time this would load TensorFlow, and pages read measures without it
    from core.bundle import Bundle

Progress = Callable[[int, int], None]


class InvalidMeasure(ValueError):
    """A measure's file that is missing, damaged, or of other weights than the model's."""


@dataclass(frozen=True)
class Measure:
    """One thing to measure.

    Args:
        about: one sentence.
        function: "module:function", imported when it is run; called with (bundle, folder, progress), it writes its files
            into the bundle's folder.
        file: the JSON file that it writes there, with "weights_sha256".
        form: keys and values that its present form has: a file without them is of an older one, and is refused.
    """

    about: str
    function: str
    file: str
    form: tuple[tuple[str, object], ...] = ()

    def run(self, bundle: "Bundle", folder: str | Path, progress: Progress | None = None) -> None:
        """Measures a model on a HAM10000 folder."""
        module, name = self.function.split(":")
        getattr(importlib.import_module(module), name)(bundle, Path(folder), progress)


MEASURES: dict[str, Measure] = {
    "set": Measure(
        "The 90 % set of diagnoses: thresholds from validation, coverage and size on test.",
        "core.trust.conformal:measure_set",
        "set.json",
        (("counted_by", "lesion"),),
    ),
    "facts": Measure(
        "How common each combination of age, sex and site is in training, and how often facts change the answer on test.",
        "core.trust.what_if:measure_facts",
        "facts.json",
    ),
    "lookalikes": Measure(
        "The index of training lesions, what the nearest are worth as a second opinion, and whether a photo was trained on.",
        "core.trust.lookalikes_measure:measure_lookalikes",
        "lookalikes.json",
    ),
    "gate": Measure(
        "The photo gate: fitted on training photos, thresholds from validation, false refusals and strangers caught on test.",
        "core.trust.gate_measure:measure_gate",
        "gate.json",
    ),
    "maps": Measure(
        "Do the maps mean anything: lesion masks, deletion and insertion, shuffled weights, agreement, on test.",
        "core.trust.map_measures:measure_maps",
        "maps.json",
    ),
    "similar": Measure(
        "Which test melanomas and nevi the network finds alike: hard pairs and look-alikes.",
        "core.trust.similar:measure_similar",
        "similar.json",
    ),
    "colour": Measure(
        "Melanoma against nevus under each change of colour, on test.",
        "core.trust.colour_lab:measure_colour",
        "colour.json",
    ),
}


def find_measure(name: str) -> Measure:
    """Looks a measure up.

    Raises:
        ValueError: no such measure; the message lists those there are.
    """
    if name not in MEASURES:
        raise ValueError(f"Unknown measure {name!r}. Expected one of: {', '.join(MEASURES)}.")
    return MEASURES[name]


def read_measure(name: str, folder: str | Path, card: Card) -> dict:
    """What a measure left in a model's folder.

    Raises:
        InvalidMeasure: its file is missing, damaged or of other weights; the sentence ends with the command that makes it.
    """
    path = Path(folder) / find_measure(name).file
    again = f"Run `python -m core measure {Path(folder).name} --data HAM10000_FOLDER --only {name}`."
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        sha256 = record["weights_sha256"]
    except FileNotFoundError:
        raise InvalidMeasure(f"{path} is missing. {again}") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidMeasure(f"{path} cannot be used ({error}). {again}") from None
    for key, value in find_measure(name).form:
        if record.get(key) != value:
            raise InvalidMeasure(
                f"{path} is of an older form: {key} is {record.get(key)!r}. Expected {value!r}. {again}"
            )
    if sha256 != card.weights["sha256"]:
        raise InvalidMeasure(f"{path} is stale: it was measured with other weights of {card.name}. {again}")
    return record
