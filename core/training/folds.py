"""Cross-validation: one network a fold, each trained without the lesions of its own part; or one a source, without its photos."""

from dataclasses import replace
from pathlib import Path

from core.card import CARD_FILE, Card, read_card
from core.data.ham10000 import read_table
from core.data.split import sources_of
from core.folders import model_folder
from core.training.recipes import Recipe
from core.training.state import StateFolder
from core.training.trainer import train
from core.training.watching import Report


def fold_folder(out: str | Path, fold: int) -> Path:
    """Where a fold's network lies."""
    return Path(out) / f"fold-{fold}"


def train_folds(
    recipe: str | Recipe,
    *,
    folds: int,
    backbone: str,
    folder: str | Path,
    out: str | Path | None = None,
    resume: bool = False,
    report: Report | None = None,
    **choices,
) -> list[Card]:
    """Trains one network a fold, into `out`/fold-1, fold-2 and so on; see `core.data.split.fold_table`.

    Every photo is held out by exactly one of them. A run that was stopped goes on with `resume`: finished folds stay as they are, and
    the one that was at work goes on after its last whole epoch.

    Args:
        folds: how many, two or more.
        out: `core.folders.model_folder(backbone)` when None.
        resume: go on with the folds that are in `out`.
        **choices: of `train`.

    Returns:
        The folds' cards.

    Raises:
        ValueError: see `train`; or `out` holds folds already and `resume` was not asked for, or folds of another cross-validation.
    """
    out, report = Path(out or model_folder(backbone)), report or Report()
    cards = []
    for fold, card in begin_folds(out, folds, backbone, resume).items():
        if card is None:
            card = train_fold(recipe, fold, folds, backbone=backbone, folder=folder, out=out, report=report, **choices)
        else:
            report.say(f"Fold {fold} of {folds} is finished.")
        cards.append(card)
    return cards


def begin_folds(out: Path, folds: int, backbone: str, resume: bool) -> dict[int, Card | None]:
    """Which folds are finished already: fold -> its card, or None.

    Raises:
        ValueError: see `train_folds`.
    """
    if folds < 2:
        raise ValueError(f"A cross-validation of {folds} folds is not possible. Expected 2 or more; 5 are usual.")
    finished = {fold: finished_fold(out, fold, folds, backbone) for fold in range(1, folds + 1)}
    begun = [fold for fold in finished if finished[fold] or StateFolder(fold_folder(out, fold)).exists()]
    if begun and not resume:
        raise ValueError(
            f"{out} holds folds already: {', '.join(map(str, begun))}. Go on with them by --resume, or delete them to begin again."
        )
    return finished


def train_fold(recipe: str | Recipe, fold: int, folds: int, *, out: str | Path, report: Report, **choices) -> Card:
    """Trains one fold, or goes on with it where it was stopped.

    Args:
        out: the folder of all folds.
        **choices: of `train`.
    """
    target = fold_folder(out, fold)
    report.say(f"Fold {fold} of {folds}.")
    telling = replace(report, say=lambda text: report.say(f"Fold {fold}: {text}"))
    return train(recipe, out=target, fold=(fold, folds), resume=StateFolder(target).exists(), report=telling, **choices)


def finished_fold(out: Path, fold: int, folds: int, backbone: str) -> Card | None:
    """The card of a fold that is trained to its end, or None; one that was killed while it wrote its model has its state still.

    Raises:
        ValueError: its folder holds another network.
    """
    folder = fold_folder(out, fold)
    if not (folder / CARD_FILE).is_file():
        return None
    card = read_card(folder)
    if card.backbone != backbone or card.split.get("fold") != [fold, folds]:
        raise ValueError(
            f"{folder} holds {card.backbone}, fold {card.split.get('fold') or 'none'}; expected {backbone}, fold {fold} of {folds}. "
            "Choose another --out, or delete it."
        )
    return None if StateFolder(folder).exists() else card


def source_folder(out: str | Path, source: str) -> Path:
    """Where the network lies that was trained without a source."""
    return Path(out) / f"without-{source}"


def train_without_sources(
    recipe: str | Recipe,
    *,
    backbone: str,
    folder: str | Path,
    out: str | Path,
    resume: bool = False,
    report: Report | None = None,
    **choices,
) -> list[Card]:
    """Trains one network for each source of a folder, without that source; see `core.data.split.source_table`.

    A run that was stopped goes on with `resume`: finished networks stay as they are.

    Args:
        out: gets a folder without-SOURCE for each.
        **choices: of `train`.

    Returns:
        The networks' cards, by source.

    Raises:
        ValueError: see `train`; or the folder's photos are of fewer than two known sources, or `out` holds such networks already and
            `resume` was not asked for.
    """
    report = report or Report()
    sources = sources_of(read_table(folder))
    if len(sources) < 2:
        raise ValueError(
            f"{folder} has photos of {len(sources)} known sources in the column dataset. Expected two or more, so that one can be left out."
        )
    places = {source: source_folder(out, source) for source in sources}
    begun = [s for s, place in places.items() if (place / CARD_FILE).is_file() or StateFolder(place).exists()]
    if begun and not resume:
        raise ValueError(
            f"{out} holds networks without {', '.join(begun)} already. Go on by --resume, or delete them to begin again."
        )
    cards = []
    for source, place in places.items():
        if (place / CARD_FILE).is_file():
            report.say(f"The network without {source} is finished.")
            cards.append(_finished_without(place, backbone, source))
            continue
        report.say(f"Without {source}.")
        telling = replace(report, say=lambda text, source=source: report.say(f"Without {source}: {text}"))
        cards.append(
            train(
                recipe,
                backbone=backbone,
                folder=folder,
                out=place,
                without_source=source,
                resume=StateFolder(place).exists(),
                report=telling,
                **choices,
            )
        )
    return cards


def _finished_without(place: Path, backbone: str, source: str) -> Card:
    card = read_card(place)
    if card.backbone != backbone or card.split.get("without_source") != source:
        raise ValueError(
            f"{place} holds {card.backbone} without {card.split.get('without_source') or 'no source'}; expected {backbone} without "
            f"{source}. Choose another --out, or delete it."
        )
    return card
