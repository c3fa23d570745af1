"""Fits what turns logits into probabilities, and probabilities into balanced decisions, on the validation part.

The validation part is used twice: it chose the epoch, and it fits the calibration. Its own scores therefore flatter; the test part
has met neither.
"""

from dataclasses import replace

import numpy as np
from scipy.optimize import minimize

from core.calibration import WEIGHINGS, Calibration
from core.card import Card
from core.decisions import Terms, decide
from core.diagnoses import CODES
from core.estimates import DecidedEstimate

# One over the variance of a normal prior on the log temperature and the biases: a standard deviation of 0.32. Of 0.3, 1, 3, 10 and 30,
# cross-validated by lesion on the validation parts of the first shipped networks, 10 and 30 did best, by 0.003 nats at most.
REGULARISATION = 10.0
FOLDS, REPEATS = 5, 5
POWERS = np.linspace(0.0, 1.5, 31)


def balanced_accuracy(labels: np.ndarray, predicted: np.ndarray) -> float:
    """Mean recall over the classes present. Args: output indices, (N,) each."""
    return float(np.mean([(predicted[labels == c] == c).mean() for c in np.unique(labels)]))


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Stable log-softmax over the last axis, float64."""
    logits = np.asarray(logits, "float64")
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def lesion_weights(lesions: np.ndarray) -> np.ndarray:
    """A weight for each photo with which each lesion counts alike, (N,); their mean is 1."""
    _, lesion, counts = np.unique(lesions, return_inverse=True, return_counts=True)
    weights = 1 / counts[lesion]
    return weights / weights.mean()


def _losses(logits: np.ndarray, labels: np.ndarray, temperature: float, biases: np.ndarray) -> np.ndarray:
    return -log_softmax(logits / temperature + biases)[np.arange(len(labels)), labels]


def fit_numbers(
    logits: np.ndarray, labels: np.ndarray, weights: np.ndarray, regularisation: float = REGULARISATION
) -> tuple[float, np.ndarray]:
    """Temperature and biases of the largest likelihood, with a normal prior.

    Args:
        logits: (N, 7).
        labels: (N,) output indices.
        weights: of each photo, (N,).
        regularisation: see `fit_calibration`.
    """
    logits = logits - logits.mean(axis=1, keepdims=True)
    rows = np.arange(len(labels))

    def loss(numbers: np.ndarray) -> tuple[float, np.ndarray]:
        sharpness, biases = np.exp(-numbers[0]), numbers[1:]
        log_p = log_softmax(logits * sharpness + biases)
        surplus = np.exp(log_p)
        surplus[rows, labels] -= 1
        surplus *= weights[:, None]
        value = -(weights * log_p[rows, labels]).sum() + regularisation * (numbers @ numbers) / 2
        slope = np.r_[-(surplus * logits).sum() * sharpness, surplus.sum(axis=0)] + regularisation * numbers
        return value, slope

    fit = minimize(loss, np.zeros(1 + len(CODES)), jac=True, method="L-BFGS-B")
    if not np.isfinite(fit.x).all():
        raise ValueError("The calibration does not converge: the validation logits are unusable. Train again.")
    return float(np.exp(fit.x[0])), fit.x[1:]


def left_out_losses(
    logits: np.ndarray, labels: np.ndarray, lesions: np.ndarray, weights: np.ndarray, regularisation: float
) -> np.ndarray:
    """Negative log-likelihood of each photo by calibrations that were fitted without its lesion, (N,), mean of several divisions."""
    names, lesion = np.unique(lesions, return_inverse=True)
    total = np.zeros(len(labels))
    for repeat in range(REPEATS):
        fold = (np.random.default_rng(repeat).permutation(len(names)) % FOLDS)[lesion]
        for k in np.unique(fold):
            out = fold == k
            if out.all():
                return np.full(len(labels), np.nan)
            fitted = fit_numbers(logits[~out], labels[~out], weights[~out], regularisation)
            total[out] += _losses(logits[out], labels[out], *fitted)
    return total / REPEATS


def fit_calibration(
    logits: np.ndarray, labels: np.ndarray, lesions: np.ndarray, regularisation: float = REGULARISATION
) -> Calibration:
    """Temperature and biases by likelihood.

    Whether photos or lesions count alike in the fit is decided by cross-validation, by lesion, within these photos: lesions only
    where the loss on photos of left-out lesions falls by more than its standard error. A person asks about one photo, and all scores are
    by photo, so that is what the loss is a mean over.

    Reference: see `Calibration`.

    Args:
        logits: (N, 7), of the weights as they ship.
        labels: (N,) output indices.
        lesions: lesion of each photo, (N,).
        regularisation: one over the variance of a normal prior on the log temperature and each bias; 0 for none.

    Raises:
        ValueError: no photos, shapes that do not fit, or logits that are not finite.
    """
    logits, labels, lesions = np.asarray(logits, "float64"), np.asarray(labels), np.asarray(lesions, dtype=str)
    if not len(labels) or logits.shape != (len(labels), len(CODES)) or lesions.shape != labels.shape:
        raise ValueError(
            f"Got logits of shape {logits.shape}, labels of shape {labels.shape} and lesions of shape {lesions.shape}. Expected "
            f"(N, {len(CODES)}), (N,) and (N,), with at least one photo."
        )
    if not np.isfinite(logits).all():
        raise ValueError("The network answers some validation photos with values that are not numbers. Train it again.")
    weights = {"photos": np.ones(len(labels)), "lesions": lesion_weights(lesions)}
    left_out = {way: left_out_losses(logits, labels, lesions, weights[way], regularisation) for way in WEIGHINGS}
    gain = left_out["photos"] - left_out["lesions"]
    of_lesions = np.bincount(np.unique(lesions, return_inverse=True)[1], gain - gain.mean())
    better = gain.sum() > np.sqrt((of_lesions**2).sum())
    weighing = "lesions" if better else "photos"
    temperature, biases = fit_numbers(logits, labels, weights[weighing], regularisation)
    return Calibration(
        temperature=temperature,
        biases=tuple(biases),
        photos=len(labels),
        lesions=len(np.unique(lesions)),
        weighing=weighing,
        regularisation=regularisation,
        log_loss_before=float(_losses(logits, labels, 1.0, np.zeros(len(CODES))).mean()),
        log_loss_after=float(_losses(logits, labels, temperature, biases).mean()),
        cross_validated={way: float(loss.mean()) for way, loss in left_out.items() if np.isfinite(loss).all()},
    )


def training_shares(counts: np.ndarray) -> tuple[float, ...]:
    """How common each diagnosis is among the training photos, (7,); one that has none counts as one photo."""
    counts = np.maximum(np.asarray(counts, "float64"), 1)
    return tuple(counts / counts.sum())


def fit_power(probabilities: np.ndarray, labels: np.ndarray, shares: tuple[float, ...]) -> Terms:
    """The terms of the rule "balanced", with the power of the best balanced accuracy on validation.

    One number, so that 1,000 photos can carry it; the curve is smoothed over neighbouring powers, because a single photo of a rare
    diagnosis moves it by a point.

    Reference: Menon et al. 2021, "Long-tail learning via logit adjustment", arXiv 2007.07314.

    Args:
        probabilities: (N, 7), calibrated.
        labels: (N,) output indices.
        shares: (7,), from `training_shares`.
    """
    curve = np.array([balanced_accuracy(labels, decide("balanced", probabilities, Terms(shares, t))) for t in POWERS])
    kernel = np.array([1, 2, 3, 2, 1]) / 9
    smooth = np.convolve(np.pad(curve, 2, mode="edge"), kernel, mode="valid")
    return Terms(shares, float(POWERS[int(np.argmax(smooth))]))


def calibrate_card(card: Card, logits: np.ndarray, labels: np.ndarray, lesions: np.ndarray) -> Card:
    """A card with the calibration, the terms of the rule "balanced" and the validation scores that these logits give.

    Scores of other parts go: they are of the old probabilities.

    Args:
        logits: (N, 7), of the validation photos, by the weights as they ship.
        labels: (N,) output indices.
        lesions: lesion of each photo, (N,).
    """
    calibration = fit_calibration(logits, labels, lesions)
    probabilities = calibration.probabilities(logits)
    terms = fit_power(probabilities, labels, training_shares(card.data["photos_per_class"]["train"]))
    likeliest, balanced = (decide(rule, probabilities, terms) for rule in ("likeliest", "balanced"))
    scores = {
        "photos": len(labels),
        "accuracy": DecidedEstimate(float((likeliest == labels).mean()), rule="likeliest"),
        "balanced_accuracy": DecidedEstimate(balanced_accuracy(labels, balanced), rule="balanced"),
        "confidence": 'No interval: these photos chose the epoch, the calibration and the power of the rule "balanced".',
    }
    return replace(card, calibration=calibration, terms=terms, scores={"validation": scores})
