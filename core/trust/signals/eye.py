"""The photo gate's own eye: a small ImageNet network, frozen, that was never taught to see nothing but lesions.

A network that is fine-tuned on lesions forgets everything else: the vectors of a ginger cat then lie among those of skin. Its ImageNet
ancestor still tells them apart. One eye serves all models; a photo passes through it once (see `core.trust.signals.square`).

Reference: S. Fort, J. Ren, B. Lakshminarayanan, "Exploring the limits of out-of-distribution detection", NeurIPS 2021 (features of
broad pre-training for it).
"""

import hashlib
import logging
import threading
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np

from core.card import InvalidBundle, sha256_of
from core.files import written_whole
from core.folders import REPOSITORY, weights_root
from core.serving.engines import BUILDING, choose_engine
from core.serving.graph_file import ENCODER, GRAPH_FORMAT, Graph, InvalidGraph, graph_digest, read_graph, write_graph
from core.trust.signals.photo_statistics import SIDE

BACKBONE, ATTACH, CHANNELS = "MobileNetV3Small", "last", 576
EYE_FILE, EYE_GRAPH = "gate-eye.weights.h5", "gate-eye.serving.zip"
EYE_GRAPH_SHA256 = "55a7aa78a8cb70ea918d9b429042c2fe1c8f3aadf1e6e71b8a84086b0c73f478"
EYE_SHA256 = "14ce35f5b9368848cc129603982635cf66416344ac51a39c10751b249bbddaa7"
BATCH = 32
# Principal components of the training photos' vectors, outside which a picture is strange.
COMPONENTS = 32
# Weight of single channels beside the two distances: many weak witnesses.
CHANNEL_SCALE = 0.3
CUT = 5.0
TERMS = CHANNELS + 2
_LOADING = threading.Lock()
AGAIN = "Restore it from the repository, or run `python -m core export gate-eye`."


def eye_file() -> Path:
    """Where the eye lies: in the folder of models, else in the repository's own, which every folder of models may rely on."""
    own = weights_root() / EYE_FILE
    return own if own.is_file() else REPOSITORY / "weights" / EYE_FILE


class Encoder(Protocol):
    """What encodes images; see `Engine.encode`."""

    def encode(self, image: np.ndarray) -> np.ndarray:
        """Images (B, S, S, 3), RGB 0..255 -> feature maps (B, h, w, C)."""


def load_eye() -> Encoder:
    """Images (B, 224, 224, 3), RGB 0..255 -> feature maps (B, 7, 7, 576), by the engine that is chosen.

    Raises:
        InvalidBundle: the file is missing or damaged.
    """
    with _LOADING:
        # Whoever comes while it loads gets what is loaded.
        return _load(eye_file(), choose_engine())


@lru_cache(maxsize=2)
def _load(file: Path, engine: str) -> Encoder:
    if not file.is_file():
        raise InvalidBundle(f"{file} is missing: the photo gate sees with it. Restore it from the repository.")
    digest = sha256_of(file)
    if digest != EYE_SHA256:
        raise InvalidBundle(
            f"{file} is damaged or was exchanged: SHA-256 {digest[:12]}, expected {EYE_SHA256[:12]}. Restore it from the repository."
        )
    if engine == "onnxruntime":
        try:
            from core.serving.onnxruntime_engine import OnnxRuntimeEngine, read_arrays

            graph = _read_graph(file.with_name(EYE_GRAPH))
            arrays = read_arrays(file)
            graph.check(arrays)
            return OnnxRuntimeEngine(graph, arrays, SIDE)
        except (InvalidGraph, ImportError) as error:
            logging.getLogger(__name__).warning("The photo gate sees by TensorFlow, which starts slowly: %s", error)
    from core.networks.backbones import build_encoder
    from core.serving.tensorflow_engine import TensorFlowEncoder

    with BUILDING:
        eye = build_encoder(BACKBONE, ATTACH, SIDE)
        eye.load_weights(file)
        return TensorFlowEncoder(eye)


def _eye_digest() -> str:
    return graph_digest({"format": GRAPH_FORMAT, "part": ENCODER, "backbone": BACKBONE, "attach": ATTACH, "image_size": SIDE})


def _read_graph(path: Path) -> Graph:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InvalidGraph(f"{path} cannot be read ({error.strerror}). {AGAIN}") from None
    digest = hashlib.sha256(content).hexdigest()
    if digest != EYE_GRAPH_SHA256:
        raise InvalidGraph(
            f"{path} is damaged or was exchanged: SHA-256 {digest[:12]}, expected {EYE_GRAPH_SHA256[:12]}. {AGAIN}"
        )
    return read_graph(content, _eye_digest(), str(path), AGAIN)


def export_eye(file: Path | None = None) -> tuple[Path, str]:
    """Makes the eye's serving file, from which it sees without TensorFlow; returns it and its SHA-256, for `EYE_GRAPH_SHA256`."""
    from core.networks.backbones import build_encoder
    from core.serving.make_graph import graph_of_encoder

    graph = graph_of_encoder(build_encoder(BACKBONE, ATTACH, SIDE))
    path = write_graph(graph, _eye_digest(), file or eye_file().with_name(EYE_GRAPH))
    return path, sha256_of(path)


def save_eye(init: str | Path, file: Path | None = None) -> str:
    """Makes the eye's file from ImageNet weights, as `build_encoder` takes them; returns its SHA-256, for `EYE_SHA256`."""
    from core.bundle import write_weights
    from core.networks.backbones import build_encoder

    file = file or eye_file()
    with written_whole(file) as scratch:
        write_weights(build_encoder(BACKBONE, ATTACH, SIDE, init), scratch, "float16")
    return sha256_of(file)


def open_eye(folder: Path) -> None:
    """Readies the eye of a model that has a photo gate, so that its first photo does not wait for it.

    Raises:
        InvalidBundle: the eye cannot be used; the gate says so again when a photo comes to it.
    """
    from core.trust.measure_table import MEASURES

    if (folder / MEASURES["gate"].file).is_file():
        see(np.zeros((1, SIDE, SIDE, 3), "uint8"))


def see(images: np.ndarray) -> np.ndarray:
    """Vectors of images, (N, 576) float32: means of the feature map over its positions.

    Args:
        images: (N, 224, 224, 3), RGB 0..255.
    """
    from core.trust.signals.feature_vectors import pool_features

    eye, out = load_eye(), []
    for start in range(0, len(images), BATCH):
        batch = images[start : start + BATCH]
        # One photo goes alone, which is another way of computing.
        seen = eye.encode(batch) if len(images) > 1 else eye.encode(batch[0])[None]
        out.append(pool_features(seen))
    return np.concatenate(out) if out else np.zeros((0, CHANNELS), "float32")


def fit_spread(vectors: np.ndarray) -> dict:
    """How the training photos' vectors (N, 576) lie: what `eye_terms` measures strangeness by. Plain lists, for a JSON file."""
    mean, scale = vectors.mean(axis=0), vectors.std(axis=0) + 1e-3
    away = (vectors - mean) / scale
    _, sizes, components = np.linalg.svd(away, full_matrices=False)
    components, variances = components[:COMPONENTS], sizes[:COMPONENTS] ** 2 / len(vectors)
    record = {"mean": mean, "scale": scale, "components": components, "variances": variances}
    record = {name: np.round(values.astype("float64"), 4) for name, values in record.items()}
    distances = _distances(record, (vectors - record["mean"]) / record["scale"])
    record["distance_mean"], record["distance_scale"] = distances.mean(axis=0), np.maximum(distances.std(axis=0), 1e-3)
    return {name: values.tolist() for name, values in record.items()}


def eye_terms(record: dict, vectors: np.ndarray) -> np.ndarray:
    """What the gate weighs of vectors (N, 576): each channel, and how far they lie beside and within the components, (N, 578).

    Args:
        record: of `fit_spread`.
    """
    given = {name: np.asarray(values) for name, values in record.items()}
    away = (vectors - given["mean"]) / given["scale"]
    distances = (_distances(given, away) - given["distance_mean"]) / given["distance_scale"]
    return np.column_stack([CHANNEL_SCALE * np.clip(away, -2 * CUT, 2 * CUT), np.clip(distances, -2 * CUT, 2 * CUT)])


def _distances(record: dict, away: np.ndarray) -> np.ndarray:
    inside = away @ record["components"].T
    beside = np.maximum((away**2).sum(axis=1) - (inside**2).sum(axis=1), 1e-6)
    within = (inside**2 / np.maximum(record["variances"], 1e-6)).mean(axis=1)
    return np.column_stack([np.log(beside), np.log(within + 1e-6)])
