"""Makes one model of a cross-validation's networks: read by their mean, scored by each on what it was held out from."""

import datetime
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.bundle import Bundle
from core.calibration import Calibration
from core.card import (
    CARD_FILE,
    OUT_OF_FOLD,
    WEIGHTS_FILE,
    Card,
    InvalidBundle,
    bind_files,
    members_weights,
    read_card,
    write_card,
)
from core.decisions import Terms
from core.evaluation.evaluator import evaluate
from core.evaluation.out_of_fold import (
    folds_hash,
    join_answers,
    join_slices,
    read_folds,
    score_out_of_fold,
    score_slices,
)
from core.evaluation.report import EVALUATION_FILE, Evaluation, read_evaluation
from core.evaluation.results import VALIDATION_FOLDER, write_results
from core.threads import Progress


def join_folds(folder: str | Path, name: str | None = None) -> Card:
    """Writes the card and the out-of-fold evaluation of a set into the folder that holds its networks; reads no photo.

    Args:
        name: of the set; the folder's when None.

    Raises:
        ValueError, InvalidBundle, InvalidResults: see `read_folds`; or the folder is a model itself.
    """
    folder = Path(folder)
    if (folder / WEIGHTS_FILE).exists():
        raise InvalidBundle(f"{folder} is a model with weights of its own, and no folder of folds.")
    folds = read_folds(folder)
    card = fold_set_card(name or folder.resolve().name, [fold.card for fold in folds])
    evaluation = score_out_of_fold(card, folds)
    card = _with_measured(card, folder)
    write_card(replace(card, scores={OUT_OF_FOLD: evaluation.summary()}), folder)
    write_results(evaluation, join_answers(folds), folder)
    write_results(score_slices(card, folds), join_slices(folds), folder / VALIDATION_FOLDER)
    return bind_files(folder, [EVALUATION_FILE, f"{VALIDATION_FOLDER}/{EVALUATION_FILE}"])


def evaluate_folds(
    bundle: Bundle,
    folder: str | Path,
    progress: Progress | None = None,
    *,
    say: Callable[[str], None] | None = None,
    **how,
) -> Evaluation:
    """Scores each network of a set on the photos that it was held out from, and joins what they answer.

    Args:
        bundle: of the set.
        progress, say, how: see `core.evaluation.evaluator.evaluate`.

    Raises:
        ValueError: the folder lacks photos of a network's part, so that not all could be scored.
    """
    for network in bundle.members:
        results = evaluate(network, folder, progress=progress, say=say if network is bundle.members[0] else None, **how)
        if results.split["missing"]:
            raise ValueError(
                f"{folder} lacks {results.split['missing']} of the photos that {network.name} of {bundle.name} was held out from. "
                "The set is scored on the whole collection or not at all. Complete the folder."
            )
    join_folds(bundle.folder, bundle.name)
    return read_evaluation(bundle.folder)


def _with_measured(card: Card, folder: Path) -> Card:
    """With what was measured of the same networks before, which joining them again does not change."""
    if not (folder / CARD_FILE).is_file():
        return card
    old = read_card(folder)
    same = old.probabilities_sha256 == card.probabilities_sha256 and old.input_sha256 == card.input_sha256
    return replace(card, files=old.files, speed=old.speed) if same else card


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
