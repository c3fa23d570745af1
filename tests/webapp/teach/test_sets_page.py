"""Case sets on their page: made from a table, opened from a file, and files that are none."""

import hashlib
import io

import numpy as np
import pytest
from made_up import write_made_up_model
from PIL import Image
from teach_pages import press, words

from core.teaching.case_sets.file import read_case_set, write_case_set


@pytest.fixture
def sets(teacher):
    def open_section(how="A table", **further):
        page = teacher(section="Case sets", **further)
        page.button_group(key="make how").set_value(how)
        return page.run()

    return open_section


def test_a_table_becomes_a_set_that_the_other_sections_offer(sets, teacher):
    table = b"image_id,dx,why\nISIC_9000000,mel,Blue veil\nISIC_9000002,nv,\n"
    page = sets()
    next(field for field in page.text_input if field.label == "Title of the set").input("Mine & <b>yours</b>")
    page.file_uploader[0].upload("table.csv", table, "text/csv")
    page.run()
    press(page, "Make the set")
    assert "2 cases. It can be chosen in the other sections." in words(page) and not page.exception
    made = page.session_state["own case sets"]["Mine & <b>yours</b>"]
    assert read_case_set(write_case_set(made)) == made
    page.button_group(key="section").set_value("Class")
    page.run()
    offered = next(box for box in page.selectbox if box.label == "Case set").options
    assert "Mine & <b>yours</b> (2 cases)" in offered


@pytest.mark.parametrize("table", [b"", b"a,b\n1,2\n", b"image_id,dx\nISIC_1,freckle\n", b"\xff\xfe\x00"])
def test_a_table_that_is_none_is_a_sentence_and_makes_nothing(sets, table):
    page = sets()
    page.file_uploader[0].upload("table.csv", table, "text/csv")
    page.run()
    press(page, "Make the set")
    assert page.error and not page.exception
    assert not page.session_state["own case sets"]


@pytest.mark.parametrize(
    "content",
    [b"{", b"[]", b'{"format": "melascope-study"}', b"\x00" * 50, b'{"format": "melascope-cases", "version": 99}'],
)
def test_a_foreign_case_file_is_a_sentence_and_the_choice_stays(teacher, content):
    page = teacher(section="Class")
    before = next(box for box in page.selectbox if box.label == "Case set").value
    page.file_uploader(key="set file class").upload("set.json", content, "application/json")
    page.run()
    assert page.error and not page.exception
    assert next(box for box in page.selectbox if box.label == "Case set").value == before


def test_a_set_from_a_file_is_chosen_at_once(teacher, lesion_pair):
    page = teacher(section="Class")
    page.file_uploader(key="set file class").upload("mine.cases.json", write_case_set(lesion_pair), "application/json")
    page.run()
    assert not page.exception and page.selectbox(key="case set class").value == f"own {lesion_pair.title}"
    assert "Melanomas and nevi (4 cases)" in page.selectbox(key="case set class").options


def test_photos_that_were_removed_are_named_with_a_way_to_get_them(teacher, lesion_pair, tmp_path, monkeypatch):
    monkeypatch.setenv("HAM10000_DIR", str(tmp_path))
    page = teacher(own=lesion_pair, section="Class")
    next(box for box in page.selectbox if box.label == "Case set").set_value(f"own {lesion_pair.title}")
    page.run()
    assert all(case.id[-7:] in words(page).split("Missing: ")[1] for case in lesion_pair.cases) and not page.exception
    assert "Folder with the photos, on the computer that runs Melascope" in [f.label for f in page.text_input]


def test_ticked_held_out_photos_become_a_set_in_the_order_of_ticking(sets, tmp_path, monkeypatch):
    write_made_up_model(tmp_path / "shelf", "MadeUp")
    monkeypatch.setenv("MELASCOPE_WEIGHTS", str(tmp_path / "shelf"))
    page = sets("Held-out photos")
    page.selectbox(key="gallery truth").set_value("nv").run()
    page.selectbox(key="gallery answer").set_value("mel").run()
    shown = page.dataframe[0].value
    assert len(shown) >= 2 and set(shown.dx) == {"nv"} and set(shown.said) == {"mel"}
    assert shown.sure.is_monotonic_decreasing
    assert next(button for button in page.button if button.label == "Make the set").disabled
    page.session_state["gallery rows"] = {"selection": {"rows": [1, 0], "columns": [], "cells": []}}
    page.run()
    assert "2 chosen of" in words(page)
    press(page, "Make the set")
    assert not page.exception and "2 cases. It can be chosen in the other sections." in words(page)
    (made,) = page.session_state["own case sets"].values()
    assert [case.id for case in made.cases] == [shown.image_id[1], shown.image_id[0]]
    assert all(case.truth == "nv" and "MadeUp said melanoma" in case.why for case in made.cases)


def test_a_shelf_without_an_evaluation_has_no_held_out_photos_and_says_so(sets):
    page = sets("Held-out photos")
    assert "No network here has an evaluation" in words(page) and not page.exception


def _photo(shade: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.full((60, 80, 3), shade, np.uint8)).save(file, "JPEG")
    return file.getvalue()


def test_own_photos_become_a_set_that_knows_neither_their_names_nor_their_bytes(sets):
    photos = [_photo(90), _photo(160)]
    page = sets("Own photos")
    page.file_uploader(key="own photos").set_value(
        [("Jane Doe 1.jpg", photos[0], "image/jpeg"), ("Jane Doe 2.jpg", photos[1], "image/jpeg")]
    )
    page.run()
    next(field for field in page.text_input if field.label == "Attribution").input("A clinic")
    press(page, "Make the set")
    assert not page.exception and not page.error
    (made,) = page.session_state["own case sets"].values()
    assert [case.sha256 for case in made.cases] == [hashlib.sha256(photo).hexdigest() for photo in photos]
    saved = write_case_set(made)
    assert b"Jane" not in saved and b"A clinic" in saved and len(saved) < len(photos[0]) * 4


def test_an_own_photo_that_is_none_is_a_sentence_and_makes_nothing(sets):
    page = sets("Own photos")
    page.file_uploader(key="own photos").upload("mole.jpg", b"not a photo", "image/jpeg")
    page.run()
    press(page, "Make the set")
    assert page.error and not page.exception and not page.session_state["own case sets"]
