"""p values of paired comparisons, against worked examples and against one another."""

import itertools

import numpy as np
import pytest
from scipy.stats import chi2, false_discovery_control

from core.evaluation.statistics.significance import bootstrap_p, clustered_mcnemar, holm, mcnemar


@pytest.mark.parametrize(
    "only_a, only_b, p",
    # By hand: 2 * (1 + 5) / 32; both ends of a balanced pair; nothing to tell apart.
    [(1, 4, 0.375), (0, 5, 0.0625), (3, 3, 1.0), (0, 0, 1.0), (0, 10, 2 / 1024)],
)
def test_mcnemar_by_hand(only_a, only_b, p):
    assert mcnemar(only_a, only_b) == mcnemar(only_b, only_a) == pytest.approx(p)


def test_mcnemar_takes_many_photos():
    assert mcnemar(1000, 1001) == pytest.approx(1) and 0 <= mcnemar(700, 1300) < 1e-17


def photos(leaning: list[int], shared: int = 0) -> tuple:
    """Photos of lesions, each with |d| photos that only one model got right, and `shared` photos a lesion that both did."""
    rows = [(d > 0, d < 0, k) for k, d in enumerate(leaning) for _ in range(abs(d))]
    rows += [(True, True, k) for k in range(len(leaning)) for _ in range(shared)]
    a, b, lesions = zip(*rows, strict=True)
    return np.array(a), np.array(b), lesions


def test_clustered_mcnemar_by_hand():
    # Thirty lesions lean to a, twelve of them by 3 photos; sixteen lean to b, two of them by 2:
    # sum 18 + 36 - 14 - 4 = 36, squares 18 + 108 + 14 + 8 = 148, chi-squared 1296 / 148 = 8.757.
    leaning = [1] * 18 + [3] * 12 + [-1] * 14 + [-2] * 2
    expected = chi2.sf(1296 / 148, 1)
    assert expected == pytest.approx(0.0031, abs=5e-5)
    assert clustered_mcnemar(*photos(leaning)) == pytest.approx(expected)
    assert clustered_mcnemar(*photos([-d for d in leaning], shared=2)) == pytest.approx(expected)
    # By photo, the same table of 54 against 18 looks far surer than it is.
    assert mcnemar(54, 18) < 3e-5


def test_with_one_photo_a_lesion_it_is_mcnemars_test():
    # Many: chi-squared without a correction, (b - c)^2 / (b + c). Few: the exact test.
    a, b, lesions = photos([1] * 40 + [-1] * 22, shared=1)
    assert clustered_mcnemar(a, b, lesions) == pytest.approx(chi2.sf(18**2 / 62, 1))
    for only_a, only_b in itertools.product(range(8), repeat=2):
        if only_a + only_b:
            few = photos([1] * only_a + [-1] * only_b)
            assert clustered_mcnemar(*few) == pytest.approx(mcnemar(only_a, only_b))


def test_few_lesions_are_counted_out():
    # Two lesions of 3 photos each: of four ways to lean, two lean as far. By photo this would be 2 / 64.
    assert clustered_mcnemar(*photos([3, 3])) == 0.5 and mcnemar(6, 0) == 2 / 64
    # d of 2, 1, -1: sums of eight ways are 4, 2, 2, 0 and their negatives; six are as far out as 2.
    assert clustered_mcnemar(*photos([2, 1, -1])) == 0.75
    assert clustered_mcnemar(np.ones(4, bool), np.ones(4, bool), "aabb") == 1


def test_it_is_right_as_often_as_it_says_where_photos_go_together():
    rng = np.random.default_rng(0)
    said, by_photo = [], []
    for _ in range(400):
        # Neither model is better; a lesion's four photos lean alike.
        leaning = rng.choice([-1, 0, 0, 1], 150)
        a, b = np.repeat(leaning > 0, 4), np.repeat(leaning < 0, 4)
        said.append(clustered_mcnemar(a, b, np.repeat(np.arange(150), 4)) < 0.05)
        by_photo.append(mcnemar(a.sum(), b.sum()) < 0.05)
    assert np.mean(said) < 0.08 and np.mean(by_photo) > 0.2


def test_a_bootstrap_cannot_show_more_than_its_resamples():
    assert bootstrap_p(np.ones(1000)) == pytest.approx(2 / 1001)
    assert bootstrap_p(np.r_[np.ones(96), -np.ones(3)]) == pytest.approx(2 * 4 / 100)
    assert bootstrap_p(np.zeros(9)) == 1 and bootstrap_p(np.full(3, np.nan)) is None
    assert bootstrap_p(np.r_[np.nan, np.ones(9)]) == pytest.approx(0.2)


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.2, None, 0.5]) == pytest.approx([0.6, 1, 1]) and holm([]) == []
    # Never below the false discovery rate's correction, never above Bonferroni's.
    p = np.random.default_rng(0).random(20) ** 3
    assert (np.array(holm(p)) >= false_discovery_control(p) - 1e-12).all()
    assert (np.array(holm(p)) <= np.minimum(1, 20 * p) + 1e-12).all()
