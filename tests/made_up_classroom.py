"""A class server in a process of its own, and what a test checks on each of its pages."""

import contextlib
import os
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

from core.teaching.class_server import ADDRESS_VARIABLE, KEY_VARIABLE, server_command
from core.teaching.credentials import hash_secret
from core.teaching.store.place import DATABASE_VARIABLE

STARTS_WITHIN = 120  # seconds
KEY = "the key of this class server"


class ClassServer:
    """A class server that can be killed and started again at the same address; runs in a `with`.

    Args:
        folder: for its database and its log.
        photos: the HAM10000 folder that it shows.
        weights: the models that it asks.
    """

    def __init__(self, folder: Path, photos: Path, weights: Path):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self.address = f"http://localhost:{self._port}"
        self.database = str(folder / "teaching.sqlite3")
        self._log = folder / "server.log"
        self._environment = {
            **os.environ,
            DATABASE_VARIABLE: self.database,
            ADDRESS_VARIABLE: self.address,
            KEY_VARIABLE: hash_secret(KEY),
            "HAM10000_DIR": str(photos),
            "MELASCOPE_WEIGHTS": str(weights),
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }
        self._process: subprocess.Popen | None = None

    def __enter__(self) -> "ClassServer":
        self.start()
        return self

    def __exit__(self, *_) -> None:
        self.kill()

    def start(self) -> None:
        with self._log.open("ab") as said:
            command = server_command("localhost", self._port)
            self._process = subprocess.Popen(command, env=self._environment, stdout=said, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + STARTS_WITHIN
        while True:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.address}/_stcore/health", timeout=5):
                return
            assert self._process.poll() is None and time.monotonic() < deadline, self._log.read_text()
            time.sleep(0.2)

    def kill(self) -> None:
        """Ends it as a power cut does."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()


def check_accessible(page) -> None:
    """That axe-core finds no serious fault on the page as it is now."""
    import pytest

    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python").Axe()
    found = axe.run(page, options={"resultTypes": ["violations"]}).response["violations"]
    serious = {
        fault["id"]: [node["html"][:200] for node in fault["nodes"][:3]]
        for fault in found
        if fault["impact"] in ("serious", "critical")
    }
    assert not serious, serious
