import os
from types import SimpleNamespace

import pytest

from core.webapp.batch import allowed
from core.webapp.batch.allowed import NotAllowed, check_allowed, is_local


@pytest.fixture
def roots(tmp_path, monkeypatch):
    for name in ("open", "open/clinic", "closed"):
        (tmp_path / name).mkdir()
    (tmp_path / "open" / "way-out").symlink_to(tmp_path / "closed")
    monkeypatch.setenv(allowed.ROOTS_VARIABLE, f"{tmp_path / 'open'}{os.pathsep}")
    return tmp_path


def test_from_elsewhere_only_named_folders_are_read(roots):
    assert check_allowed(roots / "open" / "clinic", local=False).name == "clinic"
    for place in ("closed", "open/way-out", "open/../closed", "gone"):
        with pytest.raises(NotAllowed, match="Expected a folder within open"):
            check_allowed(roots / place, local=False)


def test_without_named_folders_nothing_is(roots, monkeypatch):
    monkeypatch.delenv(allowed.ROOTS_VARIABLE)
    with pytest.raises(NotAllowed, match="no folder of this computer is open to visitors"):
        check_allowed(roots / "open", local=False)


def test_on_the_computer_itself_every_folder_is(roots):
    assert check_allowed(roots / "closed", local=True) == (roots / "closed").resolve()


@pytest.mark.parametrize(
    ("address", "headers", "local"),
    [
        ("localhost", {"Host": "localhost:8501"}, True),
        ("127.0.0.1", {"Host": "127.0.0.1"}, True),
        ("localhost", {"Host": "[::1]:8501"}, True),
        ("0.0.0.0", {"Host": "localhost:8501"}, False),
        (None, {"Host": "localhost:8501"}, False),
        ("localhost", {"Host": "melascope.example"}, False),
        ("localhost", {"Host": "localhost:8501", "X-Forwarded-For": "10.0.0.9"}, False),
    ],
)
def test_who_sits_at_the_computer(monkeypatch, address, headers, local):
    monkeypatch.setattr(
        allowed, "st", SimpleNamespace(context=SimpleNamespace(headers=headers), get_option=lambda name: address)
    )
    assert is_local() is local
