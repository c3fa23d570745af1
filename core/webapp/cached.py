"""What is kept between reruns: models for everyone, encoded photos for one session. TensorFlow loads late, in the background."""

import gc
import logging
import os
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st

from core.card import Card
from core.webapp.ask import Photo
from core.webapp.words import plain

# As many models as there are backbones, so that comparing them all loads each once.
MODELS = 10
# One photo seen by every model, and two more seen by one.
ENCODED_PHOTOS = MODELS + 2
# A visitor who only looks at the page is given it first, whole; TensorFlow, which then takes the processor, comes after.
PRELOAD_AFTER = 2.0  # seconds
# What loading and reading may end with besides the ValueErrors that already are sentences for people.
FAILURES = (ValueError, OSError, ImportError, MemoryError)


@dataclass(frozen=True, eq=False)
class _Loading:
    """A model on its way; `wanted` ends the wait before it."""

    bundle: Future
    wanted: threading.Event


def preload(folder: Path, card: Card) -> None:
    """Starts to load a model in the background, for a visitor who will soon want it."""
    _loading(str(folder), card.probabilities_sha256)


def load_model(folder: Path, card: Card):
    """The bundle of a shipped model, shared by all sessions and never changed.

    Raises:
        InvalidBundle: weights that are missing, damaged or not those of the card. They are tried anew next time.
    """
    key = str(folder), card.probabilities_sha256
    loading = _loading(*key)
    loading.wanted.set()
    try:
        if loading.bundle.done():
            return loading.bundle.result()
        with st.spinner(
            f"Warming up the network: {plain(card.name)}, {card.parameters / 1e6:.1f} million weights. "
            "Only the first photo waits for this.",
            show_time=True,
        ):
            return loading.bundle.result()
    except FAILURES:
        _loading.clear(*key)
        raise


def encode(bundle, photo: Photo):
    """A photo as the model's encoder sees it: the one slow step, done once for each photo and model of a session."""
    return _encoded(bundle.name, bundle.card.probabilities_sha256, photo.hash, bundle, photo.pixels)


def failure(error: Exception) -> str:
    """A sentence for people about what ended a reading."""
    if isinstance(error, MemoryError):
        return "This computer's memory is full. Close other programs, or choose a smaller network."
    if isinstance(error, ImportError):
        return f"TensorFlow cannot be loaded ({plain(str(error))}). Install what Melascope needs: `make run`."
    return plain(str(error))


@st.cache_resource(max_entries=MODELS, show_spinner=False)
def _loading(folder: str, sha256: str) -> _Loading:
    """Queues a model; the digest is part of the key, so that exchanged weights are loaded anew."""
    wanted = threading.Event()

    def work():
        wanted.wait(PRELOAD_AFTER)
        return _load(folder)

    return _Loading(_loader().submit(work), wanted)


@st.cache_resource(show_spinner=False)
def _loader() -> ThreadPoolExecutor:
    """One thread: Keras does not promise that two may build networks at a time."""
    return ThreadPoolExecutor(1, thread_name_prefix="melascope-model")


def _load(folder: str):
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    import core.webapp.reading_view  # noqa: F401  what draws the answer, with pandas and scikit-learn
    from core.bundle import load_bundle
    from core.reading import warm_up

    bundle = load_bundle(folder)
    warm_up(bundle)
    _warm_up_facts(bundle)
    _warm_up_gate(bundle)
    _stay_warm()
    return bundle


def _stay_warm() -> None:
    """Keeps what warming up made, whatever Streamlit does after each run of a page.

    It clears Keras' session, and with it every compiled kernel: the next photo would take seconds instead of milliseconds (an ensemble:
    3.3 s instead of 0.1). And it collects garbage, which with a network's half a million objects takes as long as a few readings: they
    stay anyway, so the collector need not look at them.
    """
    import keras

    keras.backend.clear_session = _keep_session
    gc.collect()
    gc.freeze()


def _keep_session(free_memory: bool = True) -> None:
    """In place of `keras.backend.clear_session` in this process: no network here is ever built to be thrown away."""


def _warm_up_gate(bundle) -> None:
    """Opens the photo gate's eye; what is wrong with it is said when a photo comes to the gate."""
    from core.trust.eye import SIDE, look
    from core.trust.measures import MEASURES

    if (bundle.folder / MEASURES["gate"].file).is_file():
        with suppress(*FAILURES):
            look(np.zeros((1, SIDE, SIDE, 3), "uint8"))


def _warm_up_facts(bundle) -> None:
    """Compiles the head for many patients, so that the first answer does not wait for its what-if."""
    if not bundle.classifier.uses_metadata:
        return
    from core.data.patient import Facts
    from core.trust.facts_head import many_facts

    feature_map = np.zeros(bundle.classifier.head.inputs[0].shape[1:], "float32")
    many_facts(bundle.classifier, feature_map, bundle.card.facts_encoder.encode(Facts())[None])


def second_opinion(signals, bundle, encoded):
    """Gate, whether the photo was seen before, and look-alikes of an encoded photo; see `core.trust.opinion`. Kept with the photo."""
    from core.trust.opinion import form_opinion

    # What was measured is kept until a file changes, so its identity stands for it. The key holds the signals themselves: the id of
    # signals that are gone may be given to new ones.
    return encoded.answers.get(("opinion", signals), lambda: form_opinion(signals, bundle, encoded, None))


@st.cache_resource(max_entries=ENCODED_PHOTOS, scope="session", show_spinner=False)
def _encoded(model: str, sha256: str, photo: str, _bundle, _pixels: np.ndarray):
    from core.reading import encode_photo

    return encode_photo(_bundle, _pixels)
