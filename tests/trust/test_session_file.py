import io
import json
import zipfile

import numpy as np
import pytest

from core.data.drawn import draw_lesion
from core.data.framing.crop import Crop
from core.data.patient import Facts
from core.trust.replay import write_case
from core.trust.session_file import (
    MAX_CASES,
    SESSION_FILE,
    InvalidSession,
    SessionCase,
    encode_whole,
    read_session,
    write_session,
)

CROP = Crop(10, 5, 64)


@pytest.fixture(scope="module")
def session(drawn_bundle_folder) -> bytes:
    """Two cases, the second of a square."""
    from core.bundle import load_bundle
    from core.reading import read_lesion

    bundle, photo = load_bundle(drawn_bundle_folder), draw_lesion("mel", (120, 90))[0]

    def case(pixels):
        return write_case(pixels, read_lesion(bundle, pixels, Facts(62, "female", "scalp"), explain=False))

    return write_session(
        [
            SessionCase(case(photo), "First", "A note, with ümlauts"),
            SessionCase(case(CROP.cut(photo)), "Square", "", CROP, encode_whole(photo)),
        ]
    )


def repacked(session: bytes, changes: dict[str, bytes | None]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(session)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        names = dict.fromkeys([*old.namelist(), *changes])
        for name in names:
            content = changes[name] if name in changes else old.read(name)
            if content is not None:
                new.writestr(name, content)
    return file.getvalue()


def with_line(session: bytes, **values) -> bytes:
    record = json.loads(zipfile.ZipFile(io.BytesIO(session)).read(SESSION_FILE))
    record["cases"][0] |= values
    return repacked(session, {SESSION_FILE: json.dumps(record).encode()})


def test_cases_come_back_with_label_note_facts_and_square(session):
    (first, found), (second, square) = read_session(session)
    assert (first.label, first.note, first.crop) == ("First", "A note, with ümlauts", None)
    assert found.facts == Facts(62, "female", "scalp") and found.photo.shape == (90, 120, 3)
    assert second.crop == CROP and second.whole and square.photo.shape == (64, 64, 3)


def test_a_file_that_was_written_again_is_the_same(session):
    assert write_session([one for one, _ in read_session(session)]) == session


def test_nothing_of_when_and_where_is_in_it(session):
    with zipfile.ZipFile(io.BytesIO(session)) as bundle:
        assert {member.date_time for member in bundle.infolist()} == {(1980, 1, 1, 0, 0, 0)}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({SESSION_FILE: None}, "holds no session.json"),
        ({SESSION_FILE: b"{"}, "cannot be read as JSON"),
        ({SESSION_FILE: b"[" * 100_000}, "cannot be read as JSON"),
        ({SESSION_FILE: b'{"format": 9}'}, "has session format 9.*a newer Melascope"),
        ({SESSION_FILE: b'{"format": 1, "cases": 3}'}, "cases is 3; expected a list"),
        ({SESSION_FILE: b'{"format": 1, "cases": [1]}'}, r"cases\[0\] is 1; expected an object"),
        ({SESSION_FILE: b" " * 2_000_001}, "unpacks to more than 2 MB"),
        ({"case-1.zip": None}, "case-1.zip is missing"),
        ({"case-1.zip": b"no zip"}, "In case 1 of .*not a whole zip file"),
        ({"whole-2.png": None}, "whole-2.png is missing"),
        ({"whole-2.png": b"no photo"}, "In case 2 of "),
        ({"whole-2.png": encode_whole(np.zeros((90, 120, 3), "uint8"))}, "not the one that was cropped"),
        ({f"more-{n}": b"" for n in range(2 * MAX_CASES + 1)}, "files, too many"),
    ],
)
def test_a_damaged_or_hostile_file_gets_a_sentence(session, changes, said):
    with pytest.raises(InvalidSession, match=said):
        read_session(repacked(session, changes))


@pytest.mark.parametrize(
    "values",
    [
        {"label": 3},
        {"label": "x" * 121},
        {"note": "x" * 4001},
        {"note": None},
        {"crop": [1, 2]},
        {"crop": [1.5, 2, 64]},
        {"crop": "all"},
        {"crop": [True, 2, 64]},
    ],
)
def test_a_line_that_cannot_be_used_is_named(session, values):
    with pytest.raises(InvalidSession, match=r"cases\[0\].* A label has at most 120 characters"):
        read_session(with_line(session, **values))


def test_a_square_outside_the_photo_is_refused(session):
    with pytest.raises(InvalidSession, match="In case 1 of"):
        read_session(
            repacked(
                with_line(session, crop=[100, 0, 64]), {"whole-1.png": encode_whole(draw_lesion("mel", (120, 90))[0])}
            )
        )


@pytest.mark.parametrize(
    ("data", "said"), [(b"", "is empty"), (b"no zip", "not a whole zip"), (b"PK\x03\x04" * 9, "not a whole zip")]
)
def test_what_is_no_zip_gets_a_sentence(data, said):
    with pytest.raises(InvalidSession, match=said):
        read_session(data)


def test_a_case_bundle_is_told_from_a_session(session):
    case = zipfile.ZipFile(io.BytesIO(session)).read("case-1.zip")
    with pytest.raises(InvalidSession, match="a single case is opened by"):
        read_session(case)


def test_every_cut_of_a_file_is_refused(session):
    for end in range(0, len(session), max(1, len(session) // 40)):
        with pytest.raises(InvalidSession):
            read_session(session[:end])


def test_more_than_fits_is_not_written():
    with pytest.raises(InvalidSession, match=f"holds at most {MAX_CASES} cases"):
        write_session([SessionCase(b"x")] * (MAX_CASES + 1))
