import json
import shutil

import pytest

from core.card import CARD_FILE, read_card
from core.estimates import Estimate
from core.estimates.in_files import to_text
from core.webapp.shared.shelf import balanced_accuracy_of, is_leaky, read_shelf


@pytest.fixture
def root(tmp_path, drawn_bundle_folder):
    """A weights folder with one model, "Drawn"."""
    shutil.copytree(drawn_bundle_folder, tmp_path / "Drawn")
    return tmp_path


def change_card(folder, **changes):
    path = folder / CARD_FILE
    path.write_text(to_text({**json.loads(path.read_text()), **changes}))


def add(root, name, value, leaky=False):
    folder = shutil.copytree(root / "Drawn", root / name)
    scores = {"test": {"balanced_accuracy": Estimate(value, value - 0.05, value + 0.05)}} if value else {}
    change_card(folder, name=name, scores=scores, split={"kind": "paper" if leaky else "lesion", "leaky": leaky})


def test_the_best_honest_score_comes_first(root):
    add(root, "Good", 0.7)
    add(root, "Fair", 0.6)
    add(root, "Flattered", 0.9, leaky=True)
    shelf = read_shelf(root)
    assert list(shelf.models) == ["Good", "Fair", "Flattered", "Drawn"] and not shelf.broken
    assert (
        balanced_accuracy_of(shelf.models["Good"]).value == 0.7 and balanced_accuracy_of(shelf.models["Drawn"]) is None
    )
    assert is_leaky(shelf.models["Flattered"]) and not is_leaky(shelf.models["Good"])


def test_it_looks_where_the_environment_says(root, monkeypatch):
    monkeypatch.setenv("MELASCOPE_WEIGHTS", str(root))
    assert list(read_shelf().models) == ["Drawn"]


def test_no_folder_and_stray_files_are_no_error(tmp_path):
    assert read_shelf(tmp_path / "none").models == {}
    (tmp_path / "LICENSE.md").write_text("text")
    (tmp_path / ".hidden").mkdir()
    shelf = read_shelf(tmp_path)
    assert not shelf.models and not shelf.broken


def break_json(folder):
    (folder / CARD_FILE).write_text("{")


def lose_card(folder):
    (folder / CARD_FILE).unlink()


def lose_card_in_training(folder):
    lose_card(folder)
    (folder / "training").mkdir()


def lose_weights(folder):
    (folder / read_card(folder).weights["file"]).unlink()


@pytest.mark.parametrize(
    "damage, said",
    [
        (break_json, "cannot be read as JSON"),
        (lose_card, "is missing"),
        (lose_card_in_training, "has not finished"),
        (lose_weights, "model.weights.h5 is missing"),
        (lambda folder: change_card(folder, weights={}), "not a complete card"),
        (lambda folder: change_card(folder, weights=None), "not a complete card"),
        (lambda folder: change_card(folder, scores=[1]), "not a complete card"),
        (lambda folder: change_card(folder, scores={"test": 1}), "not a complete card"),
        (lambda folder: change_card(folder, limits="none"), "not a complete card"),
        (lambda folder: change_card(folder, extra=1), "not a complete card"),
        (lambda folder: change_card(folder, format=99), "card format 99"),
    ],
)
def test_a_broken_folder_is_named_and_harms_no_other(root, damage, said):
    folder = shutil.copytree(root / "Drawn", root / "Broken")
    damage(folder)
    shelf = read_shelf(root)
    assert list(shelf.models) == ["Drawn"] and said in shelf.broken["Broken"]


def test_a_card_cannot_point_outside_its_folder(root):
    weights = read_card(root / "Drawn").weights
    change_card(root / "Drawn", weights={**weights, "file": "../../etc/passwd"})
    assert "passwd is missing" in read_shelf(root).broken["Drawn"]
