"""Two models on the same photos."""

import pytest
from made_up import made_up_results

from core.evaluation.bootstrap import paired_difference
from core.evaluation.comparison import COMPARED, compare_results, mcnemar


@pytest.mark.parametrize(
    "only_a, only_b, p",
    # By hand: 2 * (1 + 5) / 32; both ends of a balanced pair; nothing to tell apart.
    [(1, 4, 0.375), (0, 5, 0.0625), (3, 3, 1.0), (0, 0, 1.0), (0, 10, 2 / 1024)],
)
def test_mcnemar_by_hand(only_a, only_b, p):
    assert mcnemar(only_a, only_b) == mcnemar(only_b, only_a) == pytest.approx(p)


def test_mcnemar_takes_many_photos():
    assert mcnemar(1000, 1001) == 1.0 and 0 <= mcnemar(700, 1300) < 1e-17


def test_comparison_counts_and_differences(tmp_path):
    a, b = made_up_results(tmp_path / "a", skill=3), made_up_results(tmp_path / "b", seed=1, skill=1.5)
    found = compare_results(a, b, resamples=40)
    right_a, right_b = a.y_pred == a.y_true, b.y_pred == b.y_true
    assert (found.only_a, found.only_b) == ((right_a & ~right_b).sum(), (right_b & ~right_a).sum())
    assert found.only_a + found.only_b + found.both + found.neither == len(a.table)
    assert set(found.differences) == set(COMPARED)
    accuracy = found.differences["accuracy"]
    assert accuracy["value"] == pytest.approx(right_a.mean() - right_b.mean())
    assert accuracy["value"] == pytest.approx((found.only_a - found.only_b) / len(a.table))
    assert accuracy == paired_difference("accuracy", a.table, b.table, resamples=40)
    assert len(found.disagreements) == (a.y_pred != b.y_pred).sum()
    assert found.mcnemar < 0.01


def test_a_model_does_not_differ_from_itself(tmp_path):
    a = made_up_results(tmp_path / "a")
    found = compare_results(a, a, resamples=20)
    assert found.mcnemar == 1 and not len(found.disagreements) and found.differences["accuracy"]["value"] == 0
