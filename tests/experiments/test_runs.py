"""Runs: kept line by line, a cut line spoils only itself, nothing is run twice; intervals from the answered digits."""

import json

import numpy as np
import pytest

from core.evaluation.statistics.bootstrap import lesion_bootstrap
from experiments.cells import Cell, Training
from experiments.comparisons import compare, compare_pooled, make_judge
from experiments.runs import append_runs, describe, predicted_classes, read_runs, unfinished, with_result

LABELS = np.arange(70) % 7
LESIONS = np.array([f"HAM_{i // 2}" for i in range(70)])


def made_up_run(seed: int = 0, weights: str = "none", skill: float = 1.0) -> dict:
    logits = np.random.default_rng(seed).normal(size=(70, 7)) + skill * np.eye(7)[LABELS]
    run = describe(Cell(weights=weights), Training(), backbone="B", split="s", seed=seed)
    return with_result(run, LABELS, logits, 1.23)


def test_finished_runs_are_not_run_again(tmp_path):
    path = tmp_path / "runs.jsonl"
    planned = [
        describe(Cell(weights=w), Training(), backbone="B", split="s", seed=0) for w in ("none", "paper", "none")
    ]
    assert len(unfinished(path, planned)) == 2
    append_runs(path, [made_up_run()])
    assert [run["weights"] for run in unfinished(path, planned)] == ["paper"]
    other = describe(Cell(), Training(epochs=9), backbone="B", split="s", seed=0)
    assert unfinished(path, [other]) == [other]


def test_a_line_cut_by_a_kill_spoils_only_itself(tmp_path):
    path = tmp_path / "runs.jsonl"
    append_runs(path, [made_up_run(0), made_up_run(1)])
    path.write_text(path.read_text()[:-40])
    assert [run["seed"] for run in read_runs(path)] == [0]
    append_runs(path, [made_up_run(2)])
    assert [run["seed"] for run in read_runs(path)] == [0, 2]


def test_a_run_is_json_and_its_digits_give_its_scores_again():
    run = json.loads(json.dumps(made_up_run()))
    predicted = predicted_classes(run)
    assert run["scores"]["accuracy"] == pytest.approx((predicted == LABELS).mean(), abs=1e-4)
    judge = make_judge(LABELS, LESIONS, 200)
    found = compare(judge, "balanced_accuracy", [run], name="x")
    expected = lesion_bootstrap(LABELS, np.eye(7)[predicted], LESIONS, resamples=200)["balanced_accuracy"]
    assert {k: found[k] for k in vars(expected)} == pytest.approx(vars(expected), abs=1e-4)
    assert (found["n_photos"], found["n_lesions"], found["seeds"], found["unit"]) == (70, 35, 1, "score")
    assert compare(judge, "mel.sensitivity", [run])["value"] == pytest.approx(
        (predicted[LABELS == 4] == 4).mean(), abs=1e-4
    )
    with pytest.raises(ValueError, match="Unknown metric"):
        judge.score(predicted, "auc_macro")
    with pytest.raises(ValueError, match="another split"):
        judge.score(predicted[1:], "accuracy")


def test_differences_are_paired_and_averaged_over_seeds():
    judge = make_judge(LABELS, LESIONS, 200)
    good, poor = [[made_up_run(seed, skill=skill) for seed in (0, 1)] for skill in (3.0, 1.0)]
    found = compare(judge, "accuracy", good, poor, name="good against poor")
    by_hand = np.mean([a["scores"]["accuracy"] - b["scores"]["accuracy"] for a, b in zip(good, poor, strict=True)])
    assert found["value"] == pytest.approx(by_hand, abs=2e-4)
    assert found["seed_low"] <= found["value"] <= found["seed_high"] and found["seeds"] == 2
    assert 0 < found["low"] < found["high"]
    same = compare(judge, "accuracy", good, good)
    assert same["value"] == same["low"] == same["high"] == 0


def test_seeds_with_their_own_photos_are_averaged():
    answers = predicted_classes(made_up_run())
    first = (np.repeat([0, 1], 35), LESIONS, LABELS, answers)
    wrong = (first[0], LESIONS, LABELS, (LABELS + 1) % 7)
    found = compare_pooled("accuracy", first, resamples=100, name="x")
    halves = [(answers[half] == LABELS[half]).mean() for half in (slice(0, 35), slice(35, 70))]
    assert found["value"] == pytest.approx(np.mean(halves), abs=1e-4)
    assert compare_pooled("accuracy", first, wrong, resamples=100)["value"] == found["value"]
