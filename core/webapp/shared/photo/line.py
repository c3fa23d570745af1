"""Turns at the processor: as many networks at work at a time as there are cores, in the order in which sessions asked.

A session asks for one thing at a time, so that none gets a second turn before another's first.
"""

import threading
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from contextlib import AbstractContextManager, contextmanager

import streamlit as st

from core.threads import cores
from core.webapp.shared.photo.kept import session_id

# Whoever waits longer is told the place in the line.
TELL_AFTER = 2.0  # seconds
_TICK = 0.25  # seconds, between two looks at the line


class Line:
    """First come, first served.

    Args:
        turns: at a time.
        tell_after: seconds until a waiting owner is told.
    """

    def __init__(self, turns: int, tell_after: float = TELL_AFTER):
        self._free, self._tell_after = turns, tell_after
        self._waiting: deque[object] = deque()
        self._inside: dict[Hashable, int] = {}
        self._changed = threading.Condition()

    @contextmanager
    def turn(self, owner: Hashable, tell: Callable[[int], None]) -> Iterator[None]:
        """Waits for a turn, which lasts as long as the block; one inside another of the same owner is the same turn.

        Args:
            tell: called with the number of those before, again and again, once the wait is long. What it raises ends the wait.
        """
        with self._changed:
            again = owner in self._inside
            if again:
                self._inside[owner] += 1
        if not again:
            self._wait(owner, tell)
        try:
            yield
        finally:
            with self._changed:
                self._inside[owner] -= 1
                if not self._inside[owner]:
                    del self._inside[owner]
                    self._free += 1
                    self._changed.notify_all()

    def _wait(self, owner: Hashable, tell: Callable[[int], None]) -> None:
        ticket, waited = object(), 0.0
        with self._changed:
            self._waiting.append(ticket)
        try:
            while True:
                with self._changed:
                    before = self._waiting.index(ticket)
                    if not before and self._free:
                        self._free -= 1
                        self._inside[owner] = 1
                        return
                    self._changed.wait(_TICK)
                waited += _TICK
                if waited >= self._tell_after:
                    tell(before)
        finally:
            with self._changed:
                self._waiting.remove(ticket)
                self._changed.notify_all()


@contextmanager
def turn() -> Iterator[None]:
    """This session's turn at the processor; the page says how many are before, where that takes long."""
    place = st.empty()
    with _line().turn(session_id() or threading.get_ident(), lambda before: place.caption(waiting_words(before))):
        place.empty()
        yield


def quiet_turns() -> Callable[[], AbstractContextManager[None]]:
    """For threads that belong to no session: a function that gives a turn, in which nobody is told of the wait."""
    line = _line()
    return lambda: line.turn(object(), lambda before: None)


def waiting_words(before: int) -> str:
    """What someone in the line is told."""
    others = {0: "You are next", 1: "One other photo is before yours"}.get(
        before, f"{before} other photos are before yours"
    )
    return f":material/hourglass_top: Many photos are being read at the moment. {others}."


@st.cache_resource(show_spinner=False)
def _line() -> Line:
    """One for the server."""
    return Line(cores())
