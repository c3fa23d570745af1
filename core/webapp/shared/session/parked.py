"""A tab that is reloaded gets a new session: for two minutes what the one before had in use is found again, in memory.

The server itself keeps a session that long for a tab whose line was cut. Only who knows the session's random name, which its own tab
keeps, is given what was in it.
"""

import threading

import streamlit as st

# What a reload brings back: the photo with where it came from, facts, squares, network, and the session's cases.
_KEYS = (
    "source",
    "age",
    "sex",
    "site",
    "facts of",
    "crops by photo",
    "framing left",
    "photos read anyway",
    "model",
    "session cases",
)
_PREFIX = "photo from "
_LOST = "session lost"
KEPT_FOR = 120.0  # seconds after the page has left


class Parked:
    """States by session's name; one for the server."""

    def __init__(self):
        self._states: dict[str, dict] = {}
        self._lock = threading.Lock()

    def put(self, name: str, state: dict) -> None:
        with self._lock:
            self._states[name] = state

    def find(self, name: str) -> dict | None:
        with self._lock:
            return self._states.get(name)

    def drop(self, name: str, state: dict | None) -> None:
        """Forgets a state, unless another was put in its place."""
        with self._lock:
            if self._states.get(name) is state:
                self._states.pop(name, None)

    def leave(self, name: str, after: float = KEPT_FOR) -> None:
        """The page has left: its state is dropped after a while, unless it comes back."""
        timer = threading.Timer(after, self.drop, (name, self.find(name)))
        timer.daemon = True
        timer.start()


def park(name: str) -> None:
    """Notes what this session has in use; to be called with each run of a page.

    Args:
        name: of the session, that nobody can guess.
    """
    state = {key: st.session_state[key] for key in st.session_state if key in _KEYS or str(key).startswith(_PREFIX)}
    _parked().put(name, state)
    _owner(name)


def restore(name: object) -> bool:
    """Takes over what a session of this name had in use; to be called before widgets are drawn.

    Returns:
        Whether it was still there; if not, `is_lost` says so until a photo is chosen.
    """
    state = _parked().find(name) if isinstance(name, str) else None
    if state is None:
        st.session_state[_LOST] = True
        return False
    for key, value in state.items():
        st.session_state[key] = value
    return True


def is_lost(photo: str) -> bool:
    """Whether a tab asked for a session that is gone, and has no photo yet.

    Args:
        photo: what is in use; "" for nothing.
    """
    if photo:
        st.session_state.pop(_LOST, None)
    return _LOST in st.session_state


@st.cache_resource(show_spinner=False)
def _parked() -> Parked:
    return Parked()


@st.cache_resource(scope="session", show_spinner=False, on_release=lambda name: _parked().leave(name))
def _owner(name: str) -> str:
    """Lives as long as the session's page is there."""
    return name
