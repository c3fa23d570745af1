"""`serve`: the networks over HTTP."""

from pathlib import Path
from typing import Annotated

import typer

from core.cli.engine_option import EngineOption
from core.cli.terminal import plain_errors, quiet_libraries

EPILOG = "Example: python -m core serve --port 8080 --keys keys.txt"


@plain_errors
def serve(
    models: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[MODEL]", help="Models by name or folder; all on the shelf if none is named.", show_default=False
        ),
    ] = None,
    address: Annotated[str, typer.Option(help="To listen on; 0.0.0.0 is reached by all networks.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(help="Port to listen on; 0 takes a free one, which the log tells.", min=0, max=65535)
    ] = 8080,
    keys: Annotated[
        Path | None,
        typer.Option(
            help="File with the keys that open the service, one a line. MELASCOPE_SERVICE_KEYS holds more.",
            show_default=False,
        ),
    ] = None,
    without_keys: Annotated[
        bool, typer.Option("--without-keys", help="Lets everybody ask who reaches the address.")
    ] = False,
    hosts: Annotated[
        list[str] | None,
        typer.Option(
            "--allowed-host",
            help="A name by which clients call the service, besides localhost; * allows all.",
            show_default=False,
        ),
    ] = None,
    base_path: Annotated[str, typer.Option(help="Path below which a proxy shows the service, such as /lesions.")] = "",
    queue: Annotated[int, typer.Option(help="Requests in work or waiting; more are refused with 429.", min=1)] = 64,
    batch: Annotated[int, typer.Option(help="Images that go through a network together at most.", min=1, max=64)] = 8,
    seconds: Annotated[float, typer.Option(help="For each answer; then 504.", min=0.1)] = 30,
    megabytes: Annotated[
        float, typer.Option(help="Of a request's body; longer ones are refused with 413.", min=0.001)
    ] = 68,
    engine: EngineOption = None,
) -> None:
    """Serve the networks over HTTP, until Ctrl+C or SIGTERM: Open Inference Protocol V2, and readings as `read --json` gives them.

    For research and teaching; not a medical device. Extra `service`. Nothing is saved; the log (JSON on standard error) and the metrics
    (/metrics) hold nothing of a patient. A service that stops answers whom it has let in, and refuses others.
    """
    from core.service import check_service

    check_service()
    from core.service.server import serve as run
    from core.service.settings import LOCAL, Settings, check_guarded, read_base_path, read_keys

    known = read_keys(keys)
    check_guarded(address, known, without_keys)
    most = int(megabytes * 1e6)
    settings = Settings(
        keys=known,
        hosts=(*LOCAL, *(host.lower() for host in hosts or ())),
        queue=queue,
        batch=batch,
        seconds=seconds,
        most_bytes=most,
        most_memory=4 * most,
        base_path=read_base_path(base_path),
    )
    with quiet_libraries():
        run(address, port, list(models or ()), settings)
