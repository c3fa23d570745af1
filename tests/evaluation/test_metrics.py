"""Each score against a case worked by hand, and against scikit-learn."""

import numpy as np
import pytest
from sklearn import metrics as sk

from core.diagnoses import CODES, index_of
from core.evaluation.metrics import (
    absent_classes,
    calibration_bins,
    calibration_error,
    confusion,
    flatten,
    melanoma_against_nevus,
    scores,
)

MEL, NV, DF = index_of("mel"), index_of("nv"), index_of("df")


def certain(predicted: list[int], confidence: float = 0.7) -> np.ndarray:
    """Rows whose top class has `confidence`; the other six share the rest."""
    rows = np.full((len(predicted), 7), (1 - confidence) / 6)
    rows[np.arange(len(predicted)), predicted] = confidence
    return rows


def between(melanoma: list[float]) -> np.ndarray:
    """Rows that hesitate between melanoma and nevus only."""
    rows = np.zeros((len(melanoma), 7))
    rows[:, MEL], rows[:, NV] = melanoma, 1 - np.array(melanoma)
    return rows


def test_confusion_has_true_classes_in_rows():
    counts = confusion(np.array([MEL, MEL, NV]), np.array([NV, MEL, NV]))
    assert counts.shape == (7, 7)
    assert counts[MEL, NV] == 1
    assert counts[NV, MEL] == 0
    assert counts.sum() == 3


def test_counted_scores_by_hand():
    # True: 2 mel, 6 nv, 2 df. mel: 1 right, 1 called nv. nv: 5 right, 1 called mel. df: both called nv.
    y_true = np.array([MEL] * 2 + [NV] * 6 + [DF] * 2)
    found = scores(y_true, certain([MEL, NV] + [NV] * 5 + [MEL] + [NV] * 2))
    mel, nv, df = (found["per_class"][code] for code in ("mel", "nv", "df"))
    assert found["accuracy"] == pytest.approx(6 / 10)
    assert found["balanced_accuracy"] == pytest.approx((1 / 2 + 5 / 6 + 0) / 3)
    assert (mel["sensitivity"], mel["specificity"], mel["precision"]) == pytest.approx((1 / 2, 7 / 8, 1 / 2))
    assert (nv["sensitivity"], nv["specificity"], nv["precision"]) == pytest.approx((5 / 6, 1 / 4, 5 / 8))
    assert nv["f1"] == pytest.approx(2 * 5 / (2 * 5 + 3 + 1))
    assert (df["sensitivity"], df["precision"], df["f1"], df["specificity"]) == (0, 0, 0, 1)
    assert found["one_vs_rest_balanced_accuracy"] == pytest.approx((11 / 16 + 13 / 24 + 1 / 2) / 3)
    assert found["macro_precision"] == pytest.approx((1 / 2 + 5 / 8 + 0) / 3)
    assert found["majority_baseline"] == pytest.approx(6 / 10)
    # Agreement by chance: mel 2 x 2, nv 6 x 8, df 2 x 0, of 100.
    assert found["kappa"] == pytest.approx((0.60 - 0.52) / (1 - 0.52))


def test_f1_of_the_paper_s_own_confusion_matrix():
    # docs/reproduction.md, section 7: df in Fig. 11 has TP 11, FP 5, FN 1, TN 979; its printed formula would give 0.022.
    y_true = np.array([DF] * 12 + [NV] * 984)
    y_pred = [DF] * 11 + [NV] + [DF] * 5 + [NV] * 979
    assert scores(y_true, certain(y_pred))["per_class"]["df"]["f1"] == pytest.approx(22 / 28)


def test_auc_counts_pairs_and_halves_ties():
    # Pairs (mel, nv): 0.8 > 0.6, 0.8 > 0.4, 0.4 < 0.6, 0.4 = 0.4.
    y_true, probabilities = np.array([MEL, MEL, NV, NV]), between([0.8, 0.4, 0.6, 0.4])
    found = scores(y_true, probabilities)
    assert found["per_class"]["mel"]["auc"] == pytest.approx(2.5 / 4)
    assert found["melanoma_nevus_auc"] == pytest.approx(2.5 / 4)
    assert found["malignancy_auc"] == pytest.approx(2.5 / 4)
    assert found["auc_macro"] == pytest.approx(2.5 / 4)


def test_melanoma_against_nevus_ignores_other_classes():
    probabilities = certain([DF, DF, DF], 0.9)
    probabilities[2] = np.eye(7)[DF]
    assert melanoma_against_nevus(probabilities) == pytest.approx([0.5, 0.5, 0.5])
    probabilities[0, MEL], probabilities[0, NV] = 0.03, 0.01
    assert melanoma_against_nevus(probabilities)[0] == pytest.approx(0.75)


def test_operating_points_by_hand():
    # Ten nevi at 0.05, 0.15 ... 0.95; melanomas at 0.99, 0.9, 0.6, 0.2. One nevus (0.95) may stand above at 90 % specificity.
    y_true = np.array([NV] * 10 + [MEL] * 4)
    found = scores(y_true, between([*np.arange(0.05, 1, 0.1), 0.99, 0.9, 0.6, 0.2]))
    assert found["melanoma_sensitivity_at_90_specificity"] == pytest.approx(2 / 4)
    assert found["melanoma_sensitivity_at_95_specificity"] == pytest.approx(1 / 4)
    assert found["melanoma_specificity_at_90_sensitivity"] == pytest.approx(2 / 10)
    assert found["melanoma_specificity_at_95_sensitivity"] == pytest.approx(2 / 10)


def test_calibration_by_hand():
    # Four photos at 0.7, three right: |3/4 - 0.7|; two photos at 0.9, one right: |1/2 - 0.9|.
    y_true = np.array([MEL, MEL, MEL, NV, DF, NV])
    probabilities = np.vstack([certain([MEL] * 4, 0.7), certain([DF] * 2, 0.9)])
    assert calibration_error(y_true, probabilities) == pytest.approx((4 * 0.05 + 2 * 0.4) / 6)
    found = scores(y_true[:1], certain([MEL], 0.7))
    assert found["brier"] == pytest.approx(0.3**2 + 6 * 0.05**2)
    assert found["log_loss"] == pytest.approx(-np.log(0.7))


def test_calibration_bins_hold_their_upper_edge():
    assert calibration_bins(np.array([0.0, 1 / 15, 0.07, 0.5, 1.0])).tolist() == [0, 0, 1, 7, 14]


def test_probability_nought_for_the_truth_keeps_log_loss_finite():
    assert scores(np.array([MEL, NV]), between([0.0, 0.0]))["log_loss"] == pytest.approx(-np.log(2.0**-52) / 2)


def test_absent_classes_are_none_and_left_out_of_means():
    y_true = np.array([MEL, MEL, NV, NV])
    found = scores(y_true, certain([MEL, DF, NV, NV]))
    df = found["per_class"]["df"]
    assert (df["sensitivity"], df["precision"], df["f1"], df["auc"], df["average_precision"]) == (None,) * 5
    assert df["specificity"] == pytest.approx(3 / 4)
    assert found["balanced_accuracy"] == pytest.approx((1 / 2 + 1) / 2)
    assert found["macro_f1"] == pytest.approx((2 / 3 + 1) / 2)
    assert absent_classes(y_true) == ["akiec", "bcc", "bkl", "df", "vasc"]


def test_one_class_only():
    found = scores(np.array([NV, NV, NV]), certain([NV, NV, MEL]))
    undefined = {name for name, value in flatten(found).items() if value is None and "." not in name}
    # Nothing to tell apart; what counts right answers of nevi stays defined.
    assert undefined == {
        *("kappa", "mcc", "auc_macro", "auc_weighted", "malignancy_auc", "melanoma_nevus_auc"),
        *("one_vs_rest_balanced_accuracy", "macro_specificity"),
        *("melanoma_slope", "melanoma_intercept", "malignancy_slope", "malignancy_intercept"),
        *(f"melanoma_sensitivity_at_{level}_specificity" for level in (90, 95)),
        *(f"melanoma_specificity_at_{level}_sensitivity" for level in (90, 95)),
    }
    assert found["balanced_accuracy"] == pytest.approx(2 / 3)
    assert found["per_class"]["nv"]["specificity"] is None


def test_scores_agree_with_scikit_learn():
    rng = np.random.default_rng(1)
    y_true = np.append(rng.integers(0, 7, 293), range(7))
    probabilities = rng.dirichlet(np.ones(7), 300)
    y_pred, one_hot = probabilities.argmax(axis=1), np.eye(7)[y_true]
    found = scores(y_true, probabilities)
    assert found["balanced_accuracy"] == pytest.approx(sk.balanced_accuracy_score(y_true, y_pred))
    assert found["macro_precision"] == pytest.approx(sk.precision_score(y_true, y_pred, average="macro"))
    assert found["macro_f1"] == pytest.approx(sk.f1_score(y_true, y_pred, average="macro"))
    for average in ("macro", "weighted", "micro"):
        expected = sk.roc_auc_score(one_hot, probabilities, average=average)
        assert found[f"auc_{average}"] == pytest.approx(expected)
    assert found["log_loss"] == pytest.approx(sk.log_loss(y_true, probabilities))
    assert found["brier"] == pytest.approx(np.mean(np.sum((probabilities - one_hot) ** 2, axis=1)))


def test_flatten_names_every_per_class_score():
    flat = flatten(scores(np.array([MEL, NV]), between([0.9, 0.2])))
    assert flat["mel.sensitivity"] == 1
    assert {name.split(".")[0] for name in flat if "." in name} == set(CODES)
    assert "per_class" not in flat


@pytest.mark.parametrize(
    ("y_true", "probabilities", "said"),
    [
        (np.array([], dtype=int), np.zeros((0, 7)), "at least one photo"),
        (np.array([MEL, NV]), certain([MEL]), "Expected \\(N,\\)"),
        (np.array([MEL]), np.ones((1, 6)) / 6, "Expected \\(N,\\)"),
        (np.array([7]), certain([MEL]), "from 0 to 6"),
        (np.array([1.0]), certain([MEL]), "whole numbers"),
        (np.array([MEL]), np.full((1, 7), np.nan), "not probabilities"),
        (np.array([MEL]), np.full((1, 7), 0.5), "not probabilities"),
        (np.array([MEL]), np.array([[2.0, -1, 0, 0, 0, 0, 0]]), "not probabilities"),
    ],
)
def test_what_cannot_be_scored_is_refused(y_true, probabilities, said):
    with pytest.raises(ValueError, match=said):
        scores(y_true, probabilities)
