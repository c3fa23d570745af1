"""Photos fetched in the background: one download for the server, asked for by a button with the licence beside it."""

import time

import pytest
from stand_in_archive import ATTRIBUTION, Fault, jpeg
from streamlit.testing.v1 import AppTest

from core.archive.isic import ARCHIVE_VARIABLE
from core.archive.photos import fetched_photos
from core.archive.web import Web
from core.webapp.shared.cases.fetching import Fetching, fetching
from core.webapp.shared.photo.folder import find_photo, photo_credit, photo_folder

IDS = [f"ISIC_{7100000 + n:07d}" for n in range(8)]


def quick(**kwargs) -> Web:
    return Web(wait=0.01, apart=0.0, **kwargs)


@pytest.fixture
def archive(empty_archive):
    empty_archive.photos = dict.fromkeys(IDS, jpeg())
    return empty_archive


def wait(job: Fetching):
    end = time.monotonic() + 20
    while job.look().running and time.monotonic() < end:
        time.sleep(0.01)
    return job.look()


def test_it_does_not_block_and_two_who_ask_share_it(archive):
    archive.delay = 0.03
    job = Fetching(quick)
    begun = time.monotonic()
    job.ask(IDS[:5])
    job.ask(IDS[2:7])
    assert time.monotonic() - begun < 0.5
    assert job.look().running
    done = wait(job)
    assert (done.running, done.fault, done.done, done.total) == (False, "", 7, 7)
    assert list(fetched_photos()) == IDS[:7]
    assert len(archive.paths("/signed/full/")) == 7


def test_a_fault_is_a_sentence_and_the_next_ask_goes_on(archive):
    archive.faults["/signed/full/" + IDS[1]] = [Fault("status", 500)] * 5
    job = Fetching(quick)
    job.ask(IDS[:3])
    assert "out of order" in wait(job).fault
    job.ask(IDS[:3])
    assert wait(job).fault == ""
    assert list(fetched_photos()) == IDS[:3]


def test_it_can_be_stopped_and_what_came_stays(archive):
    archive.delay = 0.1
    job = Fetching(quick)
    job.ask(IDS)
    while not fetched_photos():
        time.sleep(0.01)
    job.stop()
    stopped = wait(job)
    assert (stopped.running, stopped.fault) == (False, "")
    assert 0 < len(fetched_photos()) < len(IDS)


def test_what_the_archive_lacks_is_known_afterwards(archive):
    job = Fetching(quick)
    job.ask(["ISIC_0000001", IDS[0]])
    assert wait(job).lacking == {"ISIC_0000001"}


def page():
    import streamlit as st

    from core.webapp.shared.cases.offer import offer_photos
    from core.webapp.shared.photo.folder import find_photo

    ids = [f"ISIC_{7100000 + n:07d}" for n in range(8)]
    offer_photos([*ids, "own-1"], "here")
    st.write(f"{sum(find_photo(i) is not None for i in ids)} photos")


def test_the_button_says_how_much_under_which_licence_and_fetches(archive):
    app = AppTest.from_function(page, default_timeout=30).run()
    assert app.button[0].label == "Get 8 photos of these cases"
    said = app.caption[0].value
    assert "CC BY-NC 4.0" in said
    assert "not for commercial use" in said
    assert "About 2 MB" in said
    assert app.markdown[0].value == "0 photos"
    app.button[0].click().run()
    assert not app.exception
    wait(fetching())
    app.run()
    assert app.markdown[-1].value == "8 photos"
    assert not app.button
    credit = photo_credit(IDS[0])
    assert (credit.licence, credit.attribution) == ("CC BY-NC 4.0", ATTRIBUTION)
    assert set(photo_folder().paths) == set(IDS)
    assert find_photo(IDS[0]).is_file()


def test_a_photo_that_the_archive_lacks_is_said_and_not_offered_again(archive):
    del archive.photos[IDS[3]]
    app = AppTest.from_function(page, default_timeout=30).run()
    app.button[0].click().run()
    wait(fetching())
    app.run()
    assert app.markdown[-1].value == "7 photos"
    assert not app.button
    assert f"The archive does not have {IDS[3]}." in app.caption[0].value


def test_another_session_sees_the_download_that_goes_on(archive):
    archive.delay = 0.2
    first, second = (AppTest.from_function(page, default_timeout=30) for _ in range(2))
    first.run()
    first.button[0].click().run()
    second.run()
    assert [b.label for b in second.button] == ["Stop"]
    assert "each photo appears once it is whole" in second.caption[0].value
    wait(fetching())
    assert len(archive.paths("/signed/full/")) == 8


def test_without_internet_the_page_says_so_and_offers_to_try_again(archive, monkeypatch):
    monkeypatch.setenv(ARCHIVE_VARIABLE, "http://127.0.0.1:9")
    app = AppTest.from_function(page, default_timeout=30).run()
    app.button[0].click().run()
    wait(fetching())
    app.run()
    assert "cannot be reached" in app.error[0].value
    assert "Is this computer on the internet?" in app.error[0].value
    assert app.button[0].label == "Get 8 photos of these cases"
