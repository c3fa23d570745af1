"""`measure`: what of a model can be trusted, beyond its scores."""

from pathlib import Path
from typing import Annotated

import typer

from core.cli.engine_option import EngineOption
from core.cli.terminal import plain_errors, progress, quiet_libraries, results

EPILOG = """Example: python -m core measure MobileNetV2 --data ~/ham10000

One thing only: python -m core measure MobileNetV2 --data ~/ham10000 --only maps"""


@plain_errors
def measure(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL", help="A shipped model's name (see `models`), or a model's folder.", show_default=False
        ),
    ],
    data: Annotated[Path, typer.Option(help="HAM10000 folder.", show_default=False)],
    only: Annotated[
        list[str] | None, typer.Option(help="A measure's name; may be given several times. All when left out.")
    ] = None,
    engine: EngineOption = None,
) -> None:
    """Measure what tells how far to trust a model, and leave it in the model's folder, where the app finds it."""
    from core.card import find_bundle
    from core.files import check_folder_takes
    from core.trust.measure_table import MEASURES, find_measure

    chosen = {name: find_measure(name) for name in (only or MEASURES)}
    check_folder_takes(find_bundle(model))
    with quiet_libraries(), progress("Loading the model") as update:
        from core.bundle import load_bundle

        bundle = load_bundle(model)
        for name, one in chosen.items():
            one.run(bundle, data, lambda done, total, name=name: update(done, total, f"Measuring {name}"))
            results().print(f"{name}: written to {Path(bundle.folder) / one.file}.", markup=False, soft_wrap=True)
