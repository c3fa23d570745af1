"""Fetching a file: what passes by itself is waited out, what was cut is gone on with, and nothing half or wrong is kept."""

import errno
import hashlib
import threading
import time
from pathlib import Path

import pytest
from stand_in_archive import Fault

from core.archive import web as module
from core.archive.web import Denied, FetchFailed, NotThere, Offline, Stopped, Web
from core.folders import CannotWrite

CONTENT = bytes(range(256)) * 400
MD5 = ("md5", hashlib.md5(CONTENT).hexdigest())


@pytest.fixture
def address(stand_in) -> str:
    stand_in.files[1] = ("file.zip", CONTENT, False)
    return f"{stand_in.address}/api/access/datafile/1"


def part_of(target):
    return target.with_name(f".{target.name}.part")


def test_a_file_comes_whole_by_a_redirect_and_without_authorisation(stand_in, web, address, tmp_path):
    seen = []
    target = web.file(
        address, tmp_path / "new" / "file.zip", len(CONTENT), MD5, lambda done, total: seen.append((done, total))
    )
    assert target.read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert [status for _, _, status in stand_in.asked] == [303, 200]
    assert not [
        h for _, headers, _ in stand_in.asked for h in headers if h in ("Authorization", "Cookie", "X-Dataverse-key")
    ]
    assert not part_of(target).exists()


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_passes_by_itself_is_waited_out(stand_in, web, address, tmp_path, status):
    stand_in.faults["datafile"] = [Fault("status", status), Fault("status", status)]
    assert web.file(address, tmp_path / "f", len(CONTENT), MD5).read_bytes() == CONTENT


@pytest.mark.parametrize("as_date", [False, True])
def test_retry_after_is_kept_to(stand_in, web, address, tmp_path, as_date):
    from email.utils import formatdate

    wished = formatdate(time.time() + 2, usegmt=True) if as_date else "1"
    stand_in.faults["datafile"] = [Fault("status", 429, {"Retry-After": wished})]
    begun = time.monotonic()
    web.file(address, tmp_path / "f", len(CONTENT), MD5)
    assert time.monotonic() - begun > 0.9


def test_a_wait_that_is_too_long_is_told(stand_in, web, address, tmp_path):
    stand_in.faults["datafile"] = [Fault("status", 429, {"Retry-After": "3600"})]
    with pytest.raises(FetchFailed, match=r"asked too often.*in 60 minutes"):
        web.file(address, tmp_path / "f", len(CONTENT), MD5)
    assert len(stand_in.asked) == 1


@pytest.mark.parametrize(("status", "kind"), [(404, NotThere), (403, Denied), (400, FetchFailed)])
def test_what_does_not_pass_is_said_at_once(stand_in, web, address, tmp_path, status, kind):
    stand_in.faults["datafile"] = [Fault("status", status)]
    with pytest.raises(kind, match=str(status)):
        web.file(address, tmp_path / "f", len(CONTENT), MD5)
    assert len(stand_in.asked) == 1


def test_a_server_that_stays_out_of_order_is_said(stand_in, web, address, tmp_path):
    stand_in.faults["datafile"] = [Fault("status", 500)] * 9
    with pytest.raises(FetchFailed, match=r"out of order \(500\)"):
        web.file(address, tmp_path / "f", len(CONTENT), MD5)
    assert len(stand_in.asked) == web.attempts


def test_a_cut_connection_is_gone_on_with_where_it_was(stand_in, web, address, tmp_path):
    stand_in.faults["/s3/"] = [Fault("cut"), Fault("cut")]
    assert web.file(address, tmp_path / "f", len(CONTENT), MD5).read_bytes() == CONTENT
    ranges = [headers.get("Range") for path, headers, _ in stand_in.asked if path.startswith("/s3/")]
    half = len(CONTENT) // 2
    assert ranges == [None, f"bytes={half}-", f"bytes={half + half // 2}-"]


def test_a_kill_in_the_middle_is_gone_on_with_by_the_next_call(stand_in, web, address, tmp_path):
    target = tmp_path / "f"
    part_of(target).write_bytes(CONTENT[:1000])
    assert web.file(address, target, len(CONTENT), MD5).read_bytes() == CONTENT
    assert stand_in.asked[-1][1]["Range"] == "bytes=1000-"


@pytest.mark.parametrize("left", [CONTENT[:-1] + b"x", CONTENT + b"more", b"other" + CONTENT[5:1000]])
def test_a_part_of_another_file_is_not_gone_on_with_for_good(stand_in, web, address, tmp_path, left):
    target = tmp_path / "f"
    part_of(target).write_bytes(left)
    assert web.file(address, target, len(CONTENT), MD5).read_bytes() == CONTENT


def test_a_part_that_no_server_knows_begins_anew(stand_in, web, address, tmp_path):
    target = tmp_path / "f"
    part_of(target).write_bytes(CONTENT + b"more")
    assert web.file(address, target).read_bytes() == CONTENT  # its size is not known: 416
    assert 416 in [status for _, _, status in stand_in.asked]


def test_a_wrong_checksum_is_fetched_once_more_and_then_refused(stand_in, web, address, tmp_path):
    stand_in.faults["/s3/"] = [Fault("wrong")]
    assert web.file(address, tmp_path / "f", len(CONTENT), MD5).read_bytes() == CONTENT
    stand_in.faults["/s3/"] = [Fault("wrong"), Fault("wrong")]
    with pytest.raises(FetchFailed, match="wrong MD5 checksum, twice"):
        web.file(address, tmp_path / "g", len(CONTENT), MD5)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["f"]


def test_another_size_than_announced_is_refused(web, address, tmp_path):
    with pytest.raises(FetchFailed, match="bytes instead of"):
        web.file(address, tmp_path / "f", len(CONTENT) - 7)
    assert not list(tmp_path.iterdir())


def test_a_web_page_is_no_file_and_no_list(stand_in, web, address, tmp_path):
    stand_in.faults["datafile"] = [Fault("html")]
    with pytest.raises(FetchFailed, match="web page instead of the file f"):
        web.file(address, tmp_path / "f")
    stand_in.faults["datasets"] = [Fault("html")]
    with pytest.raises(FetchFailed, match="web page where JSON was expected"):
        web.json(f"{stand_in.address}/api/datasets/")


def test_a_silent_server_is_given_up_in_time(stand_in, address, tmp_path):
    web = Web(wait=0.01, apart=0.0, timeout=0.1, attempts=2)
    stand_in.faults["datafile"] = [Fault("silent", seconds=0.5)] * 4
    with pytest.raises(FetchFailed, match="does not answer in time"):
        web.file(address, tmp_path / "f", len(CONTENT), MD5)


def test_a_trickle_is_asked_for_again(stand_in, address, tmp_path):
    web = Web(wait=0.01, apart=0.0, timeout=1.0, slowest=10_000, over=0.2)
    stand_in.faults["/s3/"] = [Fault("trickle", seconds=2.0)]
    begun = time.monotonic()
    # The bytes that trickled were wrong ones: the checksum tells, and the file is fetched anew.
    assert web.file(address, tmp_path / "f", len(CONTENT), MD5).read_bytes() == CONTENT
    assert time.monotonic() - begun < 1.5


def test_no_internet_is_said_at_once(web, tmp_path):
    with pytest.raises(Offline, match=r"127\.0\.0\.1:9 cannot be reached.*HTTPS_PROXY"):
        web.file("http://127.0.0.1:9/file", tmp_path / "f")


def test_a_full_disk_is_said_and_what_came_stays(stand_in, web, address, tmp_path, monkeypatch):
    target = tmp_path / "f"
    part_of(target).write_bytes(CONTENT[:1000])
    real = open

    def full(path, mode="r", *args, **kwargs):
        file = real(path, mode, *args, **kwargs)
        if mode == "ab":

            class Full:
                def __enter__(self):
                    return self

                def __exit__(self, *_):
                    file.close()

                def write(self, _):
                    raise OSError(errno.ENOSPC, "No space left on device")

            return Full()
        return file

    monkeypatch.setattr(module, "open", full, raising=False)
    with pytest.raises(CannotWrite, match="is full"):
        web.file(address, target, len(CONTENT), MD5)
    assert part_of(target).read_bytes() == CONTENT[:1000]
    monkeypatch.undo()
    assert web.file(address, target, len(CONTENT), MD5).read_bytes() == CONTENT


def test_it_can_be_stopped_while_it_waits(stand_in, address, tmp_path):
    stop = threading.Event()
    web = Web(stop=stop, apart=0.0)
    stand_in.faults["datafile"] = [Fault("status", 429, {"Retry-After": "60"})]
    threading.Timer(0.2, stop.set).start()
    begun = time.monotonic()
    with pytest.raises(Stopped):
        web.file(address, tmp_path / "f")
    assert time.monotonic() - begun < 5


def test_requests_keep_their_distance(stand_in, tmp_path):
    web = Web(apart=0.15)
    begun = time.monotonic()
    for _ in range(3):
        web.json(f"{stand_in.address}/api/v2/images/search/?query=")
    assert time.monotonic() - begun >= 0.3


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's full device")
def test_a_full_disk_is_called_so_and_not_the_internet(stand_in, web, address, tmp_path, monkeypatch):
    """As it fails at each write and again as the file is closed."""
    opened = open

    def open_full(path, mode="r", **more):
        return opened("/dev/full" if str(path).endswith(".part") and "b" in mode else path, mode, **more)

    monkeypatch.setattr("builtins.open", open_full)
    with pytest.raises(CannotWrite, match="disk of .* is full.*Make room"):
        web.file(address, tmp_path / "file.bin", len(CONTENT))
    assert len(stand_in.paths("/s3/")) == 1, "It is not asked again and again."


def test_a_redirect_that_is_followed_again_and_again_is_no_loop(stand_in, web, tmp_path):
    stand_in.files[1] = ("file.bin", CONTENT, False)
    stand_in.faults["/s3/1"] = [Fault("status", 503)] * (web.attempts - 1)
    found = web.file(f"{stand_in.address}/api/access/datafile/1", tmp_path / "file.bin", len(CONTENT))
    assert found.read_bytes() == CONTENT and len(stand_in.paths("/s3/1")) == web.attempts
