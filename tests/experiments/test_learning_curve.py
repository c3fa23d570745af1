"""The learning curve's bookkeeping, with a stand-in for the training (which has its own tests)."""

import numpy as np
import pandas as pd
import pytest

from core.data.ham10000 import class_indices, read_table
from experiments import learning_curve
from experiments.comparisons import make_judge
from experiments.runs import read_runs
from experiments.splits import lesion_split


def test_a_smaller_share_lies_within_a_larger_one_and_keeps_every_diagnosis():
    lesions = np.repeat([f"L{number:03d}" for number in range(100)], 2)
    diagnoses = np.repeat(["nv"] * 90 + ["mel"] * 8 + ["df"] * 2, 2)
    kept = {share: learning_curve.draw_lesions(lesions, diagnoses, share, 0) for share in (0.25, 0.5, 0.75, 1.0)}
    assert kept[1.0].all()
    for smaller, larger in ((0.25, 0.5), (0.5, 0.75)):
        assert not (kept[smaller] & ~kept[larger]).any()
    for rows in kept.values():
        assert set(diagnoses[rows]) == {"nv", "mel", "df"}
        # Both photos of a lesion, or none.
        assert (rows[::2] == rows[1::2]).all()
    assert not np.array_equal(kept[0.5], learning_curve.draw_lesions(lesions, diagnoses, 0.5, 1))


def test_fewer_lesions_get_as_many_steps():
    for share in learning_curve.SHARES:
        assert learning_curve.recipe_of(share, 0).epochs * share == learning_curve.EPOCHS


def test_a_killed_curve_goes_on_and_tells_what_all_lesions_give(tmp_path, drawn_folder):
    table, path, asked = read_table(drawn_folder), tmp_path / "runs.jsonl", []
    split = lesion_split(table)
    rows = split.rows(table, "validation")
    labels = class_indices(rows)

    def train_one(share, seed, name):
        asked.append(name)
        if len(asked) == 3:
            raise KeyboardInterrupt
        return 5 * np.eye(7)[labels if share == 1 else (labels + 1) % 7]

    with pytest.raises(KeyboardInterrupt):
        learning_curve.run_shares(path, table, train_one, [0])
    learning_curve.run_shares(path, table, train_one, [0])
    assert len(read_runs(path)) == len(learning_curve.SHARES) and len(asked) == len(set(asked)) + 1
    history = pd.DataFrame({"image_size": [128, 224], "val_accuracy": [0.5, 0.7], "val_balanced_accuracy": [0.4, 0.6]})
    histories = {"fold-1": history, "fold-2": history + 0.1}
    judge = make_judge(labels, rows.lesion_id)
    record = learning_curve.summarise(read_runs(path), judge, split.hash, histories, {"n_photos": 9, "n_lesions": 8})
    by_lesions = [e for e in record["comparisons"] if e["part_of"] == "lesions" and e["metric"] == "accuracy"]
    assert [e["value"] for e in by_lesions if e["unit"] == "difference"] == [-1.0] * 3
    by_epoch = [e for e in record["comparisons"] if e["part_of"] == "epochs" and e["metric"] == "accuracy"]
    assert [(e["at"], e["value"]) for e in by_epoch] == [(1, 0.55), (2, 0.75)]
    assert by_epoch[0]["low"] < by_epoch[0]["seed_low"] == 0.5


def test_epochs_that_a_fold_lacks_are_not_told():
    history = pd.DataFrame({"image_size": [128], "val_accuracy": [0.5], "val_balanced_accuracy": [0.4]})
    assert not learning_curve.of_epoch({"fold-1": history}, 1, {})
    assert not learning_curve.of_epoch({"fold-1": history, "fold-2": history.iloc[:0]}, 1, {})
