"""Makes one model of a cross-validation's networks, or of several such sets: read by their mean, scored by what was held out."""

import datetime
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.bundle import Bundle
from core.calibration import Calibration
from core.card import (
    CARD_FILE,
    ENSEMBLE,
    OUT_OF_FOLD,
    WEIGHTS_FILE,
    Card,
    InvalidBundle,
    bind_files,
    read_card,
    write_card,
)
from core.diagnoses import CODES
from core.evaluation.evaluator import evaluate
from core.evaluation.out_of_fold import (
    Fold,
    folds_hash,
    join_answers,
    join_slices,
    read_folds,
    score_out_of_fold,
    score_slices,
)
from core.evaluation.report import EVALUATION_FILE, Evaluation, read_evaluation
from core.evaluation.results import VALIDATION_FOLDER, Results, write_results
from core.members import join_fold_cards, mean_terms, members_weights
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
    return _write(fold_set_card(name or folder.resolve().name, [fold.card for fold in folds]), folds, folder)


def join_sets(folder: str | Path, sets: list[Path]) -> Card:
    """Writes the card and the out-of-fold evaluation of an ensemble of sets; reads no photo.

    A new photo is read by the mean of the sets, each the mean of its networks. A photo of the collection is scored by the mean of those
    networks, one of each set, that never saw its lesion; photos of folds that a set lacks are not scored.

    Args:
        folder: of the ensemble, beside the sets or around them; its name is the ensemble's.
        sets: their folders.

    Raises:
        ValueError: fewer than two sets, or sets of different cross-validations, input sizes or ages; see `read_folds`.
    """
    folder = Path(folder)
    cards = [read_card(place) for place in sets]
    _check_fit(cards)
    read = {card.name: read_folds(place) for card, place in zip(cards, sets, strict=True)}
    joined = join_fold_cards({name: [fold.card for fold in folds] for name, folds in read.items()})
    folds = [
        _mean_fold(
            card, [fold for of_set in read.values() for fold in of_set if fold.card.split["fold"] == card.split["fold"]]
        )
        for card in joined
    ]
    total = joined[0].split["fold"][1]
    names = ", ".join(card.name for card in cards)
    card = replace(
        fold_set_card(folder.resolve().name, joined),
        backbone=ENSEMBLE,
        network={"members": [card.name for card in cards]},
        weights=members_weights(cards),
        recipe={
            "name": "ensemble",
            "about": f"Mean of {len(cards)} sets of networks of one cross-validation by lesion ({names}). Scored by the mean of their "
            f"networks of one fold, in {len(joined)} of {total} folds.",
        },
        pretraining="; ".join(dict.fromkeys(f"{card.name}: {card.pretraining}" for card in cards)),
    )
    return _write(card, folds, folder)


def _check_fit(cards: list[Card]) -> None:
    if len({card.name for card in cards}) < 2:
        raise ValueError(f"An ensemble needs at least two members; got {len(cards)}.")
    for what, values in {
        "input size": {card.image_size for card in cards},
        "name of the data": {card.data["name"] for card in cards},
    }.items():
        if len(values) > 1:
            raise ValueError(
                f"The sets differ in their {what}: {', '.join(sorted(map(str, values)))}. Train them alike."
            )


def _mean_fold(card: Card, networks: list[Fold]) -> Fold:
    """What several networks of one fold answer together, of what each answered by itself."""
    return Fold(
        card,
        _mean_results([fold.held_out for fold in networks]),
        _mean_results([fold.chosen_on for fold in networks]),
    )


def _mean_results(results: list[Results]) -> Results:
    """Mean probabilities, under the first one's evaluation, which is not theirs."""
    first, codes = results[0], list(CODES)
    each = [one.table.set_index("image_id").loc[first.table.image_id, codes].to_numpy("float64") for one in results]
    mean = np.mean(each, axis=0)
    table = first.table.assign(**dict(zip(codes, mean.T, strict=True)))
    return Results(first.evaluation, table, first.y_true, mean.argmax(axis=1), mean)


def _write(card: Card, folds: list[Fold], folder: Path) -> Card:
    evaluation = score_out_of_fold(card, folds)
    card = _with_measured(card, folder)
    folder.mkdir(parents=True, exist_ok=True)
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
    if bundle.card.is_ensemble:
        for member in bundle.members:
            evaluate_folds(member, folder, progress, say=say, **how)
        join_sets(bundle.folder, [member.folder for member in bundle.members])
        return read_evaluation(bundle.folder)
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
    return replace(
        first,
        name=name,
        network={"members": [card.name for card in cards]},
        age_mean=float(np.mean([card.age_mean for card in cards])),
        age_sd=float(np.mean([card.age_sd for card in cards])),
        calibration=Calibration(1.0),
        terms=mean_terms(cards),
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
