"""Batch-norm adaptation: a network's running means and variances taken anew from a clinic's photos, without their diagnoses.

Reference: Y. Li et al., "Revisiting batch normalization for practical domain adaptation", 2016, arXiv 1603.04779; S. Schneider et al.,
"Improving robustness against common corruptions by covariate shift adaptation", NeurIPS 2020 (the mixture with the old statistics).
"""

import keras
import numpy as np

from core.networks.classifier import Classifier

BATCH = 64
# Photos of the old statistics' weight: with as many new photos, old and new count alike.
PRIOR = 256
FEWEST = 64


def adapt_statistics(classifier: Classifier, images: np.ndarray, seed: int = 0) -> int:
    """Moves the encoder's batch statistics towards those of photos; no weight is trained.

    Each layer's statistics are the mean of those of batches, in which all layers before it are normalised by the batch's own, and are
    mixed with the old ones as N to `PRIOR`.

    Args:
        classifier: is changed.
        images: (N, S, S, 3), RGB 0..255.

    Returns:
        How many layers were changed.

    Raises:
        ValueError: fewer than `FEWEST` photos.
    """
    if len(images) < FEWEST:
        raise ValueError(f"{len(images)} photos tell too little of a clinic. Expected {FEWEST} or more.")
    inside = list(classifier.encoder._flatten_layers(include_self=False))
    layers = [one for one in inside if isinstance(one, keras.layers.BatchNormalization)]
    dropouts = [(one, one.rate) for one in inside if isinstance(one, keras.layers.Dropout)]
    order = np.random.default_rng(seed).permutation(len(images))
    batches = [np.sort(order[start : start + BATCH]) for start in range(0, len(order) - BATCH + 1, BATCH)]
    old = [[np.asarray(layer.moving_mean), np.asarray(layer.moving_variance)] for layer in layers]
    share = len(images) / (len(images) + PRIOR)
    sums = [[np.zeros_like(mean), np.zeros_like(variance)] for mean, variance in old]
    kept = [layer.momentum for layer in layers]
    for dropout, _ in dropouts:
        dropout.rate = 0.0
    for layer in layers:
        layer.momentum = 0.0  # what a pass leaves is its own batch's
        layer.trainable = True
    for batch in batches:
        classifier.encoder(np.asarray(images[batch], "float32"), training=True)
        for total, layer in zip(sums, layers, strict=True):
            total[0] += np.asarray(layer.moving_mean)
            total[1] += np.asarray(layer.moving_variance)
    for layer, momentum, (mean, variance), total in zip(layers, kept, old, sums, strict=True):
        layer.momentum = momentum
        layer.moving_mean.assign((1 - share) * mean + share * total[0] / len(batches))
        layer.moving_variance.assign((1 - share) * variance + share * total[1] / len(batches))
    for dropout, rate in dropouts:
        dropout.rate = rate
    return len(layers)
