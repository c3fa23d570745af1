"""HAM10000's table, ISIC ground truth and ISIC Archive metadata become one form; what is left out or not understood is kept."""

import math

import pytest

from core.data.ham10000 import METADATA_FILE, InvalidDataset, read_dataset, read_table
from core.data.split import LesionsUnknown, assert_disjoint, lesions_unknown, split_table
from core.data.tables.findings import list_findings

TRUTH_2018 = (
    "image,MEL,NV,BCC,AKIEC,BKL,DF,VASC\nISIC_1,0.0,1.0,0.0,0.0,0.0,0.0,0.0\nISIC_2,1.0,0.0,0.0,0.0,0.0,0.0,0.0\n"
)
GROUPS_2018 = "image,lesion_id,diagnosis_confirm_type\nISIC_1,HAM_1,histopathology\nISIC_2,HAM_1,serial imaging showing no change\n"
TRUTH_2019 = (
    "image,MEL,NV,BCC,AK,BKL,DF,VASC,SCC,UNK\n"
    "ISIC_1_downsampled,0.0,0.0,0.0,1.0,0.0,0.0,0.0,0.0,0.0\n"
    "ISIC_2,1.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0\n"
    "ISIC_3,0.0,0.0,0.0,0.0,0.0,0.0,0.0,1.0,0.0\n"
    "ISIC_4,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,1.0\n"
    "ISIC_5,0.0,1.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0\n"
)
FACTS_2019 = (
    "image,age_approx,anatom_site_general,lesion_id,sex\n"
    "ISIC_1_downsampled,55.0,anterior torso,,female\n"
    "ISIC_2,30.0,head/neck,BCN_1,male\n"
    "ISIC_5,,,BCN_2,\n"
)
ARCHIVE = (
    "isic_id,attribution,copyright_license,age_approx,anatom_site_general,anatom_site_special,benign_malignant,"
    "diagnosis_1,diagnosis_2,diagnosis_3,diagnosis_4,diagnosis_confirm_type,image_type,lesion_id,sex\n"
    'ISIC_1,"Clinic, a",CC-0,85,lower extremity,,benign,Benign,Benign melanocytic proliferations,Nevus,"Nevus, Spitz",'
    "histopathology,dermoscopic,IL_1,male\n"
    "ISIC_2,Clinic,CC-0,,palms/soles,toenail,malignant,Malignant,Malignant melanocytic proliferations (Melanoma),"
    '"Melanoma, NOS",,,dermoscopic,IL_2,\n'
    "ISIC_3,Clinic,CC-0,40,,,malignant,Malignant,Malignant melanocytic proliferations (Melanoma),Melanoma metastasis,,,"
    "dermoscopic,IL_3,female\n"
    "ISIC_4,Clinic,CC-0,40,,,benign,Benign,,,,,clinical: close-up,IL_4,female\n"
    "ISIC_5,Clinic,CC-0,40,posterior torso,,benign,Benign,Benign epidermal proliferations,Seborrheic keratosis,,,"
    "clinical: close-up,,female\n"
)


def ham(*rows, header="lesion_id,image_id,dx,age,sex,localization"):
    return "\n".join([header, *rows]) + "\n"


def put(tmp_path, **tables):
    for name, text in tables.items():
        (tmp_path / f"{name}.csv").write_text(text)
    return tmp_path


def test_isic_2018_with_its_lesion_groupings(tmp_path):
    put(tmp_path, ISIC2018_Task3_Training_GroundTruth=TRUTH_2018, ISIC2018_Task3_Training_LesionGroupings=GROUPS_2018)
    data = read_dataset(tmp_path)
    assert data.table.dx.tolist() == ["nv", "mel"] and data.table.lesion_id.tolist() == ["HAM_1", "HAM_1"]
    assert data.table.dx_type.tolist() == ["histo", "follow_up"]
    assert data.rows.joined == ("ISIC2018_Task3_Training_LesionGroupings.csv",)


def test_isic_2018_as_it_is_unpacked(tmp_path):
    inner = tmp_path / "ISIC2018_Task3_Training_GroundTruth"
    inner.mkdir()
    put(inner, ISIC2018_Task3_Training_GroundTruth=TRUTH_2018)
    put(tmp_path, ISIC2018_Task3_Training_LesionGroupings=GROUPS_2018)
    assert read_table(tmp_path).lesion_id.tolist() == ["HAM_1", "HAM_1"]


def test_isic_2019_leaves_out_scc_and_unk_and_joins_the_metadata(tmp_path):
    data = read_dataset(
        put(tmp_path, ISIC_2019_Training_GroundTruth=TRUTH_2019, ISIC_2019_Training_Metadata=FACTS_2019)
    )
    table = data.table
    assert table.image_id.tolist() == ["ISIC_1_downsampled", "ISIC_2", "ISIC_5"]
    assert table.dx.tolist() == ["akiec", "mel", "nv"]
    assert table.localization.tolist() == ["trunk", "face", "unknown"] and table.sex.tolist() == [
        "female",
        "male",
        "unknown",
    ]
    assert table.age.tolist()[:2] == [55, 30] and math.isnan(table.age[2])
    assert lesions_unknown(table).tolist() == [True, False, False]
    assert data.rows.left_out == {"SCC": ("ISIC_3",), "UNK": ("ISIC_4",)}
    assert data.rows.coarse == {"anterior torso": 1, "head/neck": 1}


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("ISIC_9,0.7,0.3,0,0,0,0,0", "probabilities"),
        ("ISIC_9,0,0,0,0,0,0,0", "without exactly one diagnosis, among them ISIC_9"),
        ("ISIC_9,1,1,0,0,0,0,0", "ISIC_9"),
        ("ISIC_9,yes,0,0,0,0,0,0", "ISIC_9"),
    ],
)
def test_one_hot_rows_need_one_diagnosis(tmp_path, row, words):
    with pytest.raises(InvalidDataset, match=words):
        read_table(put(tmp_path, truth=TRUTH_2018 + row + "\n"))


def test_isic_archive_metadata(tmp_path):
    data = read_dataset(put(tmp_path, metadata=ARCHIVE))
    table = data.table
    assert table.image_id.tolist() == ["ISIC_1", "ISIC_2", "ISIC_5"] and table.dx.tolist() == ["nv", "mel", "bkl"]
    assert table.localization.tolist() == ["lower extremity", "acral", "back"]
    assert table.dx_type.tolist() == ["histo", "unknown", "unknown"]
    assert data.rows.left_out == {"Melanoma metastasis": ("ISIC_3",), "Benign": ("ISIC_4",)}
    assert data.rows.not_dermoscopic == {"clinical: close-up": 1}


def test_the_archives_first_tables(tmp_path):
    text = (
        "name,meta.clinical.age_approx,meta.clinical.anatom_site_general,meta.clinical.diagnosis,meta.clinical.sex\n"
        "ISIC_1,50.0,lower extremity,seborrheic keratosis,male\nISIC_2,,,verruca,\n"
    )
    data = read_dataset(put(tmp_path, metadata=text))
    assert data.table[["dx", "age", "sex", "localization"]].values.tolist() == [
        ["bkl", 50.0, "male", "lower extremity"]
    ]
    assert data.rows.left_out == {"verruca": ("ISIC_2",)}


@pytest.mark.parametrize("word", ["NA", "nan", "None", "unknown", "", "-", "N/A", "null"])
def test_missing_words_are_missing_values_in_every_column(tmp_path, word):
    (tmp_path / METADATA_FILE).write_text(ham(f"{word},ISIC_1,nv,{word},{word},{word}", f"{word},ISIC_2,mel,5,f,ear"))
    table = read_table(tmp_path)
    assert table.lesion_id.tolist() == ["ISIC_1", "ISIC_2"] and lesions_unknown(table).all()
    assert math.isnan(table.age[0]) and table.sex[0] == "unknown" and table.localization[0] == "unknown"


def test_words_that_nobody_can_read_are_unknown_and_kept_with_their_counts(tmp_path):
    rows = ("HAM_1,ISIC_1,nv,adult,x,tail", "HAM_2,ISIC_2,mel,40,x,back", "HAM_3,ISIC_3,mel,40,F,back")
    (tmp_path / METADATA_FILE).write_text(ham(*rows))
    data = read_dataset(tmp_path)
    assert data.rows.unmapped == {"age": {"adult": 1}, "sex": {"x": 2}, "localization": {"tail": 1}}
    assert data.table.sex.tolist() == ["unknown", "unknown", "female"] and data.table.localization[0] == "unknown"


def test_a_table_of_other_diagnoses_only(tmp_path):
    (tmp_path / METADATA_FILE).write_text(ham("HAM_1,ISIC_1,scc,40,f,ear"))
    with pytest.raises(InvalidDataset, match=r"no photo of the seven diagnoses.*scc \(1\)"):
        read_table(tmp_path)


def test_a_row_without_a_name(tmp_path):
    (tmp_path / METADATA_FILE).write_text(ham("HAM_1,ISIC_1,nv,40,f,ear", "HAM_1,,nv,40,f,ear"))
    with pytest.raises(InvalidDataset, match="1 rows without an image_id, the first of them row 2"):
        read_table(tmp_path)


# ---- lesion ids that only look like some ----


def many(lesion, count=24):
    """Photos of three diagnoses, two photos a lesion, their lesion ids by number of the photo."""
    return ham(*(f"{lesion(k)},ISIC_{k:07d},{('nv', 'mel', 'bkl')[k // 2 % 3]},40,male,back" for k in range(count)))


@pytest.mark.parametrize(
    "lesion",
    [
        lambda k: f"ISIC_{k:07d}",
        lambda k: f"isic_{k:07d}",
        lambda k: f"ISIC_{k:07d}.JPG",
        lambda k: f"photos/ISIC_{k:07d}.jpg",
        lambda k: f"C:\\photos\\ISIC_{k:07d}.jpg",
        str,
        lambda k: f"{k:05d}",
        lambda k: f"lesion {k}",
        lambda k: "tbd",
        lambda k: "#DIV/0!",
        lambda k: "not applicable",
        lambda k: "0",
        lambda k: "-1",
        lambda k: "HAM_0",
        lambda k: "1.23457E+14",
    ],
    ids=lambda name: name(7),
)
def test_a_photos_own_name_or_one_word_for_all_is_no_lesion(tmp_path, lesion):
    table = read_table(put(tmp_path, HAM10000_metadata=many(lesion)))
    assert lesions_unknown(table).all() and table.lesion_id.tolist() == table.image_id.tolist()
    with pytest.raises(LesionsUnknown, match="24 of 24 photos"):
        split_table(table)


def test_a_word_in_the_place_of_a_lesion_is_listed(tmp_path):
    data = read_dataset(put(tmp_path, HAM10000_metadata=many(lambda k: "0" if k % 2 else f"HAM_{k // 2}")))
    assert data.rows.unmapped == {"lesion_id": {"0": 12}} and lesions_unknown(data.table).sum() == 12
    assert any("Expected a name of its own for each lesion" in f.text and f.wrong for f in list_findings(data))


def test_a_lesion_with_many_photos_of_one_diagnosis_is_one(tmp_path):
    rows = [f"HAM_{k // 12},ISIC_{k},{'mel' if k < 12 else 'nv'},40,male,back" for k in range(36)]
    assert read_table(put(tmp_path, HAM10000_metadata=ham(*rows))).lesion_id.nunique() == 3


@pytest.mark.parametrize(
    "spelling",
    [
        lambda k: f"HAM_{k // 2}" if k % 2 else f"ham_{k // 2}",
        lambda k: f"{k // 2}" if k % 2 else f"{k // 2}.0",
        lambda k: f"{k // 2}" if k % 2 else f"{k // 2:07d}",
    ],
    ids=["letter case", "joined with missing cells by pandas", "zeros that a spreadsheet cut"],
)
def test_two_spellings_of_a_lesion_stand_on_one_side(tmp_path, spelling):
    table = read_table(put(tmp_path, HAM10000_metadata=many(spelling)))
    assert table.lesion_id.nunique() == 12
    assert_disjoint(table, split_table(table))


def test_a_name_of_its_own_for_each_lesion_is_taken_and_said(tmp_path):
    data = read_dataset(put(tmp_path, HAM10000_metadata=many(lambda k: f"L{chr(97 + k)}")))
    assert not lesions_unknown(data.table).any()
    assert any("No two of the 24 photos have the same lesion_id" in f.text for f in list_findings(data))


def test_two_spellings_of_a_photo_are_one_photo(tmp_path):
    with pytest.raises(InvalidDataset, match="more than once: isic_1"):
        read_table(put(tmp_path, HAM10000_metadata=ham("a,ISIC_1,nv,1,male,back", "b,isic_1,mel,1,male,back")))


# ---- tables beside ----


def test_groupings_of_other_letter_case_or_in_two_files_are_joined(tmp_path):
    first, second = "image,lesion_id\nisic_1,HAM_1\n", "image,lesion_id\nISIC_2.jpg,HAM_1\n"
    data = read_dataset(put(tmp_path, truth=TRUTH_2018, groups_a=first, groups_b=second))
    assert data.table.lesion_id.tolist() == ["HAM_1", "HAM_1"] and len(data.rows.joined) == 2


def test_groupings_beside_a_table_without_lesions_are_joined(tmp_path):
    table = ham("ISIC_1,nv,1,male,back", "ISIC_2,nv,1,male,back", header="image_id,dx,age,sex,localization")
    assert read_table(put(tmp_path, HAM10000_metadata=table, groups=GROUPS_2018)).lesion_id.tolist() == [
        "HAM_1",
        "HAM_1",
    ]


def test_groupings_that_contradict_are_refused(tmp_path):
    other = GROUPS_2018.replace("ISIC_2,HAM_1", "ISIC_2,HAM_9")
    with pytest.raises(InvalidDataset, match="ISIC_2 is of 'HAM_1' and of 'HAM_9'"):
        read_dataset(put(tmp_path, truth=TRUTH_2018, groups_a=GROUPS_2018, groups_b=other))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
@pytest.mark.parametrize("rows", [2, 4000], ids=["short", "longer than what is sniffed"])
def test_tables_of_any_name_are_found_in_every_encoding(tmp_path, encoding, rows):
    more = "".join(f"ISIC_{k},0.0,1.0,0.0,0.0,0.0,0.0,0.0\n" for k in range(3, rows + 1))
    (tmp_path / "truth.csv").write_bytes((TRUTH_2018 + more).encode(encoding))
    (tmp_path / "groups.txt").write_bytes(GROUPS_2018.replace(",", "\t").encode(encoding))
    table = read_table(tmp_path)
    assert len(table) == rows and table.lesion_id.tolist()[:2] == ["HAM_1", "HAM_1"]
