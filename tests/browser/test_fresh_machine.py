"""A fresh machine in a real browser: one click fetches real cases from a stand-in archive, another opens one."""

import re

import pytest
from stand_in_archive import jpeg, standing_in
from test_journeys import NARROW, WIDE, check_fits, check_no_errors, expect, wait_until_idle

from core.archive.isic import ARCHIVE_VARIABLE
from core.folders import DATA_VARIABLE
from core.teaching.case_sets.shipped import read_lists
from core.webapp.shared.photo.folder import FOLDER_VARIABLE

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def fresh(serve, drawn_bundle_folder, tmp_path, monkeypatch):
    """The app's address, without photos and with an archive that is not quick."""
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path / "data"))
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    with standing_in() as archive:
        picture = jpeg("mel", size=(300, 200))
        archive.photos = {case.id: picture for cases in read_lists().values() for case in cases.cases}
        archive.delay = 0.02
        monkeypatch.setenv(ARCHIVE_VARIABLE, archive.address)
        with serve(drawn_bundle_folder.parent, tmp_path / "tmp") as address:
            yield address


def test_real_cases_come_with_one_click_and_open_with_another(visit, fresh):
    page = visit(fresh, WIDE)
    page.get_by_role("button", name=re.compile("^Get .* photos of real cases")).click()
    page.get_by_text("Fetching photos from the ISIC Archive").wait_for()
    # Another visitor sees the same download, and is not kept from working.
    phone = visit(fresh, NARROW)
    phone.get_by_text("Fetching photos from the ISIC Archive").wait_for()
    phone.get_by_role("button", name="Stop").wait_for()
    check_fits(phone)
    for one in (page, phone):
        one.get_by_role("heading", name="Real cases").wait_for()
        wait_until_idle(one)
        check_no_errors(one)
        check_fits(one)
    expect(page.get_by_role("button", name=re.compile("^Get "))).to_have_count(0)
    page.locator(".st-key-start-cases .stButton button").first.click()
    page.get_by_text("All seven diagnoses").wait_for()
    check_no_errors(page)
