"""Who is let in: a bounded number of requests and of bytes, a time limit for each, and nobody new while the service stops."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from core.service.refusals import BUSY, NOT_NOW, TOOK_TOO_LONG, RequestRefused

T = TypeVar("T")
# Weight of the latest request in the running mean of what one takes.
_RECENT = 0.1


class Admission:
    """Work in threads, of which a bounded number is accepted.

    What was accepted is answered, or refused with a sentence when its time is over; work that has begun is not cut off, and counts until
    its end. All but the work itself happens in the event loop's thread.

    Args:
        most: requests in work or waiting.
        threads: that work.
        most_memory: bytes of bodies at a time.
        seconds: for each request.
    """

    def __init__(self, most: int, threads: int, most_memory: int, seconds: float):
        self.most, self._threads, self._most_memory, self._seconds = most, threads, most_memory, seconds
        self.accepted, self.bytes, self.stopping = 0, 0, False
        self._mean = 0.1
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="work")

    @property
    def retry_after(self) -> float:
        """Seconds until about half of those who wait now are done."""
        return min(self._seconds, self._mean * self.accepted / self._threads / 2)

    @contextmanager
    def memory(self) -> Iterator[Callable[[int], None]]:
        """Counts the bytes of one body for as long as the block lasts.

        Yields:
            take(count): counts more bytes, or refuses them where too many are there.
        """
        held = 0

        def take(count: int) -> None:
            nonlocal held
            if self.bytes + count > self._most_memory:
                raise RequestRefused(
                    BUSY,
                    f"The bodies of other requests fill the {self._most_memory / 1e6:,.0f} MB there are for them. Ask again.",
                    self.retry_after,
                )
            self.bytes += count
            held += count

        try:
            yield take
        finally:
            self.bytes -= held

    def check(self) -> None:
        """Stops a request at the door.

        Raises:
            RequestRefused: the service stops, or as many are there as may be.
        """
        if self.stopping:
            raise RequestRefused(NOT_NOW, "The service is stopping. Ask again in a moment.", 1)
        if self.accepted >= self.most:
            raise RequestRefused(
                BUSY, f"{self.accepted} requests are in work or wait, as many as may. Ask again.", self.retry_after
            )

    async def run(self, work: Callable[[float], T]) -> T:
        """Does work in a thread.

        Args:
            work: deadline (of `time.monotonic`) -> answer. Long work looks at it between its steps.

        Raises:
            RequestRefused: see `check`; or the time is over.
        """
        self.check()
        loop, begun = asyncio.get_running_loop(), time.monotonic()
        deadline = begun + self._seconds
        self.accepted += 1
        future = self._pool.submit(work, deadline)

        def over(_: Future) -> None:
            loop.call_soon_threadsafe(self._over, time.monotonic() - begun)

        future.add_done_callback(over)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), self._seconds)
        except TimeoutError:
            raise too_long(self._seconds) from None

    def _over(self, seconds: float) -> None:
        self.accepted -= 1
        self._mean += _RECENT * (seconds - self._mean)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


def expect_time(deadline: float) -> None:
    """Stops work whose time is over.

    Raises:
        RequestRefused: it is.
    """
    if time.monotonic() > deadline:
        raise RequestRefused(TOOK_TOO_LONG, "The time for this request is over. Ask for less at once.", 1)


def too_long(seconds: float) -> RequestRefused:
    return RequestRefused(
        TOOK_TOO_LONG,
        f"No answer within {seconds:g} s. Ask again when there is less to do, or ask for less at once.",
        1,
    )
