"""`replay`: a saved case read again, and whether the digits are the same."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from core.cli.engine_option import EngineOption
from core.cli.terminal import plain_errors, progress, quiet_libraries, results

EPILOG = "Example: python -m core replay case.zip"


@plain_errors
def replay(
    case: Annotated[
        Path, typer.Argument(metavar="CASE.zip", help="A case bundle, saved on the reading page.", show_default=False)
    ],
    engine: EngineOption = None,
) -> None:
    """Read a saved case again: the same digits, or what differs.

    Exit code 0: the same digits. 1: other digits, other weights, no such model, or a bundle that cannot be read.
    """
    from core.trust.replay import read_case, replay_table
    from core.trust.replay import replay as read_again

    with quiet_libraries(), progress("Reading the case again"):
        kept = read_case(case)
        replayed = read_again(kept)
    console = results()
    if replayed.probabilities:
        table = Table("diagnosis", title=kept.model)
        table.add_column("then", justify="right")
        table.add_column("now", justify="right")
        for row in replay_table(kept, replayed):
            table.add_row(row["Diagnosis"], f"{row['Then']:.6f}", f"{row['Now']:.6f}")
        console.print(table)
    console.print(replayed.words, markup=False, soft_wrap=True)
    for difference in replayed.differences:
        console.print(difference, markup=False, soft_wrap=True)
    if not replayed.same:
        raise typer.Exit(1)
