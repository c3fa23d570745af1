"""An ensemble's bundle: made on the command line, read, explained and evaluated like any model, and honest about its members."""

import json
from dataclasses import replace

import numpy as np
import pytest
from small_backbone import small_bundle
from typer.testing import CliRunner

from core.__main__ import app
from core.bundle import load_bundle
from core.card import InvalidBundle, read_card, write_card
from core.data.drawn import draw_lesion
from core.data.ham10000 import read_table
from core.data.split import split_table
from core.evaluation.results import read_results
from core.reading import encode_photo, read_encoded, read_lesion
from core.training.ensemble import ensemble_card
from core.webapp.shared.shelf import read_shelf


@pytest.fixture(scope="module")
def root(tmp_path_factory, drawn_folder):
    """Two drawn models that share a split, and their ensemble, made and evaluated on the command line."""
    root = tmp_path_factory.mktemp("shelf")
    split = split_table(read_table(drawn_folder)).to_json()
    for name, attention in (("One", "normalised"), ("Two", "none")):
        small_bundle(root / name, name=name, attention=attention)
        write_card(replace(read_card(root / name), split=split), root / name)
    runner = CliRunner(env={"MELASCOPE_WEIGHTS": str(root)})
    made = runner.invoke(app, ["ensemble", "One", "Two", "--data", str(drawn_folder)])
    assert made.exit_code == 0, made.output
    scored = runner.invoke(app, ["evaluate", "Ensemble", "--data", str(drawn_folder)])
    assert scored.exit_code == 0, scored.output
    return root


def test_it_is_a_model_like_any_other(root):
    assert set(read_shelf(root).models) == {"One", "Two", "Ensemble"}
    photo, _ = draw_lesion("mel")
    bundle = load_bundle(root / "Ensemble")
    reading = read_lesion(bundle, photo)
    members = [read_lesion(load_bundle(root / name), photo).probabilities for name in ("One", "Two")]
    mean = {code: (members[0][code] + members[1][code]) / 2 for code in reading.probabilities}
    expected = bundle.card.calibration.probabilities(np.log(list(mean.values())))
    assert list(reading.probabilities.values()) == pytest.approx(expected.tolist(), abs=1e-4)
    assert reading.heatmap.max() > 0
    again = read_encoded(encode_photo(bundle, photo))
    assert again.probabilities == pytest.approx(reading.probabilities, abs=1e-6)


def test_evaluation_brings_the_operating_point_chosen_on_validation(root):
    card = read_card(root / "Ensemble")
    test, validation = read_results(root / "Ensemble", card), read_results(root / "Ensemble" / "validation", card)
    point = test.evaluation.operating_point
    melanoma = validation.y_true == 4
    assert (validation.probabilities[melanoma, 4] >= point["threshold"]).mean() >= 0.9
    assert point["sensitivity"].value == pytest.approx(
        (test.probabilities[test.y_true == 4, 4] >= point["threshold"]).mean()
    )
    assert not set(test.table.image_id) & set(validation.table.image_id)


def test_a_member_that_changed_is_found(root, tmp_path):
    card = read_card(root / "Ensemble")
    (tmp_path / "Ensemble").mkdir()
    write_card(card, tmp_path / "Ensemble")
    with pytest.raises(InvalidBundle, match="member One is missing"):
        load_bundle(tmp_path / "Ensemble")
    for name in ("One", "Two"):
        (tmp_path / name).mkdir()
        other = read_card(root / name)
        write_card(replace(other, weights={**other.weights, "sha256": "0" * 64}), tmp_path / name)
    assert "other weights of One" in read_shelf(tmp_path).broken["Ensemble"]


def test_members_of_different_splits_are_refused(root):
    one = read_card(root / "One")
    other = replace(read_card(root / "Two"), split={**one.split, "hash": "1" * 64})
    with pytest.raises(ValueError, match="differ in their split"):
        ensemble_card("E", [one, other], [np.full((4, 7), 1 / 7)] * 2, np.arange(4), np.arange(4))
    with pytest.raises(ValueError, match="itself"):
        ensemble_card(
            "E", [one, read_card(root / "Ensemble")], [np.full((4, 7), 1 / 7)] * 2, np.arange(4), np.arange(4)
        )


def test_the_card_says_what_it_is_made_of(root):
    record = json.loads((root / "Ensemble" / "card.json").read_text())
    assert record["network"]["members"] == ["One", "Two"]
    assert set(record["weights"]["members"]) == {"One", "Two"}


def test_it_has_no_vote_beside_its_members(root, tmp_path):
    from PIL import Image

    Image.fromarray(draw_lesion("mel")[0]).save(tmp_path / "mole.png")
    runner = CliRunner(env={"MELASCOPE_WEIGHTS": str(root)})
    asked = ["read", str(tmp_path / "mole.png"), "--model", "Ensemble", "--out", str(tmp_path / "out")]
    said = runner.invoke(app, asked)
    assert said.exit_code == 0, said.output
    jury = json.loads((tmp_path / "out" / "reading.json").read_text())["jury"]
    assert set(jury["votes"]) == {"One", "Two"} and "of 2 networks say" in said.output
