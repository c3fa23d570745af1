"""Wrong codes and secrets are counted by the address that they come from: whoever tries many waits."""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TypeVar

from core.teaching.people import Refused

T = TypeVar("T")
# A hall behind one address mistypes now and then. At 30 a minute one room's code is found after 47 days on average (21^5 codes).
MOST, WITHIN = 30, 60.0  # wrong ones, seconds
_ADDRESSES = 10_000


class Guesses:
    """Counts for one server.

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, most: int = MOST, within: float = WITHIN, clock: Callable[[], float] = time.monotonic):
        self.most, self.within, self._clock = most, within, clock
        self._missed: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def ask(self, address: str, work: Callable[[], T]) -> T:
        """What `work` gives. One that is refused counts as a guess of this address, and too many are refused unasked.

        Raises:
            Refused: what `work` says, or that the address has guessed too often.
        """
        self._check(address)
        try:
            return work()
        except Refused:
            self._count(address)
            raise

    def _check(self, address: str) -> None:
        with self._lock:
            missed = self._recent(address)
            if len(missed) >= self.most:
                wait = max(1, round(missed[0] + self.within - self._clock()))
                raise Refused(f"Too many wrong codes came from here. Wait {wait} seconds, then type the code again.")

    def _count(self, address: str) -> None:
        with self._lock:
            missed = self._recent(address)
            missed.append(self._clock())
            self._missed[address] = missed
            while len(self._missed) > _ADDRESSES:
                del self._missed[next(iter(self._missed))]

    def _recent(self, address: str) -> deque[float]:
        """Times of wrong ones that still count, oldest first."""
        missed = self._missed.get(address, deque(maxlen=self.most))
        while missed and missed[0] < self._clock() - self.within:
            missed.popleft()
        return missed
