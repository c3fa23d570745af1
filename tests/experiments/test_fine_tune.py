"""Fine-tuning's bookkeeping, with a stand-in for the training (which has its own tests)."""

import numpy as np
import pytest

from core.data.ham10000 import class_indices, read_table
from core.data.split import split_table
from experiments import fine_tune
from experiments.runs import read_runs


def test_cells_change_one_thing_and_are_not_run_twice(tmp_path, drawn_folder):
    table, path, asked = read_table(drawn_folder), tmp_path / "runs.jsonl", []

    def train_one(recipe, seed, name):
        asked.append(name)
        if len(asked) == 4:
            raise KeyboardInterrupt
        labels = class_indices(split_table(table, "lesion", seed).rows(table, "test"))
        skill = 4.0 if recipe.network.attention == "paper" else 0.5
        return skill * np.eye(7)[labels] + np.random.default_rng(seed).normal(size=(len(labels), 7))

    with pytest.raises(KeyboardInterrupt):
        fine_tune.run_fine_tune(path, table, train_one, [0])
    assert len(read_runs(path)) == 3
    fine_tune.run_fine_tune(path, table, train_one, [0])
    fine_tune.run_fine_tune(path, table, train_one, [0])
    assert len(asked) == len(fine_tune.CHANGES) + 1 and len(set(asked)) == len(fine_tune.CHANGES)
    record = fine_tune.summarise(read_runs(path), table)
    differences = {
        e["name"]: e for e in record["comparisons"] if e["unit"] == "difference" and e["metric"] == "accuracy"
    }
    assert len(differences) == len(fine_tune.CHANGES) - 1
    assert differences["attention: paper against uniform"]["value"] > 0
    assert differences["metadata: real against none"]["value"] == 0


def test_recipes_differ_in_what_their_cell_changes():
    base = fine_tune.recipe_of(fine_tune.BASE, 0).to_json()
    for factor, level in fine_tune.CHANGES[1:]:
        other = fine_tune.recipe_of(fine_tune.make_cell(factor, level), 0).to_json()
        changed = {key for key in base if base[key] != other[key]}
        assert changed == {"class_weights" if factor == "weights" else "network"}
