from types import SimpleNamespace

import numpy as np
import pytest

from core.diagnoses import CODES
from core.evaluation.melanoma import Duel
from core.trust.signals.threshold import suggested_threshold, threshold_words, weigh


def test_even_weights_suggest_even_odds_and_dear_misses_a_low_threshold():
    assert suggested_threshold(1) == 0.5 and suggested_threshold(9) == pytest.approx(0.1)
    for ratio in (0, -1):
        with pytest.raises(ValueError, match="is not possible"):
            suggested_threshold(ratio)


def test_a_weighing_by_hand():
    """Four melanomas and six nevi, acting from 10 % on: one melanoma of ten photos is missed, two nevi are excised for nothing."""
    melanoma = [0.05, 0.2, 0.5, 0.8, 0.01, 0.02, 0.03, 0.04, 0.15, 0.3]
    probabilities = np.zeros((10, 7))
    probabilities[:, CODES.index("mel")], probabilities[:, CODES.index("nv")] = melanoma, 1 - np.array(melanoma)
    y_true = np.array([CODES.index("mel")] * 4 + [CODES.index("nv")] * 6)
    results = SimpleNamespace(probabilities=probabilities, y_true=y_true, lesions=np.array(list("abcdefghij")))
    found = weigh(Duel(results, resamples=20), 9)  # pyright: ignore[reportArgumentType]
    assert (found.threshold, found.missed, found.needless, found.loss) == pytest.approx((0.1, 100, 200, 1100))
    assert found.sensitivity.value == 0.75 and found.specificity.value == pytest.approx(4 / 6)


def test_words_say_whose_rule_it_is():
    assert threshold_words(0.2, 0.2).startswith("at or above your threshold of 20.0 %: by your own rule")
    assert threshold_words(0.1, 0.2, own=False).startswith(
        "below the network's operating point of 20.0 %: by that rule"
    )
    assert "of 0.5 %" in threshold_words(0.1, 0.005) and "of 5.70 %" in threshold_words(0.0569, 0.057)
