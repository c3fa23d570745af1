"""Reaching Ray: a cluster that runs already, or one of this machine's own that starts and ends with the command."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from core.folders import CACHE_VARIABLE, WEIGHTS_VARIABLE
from core.serving.engines import ENGINE_VARIABLE as ENGINE_VARIABLE
from core.serving.engines import choose_engine

# What `--ray` alone means.
THIS_MACHINE = "local"
MISSING = "Ray is not installed. It comes with the extra `scale`: pip install 'melascope[scale]'."
# Shared memory of a Ray of our own, bytes: what lies in it is lists of addresses and answers, never photos.
STORE = 256 * 2**20
# How often work is given to another worker after its own was lost; a photo that kills each of them must not go on forever.
RETRIES = 5
# What a worker must know of whoever asked.
_PASSED = (WEIGHTS_VARIABLE, CACHE_VARIABLE, "KERAS_BACKEND", "KERAS_HOME")


class RayMissing(ValueError):
    """Ray, or a part of it, is not installed."""


def check_ray() -> None:
    """Stops before anything long where Ray is not there.

    Raises:
        RayMissing: see `MISSING`.
    """
    # It reports nothing to anybody.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        import pyarrow  # noqa: F401
        import ray  # noqa: F401
    except ImportError:
        raise RayMissing(MISSING) from None


@contextmanager
def on_ray(address: str = THIS_MACHINE, workers: int | None = None) -> Iterator[None]:
    """Connects to Ray for as long as the block lasts; one that is connected already is used and left as it is.

    Args:
        address: `THIS_MACHINE` starts one on this machine, which listens on localhost only, without its dashboard, and ends with the block;
            else "auto", HOST:PORT or ray://HOST:PORT.
        workers: processes of a Ray of our own; as many as there are cores when None.

    Raises:
        RayMissing: see `check_ray`.
        ValueError: nothing answers at the address.
    """
    check_ray()
    import ray

    if ray.is_initialized():
        yield
        return
    if address != THIS_MACHINE and address != "auto" and ":" not in address:
        raise ValueError(f"{address!r} is no address of Ray. Expected auto, HOST:PORT or ray://HOST:PORT after --ray.")
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    try:
        if address == THIS_MACHINE:
            ray.init(
                address="local",
                num_cpus=workers,
                include_dashboard=False,
                object_store_memory=STORE,
                _node_ip_address="127.0.0.1",
                **quiet,
            )
        else:
            ray.init(address=address, **quiet)
    except (ConnectionError, TimeoutError, OSError) as error:
        raise ValueError(
            f"No Ray answers at {address} ({str(error).splitlines()[0]}). Start one: `ray start --head`."
        ) from error
    try:
        yield
    finally:
        ray.shutdown()


def count_workers(workers: int | None = None, engine: str | None = None) -> tuple[int, dict[str, float]]:
    """How many workers the connected Ray has room for, and what each of them takes.

    Args:
        workers: no more than so many; all there is room for when None.
        engine: of the networks; only TensorFlow's takes GPUs.

    Returns:
        The number, at least 1; keyword arguments for Ray.
    """
    import ray

    there = ray.cluster_resources()
    if engine == "tensorflow" and there.get("GPU", 0) >= 1:
        room, each = int(there["GPU"]), {"num_cpus": 1, "num_gpus": 1}
    else:
        room, each = int(there.get("CPU", 1)), {"num_cpus": 1}
    return max(1, min(room, workers or room)), each


def passed_environment() -> dict[str, str]:
    """Variables that workers set before they begin: the same models, cache and engine as here."""
    environment = {name: os.environ[name] for name in _PASSED if os.environ.get(name)}
    for name in (WEIGHTS_VARIABLE, CACHE_VARIABLE):
        if name in environment:
            environment[name] = str(Path(environment[name]).expanduser().resolve())
    return environment | {ENGINE_VARIABLE: choose_engine()}


def original(error: BaseException) -> BaseException:
    """The error that a worker met, out of what Ray wraps around it."""
    cause = error
    while True:
        inner = getattr(cause, "cause", None) or cause.__cause__
        if not isinstance(inner, BaseException) or inner is cause:
            return cause
        cause = inner


def call_plainly(work: Callable[[], Any]) -> Any:
    """Runs what waits for workers, and lets a worker's own error through as if it had happened here.

    Raises:
        ValueError: workers were lost again and again.
    """
    import ray.exceptions

    try:
        return work()
    except ray.exceptions.RayError as error:
        inner = original(error)
        if isinstance(inner, ray.exceptions.RayError):
            lost = (str(inner).strip().splitlines() or [type(inner).__name__])[0]
            raise ValueError(
                f"Ray gave up after {RETRIES} further tries: {lost} Start the command again: what was finished stays."
            ) from error
        raise inner from None
