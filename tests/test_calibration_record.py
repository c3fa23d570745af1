"""The calibration record: what it makes of logits, and what it refuses."""

import numpy as np
import pytest

from core.calibration import Calibration

LOGITS = np.log(np.array([[1.0, 2, 3, 4, 5, 6, 7]]))


def test_probabilities_are_the_softmax_of_divided_logits_with_biases():
    assert Calibration(1.0).probabilities(LOGITS) == pytest.approx(np.arange(1, 8)[None] / 28)
    assert Calibration(0.5).probabilities(LOGITS) == pytest.approx((np.arange(1, 8) ** 2)[None] / 140)
    biased = Calibration(1.0, tuple(-LOGITS[0])).probabilities(LOGITS)
    assert biased == pytest.approx(np.full((1, 7), 1 / 7))


def test_any_shape_and_any_size_of_logits():
    extreme = np.array([[1e4, 0, 0, 0, 0, 0, -1e4]], "float32")
    assert np.isfinite(Calibration(0.1).probabilities(extreme)).all()
    assert Calibration(2.0).probabilities(LOGITS[0]).shape == (7,)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"temperature": 0.0}, "above 0"),
        ({"temperature": float("nan")}, "above 0"),
        ({"temperature": 1.0, "biases": (0.0,) * 6}, "7 finite"),
        ({"temperature": 1.0, "biases": (float("inf"),) * 7}, "7 finite"),
        ({"temperature": 1.0, "weighing": "clicks"}, "photos, lesions"),
    ],
)
def test_what_is_no_calibration_is_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        Calibration(**changes)
