"""The store behind the pages, and how their refusals are said."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import streamlit as st
from streamlit.errors import StreamlitAPIException

from core.teaching.guesses import Guesses
from core.teaching.rooms.look import room_version
from core.teaching.store.database import Store, open_store
from core.webapp.shared.failures import FAILURES, failure

T = TypeVar("T")
# Rooms' versions, and when each was asked for, by code.
_VERSIONS: dict[str, tuple[float, int]] = {}
_ASKING = threading.Lock()
ASKED_EVERY = 0.1  # seconds


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
