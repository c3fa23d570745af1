"""Fixtures: the app in a process of its own, and headless Chromium to drive it."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
STARTS_WITHIN = 120  # seconds
# Loading TensorFlow and a network on a busy machine.
READS_WITHIN = 200  # seconds
WIDE = {"width": 1280, "height": 900}


@contextlib.contextmanager
def serving(weights: Path, scratch: Path, port: int | None = None) -> Iterator[str]:
    """The app on a free port, or on this one; gives its address."""
    if port is None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
    scratch.mkdir(parents=True, exist_ok=True)
    log = scratch.parent / f"server-{port}.log"
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true", f"--server.port={port}"]
    environment = {**os.environ, "MELASCOPE_WEIGHTS": str(weights), "TMPDIR": str(scratch), "TF_CPP_MIN_LOG_LEVEL": "3"}
    with log.open("wb") as said:
        server = subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=said, stderr=subprocess.STDOUT)
    address = f"http://localhost:{port}"
    try:
        deadline = time.monotonic() + STARTS_WITHIN
        while True:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}/_stcore/health", timeout=5):
                break
            assert server.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)
        yield address
    finally:
        server.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(20)
        server.kill()
        server.wait()


@pytest.fixture(scope="session")
def serve() -> Callable:
    """`serving`, for a test that sets the server's environment first."""
    return serving


@pytest.fixture(scope="module")
def scratch(tmp_path_factory) -> Path:
    """The server's folder for temporary files."""
    return tmp_path_factory.mktemp("server") / "tmp"


@pytest.fixture(scope="module")
def server(drawn_bundle_folder, scratch) -> Iterator[str]:
    with serving(drawn_bundle_folder.parent, scratch) as address:
        yield address


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory) -> Iterator[str]:
    """A server of two made-up evaluations, the first with an operating point; no photos, and no network to load."""
    from made_up import bind_all, write_made_up_model

    root = tmp_path_factory.mktemp("evaluated")
    folder = write_made_up_model(root, "MadeUp")
    write_made_up_model(root, "Other", seed=1, skill=1.0)
    record = json.loads((folder / "evaluation.json").read_text())
    (folder / "evaluation.json").write_text(json.dumps(record | {"operating_point": {"threshold": 0.3}}))
    bind_all(folder)
    with serving(root, tmp_path_factory.mktemp("server") / "tmp") as address:
        yield address


@pytest.fixture
def cold_server(drawn_bundle_folder, tmp_path) -> Iterator[str]:
    """A server that nobody has visited."""
    with serving(drawn_bundle_folder.parent, tmp_path / "tmp") as address:
        yield address


def wait_while_drawn_anew(sync_api) -> None:
    """Lets a wait for one element go on while there are two: drawing anew, Streamlit shows the old ones until all new ones are there."""
    wait_for = sync_api.Locator.wait_for

    def wait(locator, **options) -> None:
        deadline = time.monotonic() + READS_WITHIN
        while True:
            try:
                return wait_for(locator, **options)
            except sync_api.Error as error:
                if "strict mode violation" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    if wait_for.__name__ != wait.__name__:
        sync_api.Locator.wait_for = wait


@pytest.fixture(scope="module")
def chromium():
    """Headless Chromium, or a visible skip."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright (pip install -e .[test])")
    wait_while_drawn_anew(sync_api)
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_api.sync_playwright() as playwright:
        try:
            # Without a sandbox, since containers rarely let it have one.
            browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        except sync_api.Error as error:
            pytest.skip(f"needs Chromium ({str(error).splitlines()[0]})")
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium) -> Iterator[Callable]:
    """A function that opens an address in a window of its own; fails on any error of the page's own code and on any request elsewhere."""
    contexts, errors, asked, here = [], [], [], {"localhost", "127.0.0.1"}

    def open_page(address: str, viewport: dict = WIDE, **options):
        context = chromium.new_context(viewport=viewport, accept_downloads=True, **options)
        contexts.append(context)
        here.add(urlsplit(address).hostname)
        context.on("request", lambda request: asked.append(request.url))
        page = context.new_page()
        page.on("websocket", lambda socket: asked.append(socket.url))
        page.set_default_timeout(READS_WITHIN * 1000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not errors
    assert not {url for url in asked if not url.startswith(("data:", "blob:")) and urlsplit(url).hostname not in here}
