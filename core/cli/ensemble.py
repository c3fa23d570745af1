"""`ensemble`: several trained models as one."""

from pathlib import Path
from typing import Annotated

import typer

from core.cli.terminal import plain_errors, progress, quiet_libraries, results
from core.wording import interval, listed

folds = typer.Typer(help="Networks of a cross-validation as one model.", no_args_is_help=True)
FOLDS_EPILOG = """Example: python -m core folds join weights/MobileNetV3Small

Before that: python -m core train ... --folds 5, and `evaluate` of each fold."""
EPILOG = """Example: python -m core ensemble EfficientNetB0 MobileNetV2 --data ~/ham10000

Then measure it like any model: python -m core evaluate Ensemble --data ~/ham10000"""


@plain_errors
def ensemble(
    members: Annotated[
        list[str], typer.Argument(metavar="MODEL...", help="Names of models in the weights folder.", show_default=False)
    ],
    data: Annotated[Path, typer.Option(help="HAM10000 folder that they were trained on.", show_default=False)],
    name: Annotated[str, typer.Option(help="Of the ensemble.")] = "Ensemble",
) -> None:
    """Make one model of several: the mean of their calibrated probabilities, calibrated again on validation.

    Of sets of folds the mean is not calibrated again, and each photo is scored by those networks that never saw its lesion.

    It is stored as a card beside its members, and can be picked wherever a model can.
    """
    from core.card import WEIGHTS_FILE, InvalidBundle, find_bundle, read_card, write_card
    from core.data.ham10000 import class_indices, read_table
    from core.diagnoses import CODES
    from core.files import check_folder_takes

    folders = [find_bundle(member) for member in dict.fromkeys(members)]
    root = folders[0].resolve().parent
    if any(folder.resolve().parent != root for folder in folders) or Path(name).name != name:
        raise ValueError(
            "An ensemble lies beside its members: they must be in one folder, and its name must be a plain one."
        )
    if (root / name / WEIGHTS_FILE).exists():
        raise InvalidBundle(f"{root / name} is a model, and no ensemble. Choose another --name.")
    check_folder_takes(root / name)
    cards = [read_card(folder) for folder in folders]
    if any(card.is_fold_set for card in cards):
        _join_sets(root / name, folders, cards)
        return
    with quiet_libraries(), progress("Loading the members") as update:
        from core.bundle import load_bundle
        from core.evaluation.evaluator import choose_rows
        from core.evaluation.predictions import predict_table
        from core.training.ensemble import ensemble_card

        rows = choose_rows(cards[0], read_table(data), "validation", data)
        answers = []
        for folder, card in zip(folders, cards, strict=True):
            bundle = load_bundle(folder)
            told = predict_table(
                bundle, rows, progress=lambda done, total, card=card: update(done, total, f"Reading with {card.name}")
            )
            answers.append(told[list(CODES)].to_numpy())
        made = ensemble_card(name, cards, answers, class_indices(rows), rows.lesion_id.to_numpy(dtype=str))
        (root / name).mkdir(exist_ok=True)
        write_card(made, root / name)
    score = made.scores["validation"]
    results().print(
        f"{name} of {', '.join(card.name for card in cards)}: written to {root / name}. Validation balanced accuracy, "
        f'decided by the rule "balanced": '
        f"{interval(score['balanced_accuracy'])} ({score['confidence']})",
        markup=False,
        soft_wrap=True,
    )


def _join_sets(target: Path, folders: list[Path], cards: list) -> None:
    """An ensemble of sets of folds: of what their networks answered, and no photo is read."""
    single = [card.name for card in cards if not card.is_fold_set or card.is_ensemble]
    if single:
        raise ValueError(
            f"{listed(single)} {'is no set' if len(single) == 1 else 'are no sets'} of folds, and others are: no photo is new to a "
            "network of each. Name sets of one cross-validation only, or networks of one split only."
        )
    from core.evaluation.fold_set import join_sets
    from core.evaluation.report import read_evaluation

    card = join_sets(target, folders)
    _show_joined(card, read_evaluation(target), target)


@folds.callback()
def about_folds() -> None:
    """Networks of a cross-validation as one model."""


@folds.command("join", epilog=FOLDS_EPILOG)
@plain_errors
def join(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Holds fold-1, fold-2, ..., each evaluated.", show_default=False)
    ],
    name: Annotated[str | None, typer.Option(help="Of the set; the folder's if not given.")] = None,
) -> None:
    """Make one model of a cross-validation's networks, read by their mean, and score each photo by the network that held it out.

    It is stored as a card in the folder, with the out-of-fold answers of all photos whose fold is finished.
    """
    with quiet_libraries(), progress("Reading the folds"):
        from core.evaluation.fold_set import join_folds
        from core.evaluation.report import read_evaluation

        card = join_folds(folder, name)
        evaluation = read_evaluation(folder)
    _show_joined(card, evaluation, folder)


def _show_joined(card, evaluation, folder: Path) -> None:
    from core.card import OUT_OF_FOLD

    console = results()
    for warning in evaluation.warnings:
        console.print(warning, style="bold yellow", markup=False)
    console.print(
        f"{card.name} of {', '.join(card.members)}: written to {folder}. {evaluation.photos:,} photos of "
        f"{evaluation.lesions:,} lesions {OUT_OF_FOLD}: balanced accuracy, decided by the rule "
        f'"balanced": {interval(evaluation.metrics["balanced_accuracy"])}. {evaluation.confidence}',
        markup=False,
        soft_wrap=True,
    )
