"""Streams rows through workers that load what they need once (Ray Data), and gathers what comes back into parts."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Protocol, cast

from core.cluster.parts import Parts
from core.cluster.ray_runtime import RETRIES, call_plainly, count_workers, passed_environment
from core.threads import Progress

if TYPE_CHECKING:
    import pyarrow as pa

# The column by which rows that come back are known; every answer has it.
ROW = "row"
# Parts that one stream of Ray Data makes: it keeps some 50 kB a chunk from its beginning to its end, so a list of a million photos is
# read by stream after stream. Workers load their engine anew for each, seconds in some minutes.
PARTS_A_WORKER, MOST_PARTS = 16, 128


class Work(Protocol):
    """What workers do, sent to each of them once: light until its first call, which loads the engine."""

    def __call__(self, rows: pa.Table) -> pa.Table:
        """Answers to some rows: one or more lines a row, each with its `ROW`."""
        ...


class Worker:
    """A process that keeps what it has loaded; its answers to a chunk are the same whichever worker gives them."""

    def __init__(self, work: Work, environment: Mapping[str, str]):
        os.environ.update(environment)
        self.work = work

    def __call__(self, rows: pa.Table) -> pa.Table:
        return self.work(rows)


def stream_parts(
    work: Work,
    rows: Callable[[range], pa.Table],
    parts: Parts,
    *,
    chunk: int,
    workers: int | None = None,
    progress: Progress | None = None,
    sound: Callable[[pa.Table], bool] = lambda table: True,
) -> list[pa.Table]:
    """Has the parts made that are missing, in a connected Ray; see `on_ray`.

    A worker that is lost costs the chunk it was at, which another does again; the command itself, when killed, the unfinished parts.

    Args:
        work: sent to the workers.
        rows: of a range, as a table with the column `ROW`.
        chunk: rows that go to a worker together: they are never cut or joined otherwise, so that batches are always the same.
        workers: at most so many.
        progress: called with (rows done, rows in all).
        sound: whether a part may be written; one that may not is given back.

    Returns:
        The parts that were not sound.

    Raises:
        ValueError: what a worker met, or too many workers lost.
    """
    import pyarrow as pa
    import ray.data

    missing = parts.missing()
    total = parts.rows
    done = total - sum(len(parts.span(part)) for part in missing)
    if progress:
        progress(done, total)
    if not missing:
        return []
    environment = passed_environment()
    size, each = count_workers(workers, environment.get("MELASCOPE_ENGINE"))
    waiting: dict[int, list[pa.Table]] = {}
    lacking = {part: set(parts.span(part)) for part in missing}
    unsound: list[pa.Table] = []

    def gather(window: Sequence[int]) -> None:
        nonlocal done
        chunks = [c for part in window for c in _chunks(parts.span(part), chunk)]
        # One block a chunk. They lie with whoever asks, so a lost machine takes none of them along.
        blocks = ray.data.from_arrow([rows(c) for c in chunks])
        dataset = blocks.map_batches(
            Worker,
            batch_size=None,
            batch_format="pyarrow",
            compute=ray.data.ActorPoolStrategy(size=min(size, len(chunks))),
            fn_constructor_args=(work, environment),
            max_task_retries=RETRIES,
            **each,
        )
        for batch in dataset.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0):
            block = cast("pa.Table", batch)
            numbers = block.column(ROW).to_pylist()
            for part in {number // parts.size for number in numbers}:
                of_part = block.filter(pa.array([number // parts.size == part for number in numbers]))
                waiting.setdefault(part, []).append(of_part)
                came = lacking[part].intersection(of_part.column(ROW).to_pylist())
                lacking[part] -= came
                done += len(came)
                if not lacking[part]:
                    table = pa.concat_tables(waiting.pop(part)).sort_by(ROW)
                    if sound(table):
                        parts.write(part, table)
                    else:
                        unsound.append(table)
            if progress:
                progress(done, total)

    at_once = min(PARTS_A_WORKER * size, MOST_PARTS)
    with _quiet():
        for start in range(0, len(missing), at_once):
            call_plainly(partial(gather, missing[start : start + at_once]))
    return unsound


def _chunks(span: range, size: int) -> Sequence[range]:
    return [span[start : start + size] for start in range(0, len(span), size)]


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps Ray Data's own bars, lines and warnings of its own settings off the terminal."""
    import ray.data

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        ray.data.DataContext.get_current().enable_progress_bars = False
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        yield
