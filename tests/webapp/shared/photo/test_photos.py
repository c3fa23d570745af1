"""The folder of real photos, on drawn ones."""

import shutil

import pytest
from streamlit.testing.v1 import AppTest

from core.data.ham10000 import InvalidDataset
from core.webapp.shared.photo.folder import archive_link, read_folder


def page():
    import streamlit as st

    from core.webapp.shared.photo.folder import ask_folder, find_mask, find_photo, load_photo

    ask_folder()
    image_id = "ISIC_9000000"
    photo = load_photo(image_id)
    st.write(f"photo {find_photo(image_id)} mask {find_mask(image_id)} size {photo and photo.size}")


@pytest.fixture
def run(monkeypatch):
    def run(folder=""):
        monkeypatch.setenv("HAM10000_DIR", str(folder))
        return AppTest.from_function(page, default_timeout=60).run()

    return run


def test_a_folder_maps_photos_and_masks(drawn_folder):
    found = read_folder(drawn_folder)
    assert len(found.paths) == len(found.masks) == 75 and found.paths["ISIC_9000000"].endswith("ISIC_9000000.jpg")
    assert archive_link("ISIC_9000000").endswith("/ISIC_9000000/")


def test_a_folder_with_metadata_alone_says_that_the_photos_are_missing(drawn_folder, tmp_path):
    shutil.copy(drawn_folder / "HAM10000_metadata.csv", tmp_path)
    with pytest.raises(InvalidDataset, match="none of the photos"):
        read_folder(tmp_path)


def test_the_variable_names_the_folder(run, drawn_folder):
    app = run(drawn_folder)
    assert not app.exception and not app.error
    assert "ISIC_9000000.jpg" in app.markdown[0].value and "120 x 90 pixels" in app.markdown[0].value


def test_a_person_chooses_a_folder_and_the_session_remembers_it(run, drawn_folder, tmp_path):
    app = run()
    assert not app.exception and "photo None mask None size None" in app.markdown[0].value
    app.text_input[0].set_value(str(tmp_path / "nowhere")).run()
    assert "cannot be used" in app.error[0].value and "data check" in app.error[0].value
    app.text_input[0].set_value(str(drawn_folder)).run()
    assert not app.exception and not app.error and "120 x 90 pixels" in app.markdown[0].value
    app.run()
    assert "120 x 90 pixels" in app.markdown[0].value
    app.text_input[0].set_value("").run()
    assert not app.error and "photo None" in app.markdown[0].value


@pytest.mark.parametrize("folder", ["~nobody-of-this-name/photos", "/tmp/a\0b", "/proc/1/fd", "a" * 5000, "\udcff"])
def test_a_folder_that_cannot_be_is_a_sentence(run, monkeypatch, folder):
    app = run()
    app.text_input[0].set_value(folder.encode("utf-8", "replace").decode()).run()
    assert not app.exception and "cannot be used" in app.error[0].value
    from core.webapp.shared.photo import folder as photos

    assert photos.open_folder(folder)[1].endswith("says what is missing.")


@pytest.mark.parametrize("table", ["", "password,secret\nhunter2,x\n", "image_id,dx\nhunter2,wart\n"])
def test_what_lies_in_a_folder_is_not_told_to_visitors(run, tmp_path, table):
    (tmp_path / "secret-plan.txt").write_text("x")
    (tmp_path / "private").mkdir()
    if table:
        (tmp_path / "HAM10000_metadata.csv").write_text(table)
    app = run()
    app.text_input[0].set_value(str(tmp_path)).run()
    said = " ".join(e.value for e in (*app.error, *app.markdown, *app.caption))
    assert app.error and not {
        w for w in ("secret", "private", "hunter2", "wart") if w in said.replace(str(tmp_path), "")
    }


def test_a_look_up_asks_for_a_handful_of_files_and_sees_every_change(run, drawn_folder, tmp_path, monkeypatch):
    import os

    from core.webapp.shared.photo import folder as photos

    folder = shutil.copytree(drawn_folder, tmp_path / "copy")
    found, problem = photos.open_folder(str(folder))
    assert not problem and len(found.paths) == 75
    asked, real = [], os.stat
    monkeypatch.setattr(os, "stat", lambda *a, **k: asked.append(a) or real(*a, **k))
    assert photos.open_folder(str(folder))[0] is found and len(asked) < 12 < len(found.paths)
    monkeypatch.undo()
    first = next(iter(found.paths))
    os.unlink(found.paths[first])
    assert first not in photos.open_folder(str(folder))[0].paths
    source = next(folder.glob("*.csv"))
    lines = source.read_text().splitlines(keepends=True)
    source.write_text("".join(lines[:-3]))
    os.utime(source, ns=(1, 1))
    assert len(photos.open_folder(str(folder))[0].paths) < 74
