"""Fixtures: a stand-in for the archives, and somebody who asks it without patience."""

import pytest
from stand_in_archive import standing_in

from core.archive.dataverse import DATAVERSE_VARIABLE
from core.archive.isic import ARCHIVE_VARIABLE
from core.archive.web import Web


@pytest.fixture
def stand_in(monkeypatch):
    with standing_in() as stand_in:
        monkeypatch.setenv(ARCHIVE_VARIABLE, stand_in.address)
        monkeypatch.setenv(DATAVERSE_VARIABLE, stand_in.address)
        yield stand_in


@pytest.fixture
def web() -> Web:
    return Web(wait=0.01, apart=0.0, timeout=0.5)
