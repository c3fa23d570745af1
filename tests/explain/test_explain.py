"""Explainers: by hand on a head with a known answer, and against tf-keras-vis on a real one."""

import importlib
import subprocess
import sys
import warnings

import keras
import numpy as np
import pytest
from keras import layers

from core.data.patient import METADATA_WIDTH
from core.designs import NetworkDesign
from core.diagnoses import CODES
from core.explain import EXPLAINERS, explain
from core.explain.evidence import Evidence
from core.explain.heatmap import ALL_ZERO, CONSTANT, NO_ATTENTION, make_heatmap
from core.networks import Classifier
from core.networks.classifier import build_head
from core.serving.tensorflow_engine import TensorFlowEngine

DEEP = (7, 7, 12)
# Explainers that tf-keras-vis has, too.
REFERENCES = {"grad-cam": "gradcam.Gradcam", "grad-cam++": "gradcam_plus_plus.GradcamPlusPlus"}


SHAPE = (4, 4, 3)


def evidence(feature_map, gradient):
    """What a method sees that asks no network."""
    return Evidence(feature_map, None, gradient, LinearEngine(None), np.zeros(METADATA_WIDTH), 0)


class LinearEngine:
    """Logits = mean over places of the feature map, times a (C, 7) kernel: Grad-CAM is the kernel's column."""

    has_attention = True

    def __init__(self, kernel):
        self.kernel = kernel

    def head(self, feature_map, metadata):
        return feature_map.mean(axis=(0, 1)) @ self.kernel, feature_map.mean(axis=-1)

    def gradients(self, feature_map, metadata):
        return np.broadcast_to(self.kernel.T[:, None, None, :] / 16, (7, *SHAPE))


def deep_head(shape=(7, 7, 12), metadata=True, seed=0):
    """The paper's head, small, with attention that the logits depend on."""
    keras.utils.set_random_seed(seed)
    return build_head(shape, NetworkDesign(metadata=metadata, metadata_units=16, gamma=1.0))


def random_inputs(shape=SHAPE, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(1, 1, shape).astype("float32"), rng.normal(0, 1, METADATA_WIDTH).astype("float32")


def deep_classifier(metadata=True, attention=True):
    """A deep head behind an encoder that only gives it its channels."""
    head = deep_head(DEEP, metadata)
    image = keras.Input((DEEP[0], DEEP[1], 3))
    encoder = keras.Model(image, layers.Conv2D(DEEP[2], 1)(image))
    return Classifier(encoder, head, head, metadata, attention)


def engine_of(classifier):
    return TensorFlowEngine(classifier, NetworkDesign())


@pytest.fixture(scope="module")
def linear():
    kernel = np.zeros((3, 7), "float32")
    kernel[:, 0] = [1, 0, 0]
    kernel[:, 1] = [0, 2, 0]
    kernel[:, 2] = [1, -1, 0]
    kernel[:, 3] = [-1, -1, -1]
    kernel[:, 4] = [0, 0, 5]
    return LinearEngine(kernel), kernel


def test_grad_cam_by_hand(linear):
    engine, kernel = linear
    feature_map, metadata = random_inputs()
    feature_map = np.abs(feature_map)
    for index in range(7):
        expected = np.maximum(feature_map @ kernel[:, index], 0)  # the mean's 1/16 goes with the peak
        heatmap = explain("grad-cam", engine, feature_map, metadata, index)
        if expected.max() == 0:
            assert heatmap.note == ALL_ZERO and not heatmap.values.any()
        else:
            assert heatmap.note is None
            np.testing.assert_allclose(heatmap.values, expected / expected.max(), atol=1e-6)


def test_grad_cam_plus_plus_by_hand():
    """One channel, gradient 1 at one place and 2 at another, channel sum 4: alpha = 1/6 and 1/10."""
    feature_map = np.array([[[3.0], [1.0]]], "float32")
    gradient = np.array([[[1.0], [2.0]]], "float32")
    alpha = np.array([1 / 6, 1 / 10])
    weight = (alpha / alpha.sum() * [1, 2]).sum()
    raw = EXPLAINERS["grad-cam++"].weigh(evidence(feature_map, gradient))
    np.testing.assert_allclose(raw, weight * feature_map[..., 0], rtol=1e-6)


def reference(method, classifier, feature_map, metadata, index):
    """tf-keras-vis on a logits-only view of the head, at the head's own input."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library imports an old name of SciPy's
        from tf_keras_vis.utils.scores import CategoricalScore

        view = keras.Model(classifier.head.inputs, classifier.head.get_layer("logits").output)
        module, name = REFERENCES[method].split(".")
        library = getattr(importlib.import_module(f"tf_keras_vis.{module}"), name)(view, clone=False)
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
@pytest.mark.parametrize("method", REFERENCES)
def test_agrees_with_tf_keras_vis_for_every_class(method, metadata):
    classifier = deep_classifier(metadata)
    feature_map, facts = random_inputs(DEEP, seed=3)
    for index in range(len(CODES)):
        expected = reference(method, classifier, feature_map, facts, index)
        heatmap = explain(method, engine_of(classifier), feature_map, facts, index)
        assert expected.max() > 0, "the reference must have something to say"
        np.testing.assert_allclose(heatmap.values, expected / expected.max(), atol=2e-4)


def test_grad_cam_plus_plus_drops_only_the_factor_exp_logit():
    classifier = deep_classifier()
    feature_map, facts = random_inputs(DEEP, seed=4)
    network = engine_of(classifier)
    logits, _ = network.head(feature_map, facts)
    raw = EXPLAINERS["grad-cam++"].weigh(evidence(feature_map, network.gradients(feature_map, facts)[2]))
    expected = reference("grad-cam++", classifier, feature_map, facts, 2)
    np.testing.assert_allclose(raw * np.exp(logits[2]), expected, rtol=1e-3, atol=1e-5 * expected.max())


@pytest.mark.parametrize("method", EXPLAINERS)
def test_every_explainer_gives_a_map_for_every_class(method):
    classifier = deep_classifier()
    feature_map, metadata = random_inputs(DEEP)
    maps = []
    for index in range(len(CODES)):
        heatmap = explain(method, engine_of(classifier), feature_map, metadata, index)
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
    network = engine_of(classifier)
    known = {"gradients": network.gradients(feature_map, metadata), "attention": network.head(feature_map, metadata)[1]}
    alone = explain(method, engine_of(classifier), feature_map, metadata, 5)
    assert np.array_equal(
        alone.values, explain(method, engine_of(classifier), feature_map, metadata, 5, **known).values
    )


@pytest.mark.parametrize("metadata", [True, False])
def test_score_cam_weighs_each_feature_by_the_class_it_makes_probable(metadata, monkeypatch):
    monkeypatch.setattr("core.explain.keras_vis.CHANNELS", 5)
    engine = engine_of(deep_classifier(metadata))
    feature_map, facts = random_inputs(DEEP, seed=3)
    kept = feature_map[..., np.argsort(-feature_map.std(axis=(0, 1)))[:5]]
    low, high = kept.min(axis=(0, 1)), kept.max(axis=(0, 1))
    masks = (kept - low) / (high - low)
    for index in (0, 4):
        weights = []
        for channel in range(5):
            logits = engine.head(feature_map * masks[..., channel, None], facts)[0].astype("float64")
            weights.append(np.exp(logits[index]) / np.exp(logits).sum())
        expected = np.maximum(kept @ np.array(weights), 0)
        heatmap = explain("score-cam", engine, feature_map, facts, index)
        np.testing.assert_allclose(heatmap.values, expected / expected.max(), atol=1e-4)


def test_smoothgrad_without_noise_is_the_largest_gradient(monkeypatch):
    engine = engine_of(deep_classifier())
    feature_map, facts = random_inputs(DEEP, seed=3)
    noisy = explain("smoothgrad", engine, feature_map, facts, 4)
    monkeypatch.setattr("core.explain.keras_vis.NOISE", 0.0)
    expected = np.abs(engine.gradients(feature_map, facts)[4]).max(axis=-1)
    np.testing.assert_allclose(
        explain("smoothgrad", engine, feature_map, facts, 4).values, expected / expected.max(), atol=1e-4
    )
    # Drawn from NumPy's common random numbers, and yet the same each time, and none the wiser.
    monkeypatch.undo()
    np.random.seed(7)  # noqa: NPY002
    drawn = np.random.rand()  # noqa: NPY002
    np.random.seed(7)  # noqa: NPY002
    assert np.array_equal(explain("smoothgrad", engine, feature_map, facts, 4).values, noisy.values)
    assert np.random.rand() == drawn  # noqa: NPY002


def test_a_patients_facts_count_for_those_who_ask_the_network_themselves():
    engine = engine_of(deep_classifier())
    feature_map, facts = random_inputs(DEEP, seed=3)
    other = facts + 1
    first, second, again = (explain("score-cam", engine, feature_map, m, 4).values for m in (facts, other, facts))
    assert np.array_equal(first, again) and not np.array_equal(first, second)


def test_soft_attention_is_the_heads_own():
    classifier = deep_classifier()
    feature_map, metadata = random_inputs(DEEP)
    _, attention = classifier.head([feature_map[None], metadata[None]], training=False)
    attention = np.asarray(attention)[0]
    assert abs(attention.sum() - 16) < 1e-4
    heatmap = explain("soft-attention", engine_of(classifier), feature_map, metadata, 0)
    np.testing.assert_allclose(heatmap.values, attention / attention.max(), rtol=1e-5)


def test_a_network_without_attention_says_so():
    classifier = deep_classifier(attention=False)
    heatmap = explain("soft-attention", engine_of(classifier), *random_inputs(DEEP), 0)
    assert heatmap.note == NO_ATTENTION and not heatmap.values.any()


def test_facts_that_only_add_leave_the_gradients_alone():
    classifier = deep_classifier()
    network = engine_of(classifier)
    assert not network.gradients_need_facts
    feature_map, facts = random_inputs(DEEP)
    other = random_inputs(DEEP, seed=9)[1]
    assert np.array_equal(network.gradients(feature_map, facts), network.gradients(feature_map, other))
    assert not engine_of(deep_classifier(metadata=False)).gradients_need_facts


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
