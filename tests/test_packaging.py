"""The wheel: what is installed works without the repository, or says what it lacks."""

import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
LOOKS = """
from pathlib import Path
import core
from core.studies import paper
from core.teaching.case_sets.shipped import read_lists
from core.teaching.store import migrate
print(Path(core.__file__).parent)
print(core.__version__)
print(len(read_lists()), (migrate.FOLDER / "env.py").is_file(), len(list(paper.FOLDER.glob("*.csv"))))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The built wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    code = f"from hatchling.build import build_wheel; print(build_wheel({str(folder)!r}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return folder / done.stdout.split()[-1]


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """A folder for PYTHONPATH with what the wheel installs."""
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def run(installed: Path, where: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MELASCOPE_")}
    environment |= {"PYTHONPATH": str(installed), **variables}
    return subprocess.run(
        [sys.executable, *arguments], cwd=where, env=environment, capture_output=True, text=True, timeout=120
    )


def test_the_wheel_holds_all_files_of_core(wheel):
    listed = subprocess.run(["git", "ls-files", "core"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("needs a git checkout")
    files = [name for name in listed.stdout.splitlines() if (REPOSITORY / name).is_file()]
    assert set(files) <= set(zipfile.ZipFile(wheel).namelist())


def test_package_data_are_found_where_it_is_installed(installed, tmp_path):
    done = run(installed, tmp_path, "-c", LOOKS)
    assert done.returncode == 0, done.stderr
    from core import __version__
    from core.studies import paper
    from core.teaching.case_sets.shipped import FOLDER

    lists, tables = len(list(FOLDER.glob("*.json"))), len(list(paper.FOLDER.glob("*.csv")))
    place, version, counts = done.stdout.splitlines()
    assert (Path(place), version, counts) == (installed / "core", __version__, f"{lists} True {tables}")


def test_installed_without_models_a_sentence_says_where_models_come_from(installed, tmp_path):
    done = run(installed, tmp_path, "-m", "core", "models")
    assert done.returncode == 0
    assert f"No models in {tmp_path / 'weights'}. Train one" in done.stdout
    assert "MELASCOPE_WEIGHTS" in done.stdout
    unknown = run(installed, tmp_path, "-m", "core", "read", "photo.jpg", "--model", "MobileNetV2", "--json")
    assert unknown.returncode != 0
    assert str(tmp_path / "weights" / "MobileNetV2") in unknown.stderr.replace("\n", "")


def test_installed_models_are_found_by_the_variable_and_in_the_working_folder(installed, tmp_path):
    weights = REPOSITORY / "weights"
    named = run(installed, tmp_path, "-m", "core", "models", "--markdown", MELASCOPE_WEIGHTS=str(weights))
    beside = run(installed, REPOSITORY, "-m", "core", "models", "--markdown")
    assert "MobileNetV3Small" in named.stdout
    assert named.stdout == beside.stdout


def test_the_console_script_is_the_command_line(wheel):
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    module, _, name = project["scripts"]["melascope"].partition(":")
    import importlib

    assert callable(getattr(importlib.import_module(module), name))
