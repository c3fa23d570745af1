"""A training placed on a worker ends as one of this process does, and goes on when its worker is lost."""

import os
import signal
from pathlib import Path

import pandas as pd
import pytest
from on_workers import small_recipe
from small_backbone import NAME

from core.card import read_card
from core.cluster.placed_training import train_on_ray
from core.cluster.ray_runtime import count_workers
from core.training.trainer import train
from core.training.watching import Report

SMALL = {"backbone": NAME, "init": "random", "image_size": 64, "batch_size": 8}
RECIPE = small_recipe("honest", epochs=3, frozen_epochs=1)


def history(folder):
    return pd.read_csv(folder / "history.csv").drop(columns="seconds")


def trainers():
    """Processes of this machine that train on a worker."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if "ray::_train_one" in (entry / "cmdline").read_text():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


@pytest.mark.slow
def test_a_worker_trains_as_this_process_does_also_when_it_is_killed(small_ray, three_layers, drawn_folder, tmp_path):
    alone = train(RECIPE, folder=drawn_folder, out=tmp_path / "Alone", **SMALL)
    rows, killed = [], []

    def epoch(row):
        rows.append(row["epoch"])
        if row["epoch"] == 2 and not killed:
            killed.extend(trainers())
            for process in killed:
                os.kill(process, signal.SIGKILL)

    said = []
    [card] = train_on_ray(
        RECIPE,
        address="local",
        folder=drawn_folder,
        out=tmp_path / "Placed",
        report=Report(say=said.append, epoch=epoch),
        **SMALL,
    )
    assert killed and any("Resuming after epoch" in text for text in said), said
    assert sorted(set(rows)) == [1, 2, 3, 4]
    pd.testing.assert_frame_equal(history(tmp_path / "Placed"), history(tmp_path / "Alone"), check_exact=True)
    assert card.weights["sha256"] == alone.weights["sha256"] and card.calibration == alone.calibration


@pytest.mark.slow
def test_folds_are_trained_on_workers_of_their_own(small_ray, drawn_folder, tmp_path):
    said = []
    choices = {"folds": 2, "address": "local", "folder": drawn_folder, "out": tmp_path, **SMALL}
    recipe = small_recipe("frozen", frozen_epochs=1)
    cards = train_on_ray(recipe, report=Report(say=said.append), **choices)
    assert [card.split["fold"] for card in cards] == [[1, 2], [2, 2]]
    assert cards == [read_card(tmp_path / f"fold-{number}") for number in (1, 2)]
    assert {"Fold 1 of 2.", "Fold 2 of 2."} <= set(said)
    with pytest.raises(ValueError, match="holds folds already: 1, 2"):
        train_on_ray(recipe, **choices)
    before = (tmp_path / "fold-1" / "card.json").stat().st_mtime_ns
    assert train_on_ray(recipe, resume=True, **choices) == cards
    assert (tmp_path / "fold-1" / "card.json").stat().st_mtime_ns == before
    with pytest.raises(ValueError, match="Folds are by lesion"):
        train_on_ray(recipe, split="paper", **choices | {"out": tmp_path / "other"})


def test_a_training_takes_a_gpu_where_there_is_one(monkeypatch):
    ray = pytest.importorskip("ray")
    monkeypatch.setattr(ray, "cluster_resources", lambda: {"CPU": 8.0, "GPU": 2.0})
    assert count_workers(engine="tensorflow") == (2, {"num_cpus": 1, "num_gpus": 1})
    monkeypatch.setattr(ray, "cluster_resources", lambda: {"CPU": 8.0})
    assert count_workers(engine="tensorflow") == (8, {"num_cpus": 1})
