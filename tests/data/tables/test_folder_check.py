"""One list says what is the matter with a folder, whichever command asks."""

import pytest

from core.data.ham10000 import METADATA_FILE, InvalidDataset, read_dataset, read_table
from core.data.split import LesionsUnknown, lesions_unknown, split_from_json, split_table
from core.data.tables.findings import list_findings
from core.data.tables.folder_check import check_folder, require_trainable

HEADER = "lesion_id,image_id,dx,age,sex,localization\n"


def write(folder, *rows):
    (folder / METADATA_FILE).write_text(HEADER + "\n".join(rows) + "\n")
    return folder


def said(folder, wrong=None):
    return [f.sentence for f in list_findings(read_dataset(folder)) if wrong is None or f.wrong is wrong]


def test_lesion_ids_of_missing_value_words(cases):
    check = check_folder(cases / "lesion_id_NA")
    assert check.photos == check.photos_without_lesion == 28 and not check.ok
    assert any("none of 28 photos has a lesion_id" in p and "--split paper" in p for p in check.problems)
    table = read_table(cases / "lesion_id_NA")
    with pytest.raises(LesionsUnknown, match=r"28 of 28 photos.*--split paper.*leaky"):
        split_table(table)
    assert split_table(table, "paper").leaky


def test_sexes_of_one_letter(cases):
    check = check_folder(cases / "sex_MF")
    assert check.ok and set(read_table(cases / "sex_MF").sex) == {"female", "male", "unknown"}


def test_one_diagnosis_only(cases):
    check = check_folder(cases / "only_nevi")
    assert any("one diagnosis, nv" in p for p in check.problems)
    with pytest.raises(InvalidDataset, match="one diagnosis, nv"):
        require_trainable(read_dataset(cases / "only_nevi"), by_lesion=False)


def test_a_real_byte_order_mark_leaves_nothing_wrong(cases):
    assert check_folder(cases / "bom").ok


def test_some_photos_without_a_lesion_are_counted_in_the_list_and_the_card(tmp_path):
    rows = [f"{'' if n < 4 else f'HAM_{n // 2}'},ISIC_{n},{('nv', 'mel')[n // 6 % 2]},40,f,ear" for n in range(24)]
    folder = write(tmp_path, *rows)
    assert any("4 of 24 photos have no lesion_id" in s and "ISIC_0, ISIC_1" in s for s in said(folder, wrong=False))
    split = split_table(read_table(folder))
    record = split.to_json()
    assert split.without_lesion == record["without_lesion"] == 4 and split_from_json(record) == split


def test_most_photos_without_a_lesion_are_too_many(tmp_path):
    rows = [f"{'NA' if n < 13 else f'HAM_{n}'},ISIC_{n},{('nv', 'mel')[n % 2]},40,f,ear" for n in range(24)]
    with pytest.raises(LesionsUnknown, match="13 of 24"):
        split_table(read_table(write(tmp_path, *rows)))


def test_a_lesion_known_by_its_first_photo_is_known(tmp_path):
    folder = write(tmp_path, "ISIC_1,ISIC_1,nv,40,f,ear", "ISIC_1,ISIC_2,nv,40,f,ear", ",ISIC_3,mel,40,f,ear")
    assert lesions_unknown(read_table(folder)).tolist() == [False, False, True]


def test_a_split_with_all_lesions_known_says_nothing_of_it(drawn_folder):
    assert "without_lesion" not in split_table(read_table(drawn_folder)).to_json()


def test_age_0_is_counted_and_kept(tmp_path):
    folder = write(tmp_path, "HAM_1,ISIC_1,nv,0,f,ear", "HAM_2,ISIC_2,mel,0.0,f,ear")
    assert any("2 photos have age 0" in s for s in said(folder, wrong=False))
    assert read_table(folder).age.tolist() == [0, 0]


def test_words_that_cannot_be_read_are_listed_with_what_was_expected(tmp_path):
    folder = write(tmp_path, "HAM_1,ISIC_1,nv,adult,x,tail", "HAM_2,ISIC_2,mel,40,y,back")
    wrong = said(folder, wrong=True)
    assert any("sex has 2 values" in s and "x 1, y 1" in s and "female, male" in s for s in wrong)
    assert any("localization has 1 values" in s and "tail 1" in s and "lower extremity" in s for s in wrong)
    assert any("age has 1 values" in s and "adult 1" in s for s in wrong)


def test_sites_that_ham10000_divides_further_are_said(tmp_path):
    folder = write(tmp_path, "HAM_1,ISIC_1,nv,40,f,head/neck", "HAM_2,ISIC_2,mel,40,m,back")
    assert any("head/neck as face 1" in s for s in said(folder, wrong=False))


def test_left_out_diagnoses_are_said(tmp_path):
    folder = write(tmp_path, "HAM_1,ISIC_1,nv,40,f,ear", "HAM_2,ISIC_2,SCC,40,m,back", "HAM_3,ISIC_3,UNK,40,m,back")
    assert any("2 rows: SCC 1, UNK 1" in s for s in said(folder, wrong=False))
