"""The cards of models that are made of others; no weights are touched.

There are three kinds: an ensemble of networks of one split, the set of a cross-validation's networks, and an ensemble of such sets. The
last has no networks of its own: what it is scored by is, for each fold, the mean of its sets' networks of that fold.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.calibration import Calibration
from core.card import CARD_FILE, ENSEMBLE, Card, InvalidBundle, read_card
from core.decisions import Terms


def check_members(card: Card, folder: str | Path) -> None:
    """Stops where a model's members are not those that it was made of; touches no weights.

    Raises:
        InvalidBundle: a member is missing or has other weights by now.
    """
    members = card.weights.get("members") or {}
    if list(members) != list(card.members):
        raise InvalidBundle(
            f"The card of {card.name} names its members twice, and differently. Make the ensemble again."
        )
    again = f"Run `python -m core ensemble {' '.join(members)} --data HAM10000_FOLDER --name {card.name}`."
    kind, where = "an ensemble", "in or beside"
    if card.is_fold_set and not card.is_ensemble:
        again, kind, where = f"Run `python -m core folds join {Path(folder)}`.", "a set of folds", "in"
    for name, sha256 in members.items():
        place = member_folder(card, folder, name)
        if Path(name).name != name or not (place / CARD_FILE).is_file():
            raise InvalidBundle(
                f"{card.name} is {kind}, and its member {name} is missing {where} it. Restore it. {again}"
            )
        if read_card(place).probabilities_sha256 != sha256:
            raise InvalidBundle(
                f"{card.name} is {kind} of other weights of {name} than lie {where} it, or of another calibration of them. {again}"
            )


def member_folder(card: Card, folder: str | Path, name: str) -> Path:
    """Where a member lies: in the folder of a set of folds; in that of an ensemble if nobody else needs it, or beside that."""
    folder = Path(folder).resolve()
    of_set = card.is_fold_set and not card.is_ensemble
    inside = of_set or (folder / name / CARD_FILE).is_file()
    return (folder if inside else folder.parent) / name


def network_folder(card: Card, folder: str | Path, name: str) -> Path:
    """Where a network among the members lies, or among the members of these.

    Args:
        name: the member's, or "MEMBER/NETWORK".

    Raises:
        InvalidBundle: there is none by that name.
    """
    first, _, rest = name.partition("/")
    if first not in card.members:
        raise InvalidBundle(f"{card.name} has no member {first!r}; it has {', '.join(card.members) or 'none'}.")
    place = member_folder(card, folder, first)
    return network_folder(read_card(place), place, rest) if rest else place


def members_weights(members: Sequence[Card]) -> dict:
    """`Card.weights` of an ensemble or a set of folds: no file, and a digest over the members' probabilities, which its logits are of."""
    digests = {card.name: card.probabilities_sha256 for card in members}
    text = "\n".join(f"{name}:{sha256}" for name, sha256 in digests.items())
    return {
        "file": "",
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        "members": digests,
        "dtype": members[0].weights["dtype"],
        "bytes": sum(card.weights["bytes"] for card in members),
        "parameters": sum(card.parameters for card in members),
    }


def mean_terms(cards: Sequence[Card]) -> Terms:
    """What the rule "balanced" takes of several networks: the means of their training shares and powers."""
    shares = np.mean([card.terms.shares for card in cards], axis=0)
    return Terms(tuple(shares / shares.sum()), float(np.mean([card.terms.power for card in cards])))


def scored_cards(card: Card, folder: str | Path) -> list[Card]:
    """The cards of what a model's scores are of: its own, of a set of folds its networks', of an ensemble of sets `join_fold_cards`."""
    if not card.is_fold_set:
        return [card]
    places = [member_folder(card, folder, name) for name in card.members]
    cards = [read_card(place) for place in places]
    if not card.is_ensemble:
        return cards
    return join_fold_cards({own.name: scored_cards(own, place) for own, place in zip(cards, places, strict=True)})


def join_fold_cards(sets: dict[str, list[Card]]) -> list[Card]:
    """For each fold that all sets have, the card of the mean of their networks of that fold; in order of the folds.

    Its probabilities are the mean of calibrated ones, not calibrated again; "balanced" takes the mean of the networks' terms.

    Args:
        sets: name of a set -> its networks' cards.

    Raises:
        ValueError: the sets are of different cross-validations, or share no fold.
    """
    by_fold = [{tuple(card.split["fold"]): card for card in cards} for cards in sets.values()]
    shared = [fold for fold in sorted(by_fold[0]) if all(fold in cards for cards in by_fold)]
    if not shared:
        raise ValueError(
            f"{', '.join(sets)} share no fold, so no photo is new to a network of each. Train the same folds."
        )
    return [_mean_card(dict(zip(sets, [cards[fold] for cards in by_fold], strict=True))) for fold in shared]


def _mean_card(networks: dict[str, Card]) -> Card:
    """Args: name of a set -> the card of its network of one fold."""
    cards = list(networks.values())
    first = cards[0]
    if len({card.split["hash"] for card in cards}) > 1:
        raise ValueError(
            f"{', '.join(networks)} are of different cross-validations: their {first.name} were held out from different photos. "
            "Train them on one folder with one seed."
        )
    return replace(
        first,
        backbone=ENSEMBLE,
        network={"members": list(networks)},
        calibration=Calibration(1.0),
        terms=mean_terms(cards),
        weights=members_weights([replace(card, name=name) for name, card in networks.items()]),
        scores={},
        speed={},
        files={},
    )
