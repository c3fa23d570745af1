"""The analysis of reader studies against the worked example of the literature, other programs' digits, and degenerate studies."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from core.teaching.studies.auc import METHODS, auc_covariances, auc_matrix
from core.teaching.studies.obuchowski_rockette import compare_arms


@pytest.fixture(scope="module")
def van_dyke():
    """Ratings (2, 5, 114) and truth (114,) of Van Dyke et al. 1993."""
    table = pd.read_csv(Path(__file__).parent / "data" / "van_dyke_1993.csv", comment="#", dtype=str)
    digits = np.array([[int(digit) for digit in row] for row in table.ratings])
    return digits.T.reshape(5, 2, -1).transpose(1, 0, 2), (table.truth == "1").to_numpy()


def test_van_dyke_as_published(van_dyke):
    """What the R packages print: MRMCaov 0.3 (README) and RJafroc (vignette of dataset02), with jackknife covariances.

    `mrmc(empirical_auc(truth, rating), treatment, reader, case, data = VanDyke)`. Their difference is the first modality minus the second.
    """
    found = compare_arms(*van_dyke)
    # RJafroc, StSignificanceTesting(dataset02, FOM = "Wilcoxon", method = "OR")$FOMs
    assert found.areas == pytest.approx(
        np.array(
            [
                [0.91964573, 0.85877617, 0.90386473, 0.97310789, 0.82979066],
                [0.94782609, 0.90531401, 0.92173913, 0.99935588, 0.92995169],
            ]
        ),
        abs=1e-8,
    )
    components = found.components
    assert components.ms_arm == pytest.approx(0.004796171, rel=1e-6)
    assert components.ms_arm_reader == pytest.approx(0.0005510306, rel=1e-6)
    assert components.variance == pytest.approx(0.0008022883, rel=1e-6)
    assert components.cov1 == pytest.approx(0.0003466137, rel=1e-6)
    assert components.cov2 == pytest.approx(0.0003440748, rel=1e-6)
    assert components.cov3 == pytest.approx(0.0002390284, rel=1e-6)
    main = found.readers_and_cases
    assert main.statistic == pytest.approx(4.456319, rel=1e-6)
    assert (main.df1, main.df2) == (1, pytest.approx(15.25967, rel=1e-6))
    assert main.p == pytest.approx(0.05166569, rel=1e-6)
    assert main.difference == pytest.approx(0.04380032, rel=1e-6)
    assert main.standard_error == pytest.approx(0.02074862, rel=1e-6)
    assert (main.low, main.high) == (pytest.approx(-0.0003588544, rel=1e-5), pytest.approx(0.0879594986, rel=1e-6))
    first, second = found.arms
    assert (first.value, first.low, first.high) == pytest.approx((0.8970370, 0.8252236, 0.9688505), rel=1e-6)
    assert (second.value, second.low, second.high) == pytest.approx((0.9408374, 0.8941378, 0.9875369), rel=1e-6)
    assert (first.df, second.df) == pytest.approx((12.74465, 12.71019), rel=1e-6)
    # RJafroc, fixed readers and random cases
    readers = found.these_readers
    assert (readers.statistic, readers.p) == pytest.approx((5.4759532, 0.019279843), rel=1e-6)
    assert (readers.low, readers.high) == pytest.approx((0.0071147303, 0.080485914), rel=1e-6)
    # Random readers and fixed cases: MS(T) / MS(TR) on 1 and 4 degrees of freedom
    cases = found.these_cases
    assert (cases.statistic, cases.df2) == (pytest.approx(0.004796171 / 0.0005510306, rel=1e-6), 4)


def test_delong_and_jackknife_say_nearly_the_same(van_dyke):
    jackknife, delong = (compare_arms(*van_dyke, method).readers_and_cases for method in METHODS)
    assert delong.p == pytest.approx(jackknife.p, abs=0.002)


def test_areas_are_those_of_scikit_learn(van_dyke):
    ratings, truth = van_dyke
    for reader in ratings.reshape(10, -1):
        assert auc_matrix(reader[None], truth)[0] == pytest.approx(roc_auc_score(truth, reader))


def test_jackknife_by_hand(van_dyke):
    """Each case left out in turn, without a formula."""
    ratings, truth = van_dyke
    sets = ratings[:, :2].reshape(4, -1)
    without = np.array([auc_matrix(np.delete(sets, n, axis=1), np.delete(truth, n)) for n in range(len(truth))]).T
    by_hand = np.cov(without) * (len(truth) - 1) ** 2 / len(truth)
    assert auc_covariances(sets, truth) == pytest.approx(by_hand)


def test_delong_by_hand():
    """Two diseased cases (scores 3, 1), two healthy ones (2, 0): one of four pairs in the wrong order."""
    truth = np.array([True, True, False, False])
    ratings = np.array([[3.0, 1.0, 2.0, 0.0]])
    assert auc_matrix(ratings, truth)[0] == 0.75
    # Of the diseased: 1 and 0.5, variance 0.125; of the healthy the same.
    assert auc_covariances(ratings, truth, "delong")[0, 0] == pytest.approx(0.125 / 2 + 0.125 / 2)


def test_more_readers_than_two_arms_know_nothing_of_order(van_dyke):
    ratings, truth = van_dyke
    order = np.random.default_rng(0).permutation(ratings.shape[1])
    cases = np.random.default_rng(1).permutation(ratings.shape[2])
    again = compare_arms(ratings[:, order][:, :, cases], truth[cases])
    assert again.readers_and_cases.p == pytest.approx(compare_arms(ratings, truth).readers_and_cases.p)
    turned = compare_arms(ratings[::-1], truth).readers_and_cases
    assert turned.difference == pytest.approx(-compare_arms(ratings, truth).readers_and_cases.difference)


def test_the_test_keeps_its_level():
    """Of studies without a difference about one in twenty says that there is one."""
    random = np.random.default_rng(7)
    truth = np.arange(60) < 30
    said = []
    for _ in range(300):
        case = random.normal(size=60) + 1.2 * truth
        ratings = case + random.normal(scale=0.5, size=(1, 5, 60)) + random.normal(scale=0.8, size=(2, 5, 60))
        said.append(compare_arms(ratings, truth).readers_and_cases.p < 0.05)
    assert 0.01 <= np.mean(said) <= 0.09


# ---- degenerate studies ----


def test_readers_who_are_always_right_in_both_arms():
    truth = np.arange(8) < 4
    found = compare_arms(np.broadcast_to(truth.astype(float), (2, 3, 8)), truth)
    assert found.readers_and_cases.difference == 0
    assert found.readers_and_cases.p is None and found.readers_and_cases.low is None
    assert found.arms[0].value == 1


def test_both_arms_the_same(van_dyke):
    ratings, truth = van_dyke
    found = compare_arms(np.stack([ratings[0], ratings[0]]), truth)
    assert found.readers_and_cases.difference == 0
    assert found.these_cases.p is None
    for test in (found.readers_and_cases, found.these_readers):
        assert test.p is None or test.p == pytest.approx(1)


def test_readers_who_say_the_same_of_all_cases():
    truth = np.arange(8) < 4
    found = compare_arms(np.ones((2, 3, 8)), truth)
    assert found.areas == pytest.approx(0.5)
    assert found.readers_and_cases.p is None


def test_every_number_is_finite_or_none():
    """Whatever readers do with three steps of a scale, no number is NaN."""
    random = np.random.default_rng(3)
    truth = np.arange(10) < 5
    for _ in range(100):
        found = compare_arms(random.integers(0, 3, (2, 2, 10)), truth)
        for test in (found.readers_and_cases, found.these_readers, found.these_cases):
            numbers = [v for v in vars(test).values() if isinstance(v, float)]
            assert np.isfinite(numbers).all()
            assert test.p is None or 0 <= test.p <= 1


TRUTH = np.arange(8) < 4


@pytest.mark.parametrize(
    ("ratings", "truth", "words"),
    [
        (np.ones((2, 1, 8)), TRUTH, "Expected two or more"),
        (np.ones((3, 2, 8)), TRUTH, "2 arms"),
        (np.ones((2, 2, 7)), TRUTH, "cases"),
        (np.ones((2, 8)), TRUTH, "2 arms"),
        (np.ones((2, 2, 8)), np.ones(8, bool), "without"),
        (np.ones((2, 2, 8)), np.zeros(8, bool), "0 cases with the disease"),
        (np.ones((2, 2, 8)), np.arange(8) < 1, "Expected two or more of each"),
        (np.full((2, 2, 8), np.nan), TRUTH, "32 ratings are missing"),
        (np.full((2, 2, 8), np.inf), TRUTH, "not finite"),
    ],
)
def test_studies_that_cannot_be_analysed(ratings, truth, words):
    with pytest.raises(ValueError, match=words):
        compare_arms(ratings, truth)


def test_an_unknown_way_to_estimate_covariances(van_dyke):
    with pytest.raises(ValueError, match="jackknife, delong"):
        compare_arms(*van_dyke, "guess")
