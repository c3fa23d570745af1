"""Grad-CAM++: like Grad-CAM, but each place's gradient counts by itself, which finds several spots of one class."""

import numpy as np

from core.explain.evidence import Evidence


def grad_cam_plus_plus(evidence: Evidence) -> np.ndarray:
    """ReLU of the feature map's channels, weighted by their positive gradients, place by place: (h, w).

    The paper explains exp(logit). Its derivatives are exp(logit) times powers of the logit's gradient g, so the factor
    cancels in alpha = g^2 / (2 g^2 + g^3 S) = 1 / (2 + g S), with S the channel's sum; what remains of it scales the
    whole map and goes with the peak. Leaving it out keeps a large logit from overflowing.

    Reference: Chattopadhay et al., "Grad-CAM++", WACV 2018, Eq. 10-19. The same numbers as tf-keras-vis'
    `GradcamPlusPlus` divided by exp(logit) (tested).
    """
    gradient = evidence.gradient.astype("float64")
    total = evidence.feature_map.sum(axis=(0, 1), dtype="float64")
    denominator = 2 + gradient * total
    alpha = np.divide(1, denominator, out=np.zeros_like(denominator), where=(gradient != 0) & (denominator != 0))
    scale = alpha.sum(axis=(0, 1))
    alpha = np.divide(alpha, scale, out=np.zeros_like(alpha), where=scale != 0)
    weights = (np.maximum(gradient, 0) * alpha).sum(axis=(0, 1))
    return np.maximum(evidence.feature_map @ weights, 0)
