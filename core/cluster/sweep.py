"""A sweep: trainings that vary a recipe, on workers of Ray Tune; those that fall behind are stopped early (ASHA).

Reference: Li et al. 2020, A System for Massively Parallel Hyperparameter Tuning (ASHA).
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from core.card import CARD_FILE, HISTORY_FILE, read_card
from core.cluster.ray_runtime import RETRIES, call_plainly, count_workers, passed_environment
from core.cluster.search_space import Space, Trial
from core.csv_cells import csv_text
from core.data.ham10000 import read_dataset
from core.data.tables.folder_check import require_trainable
from core.files import check_folder_takes, make_folder, write_text, written_at
from core.folders import CannotWrite
from core.training.recipes import find_recipe
from core.training.state import STATE_FILE, StateFolder
from core.training.trainer import train
from core.training.watching import Report

if TYPE_CHECKING:
    from ray import tune

SWEEP_FILE, TRIALS_FILE = "sweep.json", "trials.csv"
# Tune's own notes, while it runs.
TUNE_FOLDER = "tune"
# Of the epoch whose weights are kept, by the likeliest diagnosis, on validation photos: the test part chooses nothing.
FIGURE = "val_balanced_accuracy"
# What a trial says whose disk is full, beside its figure.
FAULT = "fault"
# ASHA lets one in so many go on at each rung.
REDUCTION = 3
# Tune neither writes its own logs nor keeps Ctrl-C to itself.
_QUIET = {"TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1", "TUNE_DISABLE_SIGINT_HANDLER": "1", "RAY_AIR_NEW_OUTPUT": "0"}


def run_sweep(
    space: Space,
    data: str | Path,
    out: str | Path,
    *,
    workers: int | None = None,
    resume: bool = False,
    say: Callable[[str], None] = lambda text: None,
) -> pd.DataFrame:
    """Runs a sweep on a connected Ray; see `on_ray`.

    Every trial has a folder of its own in `out` with a whole model: of one that was stopped early, after the epochs that it had. With
    `resume`, trials that have a model are not trained again, and others go on after their last whole epoch.

    Args:
        data: HAM10000 folder.
        out: a folder for the trials and `trials.csv`.
        workers: trials at a time, at most.
        say: takes a sentence a trial that failed.

    Returns:
        See `collect_trials`.

    Raises:
        ValueError: `out` holds another sweep, or one that `resume` was not asked for; `data` cannot be trained on; or no trial could be
            trained.
    """
    out, data = Path(out).resolve(), Path(data).resolve()
    dataset = read_dataset(data)
    require_trainable(dataset, by_lesion=find_recipe(space.recipe).split == "lesion")
    claim(out, space, dataset.table, resume)
    trials = space.draw_trials()
    at_once, each = count_workers(workers, "tensorflow")
    environment = passed_environment()
    faults: dict[int, str] = {}
    try:
        if not all(_is_finished(out / trial.name) for trial in trials):
            faults = call_plainly(lambda: _tune(space, trials, data, out, environment, at_once, each))
        stopped = [trial for number, trial in enumerate(trials) if number not in faults]
        call_plainly(lambda: _end_stopped(space, stopped, data, out, environment, each))
    finally:
        # Nothing goes on from them, and a full disk leaves them torn.
        shutil.rmtree(out / TUNE_FOLDER, ignore_errors=True)
    told = list(dict.fromkeys(faults.values()))
    for fault in told:
        say(f"A trial failed: {fault}")
    table = collect_trials(space, out)
    if not len(table):
        raise ValueError(f"No trial could be trained. {told[0] if told else ''}".strip())
    write_text(out / TRIALS_FILE, csv_text(table))
    return table


def claim(out: Path, space: Space, table: pd.DataFrame, resume: bool) -> None:
    """Marks a folder as this sweep's.

    Args:
        table: of the photos that it is trained on.

    Raises:
        ValueError: it holds another sweep, or one on other photos, or this one and `resume` was not asked for.
    """
    check_folder_takes(out)
    photos = hashlib.sha256(table[["image_id", "lesion_id", "dx"]].to_csv(index=False).encode()).hexdigest()
    record = json.loads(json.dumps({**asdict(space), "photos_sha256": photos}))
    place = out / SWEEP_FILE
    if place.is_file():
        try:
            there = json.loads(place.read_text(encoding="utf-8"))
        except ValueError:
            there = None
        if there != record:
            raise ValueError(f"{out} holds another sweep, or one on other photos. Choose another --out, or delete it.")
        if not resume:
            raise ValueError(f"{out} holds this sweep already. Go on with it by --resume, or delete it to begin again.")
        return
    if out.is_dir() and any(out.iterdir()):
        raise ValueError(f"{out} is not empty, and holds no sweep. Choose another --out.")
    make_folder(out)
    write_text(place, json.dumps(record, indent=1) + "\n")


def _tune(
    space: Space, trials: list[Trial], data: Path, out: Path, environment: dict, at_once: int, each: dict
) -> dict[int, str]:
    """Trains until each trial has ended or was stopped; returns what those said that failed, by their numbers."""
    os.environ |= _QUIET
    from ray import tune
    from ray.tune.schedulers import ASHAScheduler

    # A trial that fails is told by its sentence, not by its traceback.
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)

    def trainable(config: dict) -> None:
        _run_trial(space, trials[config["trial"]], data, out, environment)

    most = max(space.epochs(trial) for trial in trials)
    scheduler = ASHAScheduler(
        time_attr="epoch",
        metric=FIGURE,
        mode="max",
        # Beyond the last epoch: at its end Tune would stop a trial before it has its card.
        max_t=max(most, space.fewest) + 1,
        grace_period=space.fewest,
        reduction_factor=REDUCTION,
    )
    resources = {"cpu": each["num_cpus"], "gpu": each.get("num_gpus", 0)}
    # Tune keeps notes of its own there, and its error about a full disk names no file.
    with written_at(out / TUNE_FOLDER):
        tuner = tune.Tuner(
            tune.with_resources(trainable, resources),
            param_space={"trial": tune.grid_search(list(range(len(trials))))},
            tune_config=tune.TuneConfig(scheduler=scheduler, max_concurrent_trials=at_once),
            run_config=tune.RunConfig(
                name=TUNE_FOLDER, storage_path=str(out), verbose=0, failure_config=tune.FailureConfig(max_failures=2)
            ),
        )
        results = tuner.fit()
    faults = {one.config["trial"]: _fault(one) for one in results}
    return {number: fault for number, fault in faults.items() if fault}


def _fault(result: tune.Result) -> str:
    """Why a trial failed; empty where it did not."""
    if result.error:
        return str(result.error).strip().splitlines()[-1]
    return (result.metrics or {}).get(FAULT, "")


def _run_trial(space: Space, trial: Trial, data: Path, out: Path, environment: dict[str, str]) -> None:
    """Runs on a worker: trains, and lets Tune see every epoch, those of an earlier start first.

    Of the last one Tune hears when the card is written: nothing is left to stop then.
    """
    from ray import tune

    os.environ.update(environment)
    folder, last = out / trial.name, space.epochs(trial)
    rows = read_epochs(folder)

    def report(row: dict) -> None:
        tune.report({"epoch": row["epoch"], FIGURE: row[FIGURE]})

    for row in rows:
        if row["epoch"] < last:
            report(row)
    try:
        if not _is_finished(folder):
            _train(space, trial, data, folder, Report(epoch=lambda row: row["epoch"] < last and report(row)))
    except CannotWrite as error:
        # Not raised: Tune would note it on the same disk, and stumble over its own torn note.
        row = (read_epochs(folder) or [{"epoch": 0, FIGURE: 0.0}])[-1]
        tune.report({"epoch": row["epoch"], FIGURE: row[FIGURE], FAULT: str(error)})
        return
    if rows := read_epochs(folder):
        report(rows[-1])


def _end_stopped(space: Space, trials: list[Trial], data: Path, out: Path, environment: dict, each: dict) -> None:
    """Gives each of these trials that has epochs and no whole model a model of the epochs that it has."""
    import ray

    def end(trial: Trial) -> None:
        os.environ.update(environment)
        folder = out / trial.name
        _train(space, trial, data, folder, Report(), stop_after=len(read_epochs(folder)))

    task = ray.remote(max_retries=RETRIES, **each)(end)
    stopped = [trial for trial in trials if StateFolder(out / trial.name).exists()]
    ray.get([task.remote(trial) for trial in stopped])


def _is_finished(folder: Path) -> bool:
    """Whether a trial's model is whole: a run that was killed while it wrote that has its state still."""
    return (folder / CARD_FILE).is_file() and not StateFolder(folder).exists()


def _train(space: Space, trial: Trial, data: Path, folder: Path, report: Report, stop_after: int | None = None) -> None:
    train(
        space.recipe_of(trial),
        backbone=space.backbone,
        folder=data,
        out=folder,
        split_seed=space.split_seed,
        resume=StateFolder(folder).exists(),
        stop_after=stop_after,
        report=report,
        **space.train,
    )


def read_epochs(folder: Path) -> list[dict]:
    """The whole epochs of a trial so far, finished or not."""
    state = StateFolder(folder)
    if state.exists():
        return json.loads((state.folder / STATE_FILE).read_text(encoding="utf-8"))["history"]
    if (folder / HISTORY_FILE).is_file():
        return pd.read_csv(folder / HISTORY_FILE).to_dict("records")
    return []


def collect_trials(space: Space, out: Path) -> pd.DataFrame:
    """What the trials in a folder came to, the best first.

    Returns:
        One row a trial that has a model: its folder's name, what varied, seed, epochs, epochs that were planned, and `FIGURE`, of the
        epoch whose weights the model has.
    """
    rows = []
    for trial in space.draw_trials():
        folder = out / trial.name
        if not _is_finished(folder):
            continue
        training = read_card(folder).training
        figures = {row["epoch"]: row[FIGURE] for row in read_epochs(folder)}
        rows.append(
            {
                "trial": trial.name,
                **trial.values,
                "seed": trial.seed,
                "epochs": training["epochs"],
                "planned": space.epochs(trial),
                FIGURE: figures[training["best_epoch"]],
            }
        )
    table = pd.DataFrame(rows)
    return table.sort_values(FIGURE, ascending=False, ignore_index=True, kind="stable") if rows else table


def mean_over_seeds(space: Space, table: pd.DataFrame) -> pd.DataFrame:
    """Sets of values whose every seed was trained to its end, the best mean first.

    Returns:
        One row a set: what varied, the mean of `FIGURE`, "seeds", and the "trial" of the best of them.
    """
    whole = table[table.epochs >= table.planned]
    names = list(space.space)
    groups = whole.groupby(names, sort=False, dropna=False)
    means = groups.agg(
        **{FIGURE: (FIGURE, "mean"), "seeds": ("seed", "size"), "trial": ("trial", "first")}
    ).reset_index()
    means = means[means.seeds == len(space.seeds)]
    return means.sort_values(FIGURE, ascending=False, ignore_index=True, kind="stable")


def what_mattered(space: Space, table: pd.DataFrame) -> pd.DataFrame:
    """How much each thing that varied goes with the figure.

    Numbers are cut into thirds by rank. A difference that is no larger than that of the seeds (the row `seed`) says nothing.

    Returns:
        One row a name, and one for the seed: "groups", which was "best" and "worst" by its mean, their "difference" in points, and the
        "share" of the trials' variance that lies between groups (eta squared; NaN without variance).
    """
    names = [*space.space, *(["seed"] if len(space.seeds) > 1 else [])]
    return pd.DataFrame([_effect(name, table) for name in names]).sort_values(
        "difference", ascending=False, ignore_index=True
    )


def _effect(name: str, table: pd.DataFrame) -> dict:
    values, figure = table[name], table[FIGURE]
    if name != "seed" and pd.api.types.is_numeric_dtype(values) and values.nunique() > 3:
        groups = pd.qcut(values.rank(method="first"), 3, labels=["low", "middle", "high"]).astype(str)
    else:
        groups = values.astype(str)
    means = figure.groupby(groups).mean()
    spread = float(((figure - figure.mean()) ** 2).sum())
    between = float(((means[groups].to_numpy() - figure.mean()) ** 2).sum())
    return {
        "name": name,
        "groups": int(means.size),
        "best": str(means.idxmax()),
        "worst": str(means.idxmin()),
        "difference": 100 * float(means.max() - means.min()),
        "share": between / spread if spread > 0 else float("nan"),
    }
