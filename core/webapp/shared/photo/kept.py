"""Pictures and feature maps that are kept between clicks: bounded by bytes over all sessions together, and given back when a session ends.

What is kept here may be shared by sessions that show the same photo. So nothing of a patient is kept here: answers to facts stay in
`answers_of`, which belongs to one session.
"""

import gc
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core.threads import give_back_memory

# Over all sessions: some ten photos of 12 megapixels, or some hundred of HAM10000's size with what networks made of them.
MOST_BYTES = 400_000_000
T = TypeVar("T")
# Gradients over all sessions, those used last: a few milliseconds make them again, and each is as large as some ten photos.
_MOST_BYTES_OF_GRADIENTS = 24_000_000
# Photos and networks whose answers one session remembers; what is older is worked out again, in milliseconds.
_ANSWERED = 8
_ANSWERS = "answers by photo"


@dataclass
class _Entry:
    value: object
    size: int
    owners: set = field(default_factory=set)


class ByteBound:
    """Values by key, those used last, as many as fit into a number of bytes.

    Args:
        most: bytes. A larger value is made and given, and not kept.
    """

    def __init__(self, most: int = MOST_BYTES):
        self.most = most
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._makers: dict[Hashable, threading.Lock] = {}
        self._lock = threading.Lock()

    @property
    def bytes(self) -> int:
        with self._lock:
            return sum(entry.size for entry in self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._entries

    def get(self, key: Hashable, owner: Hashable, make: Callable[[], object], size: Callable[[object], int]):
        """The value kept under a key, made first if there is none; two who ask at a time wait for one another.

        Args:
            owner: the session; when the last owner of a value is gone, so is the value.
            size: bytes of a value. Asked at each use, since some grow.
        """
        with self._lock:
            maker = self._makers.setdefault(key, threading.Lock())
        with maker:
            with self._lock:
                entry = self._entries.get(key)
            if entry is None:
                value = make()
                entry = _Entry(value, 0)
            entry.size = size(entry.value)
            with self._lock:
                entry.owners.add(owner)
                self._entries[key] = entry
                self._entries.move_to_end(key)
                self._shrink()
                self._makers.pop(key, None)
        return entry.value

    def release(self, owner: Hashable) -> None:
        """Forgets what only this session used."""
        with self._lock:
            for key, entry in list(self._entries.items()):
                entry.owners.discard(owner)
                if not entry.owners:
                    del self._entries[key]

    def _shrink(self) -> None:
        held = sum(entry.size for entry in self._entries.values())
        while held > self.most and self._entries:
            _, entry = self._entries.popitem(last=False)
            held -= entry.size


def keep(key: Hashable, make: Callable[[], T], size: Callable[[T], int]) -> T:
    """A value of this session, kept with those of all others; see `ByteBound.get`."""
    session = session_id()
    _visit(session)
    return _all().get(key, session, make, size)


def is_kept(key: Hashable) -> bool:
    """Whether `keep` would find a value."""
    return key in _all()


def answers_of(key: Hashable, make: Callable[[], T]) -> T:
    """What one session has asked about one photo, which may hold the patient's facts; kept for the photos asked about last."""
    kept = st.session_state.setdefault(_ANSWERS, OrderedDict())
    if key not in kept:
        kept[key] = make()
    kept.move_to_end(key)
    while len(kept) > _ANSWERED:
        kept.popitem(last=False)
    return kept[key]


def _bytes_of(array: object) -> int:
    return array.nbytes if isinstance(array, np.ndarray) else 0


class Gradients:
    """A session's gradients of one photo by one network, which belong to facts of a patient: no other session is given them."""

    def __init__(self, of: Hashable):
        self._of = of

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The gradients kept under `key`, made first if they are not; see `core.reading.encoded.Remembers`."""
        session = session_id()
        _visit(session)
        return _gradients().get((session, self._of, key), session, make, _bytes_of)


@st.cache_resource(show_spinner=False)
def _gradients() -> ByteBound:
    """One for the server."""
    return ByteBound(_MOST_BYTES_OF_GRADIENTS)


@st.cache_resource(show_spinner=False)
def _all() -> ByteBound:
    """One for the server."""
    return ByteBound()


def session_id() -> str:
    """Of the session whose page is being drawn; "" outside one."""
    context = get_script_run_ctx(suppress_warning=True)
    return context.session_id if context else ""


def _left(session: str) -> None:
    """A session is over: what only it used is forgotten, and the memory goes back to the system."""
    _all().release(session)
    _gradients().release(session)
    gc.collect()
    give_back_memory()


@st.cache_resource(scope="session", show_spinner=False, on_release=_left)
def _visit(session: str) -> str:
    """Lives as long as the session."""
    return session
