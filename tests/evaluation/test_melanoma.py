"""Melanoma against nevus, by hand and against the plain scores."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from made_up import CARD, made_up_results, made_up_table, write_made_up

from core.diagnoses import CODES
from core.evaluation.melanoma import Duel, find_threshold, melanoma_scores, operating_threshold

MEL, NV = CODES.index("mel"), CODES.index("nv")


def results_of(melanomas, nevi, others=()):
    """Photos with these probabilities of melanoma, each a lesion of its own; the rest of the probability is nevus."""
    y_true = np.array([MEL] * len(melanomas) + [NV] * len(nevi) + [0] * len(others))
    probabilities = np.zeros((len(y_true), 7))
    probabilities[:, MEL] = [*melanomas, *nevi, *others]
    probabilities[:, NV] = 1 - probabilities[:, MEL]
    return SimpleNamespace(
        y_true=y_true, probabilities=probabilities, lesions=np.array([f"L{i}" for i in range(len(y_true))])
    )


HAND = results_of([0.9, 0.6, 0.4, 0.2], [0.7, 0.3, 0.2, 0.1, 0.05], [0.99, 0.99])


@pytest.fixture(scope="module")
def made_up(tmp_path_factory):
    return made_up_results(tmp_path_factory.mktemp("made up"))


def test_the_two_by_two_by_hand():
    found = Duel(HAND, resamples=20).at(0.4)
    assert (found.found, found.missed, found.alarms, found.spared) == (3, 1, 1, 4)
    assert found.sensitivity.value == 0.75 and found.specificity.value == 0.8
    assert found.sensitivity.low <= 0.75 <= found.sensitivity.high
    everything = Duel(HAND, resamples=20).at(0)
    assert (everything.missed, everything.spared) == (0, 0)
    assert everything.sensitivity.high == 1 and everything.sensitivity.low < 1, "four of four is not certainty"


def test_predictive_values_are_bayes_theorem():
    found = Duel(HAND, resamples=50).predictive(0.4, 0.1)
    assert found.ppv.value == pytest.approx(0.1 * 0.75 / (0.1 * 0.75 + 0.9 * 0.2))
    assert found.npv.value == pytest.approx(0.9 * 0.8 / (0.9 * 0.8 + 0.1 * 0.25))
    assert found.nevi_per_melanoma.value == pytest.approx(0.9 * 0.2 / (0.1 * 0.75))
    assert found.missed_per_1000.value == pytest.approx(25)
    own = Duel(HAND, resamples=50)
    at, at_own = own.at(0.4), own.predictive(0.4, own.prevalence)
    assert at_own.ppv.value == pytest.approx(at.found / (at.found + at.alarms))
    assert at_own.nevi_per_melanoma.value == pytest.approx(at.alarms / at.found)
    nothing = own.predictive(1.0, 0.1)
    assert nothing.ppv.value is None and nothing.nevi_per_melanoma.value is None
    assert nothing.npv.high > nothing.npv.value > nothing.npv.low
    for wrong in (0, 1, -0.1):
        with pytest.raises(ValueError, match="prevalence"):
            own.predictive(0.4, wrong)


def test_the_decision_curve_by_hand():
    duel = Duel(HAND, resamples=50)
    curve = duel.decision_curve(duel.prevalence, 0.4, np.array([0.25, 0.5]))
    share = 4 / 9
    # At its own prevalence a decision at probability h is one at score h.
    assert curve.model[0] == pytest.approx(share * 3 / 4 - (1 - share) * (2 / 5) / 3)
    assert curve.fixed[1] == pytest.approx(share * 3 / 4 - (1 - share) * (1 / 5))
    assert curve.everything[1] == pytest.approx(share - (1 - share))
    assert (curve.low <= curve.model).all() and (curve.model <= curve.high).all()
    # Rarer melanoma: the same harm asks for a higher score. 1 in 100 and even odds is beyond all of them.
    rare = duel.decision_curve(0.01, 0.4, np.array([0.5]))
    assert rare.model[0] == 0 and rare.everything[0] < 0


def test_the_decision_curve_is_that_of_dcurves():
    """Net benefits that dcurves 1.1.7 gives for the same photos; it does not install beside pandas 3, so they stand here as numbers."""
    rng = np.random.default_rng(0)
    melanomas, nevi = np.round(rng.beta(3, 2, 30), 3), np.round(rng.beta(1, 4, 70), 3)
    duel = Duel(results_of(melanomas, nevi), resamples=20)
    curve = duel.decision_curve(duel.prevalence, 0.4, np.array([0.05, 0.1, 0.2, 0.35, 0.5]))
    assert curve.model == pytest.approx([0.266316, 0.244444, 0.21, 0.184615, 0.15], abs=1e-6)
    assert curve.everything == pytest.approx([0.263158, 0.222222, 0.125, -0.076923, -0.4], abs=1e-6)


def test_all_seven_probabilities_move_with_the_prevalence():
    # Two photos that are 0.4 melanoma: beside it the one has nevus, the other a keratosis, which prevalence does not touch.
    results = results_of([0.4, 0.4, 0.9], [0.4, 0.1, 0.1])
    for row in (1, 3):
        results.probabilities[row, [NV, 2]] = 0.1, 0.5
    duel = Duel(results, resamples=20)
    # Half as many melanomas, half again as many nevi: 0.4 beside nevus becomes 0.2 / (0.2 + 0.9), beside the keratosis
    # 0.2 / (0.2 + 0.15 + 0.5), and 0.9 becomes 0.45 / (0.45 + 0.15).
    assert duel.prevalence == 0.5
    between = (0.2 / 1.1 + 0.2 / 0.85) / 2
    curve = duel.decision_curve(0.25, 0.4, np.array([between]))
    odds = between / (1 - between)
    # Of the melanomas the first is left, of the nevi the one with a keratosis beside it is called: two-class odds would call both or none.
    assert curve.model[0] == pytest.approx(0.25 * 2 / 3 - 0.75 / 3 * odds)


def test_nobody_found_is_no_certainty():
    # Nevi alone are called: PPV 0, but three melanomas missed do not show that none is ever found.
    duel = Duel(results_of([0.1, 0.2, 0.3], [0.9] * 8 + [0.1] * 12), resamples=50)
    found = duel.predictive(0.8, 0.1)
    assert found.ppv.value == found.ppv.low == 0 and 0.1 < found.ppv.high < 0.9
    assert found.missed_per_1000.value == 100 and found.missed_per_1000.low < 50
    assert found.nevi_per_melanoma.value is None
    # And the reverse: every melanoma found, no nevus called.
    sure = Duel(results_of([0.9, 0.8], [0.2, 0.1, 0.1]), resamples=50)
    assert sure.auc().value == 1 and sure.auc().low < 0.5
    found = sure.predictive(0.5, 0.01)
    assert found.ppv.value == 1 and found.ppv.low < 0.05 and found.npv.low < found.npv.value == 1
    assert found.missed_per_1000.value == 0 < found.missed_per_1000.high
    assert found.nevi_per_melanoma.value == 0 < found.nevi_per_melanoma.high


def test_resamples_are_those_of_the_whole_evaluation(made_up):
    duel = Duel(made_up)
    assert duel.auc().value == pytest.approx(_plain_auc(made_up))
    pair = Duel(made_up, "pair")
    assert pair.auc().value == pytest.approx(made_up.evaluation.metrics["melanoma_nevus_auc"].value)
    for t in (0.1, 0.33, 0.8):
        called = melanoma_scores(made_up.probabilities) >= t
        assert duel.at(t).found == (called & (made_up.y_true == MEL)).sum()
        assert duel.at(t).alarms == (called & (made_up.y_true == NV)).sum()


def _plain_auc(results):
    from sklearn.metrics import roc_auc_score

    rows = np.isin(results.y_true, (MEL, NV))
    return roc_auc_score(results.y_true[rows] == MEL, results.probabilities[rows, MEL])


def test_the_roc_has_the_auc_as_its_area_and_lies_in_its_band(made_up):
    duel = Duel(made_up, resamples=200)
    grid = np.linspace(0, 1, 21)
    x, y, low, high = duel.roc(grid)
    assert np.trapezoid(y, x) == pytest.approx(duel.auc().value) and (np.diff(x) >= 0).all()
    inside = np.interp(grid, x, y)
    assert (low <= inside + 0.05).all() and (inside <= high + 0.05).all()


def test_the_operating_threshold_is_the_largest_that_keeps_the_sensitivity(made_up):
    assert operating_threshold(HAND) == 0.2, "nine of ten of four melanomas is all four"
    t = operating_threshold(made_up)
    duel = Duel(made_up, resamples=10)
    assert duel.at(t).sensitivity.value >= 0.9 > duel.at(t + 1e-9).sensitivity.value


def test_what_cannot_be_told_apart_is_said():
    with pytest.raises(ValueError, match="no nevus"):
        Duel(results_of([0.3], []))
    with pytest.raises(ValueError, match="No validation photo shows a melanoma"):
        operating_threshold(results_of([], [0.2]))
    with pytest.raises(ValueError, match="Unknown score"):
        Duel(HAND, "nv")


def test_a_models_operating_point_is_found_in_its_folder(tmp_path):
    folder = write_made_up(tmp_path / "MadeUp", made_up_table())
    assert find_threshold(folder, CARD) is None and find_threshold(folder, CARD, "pair") is None
    assert find_threshold(tmp_path, CARD) is None
    record = json.loads((folder / "evaluation.json").read_text())
    (folder / "evaluation.json").write_text(json.dumps(record | {"operating_point": {"threshold": 0.25}}))
    write_made_up(folder / "validation", made_up_table(seed=3))
    assert find_threshold(folder, CARD) == 0.25
    validation = made_up_results(tmp_path / "same", seed=3)
    assert find_threshold(folder, CARD, "pair") == operating_threshold(validation, "pair")
