"""Cards are read, checked and written whole, without any network."""

import json
import subprocess
import sys

import pytest

from core.card import CARD_FILE, InvalidBundle, find_bundle, list_cards, read_card, write_card


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
        ({"surprise": 1}, "not a complete card"),
    ],
)
def test_a_card_of_another_make_is_refused(card, tmp_path, change, words):
    path = write_card(card, tmp_path)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(InvalidBundle, match=words):
        read_card(tmp_path)


def test_half_a_card_is_refused(card, tmp_path):
    path = write_card(card, tmp_path)
    path.write_text(path.read_text()[:200])
    with pytest.raises(InvalidBundle, match="cannot be read as JSON"):
        read_card(tmp_path)
    path.unlink()
    with pytest.raises(InvalidBundle, match="missing"):
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
