"""`--engine`, of every command that asks a network."""

import os
from typing import Annotated

import typer


def _choose(name: str | None) -> str | None:
    """Names the engine for all that the command will ask: the model, its members, the jury and the photo gate's eye."""
    if name:
        from core.serving.engines import ENGINES, VARIABLE

        if name not in ENGINES:
            raise typer.BadParameter(f"Unknown engine {name!r}. Expected one of: {', '.join(ENGINES)}.")
        os.environ[VARIABLE] = name
    return name


EngineOption = Annotated[
    str | None,
    typer.Option(
        "--engine",
        callback=_choose,
        help="What runs the networks: openvino or tensorflow. By itself TensorFlow where there is a GPU, else OpenVINO. MELASCOPE_ENGINE "
        "says it for all commands.",
    ),
]
