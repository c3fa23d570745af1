"""Case sets: files from anywhere, sets by rule that are those that ship, a teacher's own from galleries, tables and photos."""

import io
import json
from dataclasses import replace

import pytest
from PIL import Image
from typer.testing import CliRunner

from core.__main__ import app
from core.data.drawn import draw_lesion
from core.data.images import UnreadablePhoto
from core.data.lesion_region import LESIONS_FILE
from core.data.patient import Facts
from core.diagnoses import CODES
from core.folders import weights_root
from core.teaching.case_sets import rules, shipped
from core.teaching.case_sets.file import SUFFIX, read_case_set, set_from_record, set_to_record, write_case_set
from core.teaching.case_sets.record import OWN_PHOTOS, CaseSet, InvalidCaseSet, TeachingCase
from core.teaching.case_sets.sources import choose_cases, find_own_photos, own_case, read_case_table


def photo_bytes(seed=0):
    file = io.BytesIO()
    Image.fromarray(draw_lesion("mel", (90, 120), seed)[0]).save(file, "PNG")
    return file.getvalue()


# ---- files ----


def test_a_set_comes_back_from_its_file(cases, tmp_path):
    path = tmp_path / f"mine{SUFFIX}"
    path.write_bytes(write_case_set(cases))
    assert read_case_set(path) == cases
    assert read_case_set(write_case_set(cases)) == cases
    assert read_case_set(b"\xef\xbb\xbf" + write_case_set(cases)) == cases, "an editor added a byte-order mark"


def spoilt(**changes):
    """The record of a small set with changes to its only case."""
    case = TeachingCase("ISIC_0000001", "nv", "histo", "CC0", "Somebody", Facts(40))
    record = set_to_record(CaseSet("One", (case,)))
    record["cases"][0] |= changes
    return record


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"id": "../../etc/passwd"}, "no id of a photo"),
        ({"id": "ISIC_1\n"}, "no id of a photo"),
        ({"id": 24306}, r"cases\[0\].id is 24306; expected a text"),
        ({"truth": "nevus"}, "Expected one of: akiec"),
        ({"truth": ["nv"]}, r"truth is \['nv'\]; expected a text"),
        ({"confirmed": "my gut"}, "histo"),
        ({"licence": ""}, "licence of ISIC_0000001 is empty"),
        ({"licence": None}, "licence is None; expected a text"),
        ({"attribution": "x" * 501}, "501 characters"),
        ({"why": "a\x1bb"}, "cannot be seen"),
        ({"why": "a\u202eb"}, "cannot be seen"),
        ({"facts": {"age": 200}}, "Age 200 is not possible"),
        ({"facts": {"age": "old"}}, r"cases\[0\].facts.age is 'old'; expected a number or nothing"),
        ({"facts": {"name": "Anna"}}, r"cases\[0\].facts.name, which this version does not know"),
        ({"facts": [40]}, "expected an object"),
        ({"photo": "iVBORw0KGgo="}, r"cases\[0\].photo, which this version does not know"),
        ({"source": OWN_PHOTOS}, "64 hexadecimal digits"),
        ({"sha256": "0" * 64}, "none for one of the archive"),
        ({"source": OWN_PHOTOS, "sha256": "x"}, "64 hexadecimal digits"),
    ],
)
def test_a_case_that_cannot_be(changes, words):
    with pytest.raises(InvalidCaseSet, match=words) as error:
        set_from_record(spoilt(**changes), "The file")
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "cannot be read as JSON"),
        (b"\xff\xfe\x00", "cannot be read as JSON"),
        (b"PK\x03\x04", "cannot be read as JSON"),
        (b"[" * 200_000, "cannot be read as JSON"),
        (b"[]", "no case set"),
        (b"null", "no case set"),
        (b'{"format": "melascope-study", "version": 1}', "melascope-study"),
        (
            b'{"format": "melascope-cases", "version": 2, "cases": []}',
            "a newer Melascope wrote it. Update Melascope.*make it by `python -m core cases lists`",
        ),
        (b'{"format": "melascope-cases", "version": 1}', "has no title, cases"),
        (b'{"format": "melascope-cases", "version": 1, "title": "x", "cases": []}', "Expected 1 to 1,000"),
        (
            b'{"format": "melascope-cases", "version": 1, "title": "x", "cases": [7]}',
            r"cases\[0\] is 7; expected an object",
        ),
        (
            b'{"format": "melascope-cases", "version": 1, "title": "x", "cases": [{}]}',
            r"no cases\[0\].id, cases\[0\].truth",
        ),
        (
            b'{"format": "melascope-cases", "version": 1, "title": "x", "cases": [], "run": "rm"}',
            "run, which this version does not know",
        ),
        (b" " * 5_000_001, "Expected at most 5 MB"),
    ],
)
def test_a_file_that_is_no_case_set(content, words):
    with pytest.raises(InvalidCaseSet, match=words) as error:
        read_case_set(content)
    assert len(str(error.value).splitlines()) == 1


def test_a_path_that_leads_nowhere(tmp_path):
    for path in (tmp_path, tmp_path / "nothing", "a\0b"):
        with pytest.raises(InvalidCaseSet, match="cannot be read"):
            read_case_set(path)


def test_a_photo_twice_and_too_many(cases):
    with pytest.raises(InvalidCaseSet, match="more than once"):
        CaseSet("x", (cases.cases[0], cases.cases[0]))
    many = tuple(replace(cases.cases[0], id=f"ISIC_{n:07d}") for n in range(1001))
    with pytest.raises(InvalidCaseSet, match="1,001 cases"):
        CaseSet("x", many)


def test_another_order(cases):
    ids = [case.id for case in reversed(cases.cases)]
    assert [case.id for case in cases.only(ids).cases] == ids
    with pytest.raises(InvalidCaseSet, match="ISIC_9"):
        cases.only(["ISIC_9"])


# ---- sets by rule ----


@pytest.fixture(scope="module")
def table():
    return rules.case_table(weights_root() / rules.LISTS_MODEL, weights_root() / LESIONS_FILE)


@pytest.fixture(scope="module")
def lists():
    return shipped.read_lists()


def test_the_lists_that_ship_are_those_of_the_rules(lists):
    made = rules.make_lists(weights_root() / rules.LISTS_MODEL, weights_root() / LESIONS_FILE)
    assert lists == made, "Run `python -m core cases lists`: the predictions or a rule have changed."


def test_every_rule_has_a_list_that_holds_what_its_title_says(lists, table):
    rows = table.set_index("image_id")
    assert set(lists) == set(rules.RULES)
    for key, cases in lists.items():
        ids = [case.id for case in cases.cases]
        assert rows.loc[ids].lesion_id.is_unique, f"{key}: one photo a lesion"
        assert all(case.truth == rows.dx[case.id] and case.why for case in cases.cases)
        assert all(case.licence == "CC BY-NC 4.0" and "HAM10000" in case.attribution for case in cases.cases)
    of = {key: rows.loc[[case.id for case in cases.cases]] for key, cases in lists.items()}
    assert (of["melanomas-called-nevus"].answer == "nv").all() and (of["melanomas-called-nevus"].dx == "mel").all()
    assert (of["nevi-called-melanoma"].answer == "mel").all() and (of["nevi-called-melanoma"].dx == "nv").all()
    assert (of["black-nevi"].colour == "black").all() and (of["black-nevi"].dx == "nv").all()
    assert of["seven-diagnoses"].dx.value_counts().to_dict() == dict.fromkeys(CODES, 3)
    pairs = of["hard-pairs"].assign(group=[case.group for case in lists["hard-pairs"].cases])
    for _, pair in pairs.groupby("group"):
        melanoma, nevus = (pair[pair.dx == code].iloc[0] for code in ("mel", "nv"))
        assert len(pair) == 2 and melanoma.mel < nevus.mel, "the wrong order"
    lesson = of["over-reliance"]
    assert "".join("R" if row.answer == row.dx else "W" for row in lesson.itertuples()) == rules.LESSON
    assert lesson.dx.value_counts().to_dict() == {"nv": 5, "mel": 5}


def test_the_order_does_not_tell_the_truth(lists):
    truths = [case.truth for case in lists["seven-diagnoses"].cases]
    assert truths != sorted(truths)
    firsts = [case.truth for case in lists["hard-pairs"].cases[::2]]
    assert set(firsts) == {"mel", "nv"}


def test_the_command_writes_the_same(tmp_path, lists):
    done = CliRunner().invoke(app, ["cases", "lists", "--out", str(tmp_path / "made")], catch_exceptions=False)
    assert done.exit_code == 0
    assert shipped.read_lists(tmp_path / "made") == lists
    assert all(cases.title in done.stdout for cases in lists.values())
    wrong = CliRunner().invoke(app, ["cases", "lists", "--model", "Nobody"])
    assert wrong.exit_code == 1 and wrong.stderr.startswith("Error: No model 'Nobody'")


# ---- a teacher's own ----


def test_cases_chosen_in_a_gallery(table):
    ids = list(table.image_id[[5, 3, 9]])
    chosen = choose_cases(table, ids, "Mine", why={ids[0]: "So blue."})
    assert [case.id for case in chosen.cases] == ids
    assert chosen.cases[0].why == "So blue."
    row = table.set_index("image_id").loc[ids[1]]
    assert (chosen.cases[1].truth, chosen.cases[1].confirmed) == (row.dx, row.dx_type)
    with pytest.raises(InvalidCaseSet, match="does not list"):
        choose_cases(table, ["ISIC_9999999"], "Mine")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_cases_of_a_table_as_spreadsheets_write_it(tmp_path, encoding):
    path = tmp_path / "cases.csv"
    rows = (
        "image_id;dx;dx_type;age;sex;localization;license;attribution;why\n"
        "photos\\ISIC_0000009.jpg;melanoma;histopathology;45,0;F;back;CC-BY;Müller;Schwarz\n"
        "ISIC_0000002;nv;;NA;;;;;\n"
    )
    path.write_bytes(rows.encode(encoding))
    found = read_case_table(path, "From a table", "CC0", "Somebody")
    first, second = found.cases
    assert (first.id, first.truth, first.confirmed) == ("ISIC_0000009", "mel", "histo")
    assert (first.licence, first.attribution, first.why) == ("CC-BY", "Müller", "Schwarz")
    assert first.facts == Facts(45, "female", "back")
    assert (second.confirmed, second.licence, second.facts) == ("unknown", "CC0", Facts())


@pytest.mark.parametrize(
    "content", [b"", b"hello\n", b"image_id,dx\n", b"image_id,dx\nx,nothing\n", b"PK\x03\x04" * 10]
)
def test_a_table_that_is_none(tmp_path, content):
    path = tmp_path / "cases.csv"
    path.write_bytes(content)
    with pytest.raises(InvalidCaseSet):
        read_case_table(path, "x", "CC0", "Somebody")
    with pytest.raises(InvalidCaseSet, match="nothing.csv"):
        read_case_table(tmp_path / "nothing.csv", "x", "CC0", "Somebody")


def test_own_photos_are_known_by_their_sha256_and_found_under_any_name(tmp_path):
    photos = [photo_bytes(seed) for seed in range(3)]
    mine = CaseSet("Mine", tuple(own_case(p, "mel", "histo", "All rights reserved", "Dr. Who") for p in photos))
    text = write_case_set(mine).decode()
    assert "PNG" not in text and len(text) < 2500
    for n, photo in enumerate(photos[:2]):
        (tmp_path / f"Mrs Smith {n}.PNG").write_bytes(photo)
    (tmp_path / "other.png").write_bytes(photo_bytes(9))
    assert {i: p.name for i, p in find_own_photos(mine, tmp_path).items()} == {
        mine.cases[n].id: f"Mrs Smith {n}.PNG" for n in range(2)
    }
    assert "Smith" not in text
    assert find_own_photos(mine, tmp_path / "nowhere") == {}


def test_an_own_photo_that_is_none():
    with pytest.raises(UnreadablePhoto):
        own_case(b"not a photo", "mel", "histo", "CC0", "Somebody")


def test_made_from_is_short_texts():
    record = spoilt()
    for wrong in ({"a": 1}, [], "x", {"a": "x" * 200}):
        with pytest.raises(InvalidCaseSet, match="made_from"):
            set_from_record(json.loads(json.dumps(record | {"made_from": wrong})), "The file")
