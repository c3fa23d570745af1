"""A clock that only goes forward: votes and deadlines survive a system clock that jumps. Order is kept by numbers, never by time."""

import threading
import time
from collections.abc import Callable

DAY = 24 * 3600 * 1000  # milliseconds


class Clock:
    """Milliseconds since 1970, UTC.

    The system's clock is asked once; from then on a clock that nobody sets counts. A clock that was set back between two starts
    goes on from the latest time that was kept.

    Args:
        latest: the latest time that an earlier run kept.
        wall, steady: seconds since 1970, and seconds of a clock that cannot be set.
    """

    def __init__(
        self,
        latest: int = 0,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ):
        self._steady = steady
        self._begin, self._at = max(latest, round(wall() * 1000)), steady()
        self._last = self._begin
        self._lock = threading.Lock()

    def now(self) -> int:
        with self._lock:
            self._last = max(self._last, self._begin + round((self._steady() - self._at) * 1000))
            return self._last
