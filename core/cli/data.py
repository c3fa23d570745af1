"""`data check`: what a HAM10000 folder holds, and what is wrong with it."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from core.cli.terminal import plain_errors, progress, results

app = typer.Typer(help="Look at a HAM10000 folder.", no_args_is_help=True)
# A list longer than this says no more than its length, unless --all asks for it.
SHOWN = 20


@app.callback()
def data() -> None:
    """Look at a HAM10000 folder."""


@app.command("check", epilog="Example: python -m core data check ~/ham10000")
@plain_errors
def check(
    folder: Annotated[
        Path,
        typer.Argument(metavar="FOLDER", help="HAM10000 layout: the metadata CSV and the photos.", show_default=False),
    ],
    everything: Annotated[
        bool, typer.Option("--all", help=f"List every fault, not the first {SHOWN} of each kind.")
    ] = False,
) -> None:
    """Count classes, lesions and missing facts, and decode every photo.

    Exits with 1 and a list where something is wrong.
    """
    from core.data.tables import folder_check
    from core.diagnoses import NAMES

    with progress("Reading photos") as update:
        report = folder_check.check_folder(folder, progress=update)
    known = report.photos - report.photos_without_lesion
    lesions = (
        f"of {report.lesions:,} lesions" if known else f"of unknown lesions ({report.photos:,} without a lesion_id)"
    )
    table = Table("diagnosis", "code", title=f"{report.photos:,} photos {lesions}")
    table.add_column("photos", justify="right")
    table.add_column("lesions", justify="right")
    for code, count in report.per_class.items():
        table.add_row(NAMES[code], code, f"{count:,}", f"{report.lesions_per_class[code]:,}" if known else "-")
    console = results()
    console.print(table)
    console.print(f"Masks: {report.masks:,}.")
    for finding in report.findings:
        style = "bold red" if finding.wrong else ""
        console.print(finding.text, style=style, markup=False, soft_wrap=True)
        if finding.wrong:
            _list(console, finding.items, everything)
    if report.unreadable:
        console.print(f"{len(report.unreadable):,} unreadable photos:", style="bold red")
        _list(console, report.unreadable, everything)
    if not report.ok:
        raise typer.Exit(1)
    console.print("Nothing is wrong.", style="green")


def _list(console, items: tuple[str, ...], everything: bool) -> None:
    shown = items if everything else items[:SHOWN]
    for item in shown:
        console.print(f"  {item}", markup=False, soft_wrap=True)
    if len(shown) < len(items):
        console.print(f"  ... and {len(items) - len(shown):,} more; --all lists them.")


@app.command("lesions", epilog="Example: python -m core data lesions ~/ham10000")
@plain_errors
def lesions(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER", help="HAM10000 layout, with the photos and the lesion masks.", show_default=False
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(help="The table to write; lesions.csv among the models when left out.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Every photo of the folder, not only those that models were tested on.")
    ] = False,
) -> None:
    """Measure each lesion's lightness, colour, size and contrast within its mask, for the melanoma page.

    Only photos in the validation and test parts of the models at hand, unless --all asks for every photo.
    """
    from core.card import list_cards
    from core.data.ham10000 import read_table
    from core.data.lesion_region import LESIONS_FILE, measure_table, write_lesions
    from core.folders import weights_root

    table = read_table(folder)
    if not everything:
        parts = [card.split.get(part, ()) for card in list_cards() for part in ("validation", "test")]
        table = table[table.image_id.isin(set().union(*parts))]
        if table.empty:
            raise ValueError(
                f"{folder} has no photo of any model's validation or test part. Give --all to measure every photo of it."
            )
    with progress("Measuring lesions") as update:
        looks = measure_table(table, update)
    path = write_lesions(looks, out or weights_root() / LESIONS_FILE)
    results().print(f"{len(looks):,} lesion photos measured. Written to {path}.", markup=False, soft_wrap=True)
