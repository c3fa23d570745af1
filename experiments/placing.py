"""Where an experiment's trainings run: one after the other in this process, or on workers of Ray."""

import argparse
import mmap
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.cluster.ray_runtime import RETRIES, THIS_MACHINE, call_plainly, count_workers, on_ray, passed_environment
from experiments.runs import append_runs
from experiments.terminal import say


@dataclass(frozen=True)
class Job:
    """What is trained in one go.

    Args:
        what: in words, for the line of progress.
        work: a function of a module; gives finished runs.
        given: its arguments. An array or a table that several jobs share must be one object.
    """

    what: str
    work: Callable[..., list[dict]]
    given: tuple[Any, ...]


@dataclass(frozen=True)
class MappedArray:
    """An array that lies in a file, which a worker maps again instead of getting a copy."""

    file: str
    dtype: np.dtype
    offset: int
    shape: tuple[int, ...]

    def open(self) -> np.ndarray:
        return np.memmap(self.file, self.dtype, "r", self.offset, self.shape)


def run_options(parser: argparse.ArgumentParser) -> None:
    """Adds --ray [ADDRESS], None without it, and --summary, to sum up without training."""
    parser.add_argument(
        "--ray",
        nargs="?",
        const=THIS_MACHINE,
        metavar="ADDRESS",
        help="train on workers of Ray (extra `scale`), each on a GPU if there are; without an address on one of this machine's own",
    )
    parser.add_argument("--summary", action="store_true", help="train nothing; sum up the runs that are there")


def carry_out(path: Path, jobs: Iterable[Job], address: str | None = None) -> None:
    """Carries out jobs and adds the runs of each to a results file as soon as it has ended, so that a killed experiment goes on from there.

    Args:
        path: the file of runs.
        jobs: taken one by one, but with Ray all before the first begins.
        address: of Ray, see `on_ray`; None for this process. A lost worker costs its job's time; a job that fails does not stop the others.

    Raises:
        ValueError: what the first job that failed said; no Ray answers; see `on_ray`.
    """
    if address is None:
        for job in jobs:
            _keep(path, job, job.work(*job.given))
        return
    jobs = list(jobs)
    if jobs:
        with on_ray(address):
            call_plainly(lambda: _place(path, jobs))


def _keep(path: Path, job: Job, runs: list[dict]) -> None:
    append_runs(path, runs)
    say(f"{job.what}: {len(runs)} runs, {sum(run['seconds'] for run in runs) / len(runs):.1f} s each")


def _place(path: Path, jobs: list[Job]) -> None:
    import ray
    import ray.exceptions

    _, each = count_workers(engine="tensorflow")
    environment = {"env_vars": passed_environment()}
    task = ray.remote(max_retries=RETRIES, runtime_env=environment, **each)(_work)
    sent: dict[int, Any] = {}  # by identity: what jobs share travels once
    running = {}
    for job in jobs:
        for one in job.given:
            if id(one) not in sent:
                sent[id(one)] = ray.put(_handle(one))
        running[task.remote(job.work, *(sent[id(one)] for one in job.given))] = job
    failed: list[BaseException] = []
    while running:
        [ended], _ = ray.wait(list(running), num_returns=1)
        job = running.pop(ended)
        try:
            runs = ray.get(ended)
        except ray.exceptions.RayError as error:  # the others are worth finishing
            failed.append(error)
            continue
        _keep(path, job, runs)
    if failed:
        raise failed[0]


def _handle(given: Any) -> Any:
    """An argument as it travels: a whole array of a file by the file's name, anything else itself."""
    if isinstance(given, np.memmap) and isinstance(given.base, mmap.mmap) and given.flags.c_contiguous:
        return MappedArray(str(Path(str(given.filename)).resolve()), given.dtype, given.offset, given.shape)
    return given


def _work(work: Callable[..., list[dict]], *given: Any) -> list[dict]:
    """Runs on a worker."""
    return work(*(one.open() if isinstance(one, MappedArray) else one for one in given))
