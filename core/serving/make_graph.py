"""Makes a network's graph for serving: its own layers, with the weights as open inputs. Needs TensorFlow and OpenVINO's converter."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import numpy as np

from core.card import Card
from core.serving.graph_file import ENCODER, GRADIENTS, HEAD, Graph, network_digest

if TYPE_CHECKING:  # at run time this would load TensorFlow
    import keras

# Bytes at multiples of which a weight's numbers begin.
ALIGNED = 64
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

        classifier = build_classifier(card.backbone, image_size=card.image_size, **card.network)
        encoder, head = classifier.encoder, classifier.head
        paths = _paths_in_file(classifier.model, [*head.variables, *encoder.variables])
        of_head, of_encoder = paths[: len(head.variables)], paths[len(head.variables) :]
        shape = tuple(encoder.output_shape[1:])
        named = [weight.path for weight in head.variables]

        def run_head(feature_map, metadata, *numbers):
            return head_logits(card.network, dict(zip(named, numbers, strict=True)), feature_map, metadata)

        def run_plain_head(feature_map, *numbers):
            return head_logits(card.network, dict(zip(named, numbers, strict=True)), feature_map)

        def run_gradients(feature_map, *numbers):
            return (head_gradients(card.network, dict(zip(named, numbers, strict=True)), feature_map),)

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
        {"head": learnt(head.variables, of_head), "encoder": learnt(encoder.variables, of_encoder)},
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
    order = {"head": [], "encoder": learnt(encoder.variables, paths)}
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


def learnt(weights: list, paths: list[str]) -> list[str]:
    """The paths of numbers that were learnt, without counters and seeds."""
    return [path for weight, path in zip(weights, paths, strict=True) if str(weight.dtype).startswith("float")]


def shapes(weights: list, paths: list[str]) -> dict[str, list[int]]:
    """The shape of each array that was learnt, by its path."""
    kept = set(learnt(weights, paths))
    return {path: list(weight.shape) for weight, path in zip(weights, paths, strict=True) if path in kept}


def convert(run, given: list, weights: list, paths: list[str], outputs: tuple[str, ...]) -> tuple[tuple, dict]:
    """An OpenVINO graph of a function, with its weights as open inputs.

    Args:
        run: of the given tensors, then of the weights; returns a tuple.
        given: (name, shape) of each given tensor.
        weights: of the network.
        paths: where each lies in the weights file.
        outputs: names of what it returns.

    Returns:
        (XML, its own constants), and path in the weights file -> where the graph expects its numbers, in bytes.
    """
    import tensorflow as tf

    from core.serving.openvino_runtime import import_converter

    specs = [tf.TensorSpec(shape, "float32", name) for name, shape in given]
    specs += [tf.TensorSpec(weight.shape, str(weight.dtype), f"w{i}") for i, weight in enumerate(weights)]

    def named(*tensors):
        return {name: tf.identity(tf.cast(x, "float32"), name) for name, x in zip(outputs, run(*tensors), strict=True)}

    function = tf.function(named, input_signature=specs, autograph=False).get_concrete_function()
    model = import_converter().convert_model(function)
    model = outputs_only(model, [name for name, _ in given], outputs)
    places = {f"w{i}": path for i, path in enumerate(paths)}
    taken = {}
    xml, constants = _serialized(model)
    xml = _weights_as_constants(xml, len(constants), places, taken)
    return (xml, constants), taken


def _weights_as_constants(xml: bytes, end: int, places: dict[str, str], taken: dict[str, int]) -> bytes:
    """Turns the open inputs into constants whose numbers come after those of the graph itself.

    Args:
        xml: of the graph.
        end: bytes of its own constants.
        places: open input -> path in the weights file.
        taken: is filled with path -> where its numbers, single floats, begin.
    """
    root = ElementTree.fromstring(xml)
    for layer in root.iter("layer"):
        if layer.get("type") not in ("Parameter", "Result"):
            # The converter counts on from graph to graph; so the same graph is the same file.
            layer.set("name", f"{layer.get('type')}_{layer.get('id')}")
            for port in layer.iter("port"):
                port.attrib.pop("names", None)
        data = layer.find("data")
        if layer.get("type") != "Parameter" or layer.get("name") not in places:
            continue
        shape = [int(size) for size in data.get("shape").split(",") if size]
        end = -(-end // ALIGNED) * ALIGNED
        taken[places[layer.get("name")]] = end
        layer.set("type", "Const")
        size = 4 * int(np.prod(shape, dtype=int))
        data.attrib.clear()
        data.attrib.update(element_type="f32", shape=", ".join(map(str, shape)), offset=str(end), size=str(size))
        end += size
    return ElementTree.tostring(root)


def outputs_only(model, given: list[str], outputs: tuple[str, ...]):
    """The graph up to the named outputs; the converter also counts as outputs what a layer's own gradient would have needed."""
    from core.serving.openvino_runtime import import_openvino

    ov = import_openvino()
    results = [next(r for r in model.outputs if name in _plain_names(r)).node for name in outputs]
    asked = set()
    stack = list(results)
    while stack:
        node = stack.pop()
        if node.get_friendly_name() in asked:
            continue
        asked.add(node.get_friendly_name())
        stack += [x.get_source_output().get_node() for x in node.inputs()]
    kept = [
        p for p in model.get_parameters() if p.get_friendly_name() in asked or set(p.output(0).get_names()) & set(given)
    ]
    return ov.Model(results, kept, "graph")


def _plain_names(output) -> set[str]:
    """Tensor names without TensorFlow's endings."""
    return {name.split(":")[0].split("/")[-1] for name in output.get_names()}


def _serialized(model) -> tuple[bytes, bytes]:
    from core.serving.openvino_runtime import import_openvino

    with tempfile.TemporaryDirectory() as folder:
        xml, constants = Path(folder) / "graph.xml", Path(folder) / "graph.bin"
        import_openvino().serialize(model, xml, constants)
        return xml.read_bytes(), constants.read_bytes()


def _paths_in_file(model: keras.Model, weights: list) -> list[str]:
    """Where each weight lies in the file that Keras writes of a model.

    Each weight is filled with its own number and saved; what then stands where is the answer. The weights keep their values.
    """
    import h5py

    kept = [np.asarray(weight) for weight in weights]
    for i, (weight, value) in enumerate(zip(weights, kept, strict=True)):
        weight.assign(np.full(value.shape, i, value.dtype))
    found = {}
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "numbered.weights.h5"
            model.save_weights(path)

            def note(name, item):
                if isinstance(item, h5py.Dataset) and item.size:
                    found.setdefault(int(np.ravel(item[()])[0]), name)

            with h5py.File(path) as file:
                file.visititems(note)
    finally:
        for weight, value in zip(weights, kept, strict=True):
            weight.assign(value)
    # Seeds of dropout are not always saved, and never needed.
    return [found.get(i, "") for i in range(len(weights))]


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
    import tensorflow as tf

    from core.serving.openvino_runtime import import_openvino

    return {
        "openvino": import_openvino().get_version().split("-")[0],
        "keras": keras.__version__,
        "tensorflow": tf.__version__,
    }
