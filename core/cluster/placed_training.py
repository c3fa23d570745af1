"""One training on a worker, or each fold of a cross-validation on a worker of its own."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.card import CARD_FILE, Card, read_card
from core.cluster.ray_runtime import RETRIES, call_plainly, count_workers, on_ray, passed_environment
from core.folders import model_folder
from core.training.folds import begin_folds, finished_fold, fold_folder, train_fold
from core.training.recipes import Recipe, find_recipe
from core.training.state import StateFolder
from core.training.trainer import check_begun, train
from core.training.watching import Report

# Seconds between two looks at what workers have said.
_LOOK = 0.5


def train_on_ray(
    recipe: str | Recipe,
    *,
    address: str,
    workers: int | None = None,
    folds: int | None = None,
    backbone: str,
    folder: str | Path,
    out: str | Path | None = None,
    init: str | Path = "imagenet",
    resume: bool = False,
    report: Report | None = None,
    **choices,
) -> list[Card]:
    """Trains on workers; see `core.training.trainer.train` and `core.training.folds.train_folds` for what is trained and raised.

    A worker that is lost costs the epoch under way: another goes on after the last whole one, with the same result.

    Args:
        address: see `on_ray`.
        workers: of a Ray of our own.
        folds: each on a worker of its own; one training when None.

    Returns:
        The cards.
    """
    if isinstance(recipe, str):
        find_recipe(recipe)
    report = report or Report()
    out = Path(out or model_folder(backbone)).resolve()
    given = {"backbone": backbone, "folder": Path(folder).resolve(), "init": _resolved(init), **choices}
    if folds:
        cards = begin_folds(out, folds, backbone, resume)
        jobs = [Job(recipe, out, given, (fold, folds)) for fold, card in cards.items() if card is None]
    else:
        check_begun(out, resume)
        jobs = [Job(recipe, out, given)]
    place_trainings(jobs, address, workers, report)
    return [read_card(fold_folder(out, fold)) for fold in range(1, folds + 1)] if folds else [read_card(out)]


@dataclass(frozen=True)
class Job:
    """A training to be placed.

    Args:
        recipe, out: see `core.training.trainer.train`.
        given: further keyword arguments of it.
        fold: (number from 1, how many) where it is one of a cross-validation, whose folder then is `out`.
    """

    recipe: str | Recipe
    out: Path
    given: dict[str, Any]
    fold: tuple[int, int] | None = None


def place_trainings(jobs: Sequence[Job], address: str, workers: int | None, report: Report) -> None:
    """Trains each on a worker, so many at a time as there is room for; one that fails does not stop the others.

    Raises:
        ValueError: what the first that failed said.
    """
    with on_ray(address, workers):
        call_plainly(lambda: _train_all(jobs, report))


def _train_all(jobs: Sequence[Job], report: Report) -> None:
    import ray
    import ray.exceptions

    # A training takes a GPU where there is one, whatever engine reads with its network.
    _, each = count_workers(engine="tensorflow")
    voice = ray.remote(num_cpus=0, max_restarts=-1)(Voice).remote()
    task = ray.remote(max_retries=RETRIES, **each)(_train_one)
    environment = passed_environment()
    running = [task.remote(job, environment, voice, _stamp(job.out)) for job in jobs]
    failed: list[BaseException] = []
    while running:
        ended, running = ray.wait(running, timeout=_LOOK)
        _pass_on(voice, report)
        for one in ended:
            try:
                ray.get(one)
            except ray.exceptions.RayError as error:  # the others are worth finishing
                failed.append(error)
    _pass_on(voice, report)
    if failed:
        raise failed[0]


def _train_one(job: Job, environment: dict[str, str], voice, before: tuple[int, int] | None) -> None:
    """Runs on a worker, and on another one if that is lost: what is finished by then is not trained again."""
    os.environ.update(environment)
    report = Report(say=lambda text: voice.add.remote("say", text), epoch=lambda row: voice.add.remote("epoch", row))
    if job.fold:
        if finished_fold(job.out, *job.fold, job.given["backbone"]) is None:
            train_fold(job.recipe, *job.fold, out=job.out, report=report, **job.given)
    elif StateFolder(job.out).exists() or _stamp(job.out) == before:
        train(job.recipe, out=job.out, resume=StateFolder(job.out).exists(), report=report, **job.given)
    time.sleep(_LOOK)  # else the last sentences might be lost with the worker


def _stamp(out: Path) -> tuple[int, int] | None:
    """What tells a card from the one that was there before."""
    card = out / CARD_FILE
    return (card.stat().st_mtime_ns, card.stat().st_ino) if card.is_file() else None


class Voice:
    """What workers say, until somebody asks."""

    def __init__(self):
        self.messages: list[tuple[str, Any]] = []

    def add(self, kind: str, what: Any) -> None:
        self.messages.append((kind, what))

    def take(self) -> list[tuple[str, Any]]:
        messages, self.messages = self.messages, []
        return messages


def _pass_on(voice, report: Report) -> None:
    import ray
    import ray.exceptions

    try:
        told = ray.get(voice.take.remote())
    except ray.exceptions.RayActorError:  # it was lost, with what it held; another takes its place
        return
    for kind, what in told:
        (report.say if kind == "say" else report.epoch)(what)


def _resolved(init: str | Path) -> str:
    return str(init) if str(init) in ("imagenet", "random") else str(Path(init).resolve())
