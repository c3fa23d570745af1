"""Errors against how lesions look, on made-up lesions whose colour does, or does not, make the errors."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from core.diagnoses import CODES
from core.evaluation.melanoma_looks import PROPERTIES, REGRESSED, LookErrors, _logistic, claim_words

MEL, NV = CODES.index("mel"), CODES.index("nv")
N = 600


def made_up(colour_matters: bool):
    """Every third a melanoma, every sixth lesion black; where colour matters, black nevi score high."""
    rng = np.random.default_rng(1)
    melanoma, black = np.arange(N) % 3 == 0, np.arange(N) % 6 < 2
    score = np.clip(
        0.3 + 0.3 * melanoma + 0.25 * (black & ~melanoma) * colour_matters + rng.normal(0, 0.12, N), 0.01, 0.99
    )
    probabilities = np.zeros((N, 7))
    probabilities[:, MEL], probabilities[:, NV] = score, 1 - score
    ids = [f"I{i}" for i in range(N)]
    results = SimpleNamespace(
        y_true=np.where(melanoma, MEL, NV),
        probabilities=probabilities,
        lesions=np.array([f"L{i // 2}" for i in range(N)]),
        table=pd.DataFrame({"image_id": ids}),
    )
    looks = pd.DataFrame({name: rng.normal(0, 1, N) for name in PROPERTIES}, index=pd.Index(ids, name="image_id"))
    looks["lightness"] = np.where(black, 20.0, 50.0) + rng.normal(0, 3, N)
    looks["blue"] = np.where(np.arange(N) % 4 == 0, 0.3, 0.0)
    looks["colour"] = np.where(black, "black", "brown")
    return results, looks


@pytest.fixture(scope="module")
def guilty():
    return LookErrors(*made_up(True), 0.5, resamples=200)


@pytest.fixture(scope="module")
def innocent():
    return LookErrors(*made_up(False), 0.5, resamples=200)


def test_fifths_hold_every_photo_once_and_count_plainly(guilty):
    groups = guilty.by_fifth("lightness")
    assert len(groups) == 5 and sum(g.nevi for g in groups) == 400 and sum(g.melanomas for g in groups) == 200
    rows = guilty.looks.lightness <= groups[0].high
    nevi = rows & ~guilty.melanoma
    assert groups[0].alarms.value == pytest.approx(guilty.called[nevi].mean(), abs=0.02)
    for group in groups:
        assert group.alarms.low <= group.alarms.value <= group.alarms.high
    assert len(guilty.by_fifth("blue")) < 5, "most lesions have none"
    assert {g.name for g in guilty.by_colour()} == {"black", "brown"}
    with pytest.raises(ValueError, match="Unknown property"):
        guilty.by_fifth("smell")


def test_the_claim_is_found_where_it_is_true_and_not_where_it_is_not(guilty, innocent):
    claim = guilty.black_claim()
    black = (guilty.looks.colour == "black").to_numpy() & ~guilty.melanoma
    other = (guilty.looks.colour != "black").to_numpy() & ~guilty.melanoma
    assert claim.alarm_difference.value == pytest.approx(guilty.called[black].mean() - guilty.called[other].mean())
    assert claim.alarm_difference.low > 0 and "indeed taken for melanoma more often" in claim_words(claim)
    assert claim.of_nevi == pytest.approx(black.sum() / 400)
    assert "is not shown" in claim_words(innocent.black_claim())
    none = dataclasses.replace(claim, black=dataclasses.replace(claim.black, nevi=0))
    assert "cannot be tested" in claim_words(none)


def test_the_regression_blames_the_right_property(guilty, innocent):
    ratios = guilty.odds_ratios("alarms")
    assert set(ratios) == set(REGRESSED) and ratios["lightness"].high < 1, "darker, more false alarms"
    assert ratios["contrast"].low < 1 < ratios["contrast"].high
    free = innocent.odds_ratios("alarms")
    assert not free or free["lightness"].low < 1 < free["lightness"].high


def test_logistic_regression_agrees_with_scikit_learn():
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(0)
    x = np.column_stack([np.ones(300), rng.normal(size=(300, 2))])
    y = (rng.random(300) < 1 / (1 + np.exp(-(0.5 + x[:, 1] - 0.7 * x[:, 2])))).astype(float)
    weights = np.vstack([np.ones(300), rng.integers(0, 3, 300)])
    found = _logistic(x, y, weights)
    for row, weight in zip(found, weights, strict=True):
        model = LogisticRegression(C=2.0, tol=1e-8).fit(x[:, 1:], y, sample_weight=weight)
        assert row == pytest.approx([*model.intercept_, *model.coef_[0]], abs=1e-3)


def test_a_table_of_other_lesions_is_refused():
    results, looks = made_up(True)
    with pytest.raises(ValueError, match="core data lesions"):
        LookErrors(results, looks.rename(index=lambda i: f"other {i}"), 0.5, resamples=10)
    half = LookErrors(results, looks.iloc[: N // 2], 0.5, resamples=10)
    assert half.unmeasured == N // 2
