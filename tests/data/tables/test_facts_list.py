import pytest

from core.data.patient import Facts
from core.data.tables.facts_list import MAX_BYTES, read_facts_list
from core.data.tables.table_file import InvalidDataset


def read(text: str, encoding: str = "utf-8"):
    return read_facts_list(text.encode(encoding), "facts.csv")


def test_facts_are_found_by_the_photos_name_with_or_without_ending():
    told = read("photo,age,sex,site\na.jpg,70,F,back\nphotos/B,45.5,male,\n")
    assert told.of("A.JPG") == told.of("a") == Facts(70, "female", "back")
    assert told.of("b.png") == Facts(45.5, "male") and told.of("c.jpg") is None
    assert told.unused(["a.jpg"]) == ["b"] and not told.problems


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_spreadsheets_write_tables_in_many_ways(encoding):
    told = read("Image ID;Age (years);Gender;Localisation\r\nmäle;45,0;female;Lower extremity\r\n", encoding)
    assert told.of("mäle.jpg") == Facts(45, "female", "lower extremity")


def test_a_row_that_cannot_be_told_counts_for_no_photo_and_is_named():
    told = read("photo,age,sex,site\na,old,female,back\nb,150,,\nc,50,robot,\nd,50,,moon\n,50,,\ne,50,male,face\n")
    assert list(told.facts) == ["e"] and len(told.problems) == 5
    assert told.problems[0].startswith("Row 1 (a) is left out. Its age 'old' cannot be told")
    assert "Age 150 is not possible" in told.problems[1]


def test_two_rows_of_one_photo_that_disagree_count_both_for_nothing():
    told = read("photo,age\na.jpg,50\na,60\nb,40\nb,40\n")
    assert told.of("a") is None and told.of("b") == Facts(40) and "neither counts" in told.problems[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("photo\na\n", "no column of age, sex or site"),
        ("age,sex\n50,male\n", "no column of photos"),
        ("hello\n", "has no header"),
        ("PK\x03\x04", "workbook"),
    ],
)
def test_what_is_no_such_table_gets_a_sentence(text, said):
    with pytest.raises(InvalidDataset, match=said) as error:
        read(text)
    assert "facts.csv" in str(error.value)


def test_a_table_is_bounded():
    with pytest.raises(InvalidDataset, match="Expected a table of facts of at most 20 MB"):
        read_facts_list(b" " * (MAX_BYTES + 1), "facts.csv")
