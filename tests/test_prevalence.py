"""Bayes' rule for another mixture of diagnoses."""

import numpy as np
import pytest

from core.diagnoses import CODES
from core.prevalence import AS_CALIBRATED, MIXTURES, find_mixture, own_mixture, reweight

HAM = np.array([0.033, 0.051, 0.110, 0.011, 0.111, 0.669, 0.015])
CLINIC = np.array([0.05, 0.15, 0.25, 0.02, 0.03, 0.48, 0.02])


def test_by_hand():
    # Melanoma 0.2 and nevus 0.8 where half and half; where one in ten is a melanoma: 0.2*0.2 to 0.8*1.8.
    p, even, rare = np.zeros(7), np.full(7, 1e-9), np.full(7, 1e-9)
    p[4], p[5] = 0.2, 0.8
    even[[4, 5]], rare[4], rare[5] = 0.5, 0.1, 0.9
    assert reweight(p, even, rare)[4] == pytest.approx(0.04 / (0.04 + 1.44), rel=1e-6)


def test_the_same_shares_change_nothing_and_there_and_back_is_the_beginning():
    p = np.random.default_rng(0).dirichlet(np.ones(7), (4, 5))
    np.testing.assert_allclose(reweight(p, HAM, HAM), p)
    np.testing.assert_allclose(reweight(reweight(p, HAM, CLINIC), CLINIC, HAM), p)
    np.testing.assert_allclose(reweight(p, HAM, CLINIC).sum(axis=-1), 1)


def test_the_mean_of_true_posteriors_becomes_the_new_mixture():
    # Two hundred looks, each with a likelihood by diagnosis: posteriors under one mixture move exactly to those under the other.
    likelihood = np.random.default_rng(1).dirichlet(np.ones(200), 7).T
    posteriors = {
        name: likelihood * s / (likelihood * s).sum(1, keepdims=True) for name, s in (("a", HAM), ("b", CLINIC))
    }
    np.testing.assert_allclose(reweight(posteriors["a"], HAM / HAM.sum(), CLINIC), posteriors["b"], atol=1e-12)


def test_a_share_of_none_rules_out_and_nothing_left_is_the_mixture():
    p, only_nevi = np.zeros(7), np.eye(7)[5]
    p[4] = 1
    assert reweight(p, HAM, only_nevi).tolist() == only_nevi.tolist()
    without = np.where(np.array(CODES) == "mel", 0, HAM)
    assert reweight(np.full(7, 1 / 7), HAM, without / without.sum())[4] == 0


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (HAM[:6], HAM, "7 numbers"),
        (HAM, -HAM, "from 0 to 1"),
        (HAM, HAM * 2, "add up to 2"),
        (np.eye(7)[5], HAM, "give akiec"),
        (HAM, np.full(7, np.nan), "7 numbers"),
    ],
)
def test_what_are_no_shares_is_refused_by_name(before, after, said):
    with pytest.raises(ValueError, match=said):
        reweight(np.full(7, 1 / 7), before, after)


@pytest.mark.parametrize("name", MIXTURES)
def test_each_place_has_seven_shares_and_says_where_they_are_from(name):
    mixture = MIXTURES[name]
    assert len(mixture.shares) == 7 and sum(mixture.shares) == pytest.approx(1, abs=1e-3) and min(mixture.shares) > 0
    assert mixture.source.endswith(".") and "20" in mixture.source, "a source has a year"
    assert find_mixture(name, HAM) is mixture
    there = mixture.apply(HAM, HAM)
    assert there == pytest.approx(np.array(mixture.shares) / sum(mixture.shares)), (
        "the mean answer is the mixture itself"
    )


def test_a_share_of_melanoma_of_ones_own_by_hand():
    mixture = own_mixture(0.02, HAM)
    assert mixture.shares[4] == pytest.approx(0.02) and sum(mixture.shares) == pytest.approx(1)
    assert mixture.shares[5] / mixture.shares[2] == pytest.approx(HAM[5] / HAM[2]), (
        "the others stay as they are to one another"
    )
    # Odds of melanoma against nevus move by the ratio of the shares' odds, and by nothing else.
    p = np.array([0, 0, 0, 0, 0.4, 0.6, 0])
    there = mixture.apply(p, HAM)
    factor = (mixture.shares[4] / mixture.shares[5]) / (HAM[4] / HAM[5])
    assert there[4] / there[5] == pytest.approx(p[4] / p[5] * factor)
    assert find_mixture("2 %", HAM).shares == find_mixture("0.02", HAM).shares == mixture.shares
    assert "2 %" in mixture.title


def test_as_calibrated_changes_nothing_and_what_is_no_place_is_refused():
    assert find_mixture(AS_CALIBRATED, HAM) is None
    with pytest.raises(ValueError, match="ham10000, screening, referral, or a share"):
        find_mixture("my clinic", HAM)
    for wrong in ("0", "1", "120%", "nan"):
        with pytest.raises(ValueError, match="between 0 and 1"):
            find_mixture(wrong, HAM)
