"""`cases lists`: the case sets that ship, made again from a model's test predictions."""

from pathlib import Path
from typing import Annotated

import typer

from core.cli.terminal import plain_errors, results

app = typer.Typer(help="Case sets for teaching.", no_args_is_help=True)


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

    made = rules.make_lists(find_bundle(model or rules.MODEL), weights_root() / LESIONS_FILE)
    for cases, path in zip(made.values(), shipped.write_lists(made, out or shipped.FOLDER), strict=True):
        results().print(f"{cases.title}: {len(cases)} cases. Written to {path}.", markup=False, soft_wrap=True)
