"""TensorFlow does the work: a Keras classifier compiled for one photo, and its gradients by automatic differentiation."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf

from core.designs import NetworkDesign
from core.diagnoses import CODES
from core.networks import Classifier
from core.networks.head_pass import head_logits
from core.serving.engine import Engine, check_head_inputs, withhold
from core.serving.keras_weights import learnt_variables, with_numbers

# Images that go through the encoder together; one photo goes alone, so the compiled network sees two shapes only.
BATCH = 32


class _TracedOnce:
    """A `tf.function` whose first call with inputs of some batch sizes is made by one thread, while others wait for what it compiles."""

    def __init__(self, function: Callable):
        self._function, self._traced, self._lock = function, set(), threading.Lock()

    def __call__(self, *tensors: tf.Tensor):
        key = tuple(map(len, tensors))
        if key in self._traced:
            return self._function(*tensors)
        with self._lock:
            answer = self._function(*tensors)
            self._traced.add(key)
        return answer


class TensorFlowEncoder:
    """A Keras encoder as a compiled function: `Engine.encode` alone.

    Raises:
        ValueError: Keras runs on another backend than TensorFlow.
    """

    def __init__(self, encoder: keras.Model):
        if keras.backend.backend() != "tensorflow":
            raise ValueError(
                f"The engine tensorflow needs Keras on TensorFlow; KERAS_BACKEND is {keras.backend.backend()!r}. "
                "Unset KERAS_BACKEND, or set it to tensorflow."
            )
        self.feature_shape = tuple(encoder.output_shape[1:])
        self._encode = _TracedOnce(tf.function(lambda images: encoder(images, training=False), reduce_retracing=True))

    def encode(self, image: np.ndarray) -> np.ndarray:
        """See `Engine.encode`."""
        image = np.asarray(image)
        if image.ndim == 3:
            return self._run(image[None])[0]
        out = np.empty((len(image), *self.feature_shape), "float32")
        for start in range(0, len(image), BATCH):
            batch = image[start : start + BATCH]
            filled = np.concatenate([batch, np.repeat(batch[-1:], BATCH - len(batch), axis=0)])
            out[start : start + BATCH] = self._run(filled)[: len(batch)]
        return out

    def _run(self, images: np.ndarray) -> np.ndarray:
        return self._encode(tf.constant(images, "float32")).numpy().astype("float32", copy=False)


class TensorFlowEngine(Engine):
    """See `Engine`.

    Args:
        classifier: with trained weights.
        design: that it was built by.
        rebuild: makes another one like it, for `with_weights`.
    """

    name = "tensorflow"

    def __init__(self, classifier: Classifier, design: NetworkDesign, rebuild: Callable[[], Classifier] | None = None):
        self._encoder = TensorFlowEncoder(classifier.encoder)
        self._classifier, self._design, self._rebuild = classifier, design, rebuild
        self.image_size, self.feature_shape = classifier.image_size, self._encoder.feature_shape
        self.uses_metadata, self.has_attention = classifier.uses_metadata, classifier.has_attention
        head = classifier.head
        self._sound = all(np.isfinite(w).all() for part in self.weights() for w in part)
        weights = {weight.path: weight for weight in head.variables}
        one = tf.TensorSpec((1, *self.feature_shape), "float32")
        facts = [tf.TensorSpec((None, head.inputs[1].shape[1]), "float32")] if self.uses_metadata else []

        def run_head(feature_map, metadata=None):
            tensors = {path: tf.convert_to_tensor(weight) for path, weight in weights.items()}
            return head_logits(design, tensors, feature_map, metadata)

        def run_gradients(feature_map, *metadata):
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(feature_map)
                logits = head([feature_map, *metadata], training=False)[0][0]
            return tape.jacobian(logits, feature_map)[:, 0]

        self._head = _TracedOnce(tf.function(run_head, input_signature=[one, *facts]))
        self._gradients = _TracedOnce(tf.function(run_gradients, input_signature=[one, *facts]))

    def encode(self, image: np.ndarray) -> np.ndarray:
        return self._encoder.encode(image)

    def head(self, feature_map: np.ndarray, metadata: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        feature_map, metadata = check_head_inputs(self, feature_map, metadata)
        if feature_map.ndim == 4:
            told = [self.head(one, of_it) for one, of_it in zip(feature_map, metadata, strict=True)]
            if not told:
                return np.zeros((0, len(CODES)), "float32"), np.zeros((0, *self.feature_shape[:2]), "float32")
            return tuple(np.stack(parts) for parts in zip(*told, strict=True))
        rows = np.atleast_2d(metadata)
        logits, attention = (x.numpy() for x in self._head(*self._given(feature_map, rows)))
        if not self.uses_metadata:
            logits = np.repeat(logits, len(rows), axis=0)
        facts = rows if self.uses_metadata else None
        logits, attention = withhold(logits, attention[0], feature_map, facts, self._sound)
        return (logits[0] if metadata.ndim == 1 else logits), attention

    def gradients(self, feature_map: np.ndarray, metadata: np.ndarray) -> np.ndarray:
        feature_map, metadata = check_head_inputs(self, feature_map, metadata)
        return self._gradients(*self._given(feature_map, np.atleast_2d(metadata))).numpy()

    def _given(self, feature_map: np.ndarray, rows: np.ndarray) -> list:
        given = [feature_map[None], rows] if self.uses_metadata else [feature_map[None]]
        return [tf.constant(x) for x in given]

    def weights(self) -> tuple[list[np.ndarray], list[np.ndarray]]:
        head, encoder = (learnt_variables(part) for part in (self._classifier.head, self._classifier.encoder))
        return [np.asarray(w) for w in head], [np.asarray(w) for w in encoder]

    def with_weights(self, head: Sequence[np.ndarray], encoder: Sequence[np.ndarray] | None = None) -> TensorFlowEngine:
        if self._rebuild is None:
            raise ValueError("This engine was made of a classifier alone and cannot build another one like it.")
        other = with_numbers(self._rebuild(), head, self.weights()[1] if encoder is None else encoder)
        return TensorFlowEngine(other, self._design, self._rebuild)

    def classifier(self) -> Classifier:
        """See `Engine.classifier`: a network of its own, so that who trains it further leaves this engine as it is.

        An engine that was made of a classifier alone hands that one back, which is its maker's.
        """
        return self._classifier if self._rebuild is None else with_numbers(self._rebuild(), *self.weights())

    @property
    def versions(self) -> dict[str, str]:
        return {"keras": keras.__version__, "tensorflow": tf.__version__}
