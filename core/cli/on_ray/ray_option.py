"""`--ray [ADDRESS]`, of every command that Ray can carry."""

from typing import Annotated

import typer
from typer.core import TyperCommand

OPTION = "--ray"
_LOCAL = "local"


class RayCommand(TyperCommand):
    """A command whose `--ray` may stand alone; what follows it and is no address of Ray stays what it is, such as a photo."""

    def parse_args(self, ctx, args: list[str]) -> list[str]:
        told = []
        for place, word in enumerate(args):
            following = args[place + 1] if place + 1 < len(args) else ""
            told.append(f"{OPTION}={_LOCAL}" if word == OPTION and not _is_address(following) else word)
        return super().parse_args(ctx, told)


def _is_address(word: str) -> bool:
    """auto, HOST:PORT or ray://HOST:PORT."""
    if word in ("auto", _LOCAL):
        return True
    host, _, port = word.removeprefix("ray://").rpartition(":")
    return bool(host) and port.isdigit()


RayOption = Annotated[
    str | None,
    typer.Option(
        OPTION,
        metavar="[ADDRESS]",
        help="Do it on Ray (extra `scale`): on the cluster at ADDRESS (auto, HOST:PORT or ray://HOST:PORT), or without one on all cores of "
        "this machine.",
        show_default=False,
    ),
]
WorkersOption = Annotated[
    int | None, typer.Option(help="With --ray: at most so many workers; by itself all that there is room for.", min=1)
]
