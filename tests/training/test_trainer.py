"""A run trains, survives a kill without changing its epochs, stops on NaN, and ends with a bundle."""

import json
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest
import small_backbone

from core.bundle import load_bundle
from core.card import read_card
from core.data.ham10000 import read_table
from core.data.split import fold_table, split_from_json
from core.training.callbacks import TrainingDiverged
from core.training.class_weights import class_weights
from core.training.recipes import RECIPES, find_recipe
from core.training.state import CannotResume
from core.training.trainer import train
from core.training.watching import Report

SMALL = {"backbone": small_backbone.NAME, "init": "random", "image_size": 64, "batch_size": 8}


pytestmark = pytest.mark.usefixtures("three_layers")

NO_PAIRS = pd.DataFrame({"first": [], "second": []}, dtype=int)


def quick(name="honest", **changes):
    return replace(find_recipe(name), **{"epochs": 2, "frozen_epochs": 1, **changes})


@pytest.fixture(scope="module")
def trained(drawn_folder, tmp_path_factory, three_layers):
    rows = []
    out = tmp_path_factory.mktemp("trained") / "Tiny"
    card = train(quick(), folder=drawn_folder, out=out, report=Report(epoch=rows.append), **SMALL)
    return card, out, rows


def test_a_run_ends_with_a_bundle_a_card_and_a_history(trained, drawn_folder):
    card, out, rows = trained
    assert sorted(p.name for p in out.iterdir()) == ["card.json", "history.csv", "model.weights.h5", "serving.zip"]
    assert [r["phase"] for r in rows] == ["frozen", "fine-tune", "fine-tune"]
    assert card == read_card(out) and card.name == "Tiny"
    assert card.training["epochs"] == 3 and card.calibration.photos == len(card.split["validation"])
    assert len((out / "history.csv").read_text().splitlines()) == 4
    split = split_from_json(card.split)
    assert not split.leaky and len(split.train) == card.data["photos"]["train"]
    assert set(split.train) | set(split.validation) | set(split.test) == set(read_table(drawn_folder).image_id)
    load_bundle(out)


def test_age_statistics_come_from_training_rows(trained, drawn_folder):
    card = trained[0]
    table = read_table(drawn_folder)
    ages = table[table.image_id.isin(card.split["train"])].age
    assert card.age_mean == pytest.approx(ages.mean()) and card.age_sd == pytest.approx(ages.std(ddof=0))


def test_a_run_told_to_stop_ends_with_the_epochs_there_are_on_the_split_it_was_given(trained, drawn_folder, tmp_path):
    rows = []
    card = train(
        quick(),
        folder=drawn_folder,
        out=tmp_path,
        seed=7,
        split_seed=0,
        stop_after=1,
        report=Report(epoch=rows.append),
        **SMALL,
    )
    assert len(rows) == card.training["epochs"] == 1 and card.training["seed"] == 7
    assert card.split == trained[0].split
    load_bundle(tmp_path)


class Killed(BaseException):
    """Stands for Ctrl-C and kill -9: nothing of ours catches it."""


@pytest.mark.parametrize("last_whole_epoch", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_killed_run_resumes_to_the_same_epochs(trained, drawn_folder, tmp_path, last_whole_epoch):
    _, _, unbroken = trained

    def kill(epoch, epochs, phase, batch, batches, loss):
        if epoch == last_whole_epoch + 1 and batch == 1:
            raise Killed

    out = tmp_path / "Tiny"
    with pytest.raises(Killed):
        train(quick(), folder=drawn_folder, out=out, report=Report(batch=kill), **SMALL)
    assert len((out / "history.csv").read_text().splitlines()) == 1 + last_whole_epoch
    rows = []
    card = train(quick(), folder=drawn_folder, out=out, resume=True, report=Report(epoch=rows.append), **SMALL)
    assert [r["epoch"] for r in rows] == list(range(last_whole_epoch + 1, 4))
    for resumed, whole in zip(rows, unbroken[last_whole_epoch:], strict=True):
        for key in ("loss", "val_loss", "val_balanced_accuracy"):
            assert resumed[key] == pytest.approx(whole[key], rel=2e-3), key
    assert card.training["epochs"] == 3


def test_resume_refuses_another_runs_state_and_an_empty_folder(drawn_folder, tmp_path):
    with pytest.raises(CannotResume, match="nothing to resume"):
        train(quick(), folder=drawn_folder, out=tmp_path / "None", resume=True, **SMALL)

    def kill(epoch, *_):
        if epoch == 2:
            raise Killed

    with pytest.raises(Killed):
        train(quick(), folder=drawn_folder, out=tmp_path / "A", report=Report(batch=kill), **SMALL)
    with pytest.raises(ValueError, match="holds a run that was stopped"):
        train(quick(), folder=drawn_folder, out=tmp_path / "A", **SMALL)
    with pytest.raises(CannotResume, match="other settings: recipe"):
        train(quick(), folder=drawn_folder, out=tmp_path / "A", resume=True, **{**SMALL, "batch_size": 4})


def test_a_nan_loss_stops_at_once_and_says_where(drawn_folder, tmp_path):
    with pytest.raises(TrainingDiverged, match=r"epoch 2, batch \d"):
        train(quick(rate=1e30, label_smoothing=0.0), folder=drawn_folder, out=tmp_path / "N", **SMALL)
    assert (tmp_path / "N" / "training" / "epoch-001").is_dir()


@pytest.mark.slow
def test_a_frozen_phase_that_stops_early_does_not_lengthen_the_next(drawn_folder, tmp_path):
    # A rate of nothing: no epoch is better than the first.
    recipe = quick(patience=2, frozen_rate=1e-12, rate=1e-12)
    recipe = replace(recipe, frozen_epochs=6, epochs=3)

    def phases(run):
        return [row["phase"] for row in run]

    whole, said = [], []
    train(recipe, folder=drawn_folder, out=tmp_path / "W", report=Report(epoch=whole.append, say=said.append), **SMALL)
    assert phases(whole) == ["frozen"] * 3 + ["fine-tune"] * len(whole[3:]) and 2 <= len(whole[3:]) <= 3
    assert any("stopping" in text for text in said)

    def kill(epoch, epochs, phase, batch, batches, loss):
        if phase == "fine-tune":
            assert epochs == 6
            raise Killed

    with pytest.raises(Killed):
        train(recipe, folder=drawn_folder, out=tmp_path / "R", report=Report(batch=kill), **SMALL)
    rest = []
    train(recipe, folder=drawn_folder, out=tmp_path / "R", resume=True, report=Report(epoch=rest.append), **SMALL)
    # Resumed in phase two, not in what was left of phase one.
    assert phases(rest) == phases(whole)[3:]


def test_every_backbone_of_a_seed_gets_the_same_split(drawn_folder, monkeypatch):
    from core.training import training_data

    sides = []
    monkeypatch.setattr(training_data, "near_duplicates", lambda images, _: sides.append(images.shape[1]) or NO_PAIRS)
    table = read_table(drawn_folder)
    for size in (64, 224):
        images = {size: training_data.cache_images(table, size)}
        training_data.split_lesions(table, quick(), images, None, Report())
    assert sides == [224, 224]


def test_the_paper_recipe_runs_and_is_labelled(drawn_folder, tmp_path):
    recipe = replace(find_recipe("paper"), epochs=1)
    said = []
    card = train(recipe, folder=drawn_folder, out=tmp_path / "P", report=Report(say=said.append), **SMALL)
    assert card.split["leaky"] and any("LEAKS" in text for text in said)
    np.testing.assert_allclose(card.training["gamma"], 0.01, atol=0.01)
    expected = class_weights("paper", card.data["photos_per_class"]["train"])
    np.testing.assert_allclose(card.training["class_weights"], expected, atol=1e-6)


def small_first():
    """Two epochs at half the side, then one at the full side."""
    return quick("progressive", epochs=3, sizes=((2 / 3, 0.5), (1 / 3, 1.0)))


@pytest.fixture(scope="module")
def in_stages(drawn_folder, tmp_path_factory, three_layers):
    rows, out = [], tmp_path_factory.mktemp("stages") / "S"
    return train(small_first(), folder=drawn_folder, out=out, report=Report(epoch=rows.append), **SMALL), out, rows


def test_most_epochs_see_small_photos_and_the_last_ones_whole_ones(in_stages):
    card, out, rows = in_stages
    assert [(r["phase"], r["image_size"]) for r in rows] == [
        ("frozen", 32),
        ("fine-tune", 32),
        ("fine-tune", 32),
        ("fine-tune", 64),
    ]
    # One schedule over both stages, down to nothing.
    assert rows[-1]["learning_rate"] < 1e-9 < rows[-2]["learning_rate"]
    assert card.image_size == 64 and load_bundle(out).classifier.image_size == 64
    # The last epoch is taken, whichever was best.
    assert card.training["best_epoch"] == card.training["epochs"] == 4


@pytest.mark.slow
@pytest.mark.parametrize("last_whole_epoch", [2, 3])
def test_a_run_in_stages_resumes_to_the_same_epochs(in_stages, drawn_folder, tmp_path, last_whole_epoch):
    _, _, unbroken = in_stages
    rows = []

    def kill(epoch, epochs, phase, batch, batches, loss):
        if epoch == last_whole_epoch + 1 and batch == 1:
            raise Killed

    with pytest.raises(Killed):
        train(small_first(), folder=drawn_folder, out=tmp_path / "K", report=Report(batch=kill), **SMALL)
    train(
        small_first(), folder=drawn_folder, out=tmp_path / "K", resume=True, report=Report(epoch=rows.append), **SMALL
    )
    for resumed, whole in zip(rows, unbroken[last_whole_epoch:], strict=True):
        for key in ("image_size", "loss", "val_loss"):
            assert resumed[key] == pytest.approx(whole[key], rel=2e-3), key


def test_weights_that_depend_on_the_side_are_refused(drawn_folder, tmp_path):
    recipe = small_first()
    recipe = replace(recipe, network=replace(recipe.network, head="paper"))
    with pytest.raises(ValueError, match="depend on the side of its photos"):
        train(recipe, folder=drawn_folder, out=tmp_path / "F", **SMALL)


def test_a_fold_trains_on_the_other_parts_and_holds_its_own_out(drawn_folder, tmp_path):
    recipe = replace(find_recipe("frozen"), frozen_epochs=1)
    card = train(recipe, folder=drawn_folder, out=tmp_path / "fold-2", fold=(2, 3), **SMALL)
    table = read_table(drawn_folder)
    assert split_from_json(card.split) == fold_table(table, 2, 3)
    assert card.data["photos"]["test"] == len(card.split["test"]) > 0


@pytest.mark.parametrize("name", RECIPES)
def test_stages_end_at_the_last_epoch_and_the_full_side(name):
    for side in (224, 299, 331):
        stages = find_recipe(name).stages(side)
        assert stages[-1] == (find_recipe(name).epochs, side)
        assert all(size % 32 == 0 for _, size in stages[:-1]) and [e for e, _ in stages] == sorted(e for e, _ in stages)


def test_recipes_build_and_describe_themselves():
    for name, recipe in RECIPES.items():
        assert recipe.about.endswith(".") and json.dumps(recipe.to_json()), name
    with pytest.raises(ValueError, match="honest, progressive, frozen, paper"):
        find_recipe("best")


BACKENDS = [b for b in ("tensorflow", "jax", "torch") if find_spec(b)]


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_one_small_epoch_on_each_backend(backend, drawn_folder, tmp_path):
    code = (
        "from dataclasses import replace\n"
        "from core.training.recipes import find_recipe\n"
        "from core.training.trainer import train\n"
        "recipe = replace(find_recipe('honest'), epochs=1, frozen_epochs=1)\n"
        f"card = train(recipe, backbone='MobileNetV3Small', folder={str(drawn_folder)!r}, out={str(tmp_path / 'B')!r},"
        " init='random', image_size=64, batch_size=8)\n"
        f"assert card.training['versions']['backend'] == {backend!r} and card.training['epochs'] == 2\n"
    )
    import os

    env = {**os.environ, "KERAS_BACKEND": backend}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
