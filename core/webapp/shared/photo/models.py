"""Models that are kept between reruns, for everyone; they load in the background."""

import importlib
import logging
import os
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from core.card import Card, InvalidBundle
from core.keras_home import find_fault
from core.webapp.shared.failures import FAILURES, unforeseen
from core.webapp.shared.words import plain

# As many models as there are backbones, so that comparing them all loads each once.
MODELS = 10
# A visitor who only looks at the page is given it first, whole; the network, which then takes the processor, comes after.
PRELOAD_AFTER = 2.0  # seconds


@dataclass(frozen=True, eq=False)
class _Loading:
    """A model on its way; `wanted` ends the wait before it."""

    bundle: Future
    wanted: threading.Event


def preload(folder: Path, card: Card, drawn_by: str) -> None:
    """Starts to load a model in the background, for a visitor who will soon want it.

    Args:
        drawn_by: the module that draws its answers, imported meanwhile with what it needs.
    """
    _loading(str(folder), card.probabilities_sha256)
    _importing(drawn_by)


def load_model(folder: Path, card: Card):
    """The bundle of a shipped model, shared by all sessions and never changed.

    Raises:
        InvalidBundle: weights that are missing, damaged or not those of the card. They are tried anew next time.
    """
    key = str(folder), card.probabilities_sha256
    if _failed(_loading(*key)):
        _loading.clear(*key)  # of an earlier try; what was wrong may have been mended
    loading = _loading(*key)
    loading.wanted.set()
    try:
        if loading.bundle.done():
            return loading.bundle.result()
        with st.spinner(
            f"Getting {plain(card.name)} ready: the first photo that it reads waits for this.",
            show_time=True,
        ):
            return loading.bundle.result()
    except FAILURES:
        raise
    except Exception as error:
        raise InvalidBundle(f"{card.name} cannot be loaded. {unforeseen(error)}") from error
    finally:
        # Whatever it failed of. (A reader who leaves while it loads ends the wait and not the loading.)
        if _failed(loading):
            _loading.clear(*key)


def await_model(folder: Path, card: Card):
    """As `load_model`, for threads that belong to no session: nothing is drawn."""
    loading = _loading(str(folder), card.probabilities_sha256)
    loading.wanted.set()
    return loading.bundle.result()


def _failed(loading: "_Loading") -> bool:
    return loading.bundle.done() and (loading.bundle.cancelled() or loading.bundle.exception() is not None)


@st.cache_resource(max_entries=MODELS, show_spinner=False)
def _loading(folder: str, sha256: str) -> _Loading:
    """Queues a model; the digest is part of the key, so that exchanged weights are loaded anew."""
    wanted = threading.Event()

    def work():
        wanted.wait(PRELOAD_AFTER)
        return _load(folder)

    return _Loading(_loader().submit(work), wanted)


@st.cache_resource(show_spinner=False)
def _importing(module: str) -> Future:
    """Fifty visitors who import the same at once wait for one another much longer than for the import."""
    return _loader().submit(lambda: (time.sleep(PRELOAD_AFTER / 2), importlib.import_module(module)))


@st.cache_resource(show_spinner=False)
def _loader() -> ThreadPoolExecutor:
    """A thread for each model, so that none waits for another to get ready."""
    return ThreadPoolExecutor(MODELS, thread_name_prefix="melascope-model")


def _load(folder: str):
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    if fault := find_fault():
        raise InvalidBundle(fault)
    import core.trust.signals.opinion  # noqa: F401  what judges the answer, with pandas and scikit-learn
    from core.bundle import load_bundle
    from core.reading import warm_up
    from core.trust.signals.eye import open_eye

    bundle = load_bundle(folder)
    warm_up(bundle)
    # What is wrong with the eye is said when a photo comes to the gate.
    with suppress(*FAILURES):
        open_eye(bundle.folder)
    return bundle
