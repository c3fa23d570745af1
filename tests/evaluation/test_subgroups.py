"""Groups of photos, their scores recomputed from rows alone, and the small ones that must be named."""

import math

import pytest
from made_up import made_up_results

from core.diagnoses import CODES
from core.evaluation.metrics import scores
from core.evaluation.subgroups import GROUPINGS, age_band, subgroup_scores


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return made_up_results(tmp_path_factory.mktemp("groups") / "MadeUp")


@pytest.mark.parametrize(
    "age, band", [(0, "0 to 29"), (29, "0 to 29"), (30, "30 to 44"), (85, "75 and older"), (math.nan, "unknown")]
)
def test_age_bands(age, band):
    assert age_band(age) == band


@pytest.mark.parametrize("grouping", GROUPINGS)
def test_every_photo_is_in_one_group(results, grouping):
    rows = subgroup_scores(results, grouping, resamples=30)
    assert sum(row.photos for row in rows) == len(results.table)
    for row in rows:
        for score in (row.accuracy, row.balanced_accuracy, row.melanoma_sensitivity):
            assert score.value is None or score.low <= score.value <= score.high


def test_scores_are_those_of_the_rows(results):
    row = next(r for r in subgroup_scores(results, "Sex", resamples=30) if r.name == "female")
    there = (results.table.sex == "female").to_numpy()
    expected = scores(results.y_true[there], results.probabilities[there])
    assert row.accuracy.value == pytest.approx(expected["accuracy"])
    assert row.balanced_accuracy.value == pytest.approx(expected["balanced_accuracy"])
    assert row.melanoma_sensitivity.value == pytest.approx(expected["per_class"]["mel"]["sensitivity"])
    assert row.melanoma_specificity.value == pytest.approx(expected["per_class"]["mel"]["specificity"])
    assert row.melanomas == results.table.lesion_id[there & (results.y_true == CODES.index("mel"))].nunique()


def test_small_groups_are_named(results):
    rows = {row.name: row for row in subgroup_scores(results, "Body site", resamples=30)}
    assert rows["ear"].warning.startswith(f"Only {rows['ear'].lesions} lesions") and not rows["back"].warning


def test_unknown_grouping(results):
    with pytest.raises(ValueError, match="Expected one of: Age band"):
        subgroup_scores(results, "Shoe size")
