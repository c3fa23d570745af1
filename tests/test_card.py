"""Cards are read, checked and written whole, without any network."""

import json
import os
import subprocess
import sys

import pytest

from core.card import (
    CARD_FILE,
    DamagedFile,
    InvalidBundle,
    bind_files,
    change_card,
    find_bundle,
    list_cards,
    read_bound,
    read_card,
    write_card,
)


@pytest.fixture
def card(drawn_bundle_folder):
    return read_card(drawn_bundle_folder)


def test_round_trip(card, tmp_path):
    write_card(card, tmp_path)
    assert read_card(tmp_path) == card
    assert [p.name for p in tmp_path.iterdir()] == [CARD_FILE]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": 99}, "card format 99"),
        ({"classes": ["nv", "mel"]}, "in this order"),
        ({"format": 3}, "a newer Melascope wrote it. Update Melascope, or make it anew here. .*python -m core train"),
        ({"format": 1}, "an older Melascope wrote it. .*python -m core calibrate"),
        ({"format": True}, "card format True"),
        ({"surprise": 1}, "not a complete card of this version: it has surprise, which this version does not know"),
        ({"terms": {"shares": [1] * 7}}, "it has no terms.power"),
        ({"calibration": {"temperature": 1.0, "spare": 1}}, "calibration.spare, which this version does not know"),
        ({"calibration": {"temperature": -1}}, "calibration: A temperature of -1.0 is not possible"),
        ({"files": []}, r"files is \[\]; expected an object"),
        ({"files": None}, "files is None; expected an object"),
        ({"weights": None}, "expected an object"),
        ({"weights": {"file": "x"}}, "weights has no sha256"),
        ({"network": 3}, "network is 3; expected an object"),
        ({"split": []}, "expected an object"),
        ({"scores": "good"}, "expected an object"),
        ({"name": ""}, "name is ''; expected a text of at least 1 characters"),
        ({"backbone": ["MobileNetV2"]}, "expected a text"),
        ({"image_size": 0}, "expected a whole number of at least 1"),
        ({"image_size": "224"}, "image_size is '224'; expected a whole number"),
        ({"image_size": True}, "expected a whole number"),
        ({"image_size": 10**6}, "expected a whole number of at most 4096"),
        ({"age_mean": None}, "expected a number"),
        ({"age_sd": float("nan")}, "expected a number"),
        ({"age_sd": 0}, "expected a number > 0"),
    ],
)
def test_a_card_of_another_make_is_refused(card, tmp_path, change, words):
    path = write_card(card, tmp_path)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(InvalidBundle, match=words):
        read_card(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"image_size": 96},
        {"age_mean": 5.0},
        {"age_sd": 1.0},
        {"backbone": "MobileNetV2"},
        {"network": {"attach": "paper", "attention": "paper", "head": "pooled", "metadata_units": 17}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_card_whose_input_was_edited_after_it_was_measured_is_refused(card, tmp_path, change):
    # A fully convolutional network takes any size, and any mean of ages: nothing else would tell.
    path = write_card(card, tmp_path)
    (tmp_path / "gate.json").write_text("{}")
    bound = bind_files(tmp_path, ["gate.json"])
    assert read_card(tmp_path) == bound
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(InvalidBundle, match="damaged or was edited"):
        read_card(tmp_path)


def test_other_changes_of_a_measured_card_are_taken(card, tmp_path):
    write_card(card, tmp_path)
    (tmp_path / "gate.json").write_text("{}")
    bind_files(tmp_path, ["gate.json"])
    assert change_card(tmp_path, speed={"forward_ms": 3.0, "device": "x"}, limits=["none"]) == read_card(tmp_path)


def test_what_is_said_of_a_models_file_holds_no_path_of_this_machine(card, tmp_path):
    folder = tmp_path / "Net"
    folder.mkdir()
    write_card(card, folder)
    (folder / "gate.json").write_text("{}")
    bound = bind_files(folder, ["gate.json"])
    for damage in (
        lambda: (folder / "gate.json").write_text("{ }"),
        (folder / "gate.json").unlink,
        (folder / "gate.json").mkdir,
    ):
        damage()
        with pytest.raises(DamagedFile, match="^Net/gate.json ") as told:
            read_bound(folder, "gate.json", bound)
        assert str(tmp_path) not in str(told.value)


def test_half_a_card_is_refused(card, tmp_path):
    path = write_card(card, tmp_path)
    path.write_text(path.read_text()[:200])
    with pytest.raises(InvalidBundle, match="cannot be read as JSON"):
        read_card(tmp_path)
    path.write_text("[" * 100_000)
    with pytest.raises(InvalidBundle, match="cannot be read as JSON"):
        read_card(tmp_path)
    path.unlink()
    with pytest.raises(InvalidBundle, match="missing"):
        read_card(tmp_path)


def test_a_card_that_would_fill_the_memory_is_not_read(card, tmp_path):
    path = write_card(card, tmp_path)
    with open(path, "r+b") as file:
        file.truncate(10**12)  # a file with a hole: nothing is written
    with pytest.raises(InvalidBundle, match="expected a card, at most 256 MB"):
        read_card(tmp_path)


def test_models_are_found_by_name_or_folder_and_broken_ones_left_out(drawn_bundle_folder, tmp_path, monkeypatch, card):
    monkeypatch.setenv("MELASCOPE_WEIGHTS", str(drawn_bundle_folder.parent))
    assert find_bundle("Drawn") == drawn_bundle_folder == find_bundle(drawn_bundle_folder)
    with pytest.raises(InvalidBundle, match=r"Shipped models: Drawn"):
        find_bundle("Ghost")
    (tmp_path / "Good").mkdir()
    (tmp_path / "Bad").mkdir()
    write_card(card, tmp_path / "Good")
    (tmp_path / "Bad" / CARD_FILE).write_text("{")
    assert [c.name for c in list_cards(tmp_path)] == ["Drawn"]


def test_listing_models_imports_no_framework():
    code = "import sys, core.card; core.card.list_cards(); sys.exit(bool({'keras', 'tensorflow', 'pandas'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_part_of_an_image(card):
    from dataclasses import replace

    split = {**card.split, "test": ["ISIC_1"]}
    assert replace(card, split=split).part_of("ISIC_1") == "test"
    assert card.part_of("ISIC_1") is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes in the file system are Unix's")
def test_a_pipe_in_a_files_place_is_told_and_not_waited_for(card, tmp_path):
    os.mkfifo(tmp_path / "gate.json")
    with pytest.raises(DamagedFile, match="no plain file"):
        read_bound(tmp_path, "gate.json", card)
