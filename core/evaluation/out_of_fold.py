"""Out-of-fold answers: each photo of a cross-validation as the one network answered it that never saw its lesion."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from core.card import CARD_FILE, OUT_OF_FOLD, Card, InvalidBundle, read_card
from core.data.ham10000 import class_indices
from core.diagnoses import CODES, MELANOMA
from core.evaluation.evaluator import score_table
from core.evaluation.metrics import absent_classes
from core.evaluation.operating import TARGET_SENSITIVITY, choose_threshold, measure_threshold
from core.evaluation.report import Evaluation
from core.evaluation.results import VALIDATION_FOLDER, InvalidResults, Results, read_results
from core.evaluation.statistics.bootstrap import RESAMPLES, confidence_words

# A committed file stays small, and no figure that is shown has more.
DECIMALS = 6


@dataclass(frozen=True, eq=False)
class Fold:
    """One network of a cross-validation.

    Args:
        held_out: its evaluation on the part that it was trained without.
        chosen_on: that of the photos which chose its epoch, calibration and threshold.
    """

    card: Card
    held_out: Results
    chosen_on: Results

    @property
    def number(self) -> int:
        return self.card.split["fold"][0]


def read_folds(folder: str | Path) -> list[Fold]:
    """The finished networks of a cross-validation, in order; none of their weights or photos is read.

    Args:
        folder: holds `fold-1`, `fold-2` and so on, as `train --folds` leaves them; some may be missing.

    Raises:
        ValueError: fewer than two folds are finished, or they are not of one cross-validation.
        InvalidBundle: a fold's card is damaged.
        InvalidResults: a fold is not evaluated on all of its own part.
    """
    folder = Path(folder)
    places = sorted(folder.glob(f"fold-*/{CARD_FILE}"))
    cards = {path.parent: read_card(path.parent) for path in places}
    for place, card in cards.items():
        if not isinstance(card.split.get("fold"), list) or place.name != f"fold-{card.split['fold'][0]}":
            raise InvalidBundle(f"{place} holds no network of a cross-validation by that number. Move it elsewhere.")
    if len(cards) < 2:
        raise ValueError(
            f"{folder} holds {len(cards)} finished folds. Expected two or more, in fold-1, fold-2 and so on: see `train --folds`."
        )
    _check_alike(list(cards.values()))
    folds = []
    for place, card in cards.items():
        again = f"Run `python -m core evaluate {place} --data HAM10000_FOLDER`."
        try:
            fold = Fold(card, read_results(place, card), read_results(place / VALIDATION_FOLDER, card))
        except InvalidResults as error:
            raise InvalidResults(f"Fold {card.split['fold'][0]} has no evaluation to join. {error} {again}") from None
        if set(fold.held_out.table.image_id) != set(card.split["test"]):
            raise InvalidResults(f"The evaluation of {place} is not of all photos that it was held out from. {again}")
        folds.append(fold)
    _check_apart(folds)
    return sorted(folds, key=lambda fold: fold.number)


def _check_alike(cards: list[Card]) -> None:
    for what, values in {
        "backbone": {card.backbone for card in cards},
        "network": {str(sorted(card.network.items())) for card in cards},
        "input size": {card.image_size for card in cards},
        "recipe": {card.recipe.get("name") for card in cards},
        "seed": {card.split["seed"] for card in cards},
        "number of folds": {card.split["fold"][1] for card in cards},
    }.items():
        if len(values) > 1:
            raise ValueError(
                f"The folds differ in their {what}: {', '.join(sorted(map(str, values)))}. Only networks of one cross-validation join."
            )


def _check_apart(folds: list[Fold]) -> None:
    """Stops where a network met a lesion that it is to answer, as far as the folds' tables tell lesions."""
    lesions = dict(
        pair for fold in folds for pair in fold.held_out.table[["image_id", "lesion_id"]].itertuples(index=False)
    )
    if len(lesions) < sum(len(fold.held_out.table) for fold in folds):
        raise ValueError(
            "A photo is held out by more than one of the folds. Only networks of one cross-validation join."
        )
    for fold in folds:
        met = {lesions.get(image) for part in ("train", "validation") for image in fold.card.split[part]}
        again = met & set(fold.held_out.table.lesion_id)
        if again:
            raise ValueError(
                f"Fold {fold.number} was trained on {len(again)} of the lesions that it is to answer (first: {min(map(str, again))}). "
                "Its answers are not out of fold. Train it again."
            )


def held_out_by(cards: list[Card]) -> dict[str, str]:
    """Image id -> name of the one network of a cross-validation that never saw its lesion."""
    return {image: card.name for card in cards for image in card.split["test"]}


def join_answers(folds: list[Fold]) -> pd.DataFrame:
    """Every held-out photo with the calibrated probabilities of the network that held it out; as `predict_table`, by image id."""
    table = pd.concat([fold.held_out.table for fold in folds], ignore_index=True)
    table = table.sort_values("image_id", ignore_index=True)
    return table.assign(**{code: table[code].round(DECIMALS) for code in CODES})


def join_slices(folds: list[Fold]) -> pd.DataFrame:
    """The photos of all validation slices, each once, by the first network whose slice it is in: no network answers one it trained on."""
    table = pd.concat([fold.chosen_on.table for fold in folds], ignore_index=True).drop_duplicates("image_id")
    table = table.sort_values("image_id", ignore_index=True)
    return table.assign(**{code: table[code].round(DECIMALS) for code in CODES})


def score_out_of_fold(card: Card, folds: list[Fold], *, resamples: int = RESAMPLES, seed: int = 0) -> Evaluation:
    """What the single networks of a set give on the photos that they were held out from.

    Each answers with its own calibration; the threshold on melanoma is chosen on the out-of-fold answers, see `_operating_point`. The
    rule "balanced" is the set's: training shares and power are means over the folds.

    Args:
        card: of the set.
    """
    table = join_answers(folds)
    expected = len(set(card.split["train"]) | set(table.image_id))
    absent = absent_classes(class_indices(table))
    return replace(
        _evaluation(card, table, OUT_OF_FOLD, expected, resamples, seed),
        warnings=_warnings(folds, expected - len(table), absent),
        operating_point=_operating_point(folds, table, resamples, seed),
    )


def score_slices(card: Card, folds: list[Fold], *, resamples: int = RESAMPLES, seed: int = 0) -> Evaluation:
    """What the networks of a set give on their validation slices, which chose their epochs and calibrations: a little too good."""
    table = join_slices(folds)
    note = "The photos that chose the networks' epochs and calibrations, each by a network not trained on it. The scores are too good."
    return replace(_evaluation(card, table, "validation", len(table), resamples, seed), warnings=[note])


def _evaluation(card: Card, table: pd.DataFrame, part: str, expected: int, resamples: int, seed: int) -> Evaluation:
    metrics, per_class, decisions = score_table(table, card.terms, resamples=resamples, seed=seed)
    lesions = int(table.lesion_id.nunique())
    return Evaluation(
        model=card.name,
        weights_sha256=card.weights["sha256"],
        probabilities_sha256=card.probabilities_sha256,
        calibration=card.calibration.to_json(),
        terms=card.terms.to_json(),
        photos=len(table),
        lesions=lesions,
        metrics=metrics,
        per_class=per_class,
        decisions=decisions,
        split={"part": part}
        | {k: card.split.get(k) for k in ("kind", "seed", "hash", "leaky", "folds")}
        | {"expected": expected, "missing": expected - len(table)},
        data={"name": card.data["name"], "photos": expected}
        | dict.fromkeys(("trained_on", "validated_on", "lesions_seen", "lesions_trained_on"), 0),
        confidence=confidence_words(lesions, resamples=resamples, seed=seed),
        absent_classes=absent_classes(class_indices(table)),
    )


def _warnings(folds: list[Fold], missing: int, absent: list[str]) -> list[str]:
    members = folds[0].card.members
    by = (
        f"Out of fold, one network of each of {' and '.join(members)}: each photo is answered by the mean of those {len(members)} that "
        "never saw its lesion. The mean of all networks,"
        if members
        else f"Out of fold, single networks: each photo is answered by the one of {len(folds)} networks that never saw its lesion. Their "
        "mean,"
    )
    warnings = [
        f"{by} which new photos are read by, is measured only where nobody trained: `evaluate --split all` on an outside folder."
    ]
    if missing:
        of = folds[0].card.split["fold"][1]
        warnings.append(
            f"{len(folds)} of {of} folds are finished: {missing} photos wait for the others, and are not scored."
        )
    if absent:
        warnings.append(f"No scored photo shows {', '.join(absent)}: means over classes leave them out.")
    return warnings


def _operating_point(folds: list[Fold], table: pd.DataFrame, resamples: int, seed: int) -> dict | None:
    """As `operating.operating_point`; the threshold is chosen on the out-of-fold answers.

    A photo is called at the threshold that the answers to the other parts give, so that no lesion helps to choose the threshold that it
    is scored at. "on_slices" is the same with thresholds that the validation slices of all networks chose: fewer melanomas choose, those
    that chose the networks' epochs and calibrations, too.
    """
    slices, answered_by = join_slices(folds), held_out_by([fold.card for fold in folds])
    least = f"the largest threshold on p(melanoma) with a sensitivity of at least {TARGET_SENSITIVITY:.2f}"
    without = "for each photo without its own part"

    def point(chosen_on: pd.DataFrame, words: str) -> dict | None:
        chosen = _thresholds(chosen_on, folds, answered_by)
        return chosen and {
            "threshold": chosen[0],
            "thresholds": chosen[1],
            "rule": f"{least} on {words}, {without}",
            **_measured(table, chosen[1], answered_by, resamples, seed),
        }

    lead = point(table, f"the out-of-fold answers of all {len(folds)} networks")
    if lead is None:
        return None
    melanoma, called = slices.dx == CODES[MELANOMA], slices[CODES[MELANOMA]] >= lead["threshold"]
    validation = {
        "photos": len(slices),
        "melanomas": int(melanoma.sum()),
        "sensitivity": float(called[melanoma].mean()) if melanoma.any() else None,
        "specificity": float((~called)[~melanoma].mean()) if not melanoma.all() else None,
    }
    beside = point(slices, f"the validation slices of all {len(folds)} networks together")
    return {"score": "mel", **lead, "validation": validation} | ({"on_slices": beside} if beside else {})


def _thresholds(
    table: pd.DataFrame, folds: list[Fold], answered_by: dict[str, str]
) -> tuple[float, dict[str, float]] | None:
    """The threshold that a table chooses, and, for each network, the one it chooses without the photos which that holds out."""
    own = table.image_id.map(answered_by).to_numpy()
    parts = {fold.card.name: own != fold.card.name for fold in folds}
    y_true, probabilities = class_indices(table), table[list(CODES)].to_numpy("float64")
    if any(MELANOMA not in y_true[rows] for rows in parts.values()):
        return None
    chosen = {name: choose_threshold(y_true[rows], probabilities[rows]) for name, rows in parts.items()}
    return choose_threshold(y_true, probabilities), chosen


def _measured(table: pd.DataFrame, chosen: dict[str, float], answered_by: dict[str, str], resamples: int, seed: int):
    thresholds = np.array([chosen[answered_by[image]] for image in table.image_id])
    y_true, probabilities = class_indices(table), table[list(CODES)].to_numpy("float64")
    return measure_threshold(y_true, probabilities, table.lesion_id, thresholds, resamples=resamples, seed=seed)


def folds_hash(cards: list[Card]) -> str:
    """SHA-256 over the splits of a cross-validation's networks."""
    return hashlib.sha256("\n".join(card.split["hash"] for card in cards).encode()).hexdigest()
