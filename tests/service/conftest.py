"""A service over the drawn bundle: in this process, or as a process of its own."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from asking import opened

READY_WITHIN = 200  # seconds
REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def client(measured_bundle_folder):
    with opened([measured_bundle_folder]) as client:
        yield client


@pytest.fixture
def start(measured_bundle_folder):
    """Starts `melascope serve` with options; gives the process, its address, and the file of its log."""
    processes = []

    def begin(log: Path, *options, environment=None):
        command = [
            sys.executable,
            "-m",
            "core",
            "serve",
            str(measured_bundle_folder),
            "--port",
            "0",
            *map(str, options),
        ]
        with log.open("wb") as file:
            process = subprocess.Popen(
                command, cwd=REPOSITORY, stderr=file, stdout=file, env=os.environ | (environment or {})
            )
        processes.append(process)
        port = None
        while port is None and process.poll() is None:
            port = re.search(r'"port": (\d+)', log.read_text())
        assert port, log.read_text()
        address = f"http://127.0.0.1:{port[1]}"
        end = time.monotonic() + READY_WITHIN
        while process.poll() is None:
            assert time.monotonic() < end, log.read_text()
            try:
                if httpx.get(f"{address}/v2/health/ready", timeout=30).status_code == 200:
                    break
            except httpx.TransportError:
                pass
        return process, address

    yield begin
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.wait()
