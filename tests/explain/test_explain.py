"""Explainers: by hand on a head with a known answer, and against tf-keras-vis on a real one."""

import subprocess
import sys
import warnings

import keras
import numpy as np
import pytest
from keras import layers, ops

from core.data.patient import METADATA_WIDTH
from core.diagnoses import CODES
from core.explain import EXPLAINERS, explain
from core.explain.compiled import compiled
from core.explain.evidence import Evidence
from core.explain.heatmap import ALL_ZERO, CONSTANT, NO_ATTENTION, make_heatmap
from core.networks import Classifier
from core.networks.classifier import build_head

DEEP = (7, 7, 12)
GRADIENT_METHODS = [m for m, e in EXPLAINERS.items() if e.per_class]


SIZE = 8
SHAPE = (4, 4, 3)


def make_classifier(head, *, metadata=True, attention=True, shape=SHAPE, size=SIZE):
    """Joins a head with an encoder that does nothing but shrink the image."""
    stride = size // shape[0]
    image = keras.Input((size, size, 3), name="image")
    feature_map = layers.AveragePooling2D(stride, name="shrink")(image)
    encoder = keras.Model(image, feature_map, name="encoder")
    inputs = [image, keras.Input((METADATA_WIDTH,), name="metadata")] if metadata else [image]
    model = keras.Model(inputs, head([encoder(image), *inputs[1:]]))
    return Classifier(encoder, head, model, metadata, attention)


def linear_head(kernel, metadata=True, metadata_multiplies=False):
    """Logits = mean over places of the feature map, times a (C, 7) kernel: Grad-CAM is the kernel's column."""
    feature_map = keras.Input(SHAPE, name="feature_map")
    x = layers.GlobalAveragePooling2D()(feature_map)
    inputs = [feature_map]
    if metadata:
        facts = keras.Input((METADATA_WIDTH,), name="metadata")
        inputs.append(facts)
        dense = layers.Dense(SHAPE[2], activation="relu", name="metadata_dense")(facts)
        x = layers.Multiply()([x, dense]) if metadata_multiplies else layers.Concatenate()([x, dense])
    logits = layers.Dense(7, name="logits")(x)
    attention = layers.Identity(name="attention")(ops.mean(feature_map, axis=-1))
    head = keras.Model(inputs, [logits, attention], name="head")
    weights = head.get_layer("logits").get_weights()
    weights[0][: SHAPE[2]] = kernel
    head.get_layer("logits").set_weights(weights)
    return head


def deep_head(shape=(7, 7, 12), metadata=True, seed=0):
    """The paper's head, small, with attention that the logits depend on."""
    keras.utils.set_random_seed(seed)
    return build_head(shape, metadata=metadata, metadata_units=16, gamma=1.0)


def random_inputs(shape=SHAPE, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(1, 1, shape).astype("float32"), rng.normal(0, 1, METADATA_WIDTH).astype("float32")


def deep_classifier(metadata=True):
    head = deep_head(DEEP, metadata)
    return Classifier(encoder=None, head=head, model=head, uses_metadata=metadata, has_attention=True)


@pytest.fixture(scope="module")
def linear():
    kernel = np.zeros((3, 7), "float32")
    kernel[:, 0] = [1, 0, 0]
    kernel[:, 1] = [0, 2, 0]
    kernel[:, 2] = [1, -1, 0]
    kernel[:, 3] = [-1, -1, -1]
    kernel[:, 4] = [0, 0, 5]
    return make_classifier(linear_head(kernel)), kernel


def test_grad_cam_by_hand(linear):
    classifier, kernel = linear
    feature_map, metadata = random_inputs()
    feature_map = np.abs(feature_map)
    for index in range(7):
        expected = np.maximum(feature_map @ kernel[:, index], 0)  # the mean's 1/16 goes with the peak
        heatmap = explain("grad-cam", classifier, feature_map, metadata, index)
        if expected.max() == 0:
            assert heatmap.note == ALL_ZERO and not heatmap.values.any()
        else:
            assert heatmap.note is None
            np.testing.assert_allclose(heatmap.values, expected / expected.max(), atol=1e-6)


def test_gradients_by_hand(linear):
    classifier, kernel = linear
    gradients = compiled(classifier).gradients(*random_inputs())
    assert gradients.shape == (7, *SHAPE)
    expected = np.broadcast_to(kernel.T[:, None, None, :] / 16, gradients.shape)
    np.testing.assert_allclose(gradients, expected, atol=1e-7)


def test_grad_cam_plus_plus_by_hand():
    """One channel, gradient 1 at one place and 2 at another, channel sum 4: alpha = 1/6 and 1/10."""
    feature_map = np.array([[[3.0], [1.0]]], "float32")
    gradient = np.array([[[1.0], [2.0]]], "float32")
    alpha = np.array([1 / 6, 1 / 10])
    weight = (alpha / alpha.sum() * [1, 2]).sum()
    raw = EXPLAINERS["grad-cam++"].weigh(Evidence(feature_map, None, gradient))
    np.testing.assert_allclose(raw, weight * feature_map[..., 0], rtol=1e-6)


def reference(method, classifier, feature_map, metadata, index):
    """tf-keras-vis on a logits-only view of the head, at the head's own input."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library imports an old name of SciPy's
        from tf_keras_vis.gradcam import Gradcam
        from tf_keras_vis.gradcam_plus_plus import GradcamPlusPlus
        from tf_keras_vis.utils.scores import CategoricalScore

        view = keras.Model(classifier.head.inputs, classifier.head.get_layer("logits").output)
        library = {"grad-cam": Gradcam, "grad-cam++": GradcamPlusPlus}[method](view, clone=False)
        raw = library(
            CategoricalScore(index),
            [x[None] for x in classifier.head_inputs(feature_map, metadata)],
            penultimate_layer="feature_map",
            seek_penultimate_conv_layer=False,
            expand_cam=False,
            normalize_cam=False,
        )
    return np.asarray(raw)[0]


@pytest.mark.parametrize("metadata", [True, False])
@pytest.mark.parametrize("method", GRADIENT_METHODS)
def test_agrees_with_tf_keras_vis_for_every_class(method, metadata):
    classifier = deep_classifier(metadata)
    feature_map, facts = random_inputs(DEEP, seed=3)
    for index in range(len(CODES)):
        expected = reference(method, classifier, feature_map, facts, index)
        heatmap = explain(method, classifier, feature_map, facts, index)
        assert expected.max() > 0, "the reference must have something to say"
        np.testing.assert_allclose(heatmap.values, expected / expected.max(), atol=2e-4)


def test_grad_cam_plus_plus_drops_only_the_factor_exp_logit():
    classifier = deep_classifier()
    feature_map, facts = random_inputs(DEEP, seed=4)
    network = compiled(classifier)
    logits, _ = network.head(feature_map, facts)
    raw = EXPLAINERS["grad-cam++"].weigh(Evidence(feature_map, None, network.gradients(feature_map, facts)[2]))
    expected = reference("grad-cam++", classifier, feature_map, facts, 2)
    np.testing.assert_allclose(raw * np.exp(logits[2]), expected, rtol=1e-3, atol=1e-5 * expected.max())


@pytest.mark.parametrize("method", EXPLAINERS)
def test_every_explainer_gives_a_map_for_every_class(method):
    classifier = deep_classifier()
    feature_map, metadata = random_inputs(DEEP)
    maps = []
    for index in range(len(CODES)):
        heatmap = explain(method, classifier, feature_map, metadata, index)
        assert heatmap.values.shape == DEEP[:2] and heatmap.values.dtype == np.float32
        assert heatmap.values.min() >= 0 and heatmap.method == method
        assert heatmap.values.max() == 1 if heatmap.note is None else heatmap.values.max() == 0
        maps.append(heatmap.values)
    differ = len({m.tobytes() for m in maps}) > 1
    assert differ == EXPLAINERS[method].per_class
    assert EXPLAINERS[method].title and EXPLAINERS[method].about.endswith(".")


@pytest.mark.parametrize("method", EXPLAINERS)
def test_known_gradients_and_attention_change_nothing(method):
    classifier = deep_classifier()
    feature_map, metadata = random_inputs(DEEP)
    network = compiled(classifier)
    known = {"gradients": network.gradients(feature_map, metadata), "attention": network.head(feature_map, metadata)[1]}
    alone = explain(method, classifier, feature_map, metadata, 5)
    assert np.array_equal(alone.values, explain(method, classifier, feature_map, metadata, 5, **known).values)


def test_soft_attention_is_the_heads_own():
    classifier = deep_classifier()
    feature_map, metadata = random_inputs(DEEP)
    _, attention = classifier.head([feature_map[None], metadata[None]], training=False)
    attention = np.asarray(attention)[0]
    assert abs(attention.sum() - 16) < 1e-4
    heatmap = explain("soft-attention", classifier, feature_map, metadata, 0)
    np.testing.assert_allclose(heatmap.values, attention / attention.max(), rtol=1e-5)


def test_a_network_without_attention_says_so():
    head = deep_head(DEEP)
    classifier = Classifier(None, head, head, True, has_attention=False)
    heatmap = explain("soft-attention", classifier, *random_inputs(DEEP), 0)
    assert heatmap.note == NO_ATTENTION and not heatmap.values.any()


def test_facts_that_only_add_leave_the_gradients_alone():
    classifier = deep_classifier()
    network = compiled(classifier)
    assert not network.gradients_need_facts
    feature_map, facts = random_inputs(DEEP)
    other = random_inputs(DEEP, seed=9)[1]
    assert np.array_equal(network.gradients(feature_map, facts), network.gradients(feature_map, other))
    assert not compiled(deep_classifier(metadata=False)).gradients_need_facts


def test_facts_that_multiply_change_the_gradients():
    classifier = make_classifier(linear_head(np.ones((3, 7), "float32"), metadata_multiplies=True))
    network = compiled(classifier)
    assert network.gradients_need_facts
    feature_map, facts = random_inputs()
    assert not np.allclose(network.gradients(feature_map, facts), network.gradients(feature_map, 3 * facts))


def test_compiled_once_and_equal_to_the_models():
    classifier = make_classifier(linear_head(np.ones((3, 7), "float32")))
    network = compiled(classifier)
    assert compiled(classifier) is network
    image = np.random.default_rng(0).integers(0, 256, (8, 8, 3)).astype("float32")
    metadata = random_inputs()[1]
    feature_map = network.encode(image)
    assert feature_map.shape == SHAPE
    logits, attention = network.head(feature_map, metadata)
    whole = classifier.model.predict([image[None], metadata[None]], verbose=0)
    np.testing.assert_allclose(logits, whole[0][0], rtol=1e-5)
    np.testing.assert_allclose(attention, whole[1][0], rtol=1e-5)


@pytest.mark.parametrize("raw", [np.zeros((7, 7)), np.zeros((1, 1))])
def test_all_zero_is_said(raw):
    heatmap = make_heatmap(raw, "grad-cam")
    assert heatmap.note == ALL_ZERO and not heatmap.values.any()


@pytest.mark.parametrize(
    "raw", [np.full((7, 7), 1e-9), np.full((7, 7), 16 / 49) + 1e-6 * np.eye(7), np.array([[16.0]])]
)
def test_constant_is_said(raw):
    heatmap = make_heatmap(raw, "soft-attention")
    assert heatmap.note == CONSTANT and not heatmap.values.any()


def test_tiny_values_are_still_a_map():
    raw = np.zeros((7, 7))
    raw[2, 3] = 1e-30
    heatmap = make_heatmap(raw, "grad-cam")
    assert heatmap.note is None and heatmap.values[2, 3] == 1 and heatmap.values.sum() == 1


def test_not_finite_is_an_error():
    with pytest.raises(ValueError, match="not finite"):
        make_heatmap(np.array([[np.nan, 1.0]]), "grad-cam")


@pytest.mark.parametrize("index", [-1, 7])
def test_unknown_class(linear, index):
    with pytest.raises(ValueError, match="0 to 6: akiec"):
        explain("grad-cam", linear[0], *random_inputs(), index)


def test_unknown_method(linear):
    with pytest.raises(ValueError, match="lime.*grad-cam"):
        explain("lime", linear[0], *random_inputs(), 0)


def test_listing_methods_loads_no_tensorflow():
    code = "import sys, core.explain; sys.exit(any(m in sys.modules for m in ('tensorflow', 'keras')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
