"""Experiments that train whole networks: on workers the same networks and answers as in this process."""

from pathlib import Path

import h5py
import numpy as np
import pytest
from small_experiments import SmallTrainer, first_weights

from core.data.ham10000 import class_indices, read_table
from experiments import learning_curve, whole_levers
from experiments.runs import key_of, read_runs
from experiments.splits import lesion_split


@pytest.fixture(scope="module")
def imagenet(tmp_path_factory) -> Path:
    return first_weights(tmp_path_factory.mktemp("first") / "imagenet")


def results(path: Path) -> dict[str, tuple]:
    """Scores and answers of each run; the time that it took is another each time."""
    return {key_of(run): (run["scores"], run["predicted"]) for run in read_runs(path)}


def last_weights(out: Path) -> dict[str, np.ndarray]:
    """Every array of every network that a folder of states keeps."""
    found = {}
    for file in sorted(out.rglob("*.weights.h5")):
        with h5py.File(file) as opened:
            opened.visititems(
                lambda name, item, file=file: (
                    found.update({f"{file.relative_to(out)} {name}": item[()]})
                    if isinstance(item, h5py.Dataset)
                    else None
                )
            )
    return found


def run_experiment(name: str, folder: Path, photos: Path, imagenet: Path, address: str | None) -> None:
    table, path, out = read_table(photos), folder / "runs.jsonl", folder / "states"
    if name == "learning_curve":
        train_one = SmallTrainer(learning_curve.make_trainer(photos, imagenet, out))
        learning_curve.run_shares(path, table, train_one, [0], address)
    else:
        train_one, split = SmallTrainer(whole_levers.make_trainer(photos, imagenet, out)), lesion_split(table)
        labels = class_indices(split.rows(table, "validation"))
        whole_levers.run_levers(path, split, labels, train_one, ["cutmix", "student_of_halves"], [0], address)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["learning_curve", "whole_levers"])
def test_whole_networks_on_workers_are_those_of_this_process(
    small_ray, drawn_folder, imagenet, tmp_path, monkeypatch, name
):
    monkeypatch.setattr(learning_curve, "SHARES", (1.0, 0.5))
    here, there = tmp_path / "here", tmp_path / "there"
    run_experiment(name, here, drawn_folder, imagenet, None)
    run_experiment(name, there, drawn_folder, imagenet, "local")
    assert len(results(here / "runs.jsonl")) == 2
    assert results(there / "runs.jsonl") == results(here / "runs.jsonl")
    own, other = last_weights(here / "states"), last_weights(there / "states")
    assert own.keys() == other.keys() and own
    for array in own:
        np.testing.assert_array_equal(other[array], own[array], err_msg=array)
