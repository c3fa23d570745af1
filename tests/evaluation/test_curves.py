"""Curves against scikit-learn's, their bands, and hand-made calibration."""

import numpy as np
import pytest
from made_up import made_up_results
from sklearn.metrics import auc, precision_recall_curve, roc_curve

from core.diagnoses import CODES
from core.evaluation.curves import precision_recall, reliability, roc, row_shares, score_distribution


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return made_up_results(tmp_path_factory.mktemp("curves") / "MadeUp")


@pytest.mark.parametrize("code", ["mel", "nv", "df"])
def test_roc_is_scikit_learns_and_has_the_reported_area(results, code):
    curve, c = roc(results, code, resamples=60), CODES.index(code)
    x, y, _ = roc_curve(results.y_true == c, results.probabilities[:, c], drop_intermediate=False)
    np.testing.assert_allclose(curve.x, x)
    np.testing.assert_allclose(curve.y, y)
    assert auc(curve.x, curve.y) == pytest.approx(results.evaluation.per_class[code]["auc"].value)
    assert (curve.low <= curve.high).all() and curve.low[0] == 0 and curve.high[-1] == 1
    inside = (np.interp(curve.grid, x, y) >= curve.low - 1e-9) & (np.interp(curve.grid, x, y) <= curve.high + 1e-9)
    assert inside[1:].mean() > 0.9


def test_precision_recall_is_scikit_learns(results):
    curve, c = precision_recall(results, "mel", resamples=60), CODES.index("mel")
    precision, recall, _ = precision_recall_curve(results.y_true == c, results.probabilities[:, c])
    # scikit-learn begins with the loosest threshold and adds a last point of recall 0.
    np.testing.assert_allclose(curve.x, recall[:-1][::-1])
    np.testing.assert_allclose(curve.y, precision[:-1][::-1])
    assert curve.baseline == pytest.approx((results.y_true == c).mean())
    assert (curve.low <= curve.high).all() and curve.low[-1] <= curve.baseline * 1.5


def test_the_operating_point_is_that_of_the_table(results):
    row = results.evaluation.under("likeliest").per_class["mel"]
    x, y = roc(results, "mel", resamples=10).point
    assert (1 - x, y) == pytest.approx((row["specificity"].value, row["sensitivity"].value))
    x, y = precision_recall(results, "mel", resamples=10).point
    assert (x, y) == pytest.approx((row["sensitivity"].value, row["precision"].value))


def test_a_class_that_is_absent_has_no_curve(results):
    from dataclasses import replace

    without = replace(results, y_true=np.where(results.y_true == 3, 5, results.y_true))
    assert roc(without, "df") is None and precision_recall(without, "df") is None


def test_reliability_adds_up_to_the_calibration_error(results):
    bins = reliability(results)
    photos = sum(b.photos for b in bins)
    assert photos == results.evaluation.photos
    gap = sum(b.photos * abs(b.accuracy - b.confidence) for b in bins) / photos
    assert gap == pytest.approx(results.evaluation.metrics["ece"].value)


def test_score_shares_add_up_to_one(results):
    edges, of_class, others = score_distribution(results, "mel")
    assert len(edges) == 21 and of_class.sum() == pytest.approx(1) and others.sum() == pytest.approx(1)


def test_row_shares_by_hand():
    counts = np.zeros((7, 7))
    counts[4, 4], counts[4, 5] = 3, 1
    shares = row_shares(counts)
    assert shares[4, 4] == 0.75 and shares[4, 5] == 0.25 and np.isnan(shares[0]).all()
