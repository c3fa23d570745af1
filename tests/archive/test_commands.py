"""`cases get` and `data get`: what a person at a terminal sees."""

import pytest
from stand_in_archive import Fault, fill_dataverse, jpeg
from typer.testing import CliRunner

from core.__main__ import app
from core.archive import web as asking
from core.archive.isic import ARCHIVE_VARIABLE
from core.archive.photos import fetched_photos
from core.folders import DATA_VARIABLE
from core.teaching.case_sets.shipped import read_lists

runner = CliRunner()


@pytest.fixture(autouse=True)
def impatient(monkeypatch, tmp_path):
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path / "data"))
    monkeypatch.setitem(asking.Web.__init__.__kwdefaults__, "wait", 0.01)
    monkeypatch.setitem(asking.Web.__init__.__kwdefaults__, "apart", 0.0)


@pytest.fixture
def archive(stand_in):
    picture = jpeg(size=(60, 45))
    stand_in.photos = {case.id: picture for cases in read_lists().values() for case in cases.cases}
    return stand_in


def run(*arguments) -> tuple[int, str]:
    done = runner.invoke(app, list(arguments))
    return done.exit_code, " ".join(done.output.split())


def test_every_list_that_ships_is_fetched(archive):
    code, said = run("cases", "get")
    count = len(archive.photos)
    assert code == 0, said
    assert f"{count} of {count} photos are in" in said
    assert "CC BY-NC 4.0: ViDIR Group" in said
    assert set(fetched_photos()) == set(archive.photos)


def test_one_list_or_a_file_of_a_set_is_fetched(archive, tmp_path):
    wanted = {case.id for case in read_lists()["hard-pairs"].cases}
    assert run("cases", "get", "hard-pairs")[0] == 0
    assert set(fetched_photos()) == wanted
    from core.teaching.case_sets.file import write_case_set

    file = tmp_path / "mine.cases.json"
    file.write_bytes(write_case_set(read_lists()["black-nevi"]))
    assert run("cases", "get", str(file))[0] == 0
    assert set(fetched_photos()) > wanted


def test_faults_are_sentences(archive, monkeypatch):
    code, said = run("cases", "get", "hard-pears")
    assert code == 1
    assert "There is no list 'hard-pears'" in said
    assert "hard-pairs" in said
    del archive.photos[read_lists()["hard-pairs"].cases[0].id]
    code, said = run("cases", "get", "hard-pairs")
    assert code == 1
    assert f"The archive does not have {read_lists()['hard-pairs'].cases[0].id}" in said
    archive.faults["search"] = [Fault("status", 429, {"Retry-After": "900"})]
    assert "asked too often (429)" in run("cases", "get", "black-nevi")[1]
    monkeypatch.setenv(ARCHIVE_VARIABLE, "http://127.0.0.1:9")
    code, said = run("cases", "get", "black-nevi")
    assert code == 1
    assert "Is this computer on the internet?" in said


def test_the_data_set_is_fetched_into_a_folder(stand_in, drawn_folder, tmp_path):
    fill_dataverse(stand_in, drawn_folder)
    code, said = run("data", "get", str(tmp_path / "ham"))
    assert code == 0, said
    assert "CC BY-NC 4.0" in said
    assert f"{tmp_path / 'ham'}: 75 of 75 photos." in said
    assert "ISIC2018_Task3_Test: 4 of 4 photos." in said
    del stand_in.files[3]
    code, said = run("data", "get", str(tmp_path / "other"))
    assert code == 1
    assert "lists no HAM10000_images_part_2" in said
