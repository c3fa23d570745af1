"""All of HAM10000 from the Dataverse: checked, unpacked, gone on with, and then read by the loader."""

import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from stand_in_archive import Fault, fill_dataverse, jpeg, zipped

from core.archive import dataverse
from core.archive.dataverse import STATE_FILE, get_dataset
from core.archive.unpack import UnsafeZip, unpack_photos
from core.archive.web import FetchFailed
from core.data.ham10000 import read_dataset, read_table
from core.data.photo_files import TEST_FOLDER
from core.data.tables.folder_check import check_folder
from core.folders import CannotWrite

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def published(stand_in, drawn_folder):
    fill_dataverse(stand_in, drawn_folder)
    return stand_in


def test_all_of_it_passes_the_loader(published, web, tmp_path, drawn_folder):
    seen = []
    counts = get_dataset(tmp_path, web=web, progress=lambda done, total, doing: seen.append(doing))
    whole = read_table(drawn_folder)
    assert sum(counts[f"HAM10000_images_part_{n}"] for n in (1, 2)) == len(whole)
    checked = check_folder(tmp_path)
    assert checked.ok, checked.problems
    assert checked.photos == checked.masks == len(whole)
    test = read_dataset(tmp_path / TEST_FOLDER)
    assert list(test.table.dx) == ["nv", "mel", "bcc", "df"]
    assert (test.table.path != "").all()
    assert not test.without_row
    # The table as it was given, and not as the Dataverse writes it again.
    assert (tmp_path / "HAM10000_metadata.csv").read_bytes() == (drawn_folder / "HAM10000_metadata.csv").read_bytes()
    assert not list(tmp_path.rglob("*.zip"))
    assert {"Fetching HAM10000_images_part_1.zip", "Unpacking HAM10000_images_part_1.zip"} <= set(seen)
    assert not published.paths("datafile/7")  # what nobody needs


def test_the_official_test_can_be_left_out(published, web, tmp_path):
    get_dataset(tmp_path, test=False, web=web)
    assert not (tmp_path / TEST_FOLDER).exists()


def test_what_is_done_is_not_done_again(published, web, tmp_path):
    get_dataset(tmp_path, web=web)
    before = len(published.paths("datafile"))
    get_dataset(tmp_path, web=web)
    assert len(published.paths("datafile")) == before
    lost = next((tmp_path / "HAM10000_images_part_1").iterdir())
    lost.unlink()
    get_dataset(tmp_path, web=web)
    assert lost.is_file()
    assert len(published.paths("datafile")) == before + 1


def test_a_fault_in_the_middle_keeps_what_is_done(published, web, tmp_path):
    published.faults["datafile/3"] = [Fault("status", 500)] * web.attempts
    with pytest.raises(FetchFailed, match="out of order"):
        get_dataset(tmp_path, web=web)
    assert set(json.loads((tmp_path / STATE_FILE).read_text())) == {"HAM10000_metadata.csv", "HAM10000_images_part_1"}
    get_dataset(tmp_path, web=web)
    assert check_folder(tmp_path).ok
    assert len(published.paths("datafile/2")) == 1


def test_a_wrong_checksum_is_refused(published, web, tmp_path):
    published.sums[2] = "0" * 32
    with pytest.raises(FetchFailed, match=r"HAM10000_images_part_1\.zip came .* wrong MD5 checksum, twice"):
        get_dataset(tmp_path, web=web)
    assert not (tmp_path / "HAM10000_images_part_1").exists()


def test_a_data_set_that_lacks_a_file_is_told(published, web, tmp_path):
    del published.files[3]
    with pytest.raises(FetchFailed, match="lists no HAM10000_images_part_2"):
        get_dataset(tmp_path, web=web)


@pytest.mark.parametrize(
    "answer", [{"data": {}}, [], {"data": {"latestVersion": {"files": [{"dataFile": {"id": 1}}]}}}]
)
def test_another_form_of_list_is_told(published, web, tmp_path, monkeypatch, answer):
    monkeypatch.setattr(published, "listing", lambda: answer)
    with pytest.raises(FetchFailed, match="Update Melascope, or download them by hand"):
        get_dataset(tmp_path, web=web)


def test_too_small_a_disk_is_told_before_anything_is_fetched(published, web, tmp_path, monkeypatch):
    monkeypatch.setattr(
        dataverse.shutil, "disk_usage", lambda _: os.terminal_size((0, 0)) and type("Usage", (), {"free": 10})
    )
    with pytest.raises(CannotWrite, match=r"needs 0\.0 GB"):
        get_dataset(tmp_path, web=web)
    assert not published.paths("datafile")


@pytest.mark.slow
def test_a_killed_command_goes_on_where_it_was(published, tmp_path, drawn_folder):
    def command():
        return subprocess.Popen(
            [sys.executable, "-m", "core", "data", "get", str(tmp_path / "ham"), "--no-test"],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    published.faults["/s3/3"] = [Fault("trickle", seconds=60)]
    first = command()
    end = time.monotonic() + 60
    part = tmp_path / "ham" / ".HAM10000_images_part_2.zip.part"
    while not (part.is_file() and part.stat().st_size) and time.monotonic() < end:
        time.sleep(0.05)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    content = published.files[3][1]
    part.write_bytes(content[: part.stat().st_size])  # the trickle's bytes were none of the file
    said, errors = command().communicate(timeout=60)
    assert f"{len(read_table(drawn_folder))} of {len(read_table(drawn_folder))} photos" in said.replace(",", ""), errors
    assert "Range" in [headers for path, headers, _ in published.asked if path.startswith("/s3/3")][-1]
    assert len(published.paths("datafile/2")) == 1


# ---- unpacking ----


def packed(tmp_path, entries) -> Path:
    path = tmp_path / "photos.zip"
    path.write_bytes(entries if isinstance(entries, bytes) else zipped(entries))
    return path


def test_photos_are_unpacked_without_their_folder_and_without_clutter(tmp_path):
    entries = {
        "top/a.jpg": b"1",
        "top/b.JPG": b"2",
        "top/read me.txt": b"3",
        "top/.c.jpg": b"4",
        "__MACOSX/top/._a.jpg": b"5",
    }
    assert unpack_photos(packed(tmp_path, entries), tmp_path / "out") == 2
    assert sorted(path.name for path in (tmp_path / "out").rglob("*")) == ["a.jpg", "b.JPG"]


@pytest.mark.parametrize(
    "name", ["../a.jpg", "x/../../a.jpg", "/etc/a.jpg", "C:\\a.jpg", "..\\a.jpg", "x/C:/a.jpg"], ids=lambda name: name
)
def test_an_entry_that_leads_out_of_the_folder_is_refused(tmp_path, name):
    archive = packed(tmp_path, {"fine.jpg": b"1", name: b"2"})
    with pytest.raises(UnsafeZip, match="leads out of the folder"):
        unpack_photos(archive, tmp_path / "below" / "out")
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["photos.zip"]


def test_a_link_is_refused(tmp_path):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        link = zipfile.ZipInfo("a.jpg")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(UnsafeZip, match="leads out of the folder"):
        unpack_photos(packed(tmp_path, file.getvalue()), tmp_path / "out")


def test_a_bomb_is_refused_before_anything_is_written(tmp_path):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.jpg", bytes(30_000_000))
    with pytest.raises(UnsafeZip, match="would unpack to 30 MB"):
        unpack_photos(packed(tmp_path, file.getvalue()), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_zip_that_lies_about_its_sizes_writes_no_more_than_it_said(tmp_path):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.jpg", bytes(5_000_000))
    lying = file.getvalue().replace((5_000_000).to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    with pytest.raises(UnsafeZip):
        unpack_photos(packed(tmp_path, lying), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        (b"<html>", "no whole zip file"),
        (zipped({"a.jpg": jpeg()})[:-30], "no whole zip file"),
        ({"read me.txt": b"1"}, "holds no photo"),
        ({"a.jpg": b"1", "A.JPG": b"2"}, "twice"),
    ],
)
def test_what_is_no_zip_of_photos_is_refused(tmp_path, entries, words):
    with pytest.raises(UnsafeZip, match=words):
        unpack_photos(packed(tmp_path, entries), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_damaged_photo_leaves_the_folder_as_it_was(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old.jpg").write_bytes(b"old")
    whole = zipped({"a.jpg": b"a" * 1000})
    with pytest.raises(UnsafeZip):
        unpack_photos(packed(tmp_path, whole.replace(b"aaaa", b"abba", 1)), tmp_path / "out")
    assert (tmp_path / "out" / "old.jpg").read_bytes() == b"old"
