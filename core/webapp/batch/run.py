"""A batch at work: photos read in the background, a row at a time, until all are read or somebody stops it."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from core.data.patient import Facts
from core.reading.read_each import read_each
from core.trust.batch.row import BatchRow

_BATCH = "batch"


@dataclass(frozen=True, eq=False)
class Item:
    """A photo to read.

    Args:
        name: as the table says it.
        source: the file's bytes, or where it lies.
        facts: of its patient.
    """

    name: str
    source: bytes | Path
    facts: Facts = Facts()


@dataclass(frozen=True)
class BatchSettings:
    """What a batch was started with; another question makes another batch.

    Args:
        model: name of the network's folder.
        mixture: title of the place; "" for probabilities as calibrated.
    """

    model: str
    mixture: str = ""
    crop: str = "none"
    force: bool = False


class Run:
    """A batch.

    Args:
        items: photos, in the table's order.
        asked: the questions.
        read: item -> row. What it raises becomes the row's error.
    """

    def __init__(self, items: list[Item], asked: BatchSettings, read: Callable[[Item], BatchRow]):
        self.items, self.asked = items, asked
        self.rows: list[BatchRow] = []
        self._read, self._stop = read, threading.Event()
        self._thread = threading.Thread(target=self._work, name="melascope-batch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Begins no further photo; those being read are finished."""
        self._stop.set()

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    @property
    def stopped(self) -> bool:
        """Whether it ended before its last photo."""
        return not self.running and len(self.rows) < len(self.items)

    def wait(self) -> None:
        """Until it has ended."""
        self._thread.join()

    def _work(self) -> None:
        for row in read_each(self._one, [(item,) for item in self.items]):
            if isinstance(row, BatchRow):
                self.rows.append(row)
            if self._stop.is_set():
                return

    def _one(self, item: Item) -> BatchRow | None:
        if self._stop.is_set():
            return None
        try:
            return self._read(item)
        except MemoryError:
            return BatchRow(item.name, item.facts, error="It is too large for this computer's memory. Make it smaller.")
        except Exception as error:  # noqa: BLE001 - one photo's fault must not cost the others their reading
            return BatchRow(item.name, item.facts, error=str(error) or type(error).__name__)


class Holder:
    """This session's batch: the last that was started. When the session is forgotten, the batch is stopped."""

    def __init__(self):
        self.run: Run | None = None

    def __del__(self):
        if self.run is not None:
            self.run.stop()


def held_run() -> Holder:
    """Where this session's batch is kept; also while its page is away or its line is cut."""
    return st.session_state.setdefault(_BATCH, Holder())
