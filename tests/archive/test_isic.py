"""Photos of the ISIC Archive: looked up page by page, fetched once, with licence and attribution beside each."""

import threading

import pytest
from stand_in_archive import ATTRIBUTION, Fault, jpeg

from core.archive.isic import ARCHIVE_VARIABLE, find_photos
from core.archive.photos import (
    Credit,
    fetch_photos,
    fetched_folder,
    fetched_photos,
    fetched_thumbnail,
    read_credit,
)
from core.archive.web import FetchFailed, Offline
from core.data.images import read_photo
from core.folders import DATA_VARIABLE

IDS = [f"ISIC_{7000000 + n:07d}" for n in range(30)]


@pytest.fixture
def archive(stand_in):
    picture = jpeg()
    stand_in.photos = dict.fromkeys(IDS, picture)
    return stand_in


def full(archive) -> list[str]:
    return archive.paths("/signed/full/")


def test_photos_are_looked_up_some_at_a_time_and_page_by_page(archive, web):
    found = find_photos(web, [*IDS, "ISIC_6999999", IDS[0]])
    assert list(found) == IDS
    assert found[IDS[0]].licence == "CC-BY-NC"
    assert found[IDS[0]].attribution == ATTRIBUTION
    searches = archive.paths("/images/search/")
    assert len(searches) == 3 + 1  # 25 ids in pages of 10, and the other 5
    assert all(len(path) < 2000 for path in searches)


def test_an_id_of_elsewhere_is_not_asked_for(archive, web):
    assert find_photos(web, ["own-1", "ISIC_1 OR public:true", "ISIC_00000001"]) == {}
    assert not archive.asked


def test_photos_come_with_thumbnail_licence_and_attribution(archive, web, tmp_path):
    seen = []
    fetched = fetch_photos(IDS[:3], tmp_path, web, lambda done, total: seen.append((done, total)))
    assert fetched.new == tuple(IDS[:3])
    assert fetched.lacking == ()
    assert seen == [(0, 3), (1, 3), (2, 3), (3, 3)]
    there = fetched_photos(tmp_path)
    assert list(there) == IDS[:3]
    assert read_photo(there[IDS[0]]).shape == (90, 120, 3)
    assert max(read_photo(fetched_thumbnail(IDS[0], tmp_path)).shape) == 64
    assert read_credit(IDS[0], tmp_path) == Credit(
        "CC BY-NC 4.0", "https://creativecommons.org/licenses/by-nc/4.0/", ATTRIBUTION
    )


def test_a_licence_of_another_kind_is_said_as_it_is(archive, web, tmp_path):
    archive.licence = "Someone's own"
    fetch_photos(IDS[:1], tmp_path, web)
    assert read_credit(IDS[0], tmp_path).licence == "Someone's own"


def test_what_is_there_is_not_fetched_again(archive, web, tmp_path):
    fetch_photos(IDS[:2], tmp_path, web)
    before = len(archive.asked)
    assert fetch_photos(IDS[:2], tmp_path, web).new == ()
    assert len(archive.asked) == before
    assert fetch_photos(IDS[:3], tmp_path, web).new == (IDS[2],)
    assert len(full(archive)) == 3


def test_a_photo_that_the_archive_lacks_is_told_and_the_others_come(archive, web, tmp_path):
    archive.faults["/signed/thumbnail/" + IDS[1]] = [Fault("status", 404)]
    archive.faults["/signed/full/" + IDS[2]] = [Fault("status", 404)]
    fetched = fetch_photos(["ISIC_6999999", *IDS[:4]], tmp_path, web)
    assert fetched.lacking == ("ISIC_6999999", IDS[2])
    assert list(fetched_photos(tmp_path)) == [IDS[0], IDS[1], IDS[3]]


def test_an_address_that_is_out_of_date_is_asked_for_anew(archive, web, tmp_path):
    archive.faults["/signed/full/"] = [Fault("status", 403)]
    assert fetch_photos(IDS[:2], tmp_path, web).new == tuple(IDS[:2])
    first, second, _ = full(archive)
    assert first != second


def test_what_came_before_a_fault_stays_and_the_next_call_goes_on(archive, web, tmp_path):
    archive.faults["/signed/full/" + IDS[1]] = [Fault("status", 500)] * web.attempts
    with pytest.raises(FetchFailed, match="out of order"):
        fetch_photos(IDS[:3], tmp_path, web)
    assert list(fetched_photos(tmp_path)) == IDS[:1]
    assert fetch_photos(IDS[:3], tmp_path, web).new == (IDS[1], IDS[2])
    assert len([p for p in full(archive) if IDS[0] in p]) == 1


def test_what_is_no_photo_is_not_kept(archive, web, tmp_path):
    archive.faults["/signed/full/" + IDS[0]] = [Fault("wrong")]
    with pytest.raises(FetchFailed, match=f"What came for {IDS[0]} is no photo"):
        fetch_photos(IDS[:1], tmp_path, web)
    assert not fetched_photos(tmp_path)


@pytest.mark.parametrize(
    "page",
    [
        {"detail": "moved"},
        {"results": [{"isic_id": "ISIC_7000000"}], "next": None},
        {"results": ["x"], "next": None},
        [],
    ],
)
def test_another_form_of_answer_is_said(archive, web, tmp_path, monkeypatch, page):
    monkeypatch.setattr(archive, "search", lambda query: page)
    with pytest.raises(FetchFailed, match="Update Melascope"):
        fetch_photos(IDS[:1], tmp_path, web)


def test_addresses_of_files_on_this_computer_are_refused(archive, web, tmp_path, monkeypatch):
    record = archive.describe(IDS[0])
    record["files"]["full"]["url"] = "file:///etc/passwd"
    monkeypatch.setattr(archive, "search", lambda query: {"results": [record], "next": None})
    with pytest.raises(FetchFailed, match="not understood"):
        fetch_photos(IDS[:1], tmp_path, web)


def test_without_internet_the_sentence_is_clear_and_what_is_there_stays(archive, web, tmp_path, monkeypatch):
    fetch_photos(IDS[:1], tmp_path, web)
    monkeypatch.setenv(ARCHIVE_VARIABLE, "http://127.0.0.1:9")
    with pytest.raises(Offline, match="Is this computer on the internet"):
        fetch_photos(IDS[:2], tmp_path, web)
    assert list(fetched_photos(tmp_path)) == IDS[:1]
    assert fetch_photos(IDS[:1], tmp_path, web).new == ()  # nothing to ask for


def test_two_at_once_fetch_each_photo_once(archive, web, tmp_path):
    archive.delay = 0.02
    both = [threading.Thread(target=fetch_photos, args=(IDS[:6], tmp_path)) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert list(fetched_photos(tmp_path)) == IDS[:6]
    assert len(full(archive)) == 6


def test_they_lie_in_the_users_data_folder(monkeypatch, tmp_path):
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))
    assert fetched_folder() == tmp_path / "photos"
    assert fetched_photos() == {}
    assert read_credit(IDS[0]) is None
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / f"{IDS[0]}.json").write_text("{")
    assert read_credit(IDS[0]) is None
