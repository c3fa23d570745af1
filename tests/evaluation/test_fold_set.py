"""A cross-validation as one model: each photo scored by the network that held it out, new photos read by the mean of all."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import small_backbone
from typer.testing import CliRunner

from core.__main__ import app
from core.bundle import load_bundle
from core.card import read_card, write_card
from core.data.drawn import draw_lesion
from core.data.ham10000 import read_table
from core.data.patient import Facts
from core.diagnoses import CODES
from core.evaluation.evaluator import evaluate
from core.evaluation.out_of_fold import OUT_OF_FOLD, held_out_by
from core.evaluation.results import InvalidResults, read_results
from core.reading import read_lesion
from core.training.folds import fold_folder, train_folds
from core.training.recipes import find_recipe

pytestmark = pytest.mark.usefixtures("three_layers")
FOLDS = (1, 2, 3)


def join(folder):
    return CliRunner().invoke(app, ["folds", "join", str(folder)])


@pytest.fixture(scope="module")
def trained(tmp_path_factory, drawn_folder):
    """Three folds of a network of three layers, each evaluated, joined on the command line."""
    small_backbone.register()
    out = tmp_path_factory.mktemp("folds") / "Small"
    recipe = replace(find_recipe("frozen"), frozen_epochs=1)
    train_folds(
        recipe,
        folds=3,
        backbone=small_backbone.NAME,
        folder=drawn_folder,
        out=out,
        init="random",
        image_size=64,
        batch_size=8,
    )
    for fold in FOLDS:
        evaluate(load_bundle(fold_folder(out, fold)), drawn_folder, resamples=20)
    done = join(out)
    assert done.exit_code == 0, done.output
    return out


def test_each_photo_is_answered_by_the_network_that_held_it_out(trained, drawn_folder):
    card = read_card(trained)
    found = read_results(trained, card)
    assert sorted(found.table.image_id) == sorted(read_table(drawn_folder).image_id)
    by = held_out_by([read_card(fold_folder(trained, fold)) for fold in FOLDS])
    for fold in FOLDS:
        own = read_results(fold_folder(trained, fold), read_card(fold_folder(trained, fold))).table.set_index(
            "image_id"
        )
        mine = found.table[[by[image] == f"fold-{fold}" for image in found.table.image_id]].set_index("image_id")
        assert np.allclose(mine[list(CODES)], own.loc[mine.index, list(CODES)], atol=1e-6)
    evaluation = found.evaluation
    assert evaluation.split["part"] == OUT_OF_FOLD and evaluation.split["missing"] == 0
    assert "single networks" in evaluation.warnings[0] and "only where nobody trained" in evaluation.warnings[0]
    assert card.scores[OUT_OF_FOLD]["photos"] == len(found.table)


def test_melanoma_is_called_at_the_threshold_of_the_network_that_answers(trained):
    found = read_results(trained, read_card(trained))
    point = found.evaluation.operating_point
    by = held_out_by([read_card(fold_folder(trained, fold)) for fold in FOLDS])
    cuts = np.array([point["thresholds"][by[image]] for image in found.table.image_id])
    melanoma = found.y_true == CODES.index("mel")
    called = found.probabilities[:, CODES.index("mel")] >= cuts
    assert point["sensitivity"].value == pytest.approx(called[melanoma].mean())
    assert point["specificity"].value == pytest.approx((~called)[~melanoma].mean())


def test_a_new_photo_is_read_by_the_mean_each_network_on_its_own_scale_of_age(trained):
    photo, _ = draw_lesion("mel")
    scales = {read_card(fold_folder(trained, fold)).age_mean for fold in FOLDS}
    assert len(scales) > 1
    for facts in (Facts(), Facts(age=80, sex="male", site="back")):
        told = read_lesion(load_bundle(trained), photo, facts).probabilities
        each = [read_lesion(load_bundle(fold_folder(trained, fold)), photo, facts).probabilities for fold in FOLDS]
        for code in CODES:
            assert told[code] == pytest.approx(np.mean([one[code] for one in each]), abs=1e-5)


def test_the_mean_counts_as_trained_on_every_photo_of_the_collection(trained, drawn_folder, tmp_path):
    card = read_card(trained)
    assert {card.part_of(image) for image in read_table(drawn_folder).image_id} == {"train"}
    found = evaluate(load_bundle(trained), drawn_folder, "all", tmp_path / "all", resamples=20)
    assert "CONTAMINATED" in found.warnings[0]


def test_unfinished_folds_are_told(trained, tmp_path):
    part = tmp_path / "Part"
    for fold in (1, 3):
        shutil.copytree(fold_folder(trained, fold), fold_folder(part, fold))
    done = join(part)
    assert done.exit_code == 0 and "2 of 3 folds are finished" in done.output
    found = read_results(part, read_card(part)).evaluation
    assert found.split["missing"] == len(read_card(fold_folder(trained, 2)).split["test"])
    (fold_folder(part, 3) / "evaluation.json").unlink()
    assert "Fold 3 has no evaluation to join" in join(part).output
    shutil.rmtree(fold_folder(part, 3))
    assert "Expected two or more" in join(part).output


def test_what_is_no_cross_validation_by_lesion_does_not_join(trained, tmp_path):
    mixed = shutil.copytree(trained, tmp_path / "Mixed")
    two = read_card(fold_folder(mixed, 2))
    write_card(replace(two, split={**two.split, "fold": [2, 5]}), fold_folder(mixed, 2))
    assert "differ in their number of folds" in join(mixed).output
    met = {**two.split, "train": [*two.split["train"], two.split["test"][0]]}
    write_card(replace(two, split=met), fold_folder(mixed, 2))
    assert "was trained on 1 of the lesions" in join(mixed).output


def test_a_fold_that_changed_since_is_refused(trained, tmp_path):
    other = shutil.copytree(trained, tmp_path / "Other")
    card = read_card(fold_folder(other, 1))
    write_card(replace(card, weights={**card.weights, "sha256": "0" * 64}), fold_folder(other, 1))
    with pytest.raises(ValueError, match="folds join"):
        load_bundle(other)
    with pytest.raises(InvalidResults, match="stale"):
        read_results(fold_folder(other, 1), read_card(fold_folder(other, 1)))
