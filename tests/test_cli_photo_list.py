"""`read FOLDER` reads what it can, and names the rest with the reason."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from core.__main__ import app
from core.data.drawn import draw_lesion
from core.data.photo_list import SHOWN_LINES, list_photos


def run(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.fromarray(draw_lesion("mel", (120, 90), 0)[0]).save(folder / "a.jpg")
    return folder


def test_a_mixed_folder(cases, drawn_bundle_folder):
    result = run("read", cases / "mixed_folder", "--model", drawn_bundle_folder, "--json")
    assert result.exit_code == 0, result.stderr
    readings = json.loads(result.stdout)
    assert [Path(r["photo"]).name for r in readings] == ["IMG_2020.HEIC", "a.jpg", "b.HEIC", "c.jfif", "lesion.dcm"]
    assert all("probabilities" in r for r in readings)


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("notes.txt", b"which photos are these?", "text, not a photo"),
        ("scan.pdf", b"%PDF-1.7", "a PDF document"),
        ("clip.mov", b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", "a video"),
        ("table.csv", b"image_id,dx\n", "text, not a photo"),
        ("photos.zip", b"PK\x03\x04", "a ZIP archive, which is not read. Unpack it"),
        ("nothing", b"", "empty"),
        ("blob", bytes(range(256)), "not a photo in a known format"),
    ],
)
def test_what_is_no_photo_is_named_with_the_reason(folder, name, content, why):
    (folder / name).write_bytes(content)
    found = list_photos([folder])
    assert [p.name for p in found.paths] == ["a.jpg"]
    assert len(found.skipped) == 1 and found.skipped[0].startswith(f"{name}: {why}")


def test_folders_and_lost_links_are_named_and_clutter_is_not(folder):
    (folder / "inner").mkdir()
    (folder / "lost").symlink_to(folder / "gone")
    for clutter in (".DS_Store", "._a.jpg", "Thumbs.db", "desktop.ini"):
        (folder / clutter).write_bytes(b"x")
    assert [line.split(":")[0] for line in list_photos([folder]).skipped] == ["inner", "lost"]


def test_a_photo_under_another_name_is_read(folder):
    shutil.copy(folder / "a.jpg", folder / "without_suffix")
    shutil.copy(folder / "a.jpg", folder / "photo.dat")
    assert len(list_photos([folder]).paths) == 3


def test_a_folder_without_photos_says_what_it_holds(tmp_path):
    (tmp_path / "part_1").mkdir()
    with pytest.raises(ValueError, match=r"holds no photos.*part_1: a folder. To read what is in it, name it"):
        list_photos([tmp_path])


def test_many_skipped_files_are_counted(folder):
    for number in range(SHOWN_LINES + 7):
        (folder / f"{number:02d}.txt").write_text("text")
    lines = list_photos([folder]).skipped_lines()
    assert len(lines) == SHOWN_LINES + 1 and lines[-1] == "Skipped 7 more files."


def test_what_was_named_and_not_read_fails(folder, measured_bundle_folder, tmp_path):
    from core.trust.measures.drawings import draw_document

    ask = ["--model", measured_bundle_folder, "--no-jury", "--json"]
    Image.fromarray(draw_document(np.random.default_rng(5))).save(folder / "letter.png")
    (folder / "notes.txt").write_text("text")
    assert run("read", folder, *ask).exit_code == 0
    named = run("read", folder / "a.jpg", folder / "letter.png", *ask)
    assert named.exit_code == 1 and "1 of the photos that were named was refused by the gate" in named.stderr
    for name in ("letter.png", "notes.txt"):
        assert run("read", folder / name, *ask).exit_code == 1
    assert run("read", folder / "letter.png", *ask, "--force").exit_code == 0


def test_a_warning_among_many_photos_says_why(folder, measured_bundle_folder, tmp_path):
    Image.open(folder / "a.jpg").convert("L").save(folder / "grey.png")
    result = run("read", folder, "--model", measured_bundle_folder, "--no-jury", "--out", tmp_path / "out")
    assert "grey.png: " in result.stdout and "The photo has no colours: it is grey" in result.stdout
