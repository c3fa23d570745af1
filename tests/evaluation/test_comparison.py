"""Two models on the same photos."""

import pytest
from made_up import made_up_results

from core.evaluation.comparison import COMPARED, compare_results
from core.evaluation.statistics.bootstrap import paired_difference


def test_comparison_counts_and_differences(tmp_path):
    a, b = made_up_results(tmp_path / "a", skill=3), made_up_results(tmp_path / "b", seed=1, skill=1.5)
    found = compare_results(a, b, resamples=40)
    right_a, right_b = a.y_pred == a.y_true, b.y_pred == b.y_true
    assert (found.only_a, found.only_b) == ((right_a & ~right_b).sum(), (right_b & ~right_a).sum())
    assert found.only_a + found.only_b + found.both + found.neither == len(a.table)
    assert set(found.differences) == set(COMPARED)
    accuracy = found.differences["accuracy"]
    assert accuracy.value == pytest.approx(right_a.mean() - right_b.mean())
    assert accuracy.value == pytest.approx((found.only_a - found.only_b) / len(a.table))
    assert accuracy == paired_difference("accuracy", a.table, b.table, resamples=40)
    assert len(found.disagreements) == (a.y_pred != b.y_pred).sum()
    assert found.p < 0.01 and found.p_by_photo < 0.01


def test_a_model_does_not_differ_from_itself(tmp_path):
    a = made_up_results(tmp_path / "a")
    found = compare_results(a, a, resamples=20)
    assert (
        found.p == found.p_by_photo == 1 and not len(found.disagreements) and found.differences["accuracy"].value == 0
    )


def test_shipped_models_are_judged_by_lesion():
    """Photos of one lesion lean alike, so counted by photo the two differ more than they do: 106 photos against 84, 0.13 and not 0.17."""
    from pathlib import Path

    from core.card import read_card
    from core.evaluation.results import InvalidResults, read_results

    weights = Path(__file__).resolve().parents[2] / "weights"
    try:
        a, b = (read_results(weights / n, read_card(weights / n)) for n in ("EfficientNetB0", "MobileNetV2"))
    except InvalidResults as error:
        pytest.skip(str(error))
    found = compare_results(a, b, resamples=20)
    assert found.p > found.p_by_photo
