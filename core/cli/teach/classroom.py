"""`class`: the teaching page for a lecture hall, on the network on purpose."""

import os
import subprocess
from pathlib import Path
from typing import Annotated

import typer

from core.cli.terminal import plain_errors, results

EPILOG = "Example: python -m core class --photos ~/ham10000"


@plain_errors
def classroom(
    photos: Annotated[
        Path | None,
        typer.Option(
            help="Folder with the photos; HAM10000_DIR when left out.", exists=True, file_okay=False, show_default=False
        ),
    ] = None,
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1024, max=65535)] = 8501,
    address: Annotated[
        str,
        typer.Option(
            help="This computer's address in the hall's network; found by itself when left out.", show_default=False
        ),
    ] = "",
) -> None:
    """Open a class: phones on the same network reach the teaching page of this computer, and no other page.

    Says the address for students, with a QR code, and the teacher's own address with its key. Listens on all networks of this
    computer until it is stopped with Ctrl+C.
    """
    import segno

    from core.teaching.class_server import ADDRESS_VARIABLE, KEY_VARIABLE, check_port, own_address, server_command
    from core.teaching.credentials import hash_secret, make_secret
    from core.teaching.store.database import open_store

    open_store().close()  # what is wrong with the database is said now, not to the class
    check_port(port)
    host, key, out = address.strip() or own_address(), make_secret(), results()
    where = f"http://{host}:{port}"
    for row in segno.make(where, error="m").matrix_iter(border=2):
        out.print("".join("██" if not dark else "  " for dark in row), markup=False, no_wrap=True)
    out.print(f"Students open {where}", markup=False, soft_wrap=True)
    out.print(f"You open http://localhost:{port}/#key={key}", markup=False, soft_wrap=True)
    out.print(
        "The second address opens truths and results: keep it to yourself. Ctrl+C ends the class.", soft_wrap=True
    )
    environment = {**os.environ, ADDRESS_VARIABLE: where, KEY_VARIABLE: hash_secret(key)}
    if photos is not None:
        environment["HAM10000_DIR"] = str(photos.absolute())
    command = server_command(host, port)
    try:
        status = subprocess.run(command, env=environment, check=False).returncode
    except KeyboardInterrupt:
        status = 0
    raise typer.Exit(status)
