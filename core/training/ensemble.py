"""Makes one model of several: mean of calibrated probabilities, calibrated again on validation.

Validation is used three times by then: for each member's epoch, for each member's calibration, and for that of their mean. The test part
chooses nothing.
"""

import datetime
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from core.card import ENSEMBLE, Card
from core.members import members_weights
from core.training.calibration import calibrate_card


def ensemble_card(
    name: str, members: Sequence[Card], probabilities: Sequence[np.ndarray], labels: np.ndarray, lesions: np.ndarray
) -> Card:
    """The card of an ensemble; it has no weights of its own, and names its members by their digests.

    Args:
        name: of the ensemble.
        members: cards of models that share input size, age scale and split.
        probabilities: each member's, on its validation photos, calibrated, (N, 7).
        labels: of these photos, (N,) output indices.
        lesions: of these photos, (N,).

    Raises:
        ValueError: members that do not fit together.
    """
    if len(members) < 2:
        raise ValueError(f"An ensemble needs at least two members; got {len(members)}.")
    if any(card.members for card in members):
        raise ValueError("A member is an ensemble itself. Name single models.")
    for what, values in {
        "split": {card.split["hash"] for card in members},
        "input size": {card.image_size for card in members},
        "age scale": {(round(card.age_mean, 6), round(card.age_sd, 6)) for card in members},
    }.items():
        if len(values) > 1:
            raise ValueError(
                f"The members differ in their {what}: {', '.join(sorted(map(str, values)))}. Train them on one folder with one seed."
            )
    mean = np.log(np.maximum(np.mean(probabilities, axis=0), 1e-12))
    first = members[0]
    notes = list(dict.fromkeys(note for card in members for note in card.data.get("notes", [])))
    card = replace(
        first,
        name=name,
        backbone=ENSEMBLE,
        network={"members": [card.name for card in members]},
        weights=members_weights(members),
        recipe={
            "name": "ensemble",
            "about": "Mean of the members' calibrated probabilities, calibrated again on validation.",
        },
        data={**first.data, "notes": notes},
        training={
            "device": first.training.get("device", ""),
            "seconds": sum(card.training.get("seconds", 0) for card in members),
            "epochs": 0,
            "best_epoch": 0,
            "init": "members",
            "seed": first.training.get("seed", 0),
            "versions": first.training.get("versions", {}),
        },
        pretraining="; ".join(dict.fromkeys(f"{card.name}: {card.pretraining}" for card in members)),
        speed={},
        files={},
        created=datetime.datetime.now(datetime.UTC).date().isoformat(),
    )
    return calibrate_card(card, mean, labels, lesions)
