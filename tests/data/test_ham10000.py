"""A HAM10000 folder is read whole, and what is wrong with it is said."""

import hashlib
import shutil
from pathlib import Path

import pytest

from core.data.ham10000 import METADATA_FILE, InvalidDataset, class_indices, read_dataset, read_table
from core.data.split import split_table
from core.data.tables.folder_check import check_folder
from core.diagnoses import CODES


@pytest.fixture
def folder(drawn_folder, tmp_path):
    return shutil.copytree(drawn_folder, tmp_path / "ham")


def rewrite(folder, change):
    path = folder / METADATA_FILE
    path.write_text(change(path.read_text()))


def test_every_row_has_its_photo_and_mask(drawn_folder):
    table = read_table(drawn_folder)
    assert len(table) == 75 and table.lesion_id.nunique() == 56
    assert (table.path != "").all() and (table["mask"] != "").all()
    assert set(class_indices(table)) == set(range(7))


def test_unknown_facts_stay(drawn_folder):
    table = read_table(drawn_folder)
    assert table.age.isna().any() and (table.sex == "unknown").any() and (table.localization == "unknown").any()


def test_seven_columns_and_a_single_photo_folder(folder):
    rewrite(folder, lambda text: "\n".join(line.rsplit(",", 1)[0] for line in text.splitlines()))
    for photo in (folder / "HAM10000_images_part_2").iterdir():
        photo.rename(folder / "HAM10000_images_part_1" / photo.name)
    (folder / "HAM10000_images_part_2").rmdir()
    (folder / "HAM10000_images_part_1").rename(folder / "photos")
    shutil.rmtree(folder / "HAM10000_segmentations_lesion_tschandl")
    table = read_table(folder)
    assert (table.dataset == "unknown").all() and (table.path != "").all() and (table["mask"] == "").all()


def test_without_lesion_ids_each_photo_is_its_own_lesion(folder):
    rewrite(folder, lambda text: "\n".join(line.split(",", 1)[1] for line in text.splitlines()))
    table = read_table(folder)
    assert (table.lesion_id == table.image_id).all()


def test_a_whole_folder_checks_out(drawn_folder):
    check = check_folder(drawn_folder)
    assert check.ok and check.photos == 75 and check.masks == 75
    assert sum(check.per_class.values()) == 75 and tuple(check.per_class) == CODES
    assert check.missing_facts["age"] > 0


def test_missing_and_unreadable_photos_are_listed(folder):
    first, second = sorted((folder / "HAM10000_images_part_1").iterdir())[:2]
    first.unlink()
    second.write_bytes(b"")
    check = check_folder(folder)
    assert not check.ok
    assert check.missing_photos == (first.stem,)
    assert len(check.unreadable) == 1 and second.stem in check.unreadable[0]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: text.replace(",mel,", ",melanom,"), "unknown dx"),
        (lambda text: text + text.splitlines()[-1] + "\n", "more than once"),
        (lambda text: text.replace("image_id", "picture"), "lacks the columns"),
        (lambda text: text.splitlines()[0] + "\n", "no rows"),
    ],
)
def test_unusable_metadata_is_a_clear_error(folder, change, words):
    rewrite(folder, change)
    with pytest.raises(InvalidDataset, match=words):
        read_table(folder)


def test_an_impossible_age_names_its_row(folder):
    def change(text):
        lines = text.splitlines()
        fields = lines[1].split(",")
        fields[4] = "430"
        return "\n".join([lines[0], ",".join(fields), *lines[2:]])

    rewrite(folder, change)
    with pytest.raises(InvalidDataset, match="ISIC_9000000='430'"):
        read_table(folder)


def test_an_empty_folder_says_what_was_found(tmp_path):
    (tmp_path / "holiday.jpg").write_bytes(b"x")
    with pytest.raises(InvalidDataset, match=r"holiday\.jpg"):
        read_table(tmp_path)
    with pytest.raises(InvalidDataset, match="not a folder"):
        read_table(tmp_path / "nowhere")


def test_a_lesion_with_two_diagnoses_is_a_problem(folder):
    rewrite(folder, lambda text: text.replace("ISIC_9000000,akiec", "ISIC_9000000,nv"))
    assert any("different diagnoses" in p for p in check_folder(folder).problems)


def test_a_table_in_a_folder_of_its_own_is_found(folder):
    inner = folder / "HAM10000_metadata"
    inner.mkdir()
    (folder / METADATA_FILE).rename(inner / METADATA_FILE)
    assert (read_table(folder).path != "").all()


def test_a_folder_within_its_own_name_is_found(drawn_folder, tmp_path):
    shutil.copytree(drawn_folder, tmp_path / "ham" / "ham")
    table = read_table(tmp_path / "ham")
    assert (table.path != "").all() and (table["mask"] != "").all()


def test_another_table_beside_the_metadata_does_not_matter(folder):
    (folder / "predictions.csv").write_text("image_id,dx\nISIC_1,nv\n")
    assert len(read_table(folder)) == 75


def test_two_tables_that_might_be_meant_are_named(folder):
    text = (folder / METADATA_FILE).read_text()
    (folder / METADATA_FILE).unlink()
    for name in ("train.csv", "test.csv"):
        (folder / name).write_text(text)
    with pytest.raises(InvalidDataset, match=r"2 tables.*test\.csv, train\.csv.*HAM10000_metadata\.csv"):
        read_table(folder)
    (folder / "test.csv").unlink()
    assert read_dataset(folder).source.name == "train.csv"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("HAM10000_metadata.xlsx", "Excel workbook.*CSV UTF-8"),
        ("HAM10000_metadata.ods", "CSV UTF-8"),
        ("dataverse_files.zip", "still packed. Unpack"),
    ],
)
def test_a_workbook_or_an_archive_instead_of_the_table_is_named_with_its_mend(tmp_path, name, words):
    (tmp_path / name).write_bytes(b"PK\x03\x04")
    with pytest.raises(InvalidDataset, match=words):
        read_table(tmp_path)


@pytest.mark.photos
def test_the_real_folder(ham10000):
    table = read_table(ham10000)
    assert len(table) == 10015 and table.lesion_id.nunique() == 7470
    assert int(table.age.isna().sum()) == 57
    assert table.dx.value_counts()[list(CODES)].tolist() == [327, 514, 1099, 115, 1113, 6705, 142]
    assert (table.path != "").all() and (table["mask"] != "").all()
    # As it was before other tables were read; cards hold hashes of splits of it.
    words = table.drop(columns=["path", "mask"]).to_csv(index=False)
    assert hashlib.sha256(words.encode()).hexdigest().startswith("de17ec44cb25ea9c")
    for column, start in (("path", "3c9fbc95a4468e27"), ("mask", "81783a41f20cb44c")):
        places = "\n".join(Path(p).relative_to(ham10000).as_posix() for p in table[column])
        assert hashlib.sha256(places.encode()).hexdigest().startswith(start)
    assert split_table(table).hash.startswith("c2a1e90de506b34a")
    assert split_table(table, "paper").hash.startswith("09138e3f817538ce")
