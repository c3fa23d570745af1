"""The fit finds what was put in, weighs lesions only where that helps, and the power of the balanced rule wins balanced accuracy."""

from dataclasses import replace

import numpy as np
import pytest

from core.card import read_card
from core.decisions import Terms, decide
from core.training.calibration import (
    balanced_accuracy,
    calibrate_card,
    fit_calibration,
    fit_power,
    lesion_weights,
    log_softmax,
    training_shares,
)

PRIOR = np.array([0.03, 0.05, 0.11, 0.01, 0.11, 0.67, 0.02])


def draw(n=4000, seed=0, prior=None):
    """Labels drawn from the softmax of random logits: calibrated by construction."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 1.5, (n, 7)) + (0 if prior is None else np.log(prior))
    p = np.exp(log_softmax(logits))
    labels = (p.cumsum(1) > rng.random((n, 1))).argmax(1)
    return logits, labels


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_fit_finds_temperature_and_biases(temperature):
    logits, labels = draw(8000)
    biases = np.array([0.5, -0.5, 0.3, 0, -0.3, 0.8, -0.8])
    found = fit_calibration((logits - biases) * temperature, labels, np.arange(len(labels)))
    assert found.temperature == pytest.approx(temperature, rel=0.08)
    assert np.subtract(found.biases, np.mean(found.biases)) == pytest.approx(biases - biases.mean(), abs=0.15)
    assert found.log_loss_after < found.log_loss_before
    assert (found.photos, found.lesions, found.weighing) == (8000, 8000, "photos")


def test_an_offset_that_wins_balanced_accuracy_is_found_out():
    """What earlier versions shipped: probabilities of rare diagnoses far above their shares."""
    logits, labels = draw(6000, prior=PRIOR)
    found = fit_calibration(logits - 0.6 * np.log(PRIOR), labels, np.arange(len(labels)))
    said = found.probabilities(logits - 0.6 * np.log(PRIOR)).mean(axis=0)
    assert said == pytest.approx(np.bincount(labels, minlength=7) / len(labels), abs=0.01)


def test_few_photos_move_the_calibration_little():
    logits, labels = draw(12)
    found = fit_calibration(logits, labels, np.arange(12))
    assert 0.5 < found.temperature < 2 and np.abs(found.biases).max() < 1
    alone = fit_calibration(logits[:1], labels[:1], np.arange(1))
    assert np.isfinite(alone.log_loss_after) and not alone.cross_validated


def test_lesions_weigh_alike_where_a_lesion_of_many_photos_misleads():
    logits, labels = draw(600)
    lesions = np.arange(600)
    # One lesion of which the network is sure and wrong, in 120 photos.
    odd = np.tile([8.0, 0, 0, 0, 0, 0, 0], (120, 1))
    found = fit_calibration(
        np.concatenate([logits, odd]), np.r_[labels, np.full(120, 5)], np.r_[lesions, np.full(120, 999)]
    )
    assert set(found.cross_validated) == {"photos", "lesions"}
    even = lesion_weights(np.r_[lesions, np.full(120, 999)])
    assert even[-1] == pytest.approx(even[0] / 120) and even.mean() == pytest.approx(1)


def test_what_cannot_be_fitted_is_refused():
    logits, labels = draw(10)
    with pytest.raises(ValueError, match="at least one photo"):
        fit_calibration(logits[:0], labels[:0], np.arange(0))
    with pytest.raises(ValueError, match="shape"):
        fit_calibration(logits, labels, np.arange(9))
    logits[3, 2] = np.nan
    with pytest.raises(ValueError, match="not numbers"):
        fit_calibration(logits, labels, np.arange(10))


def test_log_softmax_is_stable():
    np.testing.assert_allclose(np.exp(log_softmax(np.array([[1e4, 0.0], [0, 0]]))), [[1, 0], [0.5, 0.5]])


def test_balanced_accuracy_is_mean_recall_over_classes_present():
    labels = np.array([0, 0, 0, 5, 5])
    assert balanced_accuracy(labels, np.array([0, 0, 1, 5, 0])) == pytest.approx((2 / 3 + 1 / 2) / 2)


def test_the_power_raises_balanced_accuracy_on_a_skewed_prior():
    logits, labels = draw(6000, prior=PRIOR)
    probabilities = np.exp(log_softmax(logits))
    terms = fit_power(probabilities, labels, tuple(PRIOR))
    assert 0.6 < terms.power < 1.4
    balanced, likeliest = (
        balanced_accuracy(labels, decide(r, probabilities, terms)) for r in ("balanced", "likeliest")
    )
    assert balanced > likeliest + 0.1


def test_shares_of_training_are_never_nothing():
    shares = training_shares([0, 3, 3, 3, 3, 3, 3])
    assert min(shares) > 0 and sum(shares) == pytest.approx(1)


def test_a_card_is_calibrated_and_old_scores_go(drawn_bundle_folder):
    card = replace(read_card(drawn_bundle_folder), scores={"test": {"photos": 9}})
    logits, labels = draw(300)
    made = calibrate_card(card, logits, labels, np.arange(300))
    assert set(made.scores) == {"validation"} and made.scores["validation"]["balanced_accuracy"].rule == "balanced"
    assert made.calibration.photos == 300 and made.terms == Terms((1 / 7,) * 7, made.terms.power)
    assert made.probabilities_sha256 != card.probabilities_sha256
