"""Fixtures: a drawn HAM10000, a bundle of random weights, and the real photos where they are at hand."""

import errno
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import functools
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those in a browser come first: they wait more than they compute, and other tests compute meanwhile.

    One that fails is run once more, and the summary names it: a busy machine may draw a page at any pace.
    """
    items.sort(key=lambda item: item.get_closest_marker("browser") is None)
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(autouse=True)
def quick_page_runs(monkeypatch):
    """Between two runs of a page, Streamlit looks through all packages for components, and clears Keras, which a server has not loaded."""
    runner = sys.modules.get("streamlit.runtime.scriptrunner.script_runner")
    if runner is None:
        return
    from streamlit.components.v2 import manifest_scanner

    if not hasattr(manifest_scanner.scan_component_manifests, "cache_info"):
        manifest_scanner.scan_component_manifests = functools.cache(manifest_scanner.scan_component_manifests)
    monkeypatch.setattr(runner, "_clean_problem_modules", lambda: None)


@pytest.fixture(scope="session")
def drawn_folder(tmp_path_factory) -> Path:
    """A drawn HAM10000 of 56 lesions."""
    from core.data.drawn import draw_ham10000

    return draw_ham10000(tmp_path_factory.mktemp("drawn") / "ham10000")


@pytest.fixture(scope="session")
def drawn_bundle_folder(tmp_path_factory) -> Path:
    """A bundle of random weights named "Drawn" on a backbone of three layers, in a weights root of its own.

    Other programs read it by its serving file: they know no backbone of the tests.
    """
    from small_backbone import small_bundle

    return small_bundle(tmp_path_factory.mktemp("weights") / "Drawn")


@pytest.fixture(scope="session")
def three_layers() -> None:
    """Lets this process build the backbone of three layers by name."""
    from small_backbone import register

    register()


@pytest.fixture(scope="session")
def ham10000() -> Path:
    """The real photos: `HAM10000_DIR`, or shared/ham10000 beside the repository."""
    folder = Path(os.environ.get("HAM10000_DIR") or REPOSITORY.parent / "shared" / "ham10000")
    if not (folder / "HAM10000_metadata.csv").is_file():
        pytest.skip("needs real HAM10000 photos (set HAM10000_DIR)")
    return folder


@pytest.fixture(scope="session")
def cases() -> Path:
    """Inputs that went wrong once, each with its right value: shared/cases beside the repository."""
    folder = REPOSITORY.parent / "shared" / "cases"
    if not folder.is_dir():
        pytest.skip("needs shared/cases beside the repository")
    return folder


@pytest.fixture
def no_temporary_folder(monkeypatch) -> None:
    """As on a machine that takes no temporary file anywhere."""
    import tempfile

    def none_is_there():
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']")

    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_get_default_tempdir", none_is_there)


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory):
    """Decoded drawn photos never land in the user's cache, and photos that the user fetched in no test."""
    os.environ["MELASCOPE_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    os.environ["MELASCOPE_DATA"] = str(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="session")
def measured_bundle_folder(tmp_path_factory, drawn_bundle_folder, drawn_folder, own_cache) -> Path:
    """The drawn bundle with a split of the drawn folder, its look-alikes and its photo gate, from few pictures."""
    import json
    import shutil

    from core.bundle import load_bundle
    from core.data.ham10000 import read_table
    from core.data.split import split_table
    from core.trust.measure_table import MEASURES
    from core.trust.measures import gate as gate_measure
    from core.trust.measures import lookalikes as lookalikes_measure

    folder = Path(shutil.copytree(drawn_bundle_folder, tmp_path_factory.mktemp("measured") / "Drawn"))
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    card["split"] = split_table(read_table(drawn_folder)).to_json()
    (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")
    bundle = load_bundle(folder)
    with pytest.MonkeyPatch.context() as patch:
        for name, few in (("OF_DIAGNOSIS", 12), ("OF_FAMILY", 4), ("SPOILT", 4)):
            patch.setattr(gate_measure, name, few)
        patch.setattr(lookalikes_measure, "SAMPLE", 4)
        MEASURES["lookalikes"].run(bundle, drawn_folder)
        MEASURES["gate"].run(bundle, drawn_folder)
    return folder
