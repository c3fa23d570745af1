"""Levers: each changes one thing of the base head, judged on validation photos; views are copies of the same photo."""

import numpy as np
import pytest

from core.bundle import load_bundle
from core.data.ham10000 import class_indices, read_table
from core.data.image_cache import cache_images
from core.data.split import split_table
from core.diagnoses import CODES
from experiments.cells import Cell, Part, Training
from experiments.comparisons import make_judge
from experiments.levers import (
    BASE,
    LEVERS,
    LOSSES,
    Lever,
    run_levers,
    source_weights,
    summarise,
    train_lever,
)
from experiments.runs import read_runs
from experiments.views import VIEWS, answer_views, run_views, view

TINY = Training(epochs=1, batch_size=16, metadata_units=4)


@pytest.fixture(scope="module")
def table(drawn_folder):
    return read_table(drawn_folder)


def test_levers_have_names_of_their_own_and_change_the_base():
    names = [lever.what for lever in (BASE, *LEVERS)]
    assert len(set(names)) == len(names)
    for lever in LEVERS:
        changed = {k for k, v in vars(lever).items() if v != getattr(BASE, k)} - {"what"}
        # A loss of its own may stand without class weights; nothing else is changed with another thing.
        assert changed and (len(changed) == 1 or changed == {"cell", "loss"}), lever.what


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_falls_with_the_right_answer_and_takes_the_class_weights(name):
    counts, weights = np.arange(10, 80, 10).astype("float32"), np.ones(7, "float32")
    labels = np.eye(7, dtype="float32")[[0, 4]]
    unsure, sure = np.zeros((2, 7), "float32"), 3 * labels
    first, second = (np.asarray(LOSSES[name](labels, z, weights, counts)) for z in (unsure, sure))
    assert first.shape == (2,) and (second < first).all()
    twice = np.asarray(LOSSES[name](labels, sure, 2 * weights, counts))
    np.testing.assert_allclose(twice, 2 * second, rtol=1e-5)


def test_an_average_of_the_weights_and_a_teacher_change_the_head():
    rng, ones = np.random.default_rng(0), np.ones(32)
    maps, facts = rng.normal(size=(32, 4, 4, 8)), rng.normal(size=(32, 21)).astype("float32")
    part = Part(np.arange(32), np.arange(32) % 7, {"real": facts, "shuffled": facts})

    def last_weights(**change):
        teacher = np.eye(7)[np.zeros(len(maps), int)] if "taught" in change else None
        return train_lever(Lever("one", training=TINY, **change), maps, part, ones, 0, teacher).get_weights()[-1]

    plain = last_weights()
    assert not np.allclose(plain, last_weights(ema=0.9)) and last_weights(taught=1.0).argmax() == 0


def test_sources_weigh_by_the_root_of_their_rarity():
    weights = source_weights(["a"] * 16 + ["b"] * 4)
    assert weights.mean() == pytest.approx(1)
    assert weights[-1] / weights[0] == pytest.approx(2)


def test_views_are_the_eight_copies_of_a_photo():
    image = np.arange(4 * 4 * 3, dtype="uint8").reshape(1, 4, 4, 3)
    copies = {view(image, *how).tobytes() for how in VIEWS}
    assert len(VIEWS) == len(copies) == 8
    assert np.array_equal(view(image, *VIEWS[0]), image)
    assert all(sorted(copy) == sorted(image.tobytes()) for copy in copies)


@pytest.mark.slow
def test_heads_are_judged_on_validation_and_not_trained_twice(tmp_path, table):
    split, path = split_table(table), tmp_path / "runs.jsonl"
    maps = np.random.default_rng(0).normal(size=(len(table), 4, 4, 8)).astype("float16")
    levers = [
        Lever("mixed", training=TINY, mixup=0.2),
        Lever("sources", training=TINY, sources=True),
        Lever("flat", training=Training(epochs=1, batch_size=16, metadata_units=4, head="paper")),
        Lever("attending", Cell("normalised", "real", "none"), training=TINY),
        Lever("averaged", training=TINY, ema=0.9),
        Lever("taught", training=TINY, taught=0.5),
        Lever("nowhere", training=TINY, attach="nowhere"),
    ]
    seen, asked = [], []

    def teach(rows):
        asked.append(rows)
        return np.full((len(rows), 7), 1 / 7)

    def maps_of(backbone, attach):
        seen.append((backbone, attach))
        return maps

    run_levers(path, table, split, maps_of, ["MobileNetV2"], [0], levers)
    assert [run["what"] for run in read_runs(path)][-1] == "averaged"  # no teacher, nothing taught
    run_levers(path, table, split, maps_of, ["MobileNetV2"], [0], levers, teach)
    runs = read_runs(path)
    assert [run["what"] for run in runs] == [
        "the base head",
        "mixed",
        "sources",
        "flat",
        "attending",
        "averaged",
        "taught",
    ]
    assert len(asked) == 1 and set(table.image_id.iloc[asked[0]]) == set(split.train)
    assert {run["photos"] for run in runs} == {len(split.validation)}
    seen.clear()
    run_levers(path, table, split, maps_of, ["MobileNetV2"], [0], levers, teach)
    assert not seen and len(read_runs(path)) == len(runs)

    rows = split.rows(table, "validation")
    found = summarise(runs, make_judge(class_indices(rows), rows.lesion_id, 50), split)
    assert found["part"] == "validation" and found["runs"] == 7
    differences = [e for e in found["comparisons"] if e["unit"] == "difference"]
    assert {e["lever"] for e in differences} == {"mixed", "sources", "flat", "attending", "averaged", "taught"}


def test_views_of_a_model_and_of_its_answers(tmp_path, table, drawn_bundle_folder):
    split, path = split_table(table), tmp_path / "runs.jsonl"
    rows = split.rows(table, "validation")
    bundle = load_bundle(drawn_bundle_folder)
    images = cache_images(table, bundle.card.image_size)[np.flatnonzero(table.image_id.isin(rows.image_id))]
    answers = answer_views(bundle, rows, images)
    assert answers.shape == (8, len(rows), len(CODES))
    np.testing.assert_allclose(answers.sum(axis=-1), 1, atol=1e-6)
    turned = answer_views(bundle, rows, np.rot90(images, 1, axes=(1, 2)))
    np.testing.assert_allclose(turned[0], answers[1], atol=1e-4)

    run_views(path, table, split, [drawn_bundle_folder])
    assert [(run["what"], run["rule"]) for run in read_runs(path)] == [
        ("1 views", "likeliest"),
        ("1 views", "balanced"),
        ("8 views", "likeliest"),
        ("8 views", "balanced"),
    ]
