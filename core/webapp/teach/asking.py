"""The store behind the pages, and how their refusals are said."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import streamlit as st
from streamlit.errors import StreamlitAPIException

from core.teaching.guesses import Guesses
from core.teaching.rooms.look import look_at_once, room_version
from core.teaching.rooms.room import Room, Who
from core.teaching.rooms.visible import View, visible
from core.teaching.store.database import Store, open_store
from core.webapp.shared.failures import FAILURES, failure

T = TypeVar("T")
# Rooms' versions, and when each was asked for, by code.
_VERSIONS: dict[str, tuple[float, int]] = {}
# Rooms as they were read last, and when.
_ROOMS: dict[str, tuple[float, Room]] = {}
_ASKING, _LOOKING = threading.Lock(), threading.Lock()
ASKED_EVERY = 0.1  # seconds
# Sixty phones that draw the same step at once all end last, and the wall with them: each wait for Python's one lock is as long as there
# are threads. Two at a time end one after the other.
_DRAWING, _LONGEST_TURN = threading.BoundedSemaphore(2), 3.0  # seconds


@st.cache_resource(show_spinner=False)
def the_store() -> Store:
    """One for the server.

    Raises:
        StoreUnusable: it cannot be opened; tried anew next time.
    """
    return open_store()


@st.cache_resource(show_spinner=False)
def _guesses() -> Guesses:
    return Guesses()


def ask_with_code(work: Callable[[], T]) -> T:
    """Runs what asks with a code or secret that somebody typed; see `Guesses.ask`."""
    return _guesses().ask(client_address(), work)


def client_address() -> str:
    """Where the request comes from."""
    return st.context.ip_address or "this machine"


@contextlib.contextmanager
def sentences() -> Iterator[None]:
    """What goes wrong inside is said on the page; nothing is half-written, as each call of the core is a transaction."""
    try:
        yield
    except FAILURES as error:
        st.error(failure(error), icon=":material/error:")


@contextlib.contextmanager
def phones_turn() -> Iterator[None]:
    """Waits until few other phones draw; one that is kept too long goes on without its turn."""
    mine = _DRAWING.acquire(timeout=_LONGEST_TURN)
    try:
        yield
    finally:
        if mine:
            _DRAWING.release()


def draw_again() -> None:
    """Runs the fragment anew, or the whole page where a click came together with a run of all of it."""
    try:
        st.rerun(scope="fragment")
    except StreamlitAPIException:
        st.rerun()


def version_of(code: str) -> int:
    """The room's version; sixty phones that ask at once ask the database ten times a second at most."""
    at, version = _VERSIONS.get(code, (0.0, 0))
    if time.monotonic() - at < ASKED_EVERY:
        return version
    with _ASKING:
        at, version = _VERSIONS.get(code, (0.0, 0))
        if time.monotonic() - at >= ASKED_EVERY:
            version = room_version(the_store(), code)
            if len(_VERSIONS) > 300:
                _VERSIONS.clear()
            _VERSIONS[code] = (time.monotonic(), version)
    return version


def look_again(code: str, token: str, version: int) -> View:
    """What a student sees of a room that has come to this version; sixty phones that look at once read it ten times a second at most.

    Raises:
        Refused: the room was deleted.
    """
    # Who somebody is in a room never changes.
    who: Who | None = st.session_state.get(f"who {code} {token}")
    with _LOOKING:
        at, room = _ROOMS.get(code, (0.0, None))
        if room is None or who is None or room.version < version or time.monotonic() - at >= ASKED_EVERY:
            room, who = look_at_once(the_store(), code, token)
            if len(_ROOMS) > 100:
                _ROOMS.clear()
            _ROOMS[code] = (time.monotonic(), room)
            st.session_state[f"who {code} {token}"] = who
    return visible(room, who)
