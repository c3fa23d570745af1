"""Two models on the same photos."""

import numpy as np
import pandas as pd
import pytest
from made_up import made_up_results

from core.evaluation.comparison import COMPARED, compare_results
from core.evaluation.results import Results
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


def test_a_second_photo_of_each_lesion_is_no_new_evidence(tmp_path):
    def doubled(results):
        again = results.table.assign(image_id="again " + results.table.image_id)
        table = pd.concat([results.table, again], ignore_index=True)
        twice = [np.concatenate([part, part]) for part in (results.y_true, results.y_pred, results.probabilities)]
        return Results(results.evaluation, table, *twice)

    a, b = made_up_results(tmp_path / "a", skill=2.2), made_up_results(tmp_path / "b", seed=1, skill=2)
    once = compare_results(a, b, resamples=20)
    twice = compare_results(doubled(a), doubled(b), resamples=20)
    assert twice.p == pytest.approx(once.p) and twice.p_by_photo < once.p_by_photo
