"""Class weights against the values that docs/reproduction.md works out."""

import numpy as np
import pytest

from core.training.class_weights import CLASS_WEIGHTS, class_weights

HAM10000 = np.array([327, 514, 1099, 115, 1113, 6705, 142])


def test_the_papers_new_weights():
    expected = [4.375, 2.783, 1.302, 12.441, 1.285, 0.2134, 10.075]
    np.testing.assert_allclose(class_weights("paper", HAM10000), expected, rtol=1e-3)


def test_the_papers_original_weights_are_seven_times_its_new_ones():
    np.testing.assert_allclose(
        class_weights("inverse", HAM10000), [30.63, 19.48, 9.113, 87.09, 8.998, 1.494, 70.53], rtol=1e-3
    )
    np.testing.assert_allclose(class_weights("inverse", HAM10000), 7 * class_weights("paper", HAM10000))


@pytest.mark.parametrize("name", ["none", "paper", "effective", "sqrt_inverse"])
def test_mean_weight_over_training_photos_is_one(name):
    assert (class_weights(name, HAM10000) * HAM10000).sum() / HAM10000.sum() == pytest.approx(1)


@pytest.mark.parametrize("name", CLASS_WEIGHTS)
def test_an_absent_diagnosis_gets_no_weight_and_breaks_nothing(name):
    weights = class_weights(name, [0, 5, 10, 1, 3, 50, 2])
    assert weights[0] == 0 and np.isfinite(weights).all() and (weights[1:] > 0).all()


def test_square_root_inverse_by_hand():
    weights = class_weights("sqrt_inverse", [1, 1, 1, 1, 1, 1, 100])
    assert weights[0] / weights[6] == pytest.approx(10)


def test_a_common_factor_rebalances_nothing_but_moves_adam_with_a_large_epsilon():
    """docs/reproduction.md, section 5: why the paper's Table 8 is an optimiser effect."""
    gradients = np.random.default_rng(0).normal(0.02, 0.01, 500)

    def moved(scale, epsilon):
        m = v = w = 0.0
        for step, g in enumerate(gradients * scale, start=1):
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
            w -= 0.001 * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + epsilon)
        return abs(w)

    assert moved(1, 0.1) / moved(1 / 32.5, 0.1) > 20
    assert moved(7, 0.1) / moved(1, 0.1) > 3
    assert moved(1, 1e-7) / moved(1 / 32.5, 1e-7) == pytest.approx(1, rel=0.01)


def test_unknown_name():
    with pytest.raises(ValueError, match="sqrt_inverse"):
        class_weights("heavy", HAM10000)
