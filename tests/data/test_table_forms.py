"""HAM10000's table, ISIC ground truth and ISIC Archive metadata become one form; what is left out or not understood is kept."""

import math

import pytest

from core.data.ham10000 import METADATA_FILE, InvalidDataset, read_dataset, read_table
from core.data.split import lesions_unknown

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
