import pytest
from made_up import made_up_results

from core.evaluation.melanoma import Duel
from core.trust.signals.threshold import suggested_threshold, threshold_words, weigh


def test_even_weights_suggest_even_odds_and_dear_misses_a_low_threshold():
    assert suggested_threshold(1) == 0.5 and suggested_threshold(9) == pytest.approx(0.1)
    for ratio in (0, -1):
        with pytest.raises(ValueError, match="is not possible"):
            suggested_threshold(ratio)


def test_a_weighing_by_hand(tmp_path):
    duel = Duel(made_up_results(tmp_path), resamples=50)
    found = weigh(duel, 9)
    point, count = duel.at(0.1), sum(duel.photos.values())
    assert found.missed == pytest.approx(1000 * point.missed / count)
    assert found.loss == pytest.approx(1000 * (9 * point.missed + point.alarms) / count)
    assert found.sensitivity == point.sensitivity


def test_words_say_whose_rule_it_is():
    assert threshold_words(0.2, 0.2).startswith("at or above your threshold of 20.0 %: by your own rule")
    assert threshold_words(0.1, 0.2, own=False).startswith(
        "below the network's operating point of 20.0 %: by that rule"
    )
    assert "of 0.5 %" in threshold_words(0.1, 0.005)
