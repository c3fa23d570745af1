"""The head as plain operations against the Keras head and its automatic differentiation, for every form that a table holds."""

import numpy as np
import pytest
import tensorflow as tf

from core.data.patient import METADATA_WIDTH
from core.designs import NetworkDesign
from core.networks.classifier import ATTENTIONS, HEADS, build_head
from core.networks.head_pass import head_gradients, head_logits

CHANNELS = 24


def head_and_weights(design, shape):
    head = build_head((*shape, CHANNELS), design)
    rng = np.random.default_rng(0)
    for weight in head.variables:
        if weight.dtype == "float32":
            weight.assign(rng.normal(size=weight.shape) * 0.2)
    return head, {weight.path: tf.convert_to_tensor(weight) for weight in head.variables}


def inputs(shape, seed=1):
    """A feature map with zeros, negative numbers and, as in a photo of one colour, places that are alike; three patients."""
    rng = np.random.default_rng(seed)
    feature_map = np.maximum(rng.normal(size=(1, *shape, CHANNELS)), -0.3).astype("float32")
    feature_map[:, 1:4, 1:4] = feature_map[:, 1:2, 1:2]
    feature_map[..., 0] = 0
    return tf.constant(feature_map), tf.constant(rng.normal(size=(3, METADATA_WIDTH)).astype("float32"))


@pytest.mark.parametrize("metadata", [True, False])
@pytest.mark.parametrize("form", HEADS)
@pytest.mark.parametrize("attention", ATTENTIONS)
def test_every_head_form(attention, form, metadata):
    design = NetworkDesign(attention=attention, head=form, metadata=metadata, metadata_units=8)
    for shape in ((7, 7), (4, 4), (3, 5)):
        if attention == "published" and shape[0] != shape[1]:
            continue  # its kernel is made for squares
        head, weights = head_and_weights(design, shape)
        feature_map, facts = inputs(shape)
        with tf.GradientTape() as tape:
            tape.watch(feature_map)
            logits, attention_map = head([feature_map, facts[:1]] if metadata else [feature_map], training=False)
        expected = tape.jacobian(logits, feature_map)[0, :, 0]
        found = head_gradients(design, weights, feature_map)
        scale = float(np.abs(expected).max())
        assert scale > 0
        np.testing.assert_allclose(found, expected, atol=2e-5 * scale)

        told, told_attention = head_logits(design, weights, feature_map, facts if metadata else None)
        np.testing.assert_allclose(told_attention, attention_map, atol=1e-5)
        many = [tf.repeat(feature_map, 3, axis=0), facts] if metadata else [feature_map]
        np.testing.assert_allclose(told, head(many, training=False)[0], atol=1e-4)


@pytest.mark.parametrize("choice", [{"gamma": 0.7}, {"gamma": 0.0}, {"learn_gamma": False}, {"dropout": 0.4}])
def test_what_changes_no_form_changes_no_answer(choice):
    design = NetworkDesign(metadata=False, **choice)
    head = build_head((7, 7, CHANNELS), design)
    weights = {weight.path: tf.convert_to_tensor(weight) for weight in head.variables}
    feature_map, _ = inputs((7, 7))
    with tf.GradientTape() as tape:
        tape.watch(feature_map)
        logits, _ = head([feature_map], training=False)
    expected = tape.jacobian(logits, feature_map)[0, :, 0]
    np.testing.assert_allclose(head_gradients(design, weights, feature_map), expected, atol=1e-6)
    np.testing.assert_allclose(head_logits(design, weights, feature_map)[0], logits, atol=1e-5)


def test_the_weights_are_named_by_layer():
    _, weights = head_and_weights(NetworkDesign(metadata_units=8), (7, 7))
    assert {"logits/kernel", "logits/bias", "metadata_dense/kernel", "soft_attention/gamma"} <= set(weights)
