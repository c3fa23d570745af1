"""Calibration of each diagnosis: worked by hand, against scikit-learn, and on probabilities that are right by construction."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from core.diagnoses import CODES
from core.evaluation.calibration_scores import calibration_scores, slope_and_intercept
from core.evaluation.metrics import scores
from core.evaluation.statistics.weighted import weighted_scores

MEL, NV = CODES.index("mel"), CODES.index("nv")


def draw(n: int, seed: int = 0):
    """True classes drawn from the probabilities themselves."""
    rng = np.random.default_rng(seed)
    powers = np.exp(rng.normal(0, 1.5, (n, 7)))
    probabilities = powers / powers.sum(axis=1, keepdims=True)
    return (probabilities.cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1), probabilities


def test_by_hand():
    """Four photos, said to be melanoma with 0.2 or 0.8, nevus else; one of each pair is."""
    probabilities = np.zeros((4, 7))
    probabilities[:, MEL] = (0.2, 0.2, 0.8, 0.8)
    probabilities[:, NV] = 1 - probabilities[:, MEL]
    summary, columns = calibration_scores(np.array([MEL, NV, MEL, NV]), probabilities, np.ones((1, 4)))
    # Bins of 0.2 and 0.8: |1 - 0.4| and |1 - 1.6| of two photos each.
    assert columns["ece"][0, MEL] == pytest.approx(0.3)
    assert columns["mean_probability"][0, MEL] == pytest.approx(0.5) == columns["share"][0, MEL]
    assert summary["malignancy_ece"][0] == pytest.approx(0.3)
    assert summary["macro_ece"][0] == pytest.approx(0.3), "melanoma and nevus alone are there"
    assert summary["melanoma_slope"][0] == pytest.approx(0, abs=1e-6), "what is said does not matter"
    assert summary["melanoma_intercept"][0] == pytest.approx(0, abs=1e-6), "on average it is right"


def test_right_probabilities_have_slope_one_and_no_error():
    y_true, probabilities = draw(40_000)
    found = scores(y_true, probabilities)
    assert found["melanoma_slope"] == pytest.approx(1, abs=0.05) == found["malignancy_slope"]
    assert found["melanoma_intercept"] == pytest.approx(0, abs=0.05)
    assert all(found["per_class"][code]["ece"] < 0.01 for code in CODES)


def test_slope_and_intercept_are_those_of_a_logistic_regression():
    y_true, probabilities = draw(1500, seed=3)
    said, true = probabilities[:, MEL] ** 0.5, (y_true == MEL).astype(float)
    odds = np.log(said / (1 - said))
    weights = np.random.default_rng(1).integers(0, 4, (3, 1500)).astype(float)
    slopes, intercepts = slope_and_intercept(said, true, weights)
    for row in range(3):
        fit = LogisticRegression(C=1e9, tol=1e-10).fit(odds[:, None], true, sample_weight=weights[row])
        assert slopes[row] == pytest.approx(fit.coef_[0, 0], abs=1e-3)
        # At a slope of 1 the mean said equals the share, which defines the intercept.
        shifted = 1 / (1 + np.exp(-odds - intercepts[row]))
        assert (weights[row] * (shifted - true)).sum() == pytest.approx(0, abs=1e-6)


def test_too_bold_is_a_slope_below_one():
    y_true, probabilities = draw(5000)
    bold = probabilities**3 / (probabilities**3).sum(axis=1, keepdims=True)
    assert scores(y_true, bold)["melanoma_slope"] < 0.6


def test_what_cannot_be_known_is_none():
    y_true, probabilities = draw(60)
    kept = y_true != MEL
    found = scores(y_true[kept], probabilities[kept])
    assert found["melanoma_slope"] is None and found["melanoma_intercept"] is None
    certain = np.eye(7)[y_true]
    assert scores(y_true, certain)["melanoma_slope"] is None, "no finite slope where a threshold separates all"
    assert scores(y_true, certain)["macro_ece"] == 0


def test_weights_count_photos():
    y_true, probabilities = draw(80)
    weights = np.random.default_rng(5).integers(0, 3, 80)
    repeated = scores(np.repeat(y_true, weights), np.repeat(probabilities, weights, axis=0))
    found = weighted_scores(y_true, probabilities, weights[None].astype(float))
    for name in ("macro_ece", "malignancy_ece", "melanoma_slope", "malignancy_intercept", "malignancy_share"):
        assert found[name][0] == pytest.approx(repeated[name])
    assert found["mel.ece"][0] == pytest.approx(repeated["per_class"]["mel"]["ece"])
