import pytest
from stand_in_archive import standing_in

from core.archive.isic import ARCHIVE_VARIABLE
from core.folders import DATA_VARIABLE
from core.webapp.shared.cases.fetching import fetching
from core.webapp.shared.photo.folder import FOLDER_VARIABLE


@pytest.fixture
def empty_archive(monkeypatch, tmp_path):
    """A stand-in for the archive without photos, on a fresh machine: nothing is fetched, and no folder is named."""
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    fetching.clear()
    with standing_in() as stand_in:
        monkeypatch.setenv(ARCHIVE_VARIABLE, stand_in.address)
        yield stand_in
    fetching.clear()
