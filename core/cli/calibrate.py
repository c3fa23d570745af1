"""`calibrate`: fits a trained model's calibration again, and renews a model of an earlier version."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from core.cli.terminal import plain_errors, progress, quiet_libraries, results

EPILOG = """Example: python -m core calibrate MobileNetV2 --data ~/ham10000

Then measure it again: python -m core evaluate MobileNetV2 --data ~/ham10000, and `measure` likewise."""


@plain_errors
def calibrate(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL", help="A shipped model's name (see `models`), or a model's folder.", show_default=False
        ),
    ],
    data: Annotated[Path, typer.Option(help="HAM10000 folder that it was trained on.", show_default=False)],
) -> None:
    """Fit a model's calibration on its validation photos, and write it into the model's card.

    Temperature and seven biases, by likelihood, and the power of the decision rule "balanced". Weights that an earlier version
    wrote lose the offset that it baked into them. What was measured with the old probabilities is stale afterwards: evaluate and measure
    again, and make ensembles of the model again.
    """
    with quiet_libraries(), progress("Loading the model") as update:
        from core.bundle import load_bundle, take_out_offset
        from core.card import write_card
        from core.data.ham10000 import class_indices, read_table
        from core.evaluation.evaluator import choose_rows
        from core.evaluation.predictions import answer_table
        from core.training.calibration import calibrate_card

        bundle = load_bundle(model, renew=True)
        rows = choose_rows(bundle.card, read_table(data), "validation", data)
        bundle = take_out_offset(bundle)
        logits = answer_table(
            bundle, rows, progress=lambda done, total: update(done, total, "Reading validation photos")
        )
        made = calibrate_card(bundle.card, logits, class_indices(rows), rows.lesion_id.to_numpy(dtype=str))
        write_card(made, bundle.folder)
    _show(made)
    results().print(
        f"Written to {bundle.folder}. Its scores and measures are of the old probabilities: run `python -m core evaluate {model} "
        f"--data {data}`, then `python -m core measure {model} --data {data}`.",
        markup=False,
        soft_wrap=True,
    )


def _show(card) -> None:
    """What was fitted, diagnosis by diagnosis."""
    from core.diagnoses import CODES, NAMES

    calibration, terms = card.calibration, card.terms
    table = Table(
        "diagnosis", "bias", "share of training photos", title=f"{card.name}: temperature {calibration.temperature:.3f}"
    )
    for code, bias, share in zip(CODES, calibration.biases, terms.shares, strict=True):
        table.add_row(NAMES[code], f"{bias:+z.3f}", f"{100 * share:.1f} %")
    table.caption = (
        f"Fitted on {calibration.photos:,} photos of {calibration.lesions:,} lesions, {calibration.weighing} counting alike: log loss "
        f"{calibration.log_loss_before:.3f} before, {calibration.log_loss_after:.3f} after. "
        f'Power of the rule "balanced": {terms.power:.2f}.'
    )
    results().print(table)
