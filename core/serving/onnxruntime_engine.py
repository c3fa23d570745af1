"""ONNX Runtime does the work: the serving file's graph with the numbers of the weights file, made ready for this processor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime
from threadpoolctl import threadpool_limits

from core.diagnoses import CODES
from core.serving.engine import Engine, check_head_inputs, withhold
from core.serving.graph_file import ENCODER, GRADIENTS, HEAD, Graph
from core.threads import cores, give_back_memory, once

if TYPE_CHECKING:  # at run time this would load Keras
    from core.networks import Classifier

# Images that are worth their own way of computing, several at a time.
MANY = 8
# Only errors: whoever reads the answer cannot act on the rest.
LOG_LEVEL = 3
# On Windows it would report to the system's makers that it was used.
onnxruntime.disable_telemetry_events()
# NumPy's products around a reading are small: its threads wait for each other, with busy cores five times as long as one takes alone.
threadpool_limits(1, "blas")


class OnnxRuntimeEngine(Engine):
    """See `Engine`. Parts are made ready when first asked for.

    Args:
        graph: of the network.
        arrays: path in the weights file -> its array.
        image_size: pixels.
        build: makes the untrained Keras network, for `classifier`.
    """

    name = "onnxruntime"

    def __init__(
        self,
        graph: Graph,
        arrays: dict[str, np.ndarray],
        image_size: int,
        build: Callable[[], Classifier] | None = None,
    ):
        self._graph, self._arrays, self.image_size, self._build = graph, arrays, image_size, build
        self.feature_shape = graph.feature_shape
        self.uses_metadata, self.has_attention = graph.uses_metadata, graph.has_attention
        self._sound = all(np.isfinite(values).all() for values in arrays.values() if values.dtype.kind == "f")

    @once
    def _encoder(self) -> onnxruntime.InferenceSession:
        return self._open(ENCODER, cores())

    @once
    def _encoder_of_many(self) -> onnxruntime.InferenceSession:
        # Each image on a core of its own is faster than all cores on each image.
        return self._open(ENCODER, 1)

    @property
    def _one_encoder(self) -> onnxruntime.InferenceSession:
        return self._encoder if cores() > 1 else self._encoder_of_many

    # Work too small to be shared between cores.
    @once
    def _head(self) -> onnxruntime.InferenceSession:
        return self._open(HEAD, 1)

    @once
    def _gradients(self) -> onnxruntime.InferenceSession:
        return self._open(GRADIENTS, 1)

    def _open(self, part: str, threads: int) -> onnxruntime.InferenceSession:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = LOG_LEVEL
        options.intra_op_num_threads = threads
        # A thread that has no work would otherwise keep its core busy for a while, waiting for more.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # It would keep the most memory that a run ever needed, of each part of each network; asking anew costs no time.
        options.enable_cpu_mem_arena = False
        numbers = self._graph.inputs[part]
        if numbers:
            # Stored as half floats, computed in single precision.
            values = [np.array(self._arrays[path], "float32", order="C") for path in numbers.values()]
            values = [onnxruntime.OrtValue.ortvalue_from_numpy(value) for value in values]
            options.add_external_initializers(list(numbers), values)
        session = onnxruntime.InferenceSession(self._graph.models[part], options, providers=["CPUExecutionProvider"])
        # Making a session takes twice the memory that it needs afterwards.
        give_back_memory()
        return session

    def ready(self) -> None:
        # Side by side: making one ready keeps one core busy and lets others work.
        with ThreadPoolExecutor(2) as pool:
            others = pool.map(lambda part: getattr(self, part), ("_head", "_gradients"))
            _ = self._one_encoder  # in this thread, which knows how many cores it counts on
            list(others)

    def encode(self, image: np.ndarray) -> np.ndarray:
        image = np.asarray(image, "float32")
        size = (self.image_size, self.image_size, 3)
        if image.shape[-3:] != size or image.ndim not in (3, 4):
            raise ValueError(f"The encoder got an image of shape {image.shape}. Expected {size}, or B of them.")
        if not (self._sound and np.isfinite(image).all()):
            return np.full((*image.shape[:-3], *self.feature_shape), np.nan, "float32")
        if image.ndim == 3:
            return _run(self._one_encoder, image)
        if not len(image):
            return np.zeros((0, *self.feature_shape), "float32")
        if len(image) < MANY:
            return np.stack([_run(self._one_encoder, one) for one in image])
        session = self._encoder_of_many
        with ThreadPoolExecutor(cores()) as pool:
            return np.stack(list(pool.map(lambda one: _run(session, one), image)))

    def head(self, feature_map: np.ndarray, metadata: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        feature_map, metadata = check_head_inputs(self, feature_map, metadata)
        if feature_map.ndim == 4:
            told = [self._ask_head(one, of_it[None]) for one, of_it in zip(feature_map, metadata, strict=True)]
            if not told:
                return np.zeros((0, len(CODES)), "float32"), np.zeros((0, *self.feature_shape[:2]), "float32")
            return np.stack([logits[0] for logits, _ in told]), np.stack([attention for _, attention in told])
        logits, attention = self._ask_head(feature_map, np.atleast_2d(metadata))
        return (logits[0] if metadata.ndim == 1 else logits), attention

    def _ask_head(self, feature_map: np.ndarray, metadata: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        given = {"feature_map": feature_map[None]}
        if self.uses_metadata:
            given["metadata"] = metadata
        logits, attention = _ask(self._head, ["logits", "attention"], given)
        if not self.uses_metadata:
            logits = np.repeat(logits, len(metadata), axis=0)
        return withhold(logits, attention[0], feature_map, metadata if self.uses_metadata else None, self._sound)

    def gradients(self, feature_map: np.ndarray, metadata: np.ndarray) -> np.ndarray:
        feature_map, _ = check_head_inputs(self, feature_map, metadata)
        if not (self._sound and np.isfinite(feature_map).all()):
            return np.full((len(CODES), *self.feature_shape), np.nan, "float32")
        return _ask(self._gradients, ["gradients"], {"feature_map": feature_map[None]})[0]

    def weights(self) -> tuple[list[np.ndarray], list[np.ndarray]]:
        return tuple([self._arrays[path] for path in self._graph.order[part]] for part in ("head", "encoder"))

    def with_weights(
        self, head: Sequence[np.ndarray], encoder: Sequence[np.ndarray] | None = None
    ) -> OnnxRuntimeEngine:
        arrays = self._arrays | dict(zip(self._graph.order["head"], head, strict=True))
        if encoder is not None:
            arrays |= dict(zip(self._graph.order["encoder"], encoder, strict=True))
        other = OnnxRuntimeEngine(self._graph, arrays, self.image_size, self._build)
        if encoder is None:
            vars(other).update(
                {part: vars(self)[part] for part in ("_encoder", "_encoder_of_many") if part in vars(self)}
            )
        return other

    def classifier(self) -> Classifier:
        from core.serving.keras_weights import with_numbers

        if self._build is None:
            raise ValueError("This engine was made of a serving file alone and does not know the Keras network.")
        return with_numbers(self._build(), *self.weights())

    @property
    def versions(self) -> dict[str, str]:
        return {"onnxruntime": onnxruntime.__version__}


def _run(session: onnxruntime.InferenceSession, image: np.ndarray) -> np.ndarray:
    return _ask(session, ["feature_map"], {"image": image[None]})[0][0]


def _ask(session: onnxruntime.InferenceSession, outputs: list[str], given: dict[str, np.ndarray]) -> list[np.ndarray]:
    """The outputs, all of which are dense arrays here."""
    return [np.asarray(output) for output in session.run(outputs, given)]


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """All arrays of a weights file, by their path in it. Nothing in it is executed."""
    import h5py

    arrays = {}

    def note(name, item):
        if isinstance(item, h5py.Dataset):
            arrays[name] = item[()]

    with h5py.File(path, "r") as file:
        file.visititems(note)
    return arrays
