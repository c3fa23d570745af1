"""Explainers of tf-keras-vis, asked of the head alone: Faster Score-CAM and SmoothGrad. Importing it loads TensorFlow and Keras."""

from __future__ import annotations

import threading
import warnings
from weakref import WeakKeyDictionary

import keras
import numpy as np
import tensorflow as tf

from core.explain.evidence import Evidence
from core.serving import Engine

with warnings.catch_warnings():
    # It imports SciPy's zoom from where SciPy 2 will not have it.
    warnings.simplefilter("ignore", DeprecationWarning)
    from tf_keras_vis.saliency import Saliency
    from tf_keras_vis.scorecam import Scorecam
    from tf_keras_vis.utils.scores import CategoricalScore

# Channels that mask the feature map: those that vary most. All 576 to 3,136 of them would cost a hundred times Grad-CAM.
CHANNELS = 32
# Noisy copies of the feature map, and the noise's standard deviation as a share of its range.
SAMPLES, NOISE, SEED = 10, 0.2, 0
FEATURES = "features"

_MODELS: WeakKeyDictionary[Engine, keras.Model] = WeakKeyDictionary()
# One at a time: Keras builds for one, the facts are set and then asked with, and tf-keras-vis draws from NumPy's common random numbers.
_LOCK = threading.Lock()


class HeadOfPatient(keras.layers.Layer):
    """A network's head with one patient's facts: feature maps (N, h, w, C) -> logits (N, 7).

    Args:
        head: feature map, or [feature map, metadata] -> [logits, attention].
        width: of the metadata, D; None where the head takes none.
    """

    def __init__(self, head: keras.Model, width: int | None):
        super().__init__()
        self._head = head
        self._facts = None if width is None else tf.Variable(tf.zeros((1, width)), trainable=False)
        self._logits = tf.function(self._ask, reduce_retracing=True)

    def set_facts(self, metadata: np.ndarray) -> None:
        """Metadata (D,) of the patient who is asked about from now on."""
        if self._facts is not None:
            self._facts.assign(metadata[None])

    def call(self, feature_maps):
        return self._logits(feature_maps)

    def _ask(self, feature_maps):
        if self._facts is None:
            return self._head([feature_maps], training=False)[0]
        facts = tf.repeat(self._facts, tf.shape(feature_maps)[0], axis=0)
        return self._head([feature_maps, facts], training=False)[0]


class _Silent(keras.Model):
    """Keras' own `predict` would write its progress to the terminal."""

    def predict(self, x, *_, **__):
        return self(x, training=False).numpy()


def score_cam(evidence: Evidence) -> np.ndarray:
    """ReLU of the `CHANNELS` channels that vary most, each weighted by the class's probability when it alone masks the feature map: (h, w).

    Reference: Wang et al., "Score-CAM", CVPR Workshops 2020; its faster form (the channels of largest deviation), as tf-keras-vis has it.
    """
    with _LOCK:
        model = _model_of(evidence)
        asked = Scorecam(model)(
            CategoricalScore(evidence.class_index),
            evidence.feature_map[None],
            penultimate_layer=FEATURES,
            seek_penultimate_conv_layer=False,
            max_N=min(CHANNELS, evidence.feature_map.shape[-1]),
            expand_cam=False,
            normalize_cam=False,
        )
    return np.asarray(asked)[0]


def smooth_grad(evidence: Evidence) -> np.ndarray:
    """Largest gradient over the channels, as a mean over noisy copies of the feature map: (h, w). The noise is the same at each call.

    Reference: Smilkov et al., "SmoothGrad", 2017; the noise is laid over what the encoder found and not over the photo's pixels.
    """
    with _LOCK:
        model = _model_of(evidence)
        kept = np.random.get_state()  # noqa: NPY002 - what tf-keras-vis draws from
        np.random.seed(SEED)  # noqa: NPY002
        try:
            asked = Saliency(model)(
                CategoricalScore(evidence.class_index),
                evidence.feature_map[None],
                smooth_samples=SAMPLES,
                smooth_noise=NOISE,
                normalize_map=False,
            )
        finally:
            np.random.set_state(kept)  # noqa: NPY002
    return np.asarray(asked)[0]


def _model_of(evidence: Evidence) -> keras.Model:
    """The head as a Keras model of one input, asking about the evidence's patient; made once an engine."""
    engine, model = evidence.engine, _MODELS.get(evidence.engine)
    if model is None:
        classifier = engine.classifier()
        head = HeadOfPatient(classifier.head, evidence.metadata.shape[-1] if classifier.uses_metadata else None)
        given = keras.Input(engine.feature_shape)
        asked = head(keras.layers.Activation("linear", name=FEATURES)(given))
        model = _MODELS[engine] = _Silent([given], asked)
    model.layers[-1].set_facts(evidence.metadata)
    return model
