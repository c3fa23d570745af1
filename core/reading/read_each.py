"""Many photos read side by side, one a core at a time."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from core.threads import cores, one_core

T = TypeVar("T")


def read_each(read: Callable[..., T], jobs: Sequence[tuple]) -> Iterator[T | Exception]:
    """What came of each job, in their order: what `read` gives, or the error.

    The first is done alone, since it readies what all the others need; then one a core at a time.
    """

    def attempt(job: tuple) -> T | Exception:
        try:
            return read(*job)
        except Exception as error:  # noqa: BLE001 - one photo's fault must not cost the others their reading
            return error

    yield attempt(jobs[0])
    pool = ThreadPoolExecutor(cores(), initializer=one_core)
    try:
        yield from pool.map(attempt, jobs[1:])
    finally:
        pool.shutdown(cancel_futures=True)
