"""The models there are to choose from, and the folders that hold none; read from cards, without loading a network."""

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from msgspec import Struct

from core.card import CARD_FILE, OUT_OF_FOLD, Card, InvalidBundle, read_card
from core.estimates import Estimate
from core.folders import weights_root
from core.members import check_members
from core.schemas.kind import InvalidRecord, Kind


@dataclass(frozen=True)
class Shelf:
    """What the weights folder holds.

    Args:
        root: the folder.
        models: name of a model's folder -> its card; the best held-out balanced accuracy first.
        broken: name of a folder that holds no usable model -> a sentence why.
    """

    root: Path
    models: dict[str, Card]
    broken: dict[str, str]

    def folder(self, name: str) -> Path:
        return self.root / name


def read_shelf(root: str | Path | None = None) -> Shelf:
    """Looks through the weights folder; nothing in it can make this fail.

    Args:
        root: another folder than `weights_root()`.
    """
    root = Path(root) if root else weights_root()
    return _read(root, tuple((folder, _stamps(folder)) for folder in _folders(root)))


@lru_cache(maxsize=8)
def _read(root: Path, folders: tuple[tuple[Path, tuple], ...]) -> Shelf:
    """Read anew when a file of any of the folders has changed."""
    models, broken = {}, {}
    for folder, _ in folders:
        try:
            models[folder.name] = _checked_card(folder)
        except InvalidBundle as error:
            broken[folder.name] = str(error)
    ordered = sorted(models.items(), key=lambda item: _rank(item[1]))
    return Shelf(root, dict(ordered), broken)


def _folders(root: Path) -> list[Path]:
    return sorted(p for p in root.glob("*") if p.is_dir() and not p.name.startswith("."))


def _stamps(folder: Path) -> tuple:
    """Name, size and time of each file."""
    try:
        states = [(entry.name, entry.stat()) for entry in os.scandir(folder)]
    except OSError as error:
        return (str(error),)
    return tuple(sorted((name, state.st_size, state.st_mtime_ns) for name, state in states))


def balanced_accuracy_of(card: Card) -> Estimate | None:
    """The held-out balanced accuracy, or None if it was never measured."""
    score = card.held_out_scores.get("balanced_accuracy")
    return score if isinstance(score, Estimate) and score.value is not None else None


def scored_on(card: Card) -> str:
    """The photos that its held-out scores are of, in words; empty if it was never measured."""
    photos = card.held_out_scores.get("photos")
    if not isinstance(photos, int):
        return ""
    return f"{photos:,} photos, {OUT_OF_FOLD}" if card.is_fold_set else f"{photos:,} test photos"


def is_leaky(card: Card) -> bool:
    """Whether the model's own test photos show lesions that it was trained on."""
    return bool(card.split.get("leaky"))


class _Weights(Struct):
    """Of a card's `weights`, what the pages rely on."""

    file: str
    sha256: str
    bytes: int
    parameters: int


_WEIGHTS = Kind("card", _Weights, closed=False)
_AGAIN = "Restore the model's folder from where it came from, or train again: `python -m core train --help`."


def _checked_card(folder: Path) -> Card:
    """The card, with what the pages rely on; `load_bundle` checks the weights themselves later."""
    if not (folder / CARD_FILE).is_file() and (folder / "training").is_dir():
        raise InvalidBundle(
            f"{folder} has no {CARD_FILE} yet: its training has not finished. Let it finish, or go on with `train ... --resume`."
        )
    card = read_card(folder)
    try:
        weights = folder / Path(_WEIGHTS.convert(card.weights, f"weights of {folder / CARD_FILE}", _AGAIN).file).name
    except InvalidRecord as error:
        raise InvalidBundle(str(error)) from None
    if card.members:
        check_members(card, folder)
    elif not weights.is_file():
        raise InvalidBundle(f"{weights} is missing. The card names it; restore it. {_AGAIN}")
    return card


def _rank(card: Card) -> tuple:
    """Sorts honest scores before leaky and unmeasured ones, then high before low."""
    score = balanced_accuracy_of(card)
    return score is None or is_leaky(card), -(score.known if score else 0), card.name
