"""Choices of the second phase do what they say, and recipes that do not make them are what they were."""

import json
from dataclasses import replace

import keras
import numpy as np
import pytest
import small_backbone

from core.data.ham10000 import read_dataset
from core.training.phases import Phases, TwoRates, WarmRestarts
from core.training.recipes import LATE, RECIPES, find_recipe
from core.training.state import RunState, StateFolder
from core.training.training_data import ready_data
from core.training.watching import Report

pytestmark = pytest.mark.usefixtures("three_layers")

SIDE = 32  # pixels
# The still recipe: nothing but the weights' start and the order of photos is drawn.
QUICK = replace(
    find_recipe("honest"), frozen_epochs=1, epochs=1, batch_size=8, freeze_stem=False, warmup=0.0, choose="last"
)


@pytest.fixture(scope="module")
def data(drawn_folder, three_layers):
    return ready_data(read_dataset(drawn_folder), drawn_folder, QUICK, (SIDE,), None, Report())


def go_through(data, place, **changes):
    """Encoder and head weights of a short training, and its state."""
    keras.utils.set_random_seed(0)
    progress = RunState({})
    phases = Phases(
        replace(QUICK, **changes), small_backbone.NAME, "random", SIDE, data, progress, StateFolder(place), Report()
    )
    classifier = phases.go_through()
    return classifier.encoder.get_weights(), classifier.head.get_weights(), progress


def moved(first, second):
    return sum(float(np.abs(a - b).sum()) for a, b in zip(first, second, strict=True))


@pytest.mark.slow
def test_an_encoder_of_rate_zero_stays_and_its_head_learns(data, tmp_path):
    def trained(weights):
        return [w for w in weights if w.ndim == 4]  # kernels: statistics of batches move by themselves

    start, head, _ = go_through(data, tmp_path / "start", epochs=0)
    still, head_learned, _ = go_through(data, tmp_path / "still", encoder_rate=0.0, weight_decay=0.0)
    learned, _, _ = go_through(data, tmp_path / "whole", weight_decay=0.0)
    assert moved(trained(start), trained(still)) == 0 < moved(trained(start), trained(learned))
    assert moved(head, head_learned) > 0


def test_two_rates_that_are_one_are_adam():
    def step(optimizer):
        layer = keras.layers.Dense(2, kernel_initializer="ones")
        layer.build((None, 3))
        optimizer.build(layer.trainable_variables)
        if isinstance(optimizer, TwoRates):
            optimizer.slow_down([layer.kernel], 1.0)
        for _ in range(3):
            optimizer.apply([keras.ops.full(v.shape, 0.3) for v in layer.trainable_variables])
        return layer.get_weights()

    plain = step(keras.optimizers.AdamW(0.01, weight_decay=0.1))
    for one, other in zip(plain, step(TwoRates(0.01, weight_decay=0.1)), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


@pytest.mark.slow
def test_averaged_weights_lie_nearer_to_where_they_began_and_a_run_goes_on_with_them(data, tmp_path):
    start, _, _ = go_through(data, tmp_path / "start", epochs=0)
    learned, _, _ = go_through(data, tmp_path / "plain")
    place = tmp_path / "averaged"
    averaged, _, progress = go_through(data, place, weight_average=0.99)
    assert 0 < moved(start[:1], averaged[:1]) < moved(start[:1], learned[:1])
    # The state holds what the epoch ended with, and the optimizer with its averages fits it.
    again = RunState(**json.loads((place / "training" / "state.json").read_text()))
    recipe = replace(QUICK, weight_average=0.99, epochs=2)
    classifier = Phases(
        recipe, small_backbone.NAME, "random", SIDE, data, again, StateFolder(place), Report()
    ).go_through()
    assert again.epoch == progress.epoch + 1 and moved(averaged[:1], classifier.encoder.get_weights()[:1]) > 0


def test_without_a_restart_the_rate_is_keras_own_and_with_one_it_is_the_peak_again():
    cosine = keras.optimizers.schedules.CosineDecay(1e-3 / 20, 90, warmup_target=1e-3, warmup_steps=10)
    plain, twice = WarmRestarts(1e-3, 10, 90, 0), WarmRestarts(1e-3, 10, 90, 1)
    for step in (0, 4, 10, 37, 99, 100):
        assert float(plain(step)) == pytest.approx(float(cosine(step)), abs=1e-9)
    rates = [float(twice(step)) for step in range(101)]
    assert rates[10] == rates[55] == max(rates) and rates[100] == 0
    assert rates[54] < 1e-5 and rates[56:101] == sorted(rates[56:101], reverse=True)


def test_squares_are_dropped_in_training_only_and_a_resumed_run_drops_the_same(data, tmp_path):
    start, head, _ = go_through(data, tmp_path / "start", epochs=0)
    plain, plain_head, _ = go_through(data, tmp_path / "plain", epochs=2)
    dropped, dropped_head, progress = go_through(data, tmp_path / "dropped", epochs=2, drop_block=0.2)
    assert moved(plain_head, dropped_head) > 0 and len(dropped) == len(plain)
    stopped = tmp_path / "stopped"
    recipe, again = replace(QUICK, epochs=2, drop_block=0.2), RunState({})
    keras.utils.set_random_seed(0)
    parts = (recipe, small_backbone.NAME, "random", SIDE, data)
    Phases(*parts, again, StateFolder(stopped), Report(), stop_after=2).go_through()
    assert again.epoch == 2 < progress.epoch
    again = RunState(**json.loads((stopped / "training" / "state.json").read_text()))
    resumed = Phases(*parts, again, StateFolder(stopped), Report()).go_through()
    assert moved(dropped_head, resumed.head.get_weights()) == pytest.approx(0, abs=1e-4)


def test_what_is_taught_is_learned(data, tmp_path):
    part = data.parts["train"]
    one = np.eye(7, dtype="float32")[np.full(len(part.labels), 3)]
    taught = replace(data, parts={**data.parts, "train": replace(part, targets=one)})
    _, _, progress = go_through(taught, tmp_path, frozen_epochs=12, frozen_rate=0.05, epochs=0)
    share = float((data.parts["validation"].labels == 3).mean())
    # Whatever the photo shows, the head says what it was taught.
    assert progress.history[-1]["val_accuracy"] == pytest.approx(share, abs=0.02)


@pytest.mark.parametrize("name", RECIPES)
def test_runs_that_were_begun_before_a_choice_came_still_go_on(name):
    record = find_recipe(name).to_json()
    assert not set(LATE) & set(record) and "erase" not in record["augmentation"]
    made = replace(
        find_recipe(name), cutmix=0.5, encoder_rate=0.3, weight_average=0.99, drop_block=0.1, restarts=1
    ).to_json()
    assert {key for key in made if made[key] != record.get(key)} == set(LATE)
