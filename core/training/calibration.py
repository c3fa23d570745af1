"""What is fitted on validation after training: the class-prior shift and the temperature."""

import numpy as np

TEMPERATURES = np.geomspace(0.2, 5.0, 401)
PRIOR_SHIFTS = np.linspace(0.0, 1.5, 31)


def balanced_accuracy(labels: np.ndarray, predicted: np.ndarray) -> float:
    """Mean recall over the classes present. Args: output indices, (N,) each."""
    return float(np.mean([(predicted[labels == c] == c).mean() for c in np.unique(labels)]))


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Stable log-softmax over the last axis, float64."""
    logits = np.asarray(logits, "float64")
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The temperature with the smallest negative log-likelihood on validation.

    Reference: Guo et al. 2017, "On Calibration of Modern Neural Networks".

    Args:
        logits: (N, 7).
        labels: (N,) output indices.
    """
    rows = np.arange(len(labels))
    losses = [-log_softmax(logits / t)[rows, labels].mean() for t in TEMPERATURES]
    return float(TEMPERATURES[int(np.argmin(losses))])


def fit_prior_shift(logits: np.ndarray, labels: np.ndarray, log_prior: np.ndarray) -> float:
    """The strength tau of `logits - tau * log_prior` with the best balanced accuracy on validation.

    One number, so that 1,000 photos can carry it; the curve is smoothed over neighbouring strengths, because a single photo of
    a rare diagnosis moves it by a point.

    Reference: Menon et al. 2021, "Long-tail learning via logit adjustment".
    """
    curve = np.array([balanced_accuracy(labels, (logits - t * log_prior).argmax(1)) for t in PRIOR_SHIFTS])
    kernel = np.array([1, 2, 3, 2, 1]) / 9
    smooth = np.convolve(np.pad(curve, 2, mode="edge"), kernel, mode="valid")
    return float(PRIOR_SHIFTS[int(np.argmax(smooth))])
