"""The vectorised scores against scikit-learn's sample weights and against repeated photos."""

import numpy as np
import pytest
from sklearn import metrics as sk

from core.diagnoses import CODES, index_of
from core.evaluation.metrics import flatten, scores
from core.evaluation.statistics import weighted
from core.evaluation.statistics.weighted import weighted_scores

MEL, NV = index_of("mel"), index_of("nv")


def some_predictions(ties: bool = False, photos: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Predictions better than chance; with ties, probabilities are tenths."""
    rng = np.random.default_rng(0)
    y_true = rng.choice(7, photos, p=[0.1, 0.1, 0.1, 0.05, 0.2, 0.4, 0.05])
    weights = rng.gamma(1.0, size=(photos, 7)) + 1.5 * np.eye(7)[y_true]
    probabilities = weights / weights.sum(axis=1, keepdims=True)
    return y_true, rng.multinomial(10, probabilities) / 10 if ties else probabilities


def assert_same(found: dict, row: int, expected: dict) -> None:
    assert set(found) == set(expected)
    for name, value in expected.items():
        came = found[name][row]
        assert np.isnan(came) if value is None else came == pytest.approx(value, abs=1e-9), name


@pytest.mark.parametrize("ties", [False, True])
def test_weight_one_gives_the_plain_scores(ties):
    y_true, probabilities = some_predictions(ties=ties)
    assert_same(weighted_scores(y_true, probabilities, np.ones((1, 200))), 0, flatten(scores(y_true, probabilities)))


@pytest.mark.parametrize("ties", [False, True])
def test_whole_weights_equal_repeated_photos(ties, monkeypatch):
    y_true, probabilities = some_predictions(ties=ties)
    weights = np.random.default_rng(3).integers(0, 4, (5, 200))
    monkeypatch.setattr(weighted, "BLOCK", 2 * 200 * 7)  # several blocks
    found = weighted_scores(y_true, probabilities, weights)
    for row, times in enumerate(weights):
        expected = flatten(scores(np.repeat(y_true, times), np.repeat(probabilities, times, axis=0)))
        # The baseline keeps the class that is commonest in the data at hand.
        expected["majority_baseline"] = (np.repeat(y_true, times) == NV).mean()
        assert_same(found, row, expected)


def test_a_weighting_without_a_class_equals_data_without_it():
    y_true, probabilities = some_predictions()
    weights = np.stack([y_true != MEL, y_true == NV]).astype(int)
    found = weighted_scores(y_true, probabilities, weights)
    for row, kept in enumerate(weights.astype(bool)):
        expected = flatten(scores(y_true[kept], probabilities[kept]))
        assert_same(found, row, expected)


@pytest.mark.parametrize("ties", [False, True])
def test_weighted_auc_agrees_with_scikit_learn(ties):
    y_true, probabilities = some_predictions(ties=ties)
    weights = np.random.default_rng(4).uniform(0, 3, (2, 200))
    found = weighted_scores(y_true, probabilities, weights)
    for row, weight in enumerate(weights):
        for c, code in enumerate(CODES):
            positive, score = y_true == c, probabilities[:, c]
            assert found[f"{code}.auc"][row] == pytest.approx(sk.roc_auc_score(positive, score, sample_weight=weight))
            expected = sk.average_precision_score(positive, score, sample_weight=weight)
            assert found[f"{code}.average_precision"][row] == pytest.approx(expected)
        expected = sk.roc_auc_score(np.eye(7)[y_true], probabilities, average="micro", sample_weight=weight)
        assert found["auc_micro"][row] == pytest.approx(expected)
        y_pred = probabilities.argmax(axis=1)
        assert found["accuracy"][row] == pytest.approx(sk.accuracy_score(y_true, y_pred, sample_weight=weight))
        assert found["kappa"][row] == pytest.approx(sk.cohen_kappa_score(y_true, y_pred, sample_weight=weight))
        assert found["mcc"][row] == pytest.approx(sk.matthews_corrcoef(y_true, y_pred, sample_weight=weight))
        assert found["log_loss"][row] == pytest.approx(sk.log_loss(y_true, probabilities, sample_weight=weight))


def test_weights_that_do_not_fit_are_refused():
    y_true, probabilities = some_predictions()
    with pytest.raises(ValueError, match="one weight a photo"):
        weighted_scores(y_true, probabilities, np.ones((3, 199)))
