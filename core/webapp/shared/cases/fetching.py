"""Fetching photos in the background: one download for the server, whoever asks; no session waits for it."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass

import streamlit as st

from core.archive.photos import fetch_photos
from core.archive.web import Stopped, Web
from core.webapp.shared.failures import failure, unforeseen


@dataclass(frozen=True)
class DownloadState:
    """Where a download stands.

    Args:
        running: whether it goes on.
        done, total: photos.
        fault: the sentence that ended it; "" where all went well.
        lacking: ids that the archive does not have, as far as is known.
    """

    running: bool
    done: int
    total: int
    fault: str
    lacking: frozenset[str]


class Fetching:
    """One for the server.

    Args:
        make_web: how to ask the archive; a new one for each download.
    """

    def __init__(self, make_web=Web):
        self._make_web = make_web
        self._lock = threading.Lock()
        self._waiting: dict[str, None] = {}
        self._known: set[str] = set()
        self._done = self._before = 0
        self._running, self._fault, self._lacking = False, "", frozenset()
        self._stop = threading.Event()

    def ask(self, ids: Iterable[str]) -> None:
        """Wants photos; a download that goes on takes them with it, and else one begins."""
        with self._lock:
            new = [i for i in ids if not (self._running and i in self._known)]
            self._waiting |= dict.fromkeys(new)
            if self._running or not self._waiting:
                self._known |= set(new)
                return
            self._known = set(self._waiting)
            self._running, self._fault, self._done, self._before = True, "", 0, 0
            self._stop = threading.Event()
        threading.Thread(target=self._work, name="melascope-photos", daemon=True).start()

    def stop(self) -> None:
        """Ends the download that goes on; what had come stays."""
        self._stop.set()

    def look(self) -> DownloadState:
        """Where it stands."""
        with self._lock:
            return DownloadState(self._running, self._before + self._done, len(self._known), self._fault, self._lacking)

    def _work(self) -> None:
        web = self._make_web(stop=self._stop)
        while True:
            with self._lock:
                ids, self._waiting = list(self._waiting), {}
                self._before, self._done = self._before + self._done, 0
                if not ids:
                    self._running = False
                    return
            try:
                lacking = fetch_photos(ids, web=web, progress=self._report).lacking
            except Stopped:
                self._end("")
                return
            except (ValueError, OSError) as error:
                self._end(failure(error))
                return
            # A thread's fault is seen by nobody, unless it is said.
            except Exception as error:  # noqa: BLE001
                self._end(unforeseen(error))
                return
            with self._lock:
                self._done = len(ids)
                self._lacking |= set(lacking)

    def _report(self, done: int, total: int) -> None:
        with self._lock:
            self._done = done

    def _end(self, fault: str) -> None:
        with self._lock:
            self._running, self._fault, self._waiting = False, fault, {}


@st.cache_resource(show_spinner=False)
def fetching() -> Fetching:
    """The server's."""
    return Fetching()
