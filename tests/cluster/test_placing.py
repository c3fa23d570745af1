"""Cells of experiments on workers: the same results as in this process, resumable by cell, a lost worker costs time only."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest

from core.data.ham10000 import class_indices, read_table
from core.data.split import split_table
from experiments import epsilon, factorial, leak, levers
from experiments.cells import Cell, Training, pooled
from experiments.placing import Job, MappedArray, _handle, carry_out
from experiments.runs import key_of, read_runs

TINY = Training(epochs=1, batch_size=16, metadata_units=4)
CELLS = (Cell("none", "none"), Cell("none", "real"), Cell("paper", "real"))


@pytest.fixture(scope="module")
def table(drawn_folder):
    return read_table(drawn_folder)


@pytest.fixture(scope="module")
def maps(table, tmp_path_factory):
    """Of drawn photos, as they lie in the cache."""
    file = tmp_path_factory.mktemp("maps") / "maps.npy"
    made_up = np.random.default_rng(0).normal(size=(len(table), 4, 4, 8)).astype("float16")
    made_up[..., :7] += np.eye(7, dtype="float16")[class_indices(table)][:, None, None]
    np.save(file, made_up)
    return np.load(file, mmap_mode="r")


def results(path: Path) -> dict[str, tuple]:
    """Scores and answers of each run; the time that it took is another each time."""
    runs = read_runs(path)
    assert len({key_of(run) for run in runs}) == len(runs), "a cell was run twice"
    return {key_of(run): (run["scores"], run["predicted"]) for run in runs}


def run_experiment(name: str, path: Path, table, maps, address: str | None) -> None:
    split, features = split_table(table), {"MobileNetV2": pooled(maps, "none")}
    if name == "factorial":
        factorial.run_factorial(path, table, split, {"MobileNetV2": maps}, [0, 1], TINY, CELLS, address)
    elif name == "epsilon":
        epsilon.run_epsilon(path, table, split, features, [0], TINY, address)
    elif name == "leak":
        leak.run_leak(path, table, features, [0], TINY, ("head", "1-NN"), address)
    else:
        chosen = [levers.Lever("mixed", training=TINY, mixup=0.2), levers.Lever("taught", training=TINY, taught=0.5)]
        teach = (lambda rows: np.full((len(rows), 7), 1 / 7),)
        levers.run_levers(path, table, split, lambda *_: maps, ["MobileNetV2"], [0], chosen, *teach, address)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["factorial", "epsilon", "leak", "levers"])
def test_cells_on_workers_are_those_of_this_process_and_finished_ones_are_kept(small_ray, table, maps, tmp_path, name):
    here, there = tmp_path / "here.jsonl", tmp_path / "there.jsonl"
    run_experiment(name, here, table, maps, None)
    # It was stopped after its first cell.
    first = here.read_text().splitlines(keepends=True)[0]
    there.write_text(first)
    run_experiment(name, there, table, maps, "local")
    assert there.read_text().startswith(first)
    assert results(there) == results(here)
    run_experiment(name, there, table, maps, "local")
    assert len(read_runs(there)) == len(read_runs(here))


def lose_the_worker_once(mark: Path, rows: np.ndarray) -> list[dict]:
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return [{"cell": "lost", "seconds": 0.0, "sum": int(rows.sum())}]


def fail(*_) -> list[dict]:
    raise ValueError("The second cell has no photo.")


def succeed(rows: np.ndarray) -> list[dict]:
    return [{"cell": "plain", "seconds": 0.0, "sum": int(rows.sum())}]


@pytest.mark.slow
def test_a_lost_worker_costs_time_and_a_cell_that_fails_stops_no_other(small_ray, tmp_path):
    path, rows = tmp_path / "runs.jsonl", np.arange(10)
    jobs = [
        Job("lost", lose_the_worker_once, (tmp_path / "mark", rows)),
        Job("fails", fail, (rows,)),
        Job("plain", succeed, (rows,)),
    ]
    with pytest.raises(ValueError, match=r"^The second cell has no photo\.$"):
        carry_out(path, jobs, "local")
    assert {run["cell"]: run["sum"] for run in read_runs(path)} == {"lost": 45, "plain": 45}


def test_an_array_of_a_file_travels_by_its_name_and_a_part_of_one_as_it_is(maps):
    handle = _handle(maps)
    assert isinstance(handle, MappedArray)
    np.testing.assert_array_equal(handle.open(), maps)
    part = maps[3:5]
    assert _handle(part) is part
