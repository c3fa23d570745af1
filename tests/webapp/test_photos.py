"""The folder of real photos, on drawn ones."""

import shutil

import pytest
from streamlit.testing.v1 import AppTest

from core.data.ham10000 import InvalidDataset
from core.webapp.photos import archive_link, read_folder


def page():
    import streamlit as st

    from core.webapp.photos import ask_folder, find_mask, find_photo, load_photo

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
    app.text_input[0].set_value(str(tmp_path)).run()
    assert "has no HAM10000" in app.error[0].value and "found: nothing" in app.error[0].value
    app.text_input[0].set_value(str(tmp_path / "nowhere")).run()
    assert "is not a folder" in app.error[0].value
    app.text_input[0].set_value(str(drawn_folder)).run()
    assert not app.exception and not app.error and "120 x 90 pixels" in app.markdown[0].value
    app.run()
    assert "120 x 90 pixels" in app.markdown[0].value
    app.text_input[0].set_value("").run()
    assert not app.error and "photo None" in app.markdown[0].value
