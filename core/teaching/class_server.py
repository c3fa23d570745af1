"""The class server: what it is started with, and where phones reach it."""

import socket
import sys
from pathlib import Path

# Where phones reach the server, and the SHA-256 of the key of whoever started it. Set by `melascope class`.
ADDRESS_VARIABLE, KEY_VARIABLE = "MELASCOPE_CLASS_ADDRESS", "MELASCOPE_CLASS_KEY"
# Its only page; what other pages show of test photos would tell students the truths.
PAGE = Path(__file__).parents[1] / "webapp" / "teach" / "classroom" / "app.py"


class PortTaken(ValueError):
    """Another program listens there."""


def server_command(host: str, port: int) -> list[str]:
    """How the class server is started: on all networks of this computer, and for browsers that open it under this name."""
    return [
        *(sys.executable, "-m", "streamlit", "run", str(PAGE)),
        "--server.address=0.0.0.0",
        f"--server.port={port}",
        # Pages of other sites may not talk to the server: only what was opened under this name or localhost.
        f"--browser.serverAddress={host}",
        # Collecting garbage after each of a hundred runs a second would take all of a processor; Python does so by itself.
        "--runner.postScriptGC=false",
        "--server.headless=true",
        "--server.showEmailPrompt=false",
        "--server.fileWatcherType=none",
        "--server.maxUploadSize=50",
        "--browser.gatherUsageStats=false",
        "--client.toolbarMode=viewer",
        "--client.showErrorDetails=none",
        "--client.showSidebarNavigation=false",
    ]


def own_address() -> str:
    """This computer's address in the network that it would go out by; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address of no one (RFC 5737)
            return probe.getsockname()[0]
        except OSError:
            return "127.0.0.1"


def check_port(port: int) -> None:
    """Stops where another program has the port.

    Raises:
        PortTaken: with what to do.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))
        except OSError:
            raise PortTaken(
                f"Port {port} is in use by another program. Stop it, or choose another: --port {port + 1}."
            ) from None
