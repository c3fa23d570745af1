"""What the reading page knows of a case."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.card import Card
from core.data.patient import Facts
from core.trust.signals.prediction_set import PredictionSet
from core.trust.signals.what_if import WhatIf
from core.webapp.shared.photo.in_use import Photo
from core.webapp.shared.shelf import Shelf

if TYPE_CHECKING:
    from core.reading import EncodedPhoto, LesionReading
    from core.trust.signals.opinion import Opinion, Signals


@dataclass(frozen=True, eq=False)
class Case:
    """One photo, one patient, one network, and all that is known of them on the page.

    Args:
        name: of the model's folder.
        signals: what was measured of the model.
        opinion: gate, seen before and look-alikes.
        prediction_set: the 90 % set, or None where it was not measured.
        what: the sweep over facts, or None for a network without facts.
        threshold: the reader's, on the probability of melanoma; `default` is the model's own.
    """

    shelf: Shelf
    name: str
    card: Card
    photo: Photo
    facts: Facts
    encoded: "EncodedPhoto"
    reading: "LesionReading"
    signals: "Signals"
    opinion: "Opinion"
    prediction_set: PredictionSet | None
    what: WhatIf | None
    threshold: float | None
    default: float | None
