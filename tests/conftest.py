"""Fixtures: a drawn HAM10000, a bundle of random weights, and the real photos where they are at hand."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def drawn_folder(tmp_path_factory) -> Path:
    """A drawn HAM10000 of 56 lesions."""
    from core.data.drawn import draw_ham10000

    return draw_ham10000(tmp_path_factory.mktemp("drawn") / "ham10000")


@pytest.fixture(scope="session")
def drawn_bundle_folder(tmp_path_factory) -> Path:
    """A bundle of random weights named "Drawn", in a weights root of its own."""
    from core.bundle import drawn_bundle

    return drawn_bundle(tmp_path_factory.mktemp("weights") / "Drawn")


@pytest.fixture(scope="session")
def ham10000() -> Path:
    """The real photos: `HAM10000_DIR`, or shared/ham10000 beside the repository."""
    folder = Path(os.environ.get("HAM10000_DIR") or REPOSITORY.parent / "shared" / "ham10000")
    if not (folder / "HAM10000_metadata.csv").is_file():
        pytest.skip("needs real HAM10000 photos (set HAM10000_DIR)")
    return folder


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory):
    """Decoded drawn photos never land in the user's cache."""
    os.environ["MELASCOPE_CACHE"] = str(tmp_path_factory.mktemp("cache"))
