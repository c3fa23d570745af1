"""Levers of whole networks: each changes one thing, teachers never see the lesion that they teach, runs are kept and compared by seed."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from core.data.ham10000 import class_indices, read_dataset, read_table
from core.training.training_data import ready_data
from core.training.watching import Report
from experiments import whole_levers
from experiments.comparisons import make_judge
from experiments.learning_curve import recipe_of
from experiments.runs import append_runs, read_runs, with_result
from experiments.splits import lesion_split
from experiments.whole_levers import LEVERS, TEACHERS

# What a choice of one lever means in fields of the recipe.
SEVERAL = {"batch": {"batch_size", "rate", "frozen_rate"}, "restarts": {"epochs", "restarts"}}


@pytest.fixture(scope="module")
def data(drawn_folder):
    return ready_data(read_dataset(drawn_folder), drawn_folder, recipe_of(1.0, 0), (32,), None, Report())


def test_each_lever_changes_one_thing():
    assert len({lever.what for lever in LEVERS.values()}) == len(LEVERS)
    for name, lever in LEVERS.items():
        changed = set(lever.describe()["changed"])
        assert changed == SEVERAL.get(name, changed) and len(changed) + bool(lever.teacher) == len(
            SEVERAL.get(name, "1")
        )
        assert not lever.teacher or lever.teacher in TEACHERS
        assert lever.recipe(1) == replace(recipe_of(1.0, 1), **lever.changed)


def test_a_killed_experiment_goes_on_and_compares_runs_of_one_seed(tmp_path, drawn_folder):
    table, path, asked = read_table(drawn_folder), tmp_path / "runs.jsonl", []
    split = lesion_split(table)
    rows = split.rows(table, "validation")
    labels = class_indices(rows)

    def train_one(lever, seed, name):
        asked.append(name)
        if len(asked) == 3:
            raise KeyboardInterrupt
        return 5 * np.eye(7)[labels if "CutMix" in lever.what else (labels + 1) % 7]

    levers = ["cutmix", "erasing"]
    with pytest.raises(KeyboardInterrupt):
        whole_levers.run_levers(path, split, labels, train_one, levers)
    for _ in range(2):
        whole_levers.run_levers(path, split, labels, train_one, levers)
    assert len(asked) == 5 and len(read_runs(path)) == 4
    # The base has one seed only: so have the differences.
    run = {"backbone": "MobileNetV3Small", "image_size": 128, "seed": 1, "split": split.hash, "share": 1.0, "epochs": 3}
    curve = tmp_path / "curve.jsonl"
    others = [{**run, "share": 0.5, "seed": 0}, {**run, "split": "another", "seed": 0}]
    append_runs(curve, [with_result(one, labels, 5 * np.eye(7)[labels], 1.0) for one in (run, *others)])
    base = whole_levers.base_runs(curve, split.hash)
    record = whole_levers.summarise(read_runs(path), base, make_judge(labels, rows.lesion_id), split)
    found = {e["lever"]: e for e in record["comparisons"] if e["metric"] == "accuracy"}
    assert {name: (e["value"], e["seeds"]) for name, e in found.items()} == {
        "": (1.0, 1),
        "cutmix": (0.0, 1),
        "erasing": (-1.0, 1),
    }
    assert found["erasing"]["auc_macro_apart"] < found["cutmix"]["auc_macro_apart"] == 0
    # A lever that means something else since is not compared.
    stale = [{**run, "changed": {"cutmix": 0.1}} for run in read_runs(path)]
    assert not whole_levers.summarise(stale, base, make_judge(labels, rows.lesion_id), split)["runs"]


def test_targets_are_half_the_label_and_half_the_teacher(data):
    part = data.parts["train"]
    answers = np.full((len(part.labels), 7), 1 / 7, "float32")
    targets = whole_levers.taught_by(data, answers).parts["train"].targets
    np.testing.assert_allclose(targets.sum(1), 1, rtol=1e-6)
    np.testing.assert_array_equal(targets.argmax(1), part.labels)
    assert targets.min() == pytest.approx(0.5 / 7)


def test_halves_teach_what_they_never_saw(data, tmp_path, monkeypatch):
    lesions, seen = data.dataset.table.lesion_id.to_numpy(str), []

    def train_network(half, recipe, imagenet, place, **settings):
        rows = half.parts["train"].rows

        def answer(part):
            seen.append(set(rows) | set(part.rows))
            assert not set(lesions[rows]) & set(lesions[part.rows])
            assert not set(part.rows) & set(data.parts["validation"].rows)
            return np.eye(7)[part.labels]

        return answer

    monkeypatch.setattr(whole_levers, "train_network", train_network)
    taught = whole_levers.teach_by_halves(data, None, tmp_path, 0)
    part = data.parts["train"]
    np.testing.assert_array_equal(taught.argmax(1), part.labels)
    assert seen == [set(part.rows)] * 2


def test_the_folds_teach_each_photo_by_its_own_answer_and_say_what_is_missing(data, monkeypatch):
    table = data.dataset.table
    rng = np.random.default_rng(0)
    answers = table[["image_id"]].assign(
        **dict(zip(whole_levers.CODES, rng.dirichlet(np.ones(7), len(table)).T, strict=True))
    )
    shuffled = answers.sample(frac=1, random_state=0)
    card = SimpleNamespace(split={"folds": [[1, 5]]})
    monkeypatch.setattr(whole_levers, "read_card", lambda folder: card)
    monkeypatch.setattr(whole_levers, "read_results", lambda *_: SimpleNamespace(table=shuffled))
    taught = whole_levers.teach_by_folds(data, None, None, 0)
    wanted = answers[list(whole_levers.CODES)].to_numpy()[data.parts["train"].rows]
    np.testing.assert_allclose(taught, wanted, rtol=1e-6)
    shuffled = answers.drop(index=data.parts["train"].rows[0])
    with pytest.raises(ValueError, match="lack 1 training photos"):
        whole_levers.teach_by_folds(data, None, None, 0)
    card.split = {}
    with pytest.raises(ValueError, match="not a set of folds"):
        whole_levers.teach_by_folds(data, None, None, 0)
