"""OpenVINO does the work: the serving file's graph with the numbers of the weights file, compiled for this processor."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path

import numpy as np

from core.diagnoses import CODES
from core.serving.engine import Engine, check_head_inputs, withhold
from core.serving.graph_file import ENCODER, GRADIENTS, HEAD, Graph
from core.serving.openvino_runtime import import_openvino

# Images that are worth their own way of computing, several at a time.
MANY = 8
# Stored as half floats, computed in single precision: newer processors would otherwise round to bfloat16.
SINGLE = {"INFERENCE_PRECISION_HINT": "f32"}


class OpenVinoEngine(Engine):
    """See `Engine`. Parts are compiled when first asked for.

    Args:
        graph: of the network.
        arrays: path in the weights file -> its array.
        image_size: pixels.
    """

    name = "openvino"

    def __init__(self, graph: Graph, arrays: dict[str, np.ndarray], image_size: int):
        self._graph, self._arrays, self.image_size = graph, arrays, image_size
        self.feature_shape = graph.feature_shape
        self.uses_metadata, self.has_attention = graph.uses_metadata, graph.has_attention
        self._sound = all(np.isfinite(values).all() for values in arrays.values() if values.dtype.kind == "f")

    @cached_property
    def _encoder(self) -> _Compiled:
        return self._compile(ENCODER)

    @cached_property
    def _encoder_of_many(self) -> _Compiled:
        return self._compile(ENCODER, "THROUGHPUT")

    @cached_property
    def _head(self) -> _Compiled:
        return self._compile(HEAD)

    @cached_property
    def _gradients(self) -> _Compiled:
        return self._compile(GRADIENTS)

    def _compile(self, part: str, hint: str = "LATENCY") -> _Compiled:
        arrays = [(at, self._arrays[path]) for path, at in self._graph.inputs[part].items()]
        return _Compiled(*self._graph.models[part], arrays, hint)

    def ready(self) -> None:
        # Side by side: compiling keeps one core busy and lets others work.
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(lambda part: getattr(self, part), ("_encoder", "_head", "_gradients")))

    def encode(self, image: np.ndarray) -> np.ndarray:
        image = np.asarray(image, "float32")
        size = (self.image_size, self.image_size, 3)
        if image.shape[-3:] != size or image.ndim not in (3, 4):
            raise ValueError(f"The encoder got an image of shape {image.shape}. Expected {size}, or B of them.")
        if not (self._sound and np.isfinite(image).all()):
            return np.full((*image.shape[:-3], *self.feature_shape), np.nan, "float32")
        if image.ndim == 3:
            return self._encoder(image[None])[0][0]
        if len(image) >= MANY:
            return self._encoder_of_many.run_many(image, self.feature_shape)
        return (
            np.stack([self._encoder(one[None])[0][0] for one in image])
            if len(image)
            else np.zeros((0, *self.feature_shape), "float32")
        )

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
        if self.uses_metadata:
            logits, attention = self._head(feature_map[None], metadata)
        else:
            logits, attention = self._head(feature_map[None])
            logits = np.repeat(logits, len(metadata), axis=0)
        return withhold(logits, attention[0], feature_map, metadata if self.uses_metadata else None, self._sound)

    def gradients(self, feature_map: np.ndarray, metadata: np.ndarray) -> np.ndarray:
        feature_map, _ = check_head_inputs(self, feature_map, metadata)
        if not (self._sound and np.isfinite(feature_map).all()):
            return np.full((len(CODES), *self.feature_shape), np.nan, "float32")
        return self._gradients(feature_map[None])[0]

    def weights(self) -> tuple[list[np.ndarray], list[np.ndarray]]:
        return tuple([self._arrays[path] for path in self._graph.order[part]] for part in ("head", "encoder"))

    def with_weights(self, head: Sequence[np.ndarray], encoder: Sequence[np.ndarray] | None = None) -> OpenVinoEngine:
        arrays = self._arrays | dict(zip(self._graph.order["head"], head, strict=True))
        if encoder is not None:
            arrays |= dict(zip(self._graph.order["encoder"], encoder, strict=True))
        other = OpenVinoEngine(self._graph, arrays, self.image_size)
        if encoder is None and "_encoder" in vars(self):
            vars(other)["_encoder"] = self._encoder
        return other

    @property
    def versions(self) -> dict[str, str]:
        return {"openvino": import_openvino().get_version().split("-")[0]}


class _Compiled:
    """A compiled graph. Each call borrows a request of its own, so that threads do not wait for one another's buffers."""

    def __init__(self, xml: bytes, constants: bytes, arrays: list[tuple[int, np.ndarray]], hint: str):
        ov = import_openvino()
        numbers = np.zeros(max([len(constants), *(at + 4 * values.size for at, values in arrays)]), "uint8")
        numbers[: len(constants)] = np.frombuffer(constants, "uint8")
        for at, values in arrays:
            numbers[at : at + 4 * values.size].view("float32")[:] = values.ravel()
        # The graph reads its numbers here for as long as it runs.
        self._numbers = ov.Tensor(numbers, shared_memory=True)
        model = ov.Core().read_model(xml, self._numbers)
        self._compiled = ov.Core().compile_model(model, "CPU", {**SINGLE, "PERFORMANCE_HINT": hint})
        self._queue_type = ov.AsyncInferQueue
        self._idle: deque = deque()

    def __call__(self, *inputs: np.ndarray) -> list[np.ndarray]:
        """Outputs, as arrays of their own."""
        try:
            request = self._idle.pop()
        except IndexError:
            request = self._compiled.create_infer_request()
        found = request.infer(list(inputs), share_inputs=True)
        found = [found[i].copy() for i in range(len(self._compiled.outputs))]
        self._idle.append(request)
        return found

    def run_many(self, images: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Each image alone, several at a time."""
        out = np.empty((len(images), *shape), "float32")
        queue = self._queue_type(self._compiled)

        def keep(request, place: int) -> None:
            out[place] = request.get_output_tensor(0).data[0]

        queue.set_callback(keep)
        for i in range(len(images)):
            queue.start_async([images[i : i + 1]], i)
        queue.wait_all()
        return out


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """All arrays of a weights file, by their path in it. Nothing in it is executed."""
    import h5py

    found = {}

    def note(name, item):
        if isinstance(item, h5py.Dataset):
            found[name] = item[()]

    with h5py.File(path, "r") as file:
        file.visititems(note)
    return found
