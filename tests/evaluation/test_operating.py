"""The melanoma threshold is chosen on validation alone, and measured with lesions resampled."""

import numpy as np
import pytest

from core.diagnoses import MELANOMA
from core.estimates import Estimate
from core.evaluation.operating import choose_threshold, measure_threshold


def made(melanoma, other):
    """Photos whose p(melanoma) is as given; the rest of the probability is nevus."""
    p = np.array([*melanoma, *other], float)
    probabilities = np.zeros((len(p), 7))
    probabilities[:, MELANOMA], probabilities[:, 5] = p, 1 - p
    return np.array([MELANOMA] * len(melanoma) + [5] * len(other)), probabilities


def test_the_largest_threshold_that_finds_the_target_share():
    y_true, probabilities = made(np.arange(1, 11) / 10, [0.05, 0.95])
    assert choose_threshold(y_true, probabilities, 0.9) == pytest.approx(0.2)
    assert choose_threshold(y_true, probabilities, 1.0) == pytest.approx(0.1)
    assert choose_threshold(y_true, probabilities, 0.05) == pytest.approx(1.0)


def test_without_a_melanoma_there_is_no_threshold():
    with pytest.raises(ValueError, match="No validation photo shows a melanoma"):
        choose_threshold(*made([], [0.1, 0.2]))


def test_sensitivity_and_specificity_at_the_threshold():
    y_true, probabilities = made([0.9, 0.8, 0.1, 0.7], [0.1, 0.6, 0.2, 0.3, 0.4])
    found = measure_threshold(y_true, probabilities, range(9), 0.5, resamples=200)
    assert found["sensitivity"].value == pytest.approx(0.75)
    assert found["specificity"].value == pytest.approx(0.8)
    assert found["sensitivity"].low < 0.75 < found["sensitivity"].high
    one_lesion = measure_threshold(y_true, probabilities, [0] * 9, 0.5, resamples=200)
    assert one_lesion["sensitivity"].high - one_lesion["sensitivity"].low > 0.7, "one lesion shows next to nothing"
    # Nine of nine is no certainty.
    all_right = measure_threshold(*made([0.9] * 9, [0.1] * 3), range(12), 0.5, resamples=50)
    assert all_right["sensitivity"] == Estimate(1, pytest.approx(0.70, abs=0.01), 1)


def test_nothing_to_measure_is_said():
    found = measure_threshold(*made([], [0.1, 0.2]), [0, 1], 0.5, resamples=10)
    assert found["sensitivity"] == Estimate(None)
    assert found["specificity"].value == 1.0
