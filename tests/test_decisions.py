"""The decision rules, worked by hand, and over the table."""

import numpy as np
import pytest

from core.decisions import DECISIONS, EVEN, Terms, cost_threshold, decide
from core.diagnoses import CODES

MEL, NV, DF = (CODES.index(code) for code in ("mel", "nv", "df"))
SHARES = (0.05, 0.05, 0.1, 0.01, 0.1, 0.67, 0.02)


def answer(**probabilities: float) -> np.ndarray:
    return np.array([[probabilities.get(code, 0.0) for code in CODES]])


def test_the_likeliest_is_the_largest():
    assert decide("likeliest", answer(nv=0.6, mel=0.4)).tolist() == [NV]


def test_balanced_weighs_by_rarity():
    terms = Terms(SHARES, 1.0)
    # 0.6 / 0.67 < 0.39 / 0.1 < 0.1 / 0.01 by hand
    assert decide("balanced", answer(nv=0.6, mel=0.4), terms).tolist() == [MEL]
    assert decide("balanced", answer(nv=0.5, mel=0.4, df=0.1), terms).tolist() == [DF]
    assert decide("balanced", answer(nv=0.6, mel=0.4), Terms(SHARES, 0.0)).tolist() == [NV]


def test_costs_call_melanoma_from_the_threshold_on():
    asked = np.concatenate([answer(nv=0.9, mel=0.1), answer(nv=0.95, mel=0.05), answer(mel=0.6, nv=0.4)])
    assert decide("costs", asked, Terms(SHARES, 1.0, threshold=0.1)).tolist() == [MEL, NV, MEL]
    assert decide("costs", asked, Terms(SHARES, 1.0, threshold=0.7)).tolist() == [NV, NV, NV]
    with pytest.raises(ValueError, match="threshold"):
        decide("costs", asked, EVEN)


def test_costs_become_a_threshold():
    assert cost_threshold(9) == pytest.approx(0.1)
    with pytest.raises(ValueError, match="above 0"):
        cost_threshold(0)


@pytest.mark.parametrize("name", DECISIONS)
def test_each_rule_names_one_class_a_photo_and_certainty_convinces_it(name):
    terms = Terms(SHARES, 0.8, threshold=0.5)
    certain = np.eye(len(CODES))
    assert decide(name, certain, terms).tolist() == list(range(len(CODES)))
    assert DECISIONS[name].title and DECISIONS[name].about.endswith(".")


def test_unknown_rules_and_terms_are_refused():
    with pytest.raises(ValueError, match="likeliest, balanced, costs"):
        decide("best", np.eye(7))
    with pytest.raises(ValueError, match="above 0"):
        Terms((0.0,) + (1 / 6,) * 6, 1.0)
