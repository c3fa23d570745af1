"""What the app costs before it is needed, and what it is set to."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from core.data.images import MAX_BYTES
from core.webapp.shared.frame import PAGES

REPOSITORY = Path(__file__).resolve().parents[2]
MODULES = sorted(p.stem for p in (REPOSITORY / "core" / "webapp").glob("*.py") if p.stem != "__init__")


def loaded_after(code: str, packages: tuple[str, ...] = ("tensorflow", "keras")) -> str:
    """Which slow packages are loaded after some code ran in a fresh interpreter."""
    code += f"\nimport sys; print('loaded:', [m for m in {packages} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.rsplit("loaded:", 1)[1].strip()


def test_importing_webapp_loads_no_tensorflow():
    assert loaded_after("\n".join(f"import core.webapp.{name}" for name in MODULES)) == "[]"


def test_the_home_page_is_usable_before_tensorflow():
    code = "from streamlit.testing.v1 import AppTest\nat = AppTest.from_file('app.py', default_timeout=60).run()\n"
    code += "assert not at.exception and at.title[0].value == 'Read a lesion'"
    assert loaded_after(code) == "[]"


def test_a_photo_is_answered_before_pandas_and_scipy_are_loaded():
    # They are a quarter of a server's memory, and a second of the first answer.
    code = "from streamlit.testing.v1 import AppTest\nat = AppTest.from_file('app.py', default_timeout=60).run()\n"
    code += "at.segmented_control(key='source').set_value('Drawn example').run()\n"
    code += "assert not at.exception and any(h.value == 'All seven diagnoses' for h in at.header)"
    assert loaded_after(code, ("pandas", "scipy", "sklearn", "pyarrow")) == "[]"


@pytest.fixture(scope="module")
def config():
    return tomllib.loads((REPOSITORY / ".streamlit" / "config.toml").read_text(encoding="utf-8"))


def test_the_app_is_private_by_default(config):
    assert config["server"]["address"] == "localhost"
    assert config["browser"]["gatherUsageStats"] is False
    assert config["client"]["showErrorDetails"] == "none"


def test_the_app_takes_photos_as_large_as_core_does(config):
    assert config["server"]["maxUploadSize"] == MAX_BYTES // 1_000_000


def test_the_menu_names_every_page(config):
    assert config["client"]["showSidebarNavigation"] is False
    files = {"app.py", *(f"pages/{p.name}" for p in (REPOSITORY / "pages").glob("*.py"))}
    assert {path for path, *_ in PAGES} == files
