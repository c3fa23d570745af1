"""A classifier compiled for one photo at a time: encoder, head, and the gradients that explainers start from."""

import keras
import numpy as np
import tensorflow as tf

from core.networks import Classifier

_SLOT = "_compiled_for_one_photo"


def compiled(classifier: Classifier) -> "CompiledClassifier":
    """The compiled form of a classifier, made once.

    It is kept in the classifier's own `__dict__`, as `functools.cached_property` would, so that it is shared by all who
    share the classifier and goes when the classifier goes.
    """
    slots = vars(classifier)
    return slots.get(_SLOT) or slots.setdefault(_SLOT, CompiledClassifier(classifier))


class CompiledClassifier:
    """Encoder, head and gradients as TensorFlow graphs for a batch of one.

    `keras.Model.predict` spends more time on its loop than a mobile network needs for a photo. tf-keras-vis, called on
    this head, gives the same Grad-CAM but rebuilds a model and runs it eagerly at every call: 8 times the time of a compiled
    gradient of one class, 3 to 4 times that of all seven (MobileNetV3Small, `benchmarks/controls.py`). So it serves as
    the tests' reference, and this does the work.

    Raises:
        ValueError: Keras runs on another backend than TensorFlow.
    """

    def __init__(self, classifier: Classifier):
        if keras.backend.backend() != "tensorflow":
            raise ValueError(
                f"Reading and explaining a photo need Keras on TensorFlow; KERAS_BACKEND is {keras.backend.backend()!r}. "
                "Unset KERAS_BACKEND, or set it to tensorflow."
            )
        head, encoder = classifier.head, classifier.encoder
        specs = [tf.TensorSpec((1, *x.shape[1:]), "float32") for x in head.inputs]
        self._inputs = lambda feature_map, metadata: [_batch(x) for x in classifier.head_inputs(feature_map, metadata)]

        def run_head(*inputs):
            return [tf.cast(x[0], "float32") for x in head(list(inputs), training=False)]

        def run_gradients(*inputs):
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(inputs[0])
                logits = run_head(*inputs)[0]
            return tape.jacobian(logits, inputs[0])[:, 0]

        self._encode = tf.function(lambda image: encoder(image, training=False)[0], reduce_retracing=True)
        self._head = tf.function(run_head, input_signature=specs)
        self._gradients = tf.function(run_gradients, input_signature=specs)
        self._facts_matter: bool | None = None

    def encode(self, image: np.ndarray) -> np.ndarray:
        """Image (S, S, 3), RGB 0..255 -> feature map (h, w, C) float32."""
        return self._encode(tf.constant(_batch(image))).numpy().astype("float32", copy=False)

    def head(self, feature_map: np.ndarray, metadata: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Feature map (h, w, C) and metadata (D,) -> logits (7,) and attention (h, w)."""
        logits, attention = self._head(*self._inputs(feature_map, metadata))
        return logits.numpy(), attention.numpy()

    def gradients(self, feature_map: np.ndarray, metadata: np.ndarray) -> np.ndarray:
        """Gradients of all seven logits with respect to the feature map, (7, h, w, C).

        All at once: they share the forward pass, and take three times as long as one.
        """
        return self._gradients(*self._inputs(feature_map, metadata)).numpy()

    @property
    def gradients_need_facts(self) -> bool:
        """Whether the gradients can change with the metadata.

        They cannot where facts only add to the logits, as in the paper's head. Then they belong to the photo alone and
        outlive a change of facts. Read off the compiled graph, so it is proven and not guessed.
        """
        if self._facts_matter is None:
            graph = self._gradients.get_concrete_function().graph
            # A graph's inputs are the arguments first, then the weights it captured.
            metadata = {x.ref() for x in graph.inputs[1 : len(self._gradients.input_signature)]}
            self._facts_matter = bool(metadata & _ancestors(graph.outputs[0]))
        return self._facts_matter


def _batch(array: np.ndarray) -> np.ndarray:
    return np.asarray(array, "float32")[None]


def _ancestors(tensor) -> set:
    """All tensors whose values a graph's tensor is computed from; a tensor's mere shape does not count."""
    seen, stack = set(), [tensor.ref()]
    while stack:
        reference = stack.pop()
        if reference in seen:
            continue
        seen.add(reference)
        operation = reference.deref().op
        if operation.type not in ("Shape", "ShapeN"):
            stack.extend(x.ref() for x in operation.inputs)
    return seen
