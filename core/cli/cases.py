"""`cases lists`: the case sets that ship, made again from a model's test predictions; `cases get`: their photos, from the archive."""

from pathlib import Path
from typing import Annotated

import typer

from core.cli.terminal import plain_errors, progress, results, say

app = typer.Typer(help="Case sets for teaching, and their photos.", no_args_is_help=True)


@app.callback()
def cases() -> None:
    """Case sets for teaching: lists of photos with truth, licence and why they were chosen; never the photos."""


@app.command("lists", epilog="Example: python -m core cases lists")
@plain_errors
def lists(
    model: Annotated[
        str, typer.Option(help="Whose test predictions choose the cases; Ensemble when left out.", show_default=False)
    ] = "",
    out: Annotated[
        Path | None, typer.Option(help="Folder to write to; the lists that ship when left out.", show_default=False)
    ] = None,
) -> None:
    """Write the lists by rule: melanomas called nevus, nevi called melanoma, hard pairs, black nevi, and more.

    To be run again when the model's predictions are renewed; a test compares the files with the rules.
    """
    from core.card import find_bundle
    from core.data.lesion_region import LESIONS_FILE
    from core.folders import weights_root
    from core.teaching.case_sets import rules, shipped

    made = rules.make_lists(find_bundle(model or rules.LISTS_MODEL), weights_root() / LESIONS_FILE)
    for cases, path in zip(made.values(), shipped.write_lists(made, out or shipped.FOLDER), strict=True):
        results().print(f"{cases.title}: {len(cases)} cases. Written to {path}.", markup=False, soft_wrap=True)


@app.command(
    "get",
    epilog="""Example: python -m core cases get

Two lists only: python -m core cases get hard-pairs black-nevi""",
)
@plain_errors
def get(
    sets: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[LIST]...",
            help="Lists that ship (such as hard-pairs), or files of case sets; every list that ships when left out.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Fetch the photos of case sets from the ISIC Archive into your data folder, where the app finds them.

    Photos of HAM10000 are CC BY-NC 4.0: not for commercial use, with attribution; each photo's own licence lies beside it. What is
    there is not fetched again, and a command that was stopped goes on.
    """
    from core.archive.photos import fetch_photos, fetched_folder, read_credit
    from core.teaching.case_sets.record import ARCHIVE

    chosen = [_find_set(name) for name in sets] if sets else list(_shipped().values())
    ids = list(dict.fromkeys(case.id for one in chosen for case in one.cases if case.source == ARCHIVE))
    if not ids:
        raise ValueError("These sets hold no photo of the archive: there is nothing to fetch.")
    folder = fetched_folder()
    with progress(f"Fetching {len(ids)} photos") as update:
        fetched = fetch_photos(ids, folder, progress=update)
    there = len(ids) - len(fetched.lacking)
    results().print(
        f"{there} of {len(ids)} photos are in {folder}; {len(fetched.new)} of them are new.",
        markup=False,
        soft_wrap=True,
    )
    credits = sorted({(credit.licence, credit.attribution) for i in ids if (credit := read_credit(i, folder))})
    for licence, attribution in credits:
        results().print(f"  {licence}: {attribution}", markup=False, soft_wrap=True)
    if fetched.lacking:
        say(f"The archive does not have {', '.join(fetched.lacking)}.")
        raise typer.Exit(1)


def _find_set(name: str):
    from core.teaching.case_sets.file import SUFFIX, read_case_set

    shipped = _shipped()
    if name in shipped:
        return shipped[name]
    if name.endswith(SUFFIX) or Path(name).is_file():
        return read_case_set(Path(name))
    raise ValueError(
        f"There is no list {name!r:.60}. Expected one of: {', '.join(shipped)}; or a file that ends in {SUFFIX}."
    )


def _shipped():
    from core.teaching.case_sets.shipped import read_lists

    return read_lists()
