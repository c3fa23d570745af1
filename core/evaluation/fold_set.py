"""Makes one model of a cross-validation's networks: read by their mean, scored by each on what it was held out from."""

import datetime
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.calibration import Calibration
from core.card import WEIGHTS_FILE, Card, InvalidBundle, bind_files, members_weights, write_card
from core.decisions import Terms
from core.evaluation.out_of_fold import OUT_OF_FOLD, folds_hash, join_answers, read_folds, score_out_of_fold
from core.evaluation.report import EVALUATION_FILE
from core.evaluation.results import write_results


def join_folds(folder: str | Path, name: str | None = None) -> Card:
    """Writes the card and the out-of-fold evaluation of a set into the folder that holds its networks; reads no photo.

    Args:
        name: of the set; the backbone's, with "-folds", when None.

    Raises:
        ValueError, InvalidBundle, InvalidResults: see `read_folds`; or the folder is a model itself.
    """
    folder = Path(folder)
    if (folder / WEIGHTS_FILE).exists():
        raise InvalidBundle(f"{folder} is a model with weights of its own, and no folder of folds.")
    folds = read_folds(folder)
    card = fold_set_card(name or f"{folds[0].card.backbone}-folds", [fold.card for fold in folds])
    evaluation = score_out_of_fold(card, folds)
    write_card(replace(card, scores={OUT_OF_FOLD: evaluation.summary()}), folder)
    write_results(evaluation, join_answers(folds), folder)
    return bind_files(folder, [EVALUATION_FILE])


def fold_set_card(name: str, cards: list[Card]) -> Card:
    """The card of a set; it has no weights of its own, and names its networks by their digests.

    Every photo that any of them learned from or was chosen by counts as one that the mean was trained on, and no photo is left to test the
    mean. Its probabilities are the mean of calibrated ones, not calibrated again: there is no photo that none of the networks has seen.

    Args:
        cards: of networks of one cross-validation, see `core.evaluation.out_of_fold.read_folds`.
    """
    first, total = cards[0], cards[0].split["fold"][1]
    met = sorted({image for card in cards for part in ("train", "validation") for image in card.split[part]})
    shares = np.mean([card.terms.shares for card in cards], axis=0)
    return replace(
        first,
        name=name,
        network={"members": [card.name for card in cards]},
        age_mean=float(np.mean([card.age_mean for card in cards])),
        age_sd=float(np.mean([card.age_sd for card in cards])),
        calibration=Calibration(1.0),
        terms=Terms(tuple(shares / shares.sum()), float(np.mean([card.terms.power for card in cards]))),
        weights=members_weights(cards),
        split={
            "kind": first.split["kind"],
            "leaky": any(card.split["leaky"] for card in cards),
            "seed": first.split["seed"],
            "hash": folds_hash(cards),
            "folds": [card.split["fold"] for card in cards],
            "train": met,
            "validation": [],
            "test": [],
        },
        recipe={
            **first.recipe,
            "about": f"Mean of {len(cards)} of {total} networks of a cross-validation by lesion. {first.recipe.get('about', '')}".strip(),
        },
        data={
            **{key: first.data[key] for key in ("name", "citation") if key in first.data},
            "photos": {
                "train": len(met),
                "validation": 0,
                "test": 0,
                OUT_OF_FOLD: sum(len(c.split["test"]) for c in cards),
            },
            "lesions": {},
            "photos_per_class": {"train": _per_class(cards)},
            "notes": list(dict.fromkeys(note for card in cards for note in card.data.get("notes", []))),
        },
        scores={},
        training={
            **{key: first.training.get(key) for key in ("device", "init", "seed", "versions")},
            "seconds": sum(card.training.get("seconds", 0) for card in cards),
            "epochs": max(card.training.get("epochs", 0) for card in cards),
            "best_epoch": 0,
        },
        speed={},
        files={},
        created=datetime.datetime.now(datetime.UTC).date().isoformat(),
    )


def _per_class(cards: list[Card]) -> list[int]:
    """Photos of each diagnosis in all parts of one network, which together are the whole collection, (7,)."""
    return np.sum(list(cards[0].data["photos_per_class"].values()), axis=0).astype(int).tolist()
