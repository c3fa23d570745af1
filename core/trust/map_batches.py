"""Answers and maps of many photos at once: encoder, head and one gradient a photo as a single TensorFlow graph."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import tensorflow as tf

from core.bundle import Bundle
from core.explain import EXPLAINERS
from core.explain.evidence import Evidence
from core.explain.heatmap import make_heatmap

BATCH = 32
LIKELIEST = -1
# What is shuffled, from the answer backwards. Reference: Adebayo et al. 2018, "cascading randomisation".
STAGES = ("head", "all")


class MapBatches:
    """A network that is asked for the maps of many photos.

    The maps are those that a reading shows (`core.explain`): the same explainers, started from the same gradient.
    """

    def __init__(self, bundle: Bundle):
        classifier = bundle.classifier
        self._classifier, self._calibration = classifier, bundle.card.calibration

        @tf.function(reduce_retracing=True)
        def answer(images, metadata, targets):
            feature_map = tf.cast(classifier.encoder(images, training=False), "float32")
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(feature_map)
                logits, attention = classifier.head(classifier.head_inputs(feature_map, metadata), training=False)
                likeliest = tf.argmax(logits, axis=1, output_type="int32")
                targets = tf.where(targets == LIKELIEST, likeliest, targets)
                # Photos do not touch one another, so the sum's gradient is each photo's own.
                chosen = tf.reduce_sum(tf.gather(logits, targets, batch_dims=1))
            return logits, attention, feature_map, tape.gradient(chosen, feature_map)

        @tf.function(reduce_retracing=True)
        def score(images, metadata):
            return classifier.model([images, metadata] if classifier.uses_metadata else images, training=False)[0]

        self._answer, self._score = answer, score

    def maps(
        self, images: np.ndarray, metadata: np.ndarray, targets: np.ndarray | None = None
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Probabilities and maps of a batch.

        Args:
            images: (B, S, S, 3), RGB 0..255.
            metadata: (B, D).
            targets: classes to explain, (B,); the likeliest when None.

        Returns:
            Calibrated probabilities (B, 7), and method -> (B, h, w), 0..1; all zero where a map says nothing.
        """
        targets = np.full(len(images), LIKELIEST) if targets is None else targets
        logits, attention, features, gradient = (
            x.numpy() for x in self._answer(*_tensors(images, metadata), tf.constant(targets, "int32"))
        )
        maps = {}
        for method, explainer in EXPLAINERS.items():
            raw = [
                explainer.weigh(Evidence(f, a if self._classifier.has_attention else None, g))
                for f, a, g in zip(features, attention, gradient, strict=True)
            ]
            if raw[0] is not None:
                maps[method] = np.stack([make_heatmap(one, method).values for one in raw])
        return self._calibration.probabilities(logits), maps

    def probabilities(self, images: np.ndarray, metadata: np.ndarray) -> np.ndarray:
        """Calibrated probabilities of a batch, (B, 7)."""
        return self._calibration.probabilities(self._score(*_tensors(images, metadata)).numpy())

    @contextmanager
    def shuffled(self, stage: str, seed: int) -> Iterator[None]:
        """Inside this, the values of each weight of the network stand in random order; afterwards all is as before.

        Shuffling keeps each weight's distribution, so that what changes is what was learnt and not the scale.

        Args:
            stage: "head", or "all" for head and encoder.
        """
        parts = [self._classifier.head] if stage == "head" else [self._classifier.head, self._classifier.encoder]
        kept = [[weight.numpy() for weight in part.weights] for part in parts]
        rng = np.random.default_rng([seed, STAGES.index(stage)])
        try:
            for part, values in zip(parts, kept, strict=True):
                for weight, value in zip(part.weights, values, strict=True):
                    if value.dtype.kind == "f" and value.size > 1:
                        weight.assign(rng.permutation(value.ravel()).reshape(value.shape))
            yield
        finally:
            for part, values in zip(parts, kept, strict=True):
                for weight, value in zip(part.weights, values, strict=True):
                    weight.assign(value)


def _tensors(images: np.ndarray, metadata: np.ndarray) -> tuple[tf.Tensor, tf.Tensor]:
    return tf.constant(np.asarray(images, "float32")), tf.constant(np.asarray(metadata, "float32"))
