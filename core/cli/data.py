"""`data check`: what a HAM10000 folder holds, and what is wrong with it; `data get`: fetch one; `data lesions`: measure one."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from core.cli.terminal import plain_errors, progress, results

app = typer.Typer(help="Fetch a HAM10000 folder, and look at one.", no_args_is_help=True)
# A list longer than this says no more than its length, unless --all asks for it.
MOST_SHOWN = 20
MEGABYTE = 1_000_000


@app.callback()
def data() -> None:
    """Fetch a HAM10000 folder, and look at one."""


@app.command("get", epilog="Example: python -m core data get ~/ham10000")
@plain_errors
def get(
    folder: Annotated[
        Path,
        typer.Argument(metavar="FOLDER", help="Where the photos are to lie; is made if need be.", show_default=False),
    ],
    test: Annotated[
        bool, typer.Option("--test/--no-test", help="Also the official test of ISIC 2018 task 3: 1,511 more photos.")
    ] = True,
) -> None:
    """Fetch all of HAM10000, with lesion masks, from the Harvard Dataverse: some 3 GB, checked and unpacked.

    Its licence is CC BY-NC 4.0: not for commercial use, with attribution. A command that was stopped goes on where it was.
    """
    from core.archive.dataverse import DOI, LICENCE, get_dataset
    from core.data.ham10000 import read_table
    from core.data.photo_files import TEST_FOLDER

    results().print(f"HAM10000, {DOI}, {LICENCE}.", markup=False, soft_wrap=True)
    with progress("Asking for the list of files") as update:

        def report(done: int, total: int | None, doing: str) -> None:
            update(round(done / MEGABYTE), None if total is None else round(total / MEGABYTE), f"{doing} (MB)")

        get_dataset(folder, test, progress=report)
    for place in [folder, *([folder / TEST_FOLDER] if test else [])]:
        table = read_table(place)
        there = int((table.path != "").sum())
        results().print(f"{place}: {there:,} of {len(table):,} photos.", markup=False, soft_wrap=True)
        if there < len(table):
            raise ValueError(
                f"{place} lacks {len(table) - there:,} photos that its table lists. `python -m core data check {place}` names them."
            )


@app.command("check", epilog="Example: python -m core data check ~/ham10000")
@plain_errors
def check(
    folder: Annotated[
        Path,
        typer.Argument(metavar="FOLDER", help="HAM10000 layout: the metadata CSV and the photos.", show_default=False),
    ],
    everything: Annotated[
        bool, typer.Option("--all", help=f"List every fault, not the first {MOST_SHOWN} of each kind.")
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
    shown = items if everything else items[:MOST_SHOWN]
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

    Only photos in the validation and test parts of the models at hand, all of a set of folds, unless --all asks for every photo.
    """
    from core.card import list_cards
    from core.data.ham10000 import read_table
    from core.data.lesion_region import LESIONS_FILE, measure_table, write_lesions
    from core.folders import weights_root

    table = read_table(folder)
    if not everything:
        parts = [
            card.split.get(part, ())
            for card in list_cards()
            for part in (
                ("train",) if card.is_fold_set else ("validation", "test")
            )  # all, each held out by one network
        ]
        table = table[table.image_id.isin(set().union(*parts))]
        if table.empty:
            raise ValueError(
                f"{folder} has no photo of any model's validation or test part. Give --all to measure every photo of it."
            )
    with progress("Measuring lesions") as update:
        looks = measure_table(table, update)
    path = write_lesions(looks, out or weights_root() / LESIONS_FILE)
    results().print(f"{len(looks):,} lesion photos measured. Written to {path}.", markup=False, soft_wrap=True)
