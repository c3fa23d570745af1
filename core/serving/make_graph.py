"""Makes a network's graph for serving: its own layers, with the weights left out. Needs TensorFlow and tf2onnx."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.card import Card
from core.serving.graph_file import ENCODER, GRADIENTS, HEAD, Graph, network_digest

if TYPE_CHECKING:  # at run time this would load TensorFlow
    import keras

ONNX_OPSET = 17
# What the graph's inputs are called, before the weights w0, w1, ...
IMAGE, FEATURE_MAP, METADATA = "image", "feature_map", "metadata"
OUTPUTS = {ENCODER: ("feature_map",), HEAD: ("logits", "attention"), GRADIENTS: ("gradients",)}


def graph_of(card: Card) -> Graph:
    """The graph of the network that a card describes; made once for all cards that describe the same."""
    return _graph_of(network_digest(card), _Described(card))


class _Described:
    """A card that counts as equal to any other, so that a graph is kept by its network's digest alone."""

    def __init__(self, card: Card):
        self.card = card

    def __eq__(self, other):
        return isinstance(other, _Described)

    def __hash__(self):
        return 0


@lru_cache(maxsize=16)
def _graph_of(digest: str, described: _Described) -> Graph:
    card = described.card
    with _plain_keras():
        from core.networks import build_classifier
        from core.networks.head_pass import head_gradients, head_logits

        classifier = build_classifier(card.backbone, card.design, image_size=card.image_size)
        encoder, head = classifier.encoder, classifier.head
        paths = _paths_in_file(classifier.model, [*head.variables, *encoder.variables])
        of_head, of_encoder = paths[: len(head.variables)], paths[len(head.variables) :]
        shape = tuple(encoder.output_shape[1:])
        named = [weight.path for weight in head.variables]

        def run_head(feature_map, metadata, *numbers):
            return head_logits(card.design, dict(zip(named, numbers, strict=True)), feature_map, metadata)

        def run_plain_head(feature_map, *numbers):
            return head_logits(card.design, dict(zip(named, numbers, strict=True)), feature_map)

        def run_gradients(feature_map, *numbers):
            return (head_gradients(card.design, dict(zip(named, numbers, strict=True)), feature_map),)

        width = head.inputs[1].shape[1] if classifier.uses_metadata else 0
        feature_map = (FEATURE_MAP, (1, *shape))
        metadata = [(METADATA, (None, width))] if width else []
        models, inputs = {}, {}
        for part, run, given, weights, places in (
            (
                ENCODER,
                encoder_function(encoder),
                [(IMAGE, (1, *encoder.input_shape[1:]))],
                encoder.variables,
                of_encoder,
            ),
            (HEAD, run_head if width else run_plain_head, [feature_map, *metadata], head.variables, of_head),
            (GRADIENTS, run_gradients, [feature_map], head.variables, of_head),
        ):
            models[part], inputs[part] = convert(run, given, weights, places, OUTPUTS[part])
    return Graph(
        models,
        inputs,
        {"head": learnt_paths(head.variables, of_head), "encoder": learnt_paths(encoder.variables, of_encoder)},
        shapes([*head.variables, *encoder.variables], paths),
        shape,
        classifier.uses_metadata,
        classifier.has_attention,
        versions(),
    )


def graph_of_encoder(encoder: keras.Model) -> Graph:
    """The graph of an encoder that is stored alone."""
    with _plain_keras():
        paths = _paths_in_file(encoder, encoder.variables)
        given = [(IMAGE, (1, *encoder.input_shape[1:]))]
        model, inputs = convert(encoder_function(encoder), given, encoder.variables, paths, OUTPUTS[ENCODER])
    order = {"head": [], "encoder": learnt_paths(encoder.variables, paths)}
    shape = tuple(encoder.output_shape[1:])
    taken = shapes(encoder.variables, paths)
    return Graph({ENCODER: model}, {ENCODER: inputs}, order, taken, shape, False, False, versions())


def encoder_function(encoder: keras.Model):
    """(image, *weights) -> (feature map,), of an encoder's own layers."""
    import keras

    # `Normalization` calculates with tensors that it makes of its weights when those are loaded: make them of the open inputs.
    derived = [layer for layer in encoder.layers if hasattr(layer, "finalize_state")]

    def run(image, *numbers):
        try:
            with keras.StatelessScope(state_mapping=zip(encoder.variables, numbers, strict=True)):
                for layer in derived:
                    layer.finalize_state()
                return (encoder(image, training=False),)
        finally:
            for layer in derived:
                layer.finalize_state()

    return run


def learnt_paths(weights: list, paths: list[str]) -> list[str]:
    """The paths of numbers that were learnt, without counters and seeds."""
    return [path for weight, path in zip(weights, paths, strict=True) if str(weight.dtype).startswith("float")]


def shapes(weights: list, paths: list[str]) -> dict[str, list[int]]:
    """The shape of each array that was learnt, by its path."""
    kept = set(learnt_paths(weights, paths))
    return {path: list(weight.shape) for weight, path in zip(weights, paths, strict=True) if path in kept}


def convert(
    run, given: list, weights: list, paths: list[str], outputs: tuple[str, ...]
) -> tuple[bytes, dict[str, str]]:
    """An ONNX graph of a function, with its weights as constants whose numbers are elsewhere.

    Args:
        run: of the given tensors, then of the weights; returns a tuple.
        given: (name, shape) of each given tensor.
        weights: of the network.
        paths: where each lies in the weights file.
        outputs: names of what it returns.

    Returns:
        The graph, and the name of each such constant -> path in the weights file.
    """
    import tensorflow as tf
    import tf2onnx

    specs = [tf.TensorSpec(shape, "float32", name) for name, shape in given]
    specs += [tf.TensorSpec(weight.shape, str(weight.dtype), f"w{i}") for i, weight in enumerate(weights)]

    def named(*tensors):
        return {name: tf.identity(tf.cast(x, "float32"), name) for name, x in zip(outputs, run(*tensors), strict=True)}

    function = tf.function(named, input_signature=specs, autograph=False)
    model, _ = tf2onnx.convert.from_function(function, input_signature=specs, opset=ONNX_OPSET)
    shapes_of = {f"w{i}": list(weight.shape) for i, weight in enumerate(weights)}
    taken = _leave_numbers_out(model.graph, shapes_of, {name for name, _ in given})
    _name_plainly(model, {*taken, *outputs, *(name for name, _ in given)})
    return model.SerializeToString(deterministic=True), {name: paths[int(name[1:])] for name in taken}


def _leave_numbers_out(graph, shapes_of: dict[str, list[int]], given: set[str]) -> list[str]:
    """Turns the inputs that are weights into constants whose numbers lie outside; returns the names of those that are used."""
    from onnx import TensorProto

    used = {name for node in graph.node for name in node.input}
    kept = [value for value in graph.input if value.name in given]
    taken = [value.name for value in graph.input if value.name in shapes_of and value.name in used]
    del graph.input[:]
    graph.input.extend(kept)
    for name in taken:
        constant = graph.initializer.add(name=name, dims=shapes_of[name], data_type=TensorProto.FLOAT)
        constant.data_location = TensorProto.EXTERNAL
        # Whoever loads the graph gives the numbers by name; no such file exists.
        constant.external_data.add(key="location", value="weights")
    return taken


def _name_plainly(model, kept: set[str]) -> None:
    """Short names, counted anew: the converter's are long and count on from graph to graph."""
    graph, plain = model.graph, {name: name for name in kept}
    for constant in graph.initializer:
        constant.name = plain.setdefault(constant.name, f"c{len(plain)}")
    for node in graph.node:
        node.name = ""
        for values in (node.input, node.output):
            values[:] = [plain.setdefault(name, f"t{len(plain)}") if name else name for name in values]
    del graph.value_info[:]
    graph.name = "graph"


def _paths_in_file(model: keras.Model, weights: list) -> list[str]:
    """Where each weight lies in the file that Keras writes of a model.

    Each weight is filled with its own number and saved; what then stands where is the answer. The weights keep their values.
    """
    import h5py

    from core.serving.keras_weights import save_weights

    kept = [np.asarray(weight) for weight in weights]
    for i, (weight, value) in enumerate(zip(weights, kept, strict=True)):
        weight.assign(np.full(value.shape, i, value.dtype))
    paths = {}
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "numbered.weights.h5"
            save_weights(model, path)

            def note(name, item):
                if isinstance(item, h5py.Dataset) and item.size:
                    paths.setdefault(int(np.ravel(item[()])[0]), name)

            with h5py.File(path) as file:
                file.visititems(note)
    finally:
        for weight, value in zip(weights, kept, strict=True):
            weight.assign(value)
    # Seeds of dropout are not always saved, and never needed.
    return [paths.get(i, "") for i in range(len(weights))]


@contextmanager
def _plain_keras():
    """Keras on TensorFlow in single precision, whatever training chose.

    Raises:
        ValueError: Keras runs on another backend.
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            f"Making a serving file needs Keras on TensorFlow; KERAS_BACKEND is {keras.backend.backend()!r}. Unset it and run "
            "`python -m core export MODEL`."
        )
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def versions() -> dict[str, str]:
    """Of what makes graphs."""
    import keras
    import onnx
    import tensorflow as tf
    import tf2onnx

    return {
        "onnx": onnx.__version__,
        "tf2onnx": tf2onnx.__version__,
        "keras": keras.__version__,
        "tensorflow": tf.__version__,
    }
