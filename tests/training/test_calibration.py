"""Temperature and prior shift find what was put in."""

import numpy as np
import pytest

from core.training.calibration import balanced_accuracy, fit_prior_shift, fit_temperature, log_softmax


def draw(n=4000, seed=0, prior=None):
    """Labels drawn from the softmax of random logits: calibrated by construction."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 1.5, (n, 7)) + (0 if prior is None else np.log(prior))
    p = np.exp(log_softmax(logits))
    labels = (p.cumsum(1) > rng.random((n, 1))).argmax(1)
    return logits, labels


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_temperature(temperature):
    logits, labels = draw()
    assert fit_temperature(logits * temperature, labels) == pytest.approx(temperature, rel=0.08)


def test_log_softmax_is_stable():
    np.testing.assert_allclose(np.exp(log_softmax(np.array([[1e4, 0.0], [0, 0]]))), [[1, 0], [0.5, 0.5]])


def test_balanced_accuracy_is_mean_recall_over_classes_present():
    labels = np.array([0, 0, 0, 5, 5])
    assert balanced_accuracy(labels, np.array([0, 0, 1, 5, 0])) == pytest.approx((2 / 3 + 1 / 2) / 2)


def test_prior_shift_raises_balanced_accuracy_on_a_skewed_prior():
    prior = np.array([0.03, 0.05, 0.11, 0.01, 0.11, 0.67, 0.02])
    logits, labels = draw(6000, prior=prior)
    tau = fit_prior_shift(logits, labels, np.log(prior))
    assert 0.6 < tau < 1.4
    shifted = (logits - tau * np.log(prior)).argmax(1)
    assert balanced_accuracy(labels, shifted) > balanced_accuracy(labels, logits.argmax(1)) + 0.1
