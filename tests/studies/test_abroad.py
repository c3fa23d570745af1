"""A network on a source that it never saw: scored, recalibrated on some of its photos, adapted to them; and models made for a clinic."""

import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import small_backbone
from typer.testing import CliRunner

from core.__main__ import app
from core.bundle import load_bundle
from core.card import read_card
from core.cli.abroad.commands import adaptation_worth
from core.data.ham10000 import read_table
from core.diagnoses import CODES
from core.estimates import Estimate
from core.evaluation.evaluator import evaluate
from core.evaluation.predictions import answer_table
from core.networks.adapting import adapt_statistics
from core.studies import abroad
from core.studies.copies import recalibrated_copy
from core.training.folds import source_folder, train_without_sources
from core.training.recipes import find_recipe

pytestmark = pytest.mark.usefixtures("three_layers")
NAMES = ("paris", "rome")


@pytest.fixture(scope="module")
def two_sources(drawn_folder, tmp_path_factory):
    folder = shutil.copytree(drawn_folder, tmp_path_factory.mktemp("abroad") / "sources")
    path = next(folder.glob("HAM10000_metadata*"))
    table = pd.read_csv(path)
    table["dataset"] = np.array(NAMES)[pd.factorize(table.lesion_id)[0] % 2]
    table.to_csv(path, index=False)
    return folder


@pytest.fixture(scope="module")
def without(two_sources, tmp_path_factory):
    small_backbone.register()
    out = tmp_path_factory.mktemp("without")
    recipe = replace(find_recipe("frozen"), frozen_epochs=1)
    choices = {"backbone": small_backbone.NAME, "init": "random", "image_size": 64, "batch_size": 8}
    train_without_sources(recipe, folder=two_sources, out=out, **choices)
    for name in NAMES:
        evaluate(load_bundle(source_folder(out, name)), two_sources, resamples=20)
    return out


@pytest.fixture
def shelf(drawn_bundle_folder, tmp_path, monkeypatch):
    shutil.copytree(drawn_bundle_folder, tmp_path / "weights" / "Drawn")
    monkeypatch.setenv("MELASCOPE_WEIGHTS", str(tmp_path / "weights"))
    return tmp_path / "weights"


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.mark.slow
def test_the_record_holds_each_source_by_the_network_that_never_saw_it(without, two_sources, shelf, monkeypatch):
    monkeypatch.setattr(abroad, "SIZES", (10,))
    monkeypatch.setattr(abroad, "LEAST_LEFT", 10)
    monkeypatch.setattr("core.networks.adapting.FEWEST", 8)
    monkeypatch.setattr("core.networks.adapting.BATCH", 8)
    done = run("sources", without, "--model", "Drawn", "--data", two_sources)
    assert done.exit_code == 0, done.output
    record = abroad.read_abroad(shelf / "Drawn")
    assert set(record["sources"]) == set(NAMES)
    for one in abroad.read_left_out(without):
        assert record["sources"][one.source]["photos"] == len(one.results.table)
        assert record["sources"][one.source]["metrics"]["accuracy"] == one.results.evaluation.metrics["accuracy"]
        curve = record["recalibration"][one.source]
        assert curve["none"]["log_loss"].low <= curve["none"]["log_loss"].value and "10" in curve["photos"]
        assert record["adaptation"][one.source]["photos"] == len(one.results.table)
    said = run("adapt", two_sources, "--model", "Drawn").output
    assert "Balanced accuracy: paris" in said and "Nothing was changed" in said


@pytest.mark.slow
def test_networks_that_are_not_there_or_not_evaluated_are_told(tmp_path, without):
    assert "holds no network without a source" in run("sources", tmp_path, "--model", without / "without-rome").output
    assert abroad.read_abroad(tmp_path) is None


def test_recalibration_finds_what_was_bent(shelf, two_sources):
    """Probabilities that were bent on purpose come back: temperature and biases are found again from labelled photos."""
    bundle = load_bundle("Drawn")
    rows = read_table(two_sources)
    truth = np.array([CODES.index(code) for code in rows.dx])
    rng = np.random.default_rng(0)
    honest = rng.normal(size=(len(rows), 7)) + 2 * np.eye(7)[truth]
    bent = honest * 4
    card, place = recalibrated_copy(bundle, "Bent", two_sources, bent, truth, rows.lesion_id.to_numpy(str))
    assert card.calibration.temperature > 1.3 and card.calibration.log_loss_after < card.calibration.log_loss_before
    copy = load_bundle("Bent")
    assert np.allclose(answer_table(copy, rows[:4]), answer_table(bundle, rows[:4]), atol=1e-5)
    assert copy.card.scores == {} and "Recalibrated on" in copy.card.data["notes"][-1]
    assert place == shelf / "Bent" and read_card(place).probabilities_sha256 != bundle.card.probabilities_sha256


def test_recalibrate_says_what_it_gave(shelf, two_sources):
    done = run("recalibrate", two_sources, "--model", "Drawn", "--name", "Clinic")
    assert done.exit_code == 0, done.output
    assert "by cross-validation over lesions" in done.output and "was not measured for this model's kind" in done.output
    assert "there already" in run("recalibrate", two_sources, "--model", "Drawn", "--name", "Clinic").output


def test_adapted_statistics_move_towards_the_photos_and_no_weight_is_trained(shelf):
    classifier = load_bundle("Drawn").engine.classifier()
    norm = next(one for one in classifier.encoder._flatten_layers() if one.name == "norm_1")
    kernels = [np.asarray(w) for w in classifier.model.trainable_weights]
    before = np.asarray(norm.moving_mean)
    images = np.full((128, 64, 64, 3), 30, "uint8")
    images[::2] = 60
    assert adapt_statistics(classifier, images) >= 2
    assert not np.allclose(before, norm.moving_mean) and norm.momentum == 0.99
    for old, new in zip(kernels, classifier.model.trainable_weights, strict=True):
        assert np.array_equal(old, np.asarray(new))
    with pytest.raises(ValueError, match="tell too little of a clinic"):
        adapt_statistics(classifier, images[:10])


def test_adaptation_that_trades_is_not_recommended():
    better, worse, even = Estimate(0.07, 0.02, 0.13), Estimate(-0.2, -0.24, -0.18), Estimate(0.0, -0.1, 0.1)
    trades = {"balanced_accuracy": better, "accuracy": worse, "auc_macro": even}
    assert "not recommended" in adaptation_worth({"adaptation": {"clinic": trades}})
    helps = adaptation_worth({"adaptation": {"clinic": trades | {"accuracy": even}}})
    assert "not recommended" not in helps and "beyond chance on 1 of 1" in helps


def test_adapt_makes_a_model_of_its_own(shelf, two_sources, monkeypatch):
    monkeypatch.setattr("core.networks.adapting.FEWEST", 8)
    done = run("adapt", two_sources, "--model", "Drawn", "--name", "Adapted")
    assert done.exit_code == 0, done.output
    assert "was not measured for this model's kind" in done.output
    rows = read_table(two_sources)[:4]
    adapted, bundle = load_bundle("Adapted"), load_bundle("Drawn")
    assert not np.allclose(answer_table(adapted, rows), answer_table(bundle, rows), atol=1e-4)
    assert adapted.card.calibration == bundle.card.calibration and adapted.card.scores == {}
