"""`export`: a model's serving file, or a model for other programs."""

from pathlib import Path
from typing import Annotated

import typer

from core.cli.terminal import plain_errors, progress, quiet_libraries, results

EPILOG = """Example: python -m core export MobileNetV2

For other programs: python -m core export MobileNetV2 --format onnx --out mobilenet-onnx"""
EYE = "gate-eye"


@plain_errors
def export(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help=f"A shipped model's name (see `models`), a model's folder, or {EYE}.",
            show_default=False,
        ),
    ],
    format_: Annotated[
        str | None,
        typer.Option(
            "--format", help="A model for other programs: openvino, onnx, litert or savedmodel.", show_default=False
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for it; with --format only.", show_default=False)] = None,
) -> None:
    """Make the serving file from which a model is read without TensorFlow, beside its weights; or a model for other programs.

    Training makes the serving file, too. It holds the network's graph and none of its numbers: it stays valid whatever the weights and
    the calibration. With --format: one graph from RGB 0..255 pixels and facts to calibrated probabilities and attention, with a README
    that says how to call it.
    """
    if (format_ is None) != (out is None):
        raise ValueError("--format and --out belong together: give both for a model for other programs, or neither.")
    if format_ is not None:
        _export_for_others(model, format_, out)
        return
    with quiet_libraries(), progress("Making the graph"):
        if model == EYE:
            from core.trust.signals.eye import export_eye

            path, digest = export_eye()
            made = [f"{path} (SHA-256 {digest}, for EYE_GRAPH_SHA256 in core/trust/signals/eye.py)"]
        else:
            from core.bundle import export_serving

            made = [str(path) for path in export_serving(model)]
    for path in made:
        results().print(f"Written: {path}.", markup=False, soft_wrap=True)


def _export_for_others(model: str, format_: str, out: Path) -> None:
    from core.serving.formats import export_model, find_format

    find_format(format_)
    with quiet_libraries(), progress("Loading the model"):
        from core.bundle import load_bundle

        bundle = load_bundle(model)
        folder = export_model(bundle.card, bundle.classifier, format_, out)
    results().print(f"Written to {folder}. See {folder / 'README.md'}.", markup=False, soft_wrap=True)
