"""`models`: what is shipped, read from the cards alone."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from core.cli.terminal import plain_errors, results, say_error
from core.estimates import Estimate
from core.estimates.in_files import to_text
from core.wording import interval

COLUMNS = (
    "Model",
    "Backbone",
    "Parameters",
    "Size",
    "Balanced accuracy (rule balanced)",
    "Accuracy (rule likeliest)",
    "Melanoma sensitivity (balanced)",
    "Split",
)


@plain_errors
def models(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print a Markdown table.")] = False,
) -> None:
    """List the models in weights/, with their held-out scores and 95 % intervals.

    MELASCOPE_WEIGHTS names another folder of models.
    """
    from core.card import CARD_FILE, InvalidBundle, read_card
    from core.folders import weights_root

    records, broken = [], 0
    for path in sorted(weights_root().glob(f"*/{CARD_FILE}")):
        try:
            records.append(_record(read_card(path.parent), path.parent))
        except InvalidBundle as error:
            say_error(error)
            broken += 1
    if as_json:
        typer.echo(to_text(records))
    elif as_markdown:
        for line in (COLUMNS, ["---"] * len(COLUMNS), *map(_cells, records)):
            typer.echo(f"| {' | '.join(line)} |")
    elif records:
        table = Table(*COLUMNS)
        for record in records:
            table.add_row(*_cells(record))
        results().print(table)
    else:
        results().print(
            f"No models in {weights_root()}. Train one (python -m core train --help), or name the folder where some are: "
            "MELASCOPE_WEIGHTS=/some/folder; Melascope's repository has some in weights/.",
            markup=False,
            soft_wrap=True,
        )
    if broken:
        raise typer.Exit(1)


def _record(card, folder: Path) -> dict:
    test = card.held_out_scores
    return {
        "name": card.name,
        "backbone": card.backbone,
        "parameters": card.parameters,
        "megabytes": round(card.megabytes, 1),
        "image_size": card.image_size,
        "balanced_accuracy": test.get("balanced_accuracy"),
        "accuracy": test.get("accuracy"),
        "melanoma_sensitivity": _melanoma_sensitivity(card, folder),
        "photos": test.get("photos"),
        "split": card.split["kind"],
        "scored_on": f"{card.held_out_part}{_photos(test)}",
        "leaky": card.split["leaky"],
        "licence": card.licence,
    }


def _photos(scores: dict) -> str:
    return f", {scores['photos']:,} photos" if "photos" in scores else ", not scored"


def _melanoma_sensitivity(card, folder: Path) -> Estimate | None:
    """From the evaluation beside the card, if it is of the test part and of these weights."""
    from core.evaluation.report import InvalidEvaluation, read_evaluation

    try:
        evaluation = read_evaluation(folder)
    except InvalidEvaluation:
        return None
    own = evaluation.split.get("part") == card.held_out_part
    fits = own and evaluation.probabilities_sha256 == card.probabilities_sha256
    return evaluation.under("balanced").per_class["mel"]["sensitivity"] if fits else None


def _cells(record: dict) -> list[str]:
    return [
        record["name"],
        record["backbone"],
        f"{record['parameters'] / 1e6:.1f} M",
        f"{record['megabytes']:.1f} MB",
        interval(record["balanced_accuracy"]),
        interval(record["accuracy"]),
        interval(record["melanoma_sensitivity"]),
        f"{record['split']} (LEAKY)" if record["leaky"] else f"{record['split']}, {record['scored_on']}",
    ]
