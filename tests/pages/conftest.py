"""Fixtures: the app on a shelf of two random networks, without a browser."""

import shutil
from pathlib import Path

import pytest
from streamlit.runtime.caching.cache_resource_api import clear_session_cache
from streamlit.testing.v1 import AppTest

HOME = Path(__file__).resolve().parents[2] / "app.py"
# The first test waits for TensorFlow, perhaps on a busy machine.
TIMEOUT = 200  # seconds


@pytest.fixture(scope="session")
def two_models(tmp_path_factory, drawn_bundle_folder) -> Path:
    """A weights folder with "Drawn", "Other" and a folder that holds no model."""
    from small_backbone import small_bundle

    root = tmp_path_factory.mktemp("shelf")
    shutil.copytree(drawn_bundle_folder, root / "Drawn")
    small_bundle(root / "Other", name="Other", metadata_units=8)
    (root / "Broken").mkdir()
    return root


@pytest.fixture(autouse=True)
def new_visitor() -> None:
    """Forgets the photos that other tests read, with the opinions about them: Streamlit's test driver has one session for all tests."""
    clear_session_cache("test session id")


@pytest.fixture
def open_app(monkeypatch, two_models):
    """A function that opens a page of the app, on another weights folder if need be."""

    def open_page(page: str | None = None, root: Path = two_models) -> AppTest:
        monkeypatch.setenv("MELASCOPE_WEIGHTS", str(root))
        app = AppTest.from_file(str(HOME), default_timeout=TIMEOUT)
        if page:
            app.switch_page(page)
        return app.run()

    return open_page
