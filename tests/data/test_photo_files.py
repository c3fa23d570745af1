"""Photos are found wherever they lie below the folder, and never exchanged for other pictures of their names."""

import os
import shutil

import numpy as np
import pytest
from PIL import Image

from core.data.ham10000 import InvalidDataset, read_dataset, read_table
from core.data.tables.findings import list_findings

PARTS = ("HAM10000_images_part_1", "HAM10000_images_part_2")


@pytest.fixture
def folder(drawn_folder, tmp_path):
    return shutil.copytree(drawn_folder, tmp_path / "ham")


def draw_maps(folder, place, suffix=".jpg"):
    """Other pictures of the photos' names: the photos inverted."""
    (folder / place).mkdir(parents=True, exist_ok=True)
    for photo in [p for part in PARTS for p in (folder / part).iterdir()]:
        picture = 255 - np.asarray(Image.open(photo))
        Image.fromarray(picture).save(folder / place / (photo.stem + suffix))


def in_parts(table):
    return all(os.path.basename(os.path.dirname(path)) in PARTS for path in table.path)


def test_heatmaps_beside_the_photos_are_named_and_not_taken(cases):
    data = read_dataset(cases / "same_stem_heatmaps")
    assert len(data.table) == 28 and in_parts(data.table)
    wrong = [f.sentence for f in list_findings(data) if f.wrong]
    assert len(wrong) == 1 and "28 photos share their names" in wrong[0] and "Move GradCAM out" in wrong[0]


@pytest.mark.parametrize(
    ("place", "suffix"),
    [
        ("Attention maps", ".png"),
        ("A_masks", ".png"),
        ("zz_overlay", ".jpg"),
        ("results/gradcam", ".jpg"),
        ("aaa", ".jpg"),
    ],
)
def test_pictures_made_of_photos_never_pass_for_them(folder, place, suffix):
    draw_maps(folder, place, suffix)
    data = read_dataset(folder)
    assert in_parts(data.table) and len(data.clashes) == 75
    assert any(f.wrong and place.split("/")[0] in f.text for f in list_findings(data))


@pytest.mark.parametrize("place", ["GradCAM", "results/attention", "aaa"])
def test_a_heatmap_never_stands_in_for_a_photo_that_is_missing(folder, place):
    draw_maps(folder, place)
    absent = {photo.stem for photo in (folder / PARTS[1]).iterdir()}
    shutil.rmtree(folder / PARTS[1])
    data = read_dataset(folder)
    assert set(data.table.image_id[data.table.path == ""]) == absent
    assert in_parts(data.table[data.table.path != ""])
    said = [f.text for f in list_findings(data) if f.wrong and "missing photos" in f.text]
    assert len(said) == 1 and f"names in {place} are not the photos" in said[0]


def test_photos_that_lie_in_one_folder_only_are_taken_whatever_it_is_called(folder):
    for part in PARTS:
        (folder / part).rename(folder / f"resized_{part[-1]}")
    assert (read_table(folder).path != "").all()


def test_smaller_copies_stand_in_for_photos_that_are_missing(folder):
    (folder / "copies").mkdir()
    for part in PARTS:
        for photo in (folder / part).iterdir():
            Image.open(photo).resize((60, 45)).save(folder / "copies" / photo.name)
    shutil.rmtree(folder / PARTS[1])
    assert (read_table(folder).path != "").all()


def test_pictures_that_nothing_tells_apart_are_refused_by_name(folder):
    draw_maps(folder, "images")
    with pytest.raises(InvalidDataset, match="name of two pictures.*Move the folder"):
        read_table(folder)


def test_a_copy_of_the_photos_is_no_clash(folder):
    shutil.copytree(folder / PARTS[0], folder / "images")
    data = read_dataset(folder)
    assert not data.clashes and not any(f.wrong for f in list_findings(data))


def test_smaller_copies_are_said_and_not_taken(folder):
    (folder / "small").mkdir()
    for photo in (folder / PARTS[0]).iterdir():
        Image.open(photo).resize((60, 45)).save(folder / "small" / photo.name)
    data = read_dataset(folder)
    assert in_parts(data.table)
    findings = [f for f in list_findings(data) if "small" in f.text]
    assert [f.wrong for f in findings] == [False]


def test_photos_in_a_doubled_folder_are_found(cases, folder):
    data = read_dataset(cases / "doubled_folder")
    assert (data.table.path != "").all()
    assert any("HAM10000_images_part_1/HAM10000_images_part_1" in f.text for f in list_findings(data))
    (folder / "HAM10000_images").mkdir()
    for part in PARTS:
        (folder / part).rename(folder / "HAM10000_images" / part)
    assert (read_table(folder).path != "").all()


def test_a_packed_folder_is_named_with_its_mend(folder):
    shutil.make_archive(str(folder / PARTS[0]), "zip", folder / PARTS[0])
    shutil.rmtree(folder / PARTS[0])
    missing = next(f for f in list_findings(read_dataset(folder)) if "missing photos" in f.text)
    assert (
        missing.wrong and f"Still packed: {PARTS[0]}.zip. Unpack it into" in missing.text and len(missing.items) == 38
    )


def test_photos_without_a_row_are_counted_and_said(cases):
    data = read_dataset(cases / "photos_without_row")
    assert len(data.table) == 10 and len(data.without_row) == 18
    assert any(f.wrong and f.text.startswith("18 photos without a row") for f in list_findings(data))


def test_hidden_files_masks_and_left_out_photos_are_not_without_a_row(folder):
    (folder / PARTS[0] / "._ISIC_1.jpg").write_bytes(b"x")
    (folder / "__MACOSX").mkdir()
    (folder / "__MACOSX" / "ISIC_2.jpg").write_bytes(b"x")
    table = folder / "HAM10000_metadata.csv"
    table.write_text(table.read_text().replace(",vasc,", ",scc,"))
    data = read_dataset(folder)
    assert not data.without_row and set(data.rows.left_out) == {"scc"}


def test_letter_case_and_links_do_not_hide_photos(folder, tmp_path):
    (folder / PARTS[0]).rename(tmp_path / "elsewhere")
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    (folder / PARTS[1] / "loop").symlink_to(folder)
    for photo in list((tmp_path / "elsewhere").iterdir()):
        photo.rename(photo.with_name(photo.stem.lower() + ".JPG"))
    data = read_dataset(folder)
    assert (data.table.path != "").all() and not data.without_row
