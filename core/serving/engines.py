"""The table of engines, and which of them does the work."""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable
from ctypes.util import find_library
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from core.card import Card, DamagedFile, InvalidBundle, read_bound, sha256_of
from core.serving.engine import Engine
from core.serving.graph_file import GRAPH_FILE, InvalidGraph, network_digest, read_graph

if TYPE_CHECKING:  # at run time this would load Keras
    from core.networks import Classifier

ENGINE_VARIABLE = "MELASCOPE_ENGINE"
# Engines that someone still holds, and who may load one: each key's engine is made once, and others at the same time.
_LOADED: WeakValueDictionary[tuple, Engine] = WeakValueDictionary()
_LOADING: dict[tuple, threading.Lock] = {}
_LOCK = threading.Lock()
# Keras does not promise that two may build networks at a time: whoever builds one holds this.
BUILDING = threading.Lock()


@dataclass(frozen=True)
class EngineRow:
    """A way to run a network.

    Args:
        title: for people.
        about: when to choose it, in one sentence.
        load: (model's folder, card, checked weights file) -> engine.
    """

    title: str
    about: str
    load: Callable[[Path, Card, Path], Engine]


def _load_onnxruntime(folder: Path, card: Card, weights: Path) -> Engine:
    from core.serving.onnxruntime_engine import OnnxRuntimeEngine, read_arrays

    again = f"Run `python -m core export {card.name}`."
    try:
        content = read_bound(folder, GRAPH_FILE, card)
    except FileNotFoundError:
        raise InvalidGraph(f"{folder / GRAPH_FILE} is missing. {again}") from None
    except DamagedFile as error:
        raise InvalidGraph(f"{error} {again}") from None
    graph = read_graph(content, network_digest(card), str(folder / GRAPH_FILE), again)
    try:
        arrays = read_arrays(weights)
        graph.check(arrays)
    except (OSError, ValueError, KeyError) as error:
        raise InvalidBundle(
            f"{weights} does not fit the network its card describes: {error} Train {card.name} again."
        ) from error
    return OnnxRuntimeEngine(graph, arrays, card.image_size, lambda: _build(card))


def _build(card: Card) -> Classifier:
    from core.serving.keras_weights import build_network

    with BUILDING:
        return build_network(card)


def _load_tensorflow(folder: Path, card: Card, weights: Path) -> Engine:
    from core.serving.keras_weights import build_and_load, build_network
    from core.serving.tensorflow_engine import TensorFlowEngine

    with BUILDING:
        return TensorFlowEngine(build_and_load(card, weights), card.design, lambda: build_network(card))


ENGINES: dict[str, EngineRow] = {
    "onnxruntime": EngineRow(
        "ONNX Runtime",
        "Reads a photo within a second of the start and needs little memory; the choice where there is no GPU.",
        _load_onnxruntime,
    ),
    "tensorflow": EngineRow(
        "TensorFlow",
        "The choice on a GPU, and for a model without a serving file; takes half a minute to get ready on a CPU.",
        _load_tensorflow,
    ),
}


# Engines of earlier versions -> what is to be said of them.
FORMER: dict[str, str] = {"openvino": "OpenVINO ran the networks until ONNX Runtime took its place."}


def find_engine(name: str) -> EngineRow:
    """Looks an engine up.

    Raises:
        ValueError: no such engine; the message lists those there are.
    """
    if name not in ENGINES:
        former = f" {FORMER[name]}" if name in FORMER else ""
        raise ValueError(f"Unknown engine {name!r}.{former} Expected one of: {', '.join(ENGINES)}.")
    return ENGINES[name]


def choose_engine(name: str | None = None) -> str:
    """The engine that is asked for: by name, else by `MELASCOPE_ENGINE`, else by whether there is a GPU.

    Raises:
        ValueError: no such engine.
    """
    chosen = name or os.environ.get(ENGINE_VARIABLE, "").strip().lower() or ("tensorflow" if has_gpu() else "onnxruntime")
    find_engine(chosen)
    return chosen


def load_engine(folder: Path, card: Card, weights: Path, name: str | None = None) -> tuple[Engine, str | None]:
    """An engine for a model, and a sentence where it is not the one that was asked for.

    Args:
        weights: the model's weights file, checked against its card.
        name: see `choose_engine`.

    Raises:
        InvalidBundle: weights that do not fit the network.
        ValueError: no such engine.
    """
    name = choose_engine(name)
    try:
        return _shared(name, folder, card, weights), None
    except (InvalidGraph, ImportError) as error:
        if name == "tensorflow":
            raise
        note = f"{card.name} is read by TensorFlow, which starts slowly: {error}"
        return _shared("tensorflow", folder, card, weights), note


def _shared(name: str, folder: Path, card: Card, weights: Path) -> Engine:
    """An engine, which is the same for all who hold one of these weights: an ensemble's member and the model itself, or many threads.

    The serving file counts as it lies there: a damaged one is said, although somebody holds what a good one gave.
    """
    graph = folder / GRAPH_FILE
    lies_there = sha256_of(graph) if graph.is_file() else None
    key = name, card.weights["sha256"], card.files.get(GRAPH_FILE), lies_there, network_digest(card), card.image_size
    with _LOCK:
        loading = _LOADING.setdefault(key, threading.Lock())
    with loading:
        engine = _LOADED.get(key)
        if engine is None:
            engine = _LOADED[key] = find_engine(name).load(folder, card, weights)
    return engine


@cache
def has_gpu() -> bool:
    """Whether TensorFlow would find an NVIDIA GPU; asked of the driver, since importing TensorFlow takes seconds."""
    if not (find_spec("nvidia") and find_spec("nvidia.cudnn")) and not _system_has("cudnn"):
        return False  # a card, but not what TensorFlow needs to use it
    for library in ("libcuda.so.1", "nvcuda.dll"):
        try:
            driver = ctypes.CDLL(library)
            count = ctypes.c_int(0)
            return driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0 and count.value > 0
        except (OSError, AttributeError):
            continue
    return False


def _system_has(library: str) -> bool:
    """Whether the system's linker finds a library; it is asked by a temporary file, which a machine that is read only does not take."""
    try:
        return find_library(library) is not None
    except OSError:
        return False
