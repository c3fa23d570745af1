"""Intervals resample lesions, hold their value, and say when a difference is none."""

import time

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from core.diagnoses import CODES, index_of
from core.estimates import Difference, Estimate
from core.evaluation.metrics import scores
from core.evaluation.statistics.bootstrap import (
    lesion_bootstrap,
    paired_difference,
    resample_lesions,
    wilson,
    with_interval,
)

NV, VASC = index_of("nv"), index_of("vasc")


def some_predictions(photos: int, seed: int = 0, skill: float = 1.5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y_true = np.append(rng.choice(7, photos - 7), range(7))
    weights = rng.gamma(1.0, size=(photos, 7)) + skill * np.eye(7)[y_true]
    return y_true, weights / weights.sum(axis=1, keepdims=True)


def as_table(y_true: np.ndarray, probabilities: np.ndarray, lesions=None) -> pd.DataFrame:
    ids = [f"ISIC_{n}" for n in range(len(y_true))]
    table = pd.DataFrame(
        {"image_id": ids, "dx": [CODES[c] for c in y_true], **dict(zip(CODES, probabilities.T, strict=True))}
    )
    return table if lesions is None else table.assign(lesion_id=lesions)


def width(entry: dict) -> float:
    return entry.high - entry.low


def test_photos_of_a_lesion_are_drawn_together():
    weights = resample_lesions(["a", "b", "a", "c", "b"], resamples=200, seed=1)
    assert weights.shape == (200, 5)
    assert (weights[:, 0] == weights[:, 2]).all()
    assert (weights[:, 1] == weights[:, 4]).all()
    assert (weights[:, [0, 1, 3]].sum(axis=1) == 3).all()
    assert weights[:, 0].mean() == pytest.approx(1, abs=0.15)


def test_the_seed_decides():
    draws = [resample_lesions("abcdefgh", resamples=20, seed=seed) for seed in (1, 1, 2)]
    assert (draws[0] == draws[1]).all()
    assert (draws[0] != draws[2]).any()


def test_copies_of_photos_do_not_narrow_an_interval():
    y_true, probabilities = some_predictions(120)
    four_times = np.repeat(np.arange(120), 4)
    single = lesion_bootstrap(y_true, probabilities, range(120))
    by_lesion = lesion_bootstrap(y_true[four_times], probabilities[four_times], four_times)
    by_photo = lesion_bootstrap(y_true[four_times], probabilities[four_times], range(480))
    for name in ("accuracy", "balanced_accuracy", "auc_macro"):
        assert width(by_lesion[name]) == pytest.approx(width(single[name]), rel=0.02)
        assert width(by_lesion[name]) > 1.6 * width(by_photo[name])


def test_interval_of_a_proportion_is_as_wide_as_theory_says():
    y_true = np.full(400, NV)
    probabilities = np.eye(7)[np.where(np.arange(400) < 320, NV, VASC)]
    found = lesion_bootstrap(y_true, probabilities, range(400), resamples=2000)["accuracy"]
    assert found.value == 0.8
    assert width(found) == pytest.approx(2 * 1.96 * np.sqrt(0.8 * 0.2 / 400), rel=0.1)


@pytest.mark.parametrize("photos", [14, 60, 300])
def test_every_interval_holds_its_value(photos):
    y_true, probabilities = some_predictions(photos, seed=photos)
    found = lesion_bootstrap(y_true, probabilities, np.arange(photos) // 2, resamples=300)
    entries = [entry for name, entry in found.items() if name != "per_class"]
    entries += [entry for row in found["per_class"].values() for entry in row.values()]
    assert len(entries) > 50
    for entry in entries:
        assert entry.low <= entry.value <= entry.high


def test_all_right_is_not_certainty():
    y_true = np.array([NV] * 20 + [VASC] * 14)
    found = lesion_bootstrap(
        y_true, np.eye(7)[y_true], [f"nv{n}" for n in range(20)] + [f"vasc{n // 2}" for n in range(14)]
    )
    vasc = found["per_class"]["vasc"]["sensitivity"]
    assert vasc == Estimate(1.0, pytest.approx(wilson(1.0, 7)[0]), 1.0)
    assert vasc.low < 0.7


def test_wilson_by_hand():
    # docs/reproduction.md, section 7: vasc 14/14 is 0.78-1, df 7/12 is 0.32-0.81.
    assert wilson(1.0, 14) == pytest.approx((0.785, 1.0), abs=1e-3)
    assert wilson(7 / 12, 12) == pytest.approx((0.320, 0.807), abs=1e-3)
    assert all(wilson(0.0, n)[0] == 0.0 for n in range(1, 200))
    assert all(wilson(1.0, n)[1] == 1.0 for n in range(1, 200))


@pytest.mark.parametrize("n", [1, 2, 7, 14, 30, 411])
def test_wilson_is_that_of_scipy(n):
    """Of whole counts alone: a share of photos over lesions is none, which is why SciPy's cannot take its place."""
    for k in sorted({0, 1, n // 3, n // 2, n - 1, n}):
        ends = stats.binomtest(k, n).proportion_ci(0.95, "wilson")
        assert wilson(k / n, n) == pytest.approx((ends.low, ends.high), abs=1e-12)


def test_absent_classes_have_no_interval():
    y_true, probabilities = some_predictions(100)
    kept = y_true != VASC
    found = lesion_bootstrap(y_true[kept], probabilities[kept], np.flatnonzero(kept), resamples=50)
    assert found["per_class"]["vasc"]["sensitivity"] == Estimate(None)
    assert found["per_class"]["vasc"]["auc"] == Estimate(None)


def test_undefined_resamples_are_left_out():
    some = with_interval(0.5, np.array([np.nan, 0.4, 0.6, np.nan]))
    assert some == Estimate(0.5, pytest.approx(0.405), pytest.approx(0.595))
    assert with_interval(0.5, np.full(3, np.nan)) == Estimate(0.5)


def test_lesions_that_do_not_fit_are_refused():
    y_true, probabilities = some_predictions(20)
    with pytest.raises(ValueError, match="19 lesion ids for 20 photos"):
        lesion_bootstrap(y_true, probabilities, range(19))


def test_a_thousand_resamples_cost_far_less_than_a_thousand_scores():
    y_true, probabilities = some_predictions(2000)
    start = time.process_time()
    for _ in range(5):
        scores(y_true, probabilities)
    once = (time.process_time() - start) / 5
    start = time.process_time()
    lesion_bootstrap(y_true, probabilities, np.arange(2000) // 1.35)
    # About ten times, one second on an idle core. Processor time and a wide bound, since machines are shared.
    assert time.process_time() - start < 100 * once


def test_a_model_does_not_differ_from_itself():
    table = as_table(*some_predictions(60), lesions=[str(n // 2) for n in range(60)])
    shuffled = table.sample(frac=1, random_state=0)
    found = paired_difference("balanced_accuracy", table, shuffled, resamples=100)
    assert found == Difference(0, 0, 0, 1)


def test_pairing_narrows_the_interval_of_a_difference():
    y_true, probabilities = some_predictions(300)
    better = 0.7 * probabilities + 0.3 * np.eye(7)[y_true]
    lesions = [str(n // 2) for n in range(300)]
    a, b = as_table(y_true, better, lesions), as_table(y_true, probabilities, lesions)
    found = paired_difference("accuracy", a, b)
    assert found.value > 0
    assert found.low > 0
    assert found.p == pytest.approx(2 / 1001)
    backward = paired_difference("accuracy", b, a)
    assert (backward.value, backward.low) == pytest.approx((-found.value, -found.high))
    other = as_table(*some_predictions(300, seed=0, skill=1.4), lesions=lesions)
    apart = (
        sum(width(lesion_bootstrap(y_true, t[list(CODES)].to_numpy(), lesions)["auc_macro"]) ** 2 for t in (b, other))
        ** 0.5
    )
    assert width(paired_difference("auc_macro", b, other)) < 0.7 * apart


def test_lesions_may_come_from_elsewhere():
    y_true, probabilities = some_predictions(40)
    lesions = [str(n // 2) for n in range(40)]
    with_ids, without = as_table(y_true, probabilities, lesions), as_table(y_true, probabilities)
    mapping = dict(zip(without.image_id, lesions, strict=True))
    better = as_table(y_true, np.eye(7)[y_true], lesions)
    expected = paired_difference("mel.sensitivity", better, with_ids, resamples=50)
    found = paired_difference(
        "mel.sensitivity", better.drop(columns="lesion_id"), without, lesions=mapping, resamples=50
    )
    assert found == expected


def test_comparisons_that_are_none_are_refused():
    y_true, probabilities = some_predictions(20)
    lesions = [str(n) for n in range(20)]
    table = as_table(y_true, probabilities, lesions)
    relabelled = table.assign(dx=["nv"] * 20)
    for other, metric, said in (
        (table.iloc[:15], "accuracy", "5 stand in one table only"),
        (relabelled, "accuracy", "different diagnoses"),
        (table.drop(columns="lesion_id"), "accuracy", "no lesion_id"),
        (pd.concat([table, table]), "accuracy", "more than once"),
        (table, "niceness", "Unknown metric 'niceness'"),
    ):
        with pytest.raises(ValueError, match=said):
            paired_difference(metric, table, other, resamples=10)
