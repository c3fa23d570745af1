"""`--engine`, of every command that asks a network."""

import os
from typing import Annotated

import typer


def _choose(name: str | None) -> str | None:
    """Names the engine for all that the command will ask: the model, its members, the jury and the photo gate's eye."""
    if name:
        from core.serving.engines import ENGINE_VARIABLE, find_engine

        try:
            find_engine(name)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None
        os.environ[ENGINE_VARIABLE] = name
    return name


EngineOption = Annotated[
    str | None,
    typer.Option(
        "--engine",
        callback=_choose,
        help="What runs the networks: onnxruntime or tensorflow. By itself TensorFlow where there is a GPU, else ONNX Runtime. "
        "MELASCOPE_ENGINE says it for all commands.",
    ),
]
