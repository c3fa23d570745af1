"""Melanoma against nevus at any threshold: the 2 x 2 with intervals, predictive values, nevi excised, and the decision curve."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.card import Card
from core.choices import check_choice
from core.diagnoses import CODES, MELANOMA, NEVUS
from core.estimates import Estimate
from core.evaluation.curves import BAND_RESAMPLES
from core.evaluation.operating import choose_threshold
from core.evaluation.report import InvalidEvaluation, read_evaluation
from core.evaluation.results import VALIDATION_FOLDER, Results, read_results
from core.evaluation.statistics.bootstrap import LEVEL, RESAMPLES, proportion, resample_lesions
from core.evaluation.statistics.weighted import weighted_auc
from core.prevalence import reweight

# What a photo is called melanoma by, when it reaches the threshold. The probability of melanoma among all seven is what the app shows
# and what the operating point is set on; the share of melanoma in melanoma plus nevus answers the narrow question alone.
SCORES: dict[str, str] = {
    "mel": "Probability of melanoma",
    "pair": "Melanoma's share of melanoma + nevus",
}
# Where the decision curve is drawn: from one in a hundred to even odds.
HARM_THRESHOLDS = np.linspace(0.01, 0.5, 50)


def melanoma_scores(probabilities: np.ndarray, score: str = "mel") -> np.ndarray:
    """A score of each photo, (N,).

    Args:
        probabilities: (N, 7).
        score: key of `SCORES`.

    Raises:
        ValueError: unknown score.
    """
    check_choice("score", score, SCORES)
    melanoma = probabilities[:, MELANOMA]
    if score == "mel":
        return melanoma
    both = melanoma + probabilities[:, NEVUS]
    return np.divide(melanoma, both, out=np.full(len(both), 0.5), where=both > 0)


@dataclass(frozen=True)
class TwoByTwo:
    """Melanomas and nevi at one threshold.

    Args:
        threshold: a photo is called melanoma from this score on.
        found, missed: melanoma photos called melanoma, and not.
        alarms, spared: nevus photos called melanoma, and not.
        sensitivity, specificity: of the two kinds.
    """

    threshold: float
    found: int
    missed: int
    alarms: int
    spared: int
    sensitivity: Estimate
    specificity: Estimate


@dataclass(frozen=True)
class Predictive:
    """What a call means where melanoma is as common as `prevalence`; each of None where undefined.

    Args:
        prevalence: share of melanomas among the melanomas and nevi that are examined.
        ppv: share of those called melanoma that are one.
        npv: share of those not called melanoma that are none.
        nevi_per_melanoma: nevi excised for each melanoma found, if whatever is called melanoma is excised.
        missed_per_1000: melanomas left among a thousand lesions examined.
    """

    prevalence: float
    ppv: Estimate
    npv: Estimate
    nevi_per_melanoma: Estimate
    missed_per_1000: Estimate


@dataclass(frozen=True, eq=False)
class DecisionCurve:
    """Net benefit per lesion examined, over how many melanomas' harm one needless excision is weighed.

    Args:
        harm: threshold probabilities: at 0.1 a person accepts nine needless excisions for one melanoma found.
        model, low, high: the network, deciding at each of these probabilities, with its 95 % band.
        fixed: the network at one fixed threshold, whatever the harm.
        everything: excise all. Excising nothing gives 0.
    """

    harm: np.ndarray
    model: np.ndarray
    low: np.ndarray
    high: np.ndarray
    fixed: np.ndarray
    everything: np.ndarray


class Duel:
    """The melanomas and nevi of an evaluation, sorted once by a score: any threshold then costs a look-up.

    Lesions are resampled over the whole evaluation, as everywhere else, and each threshold reads the same resamples.

    Args:
        results: an evaluation.
        score: key of `SCORES`.

    Raises:
        ValueError: unknown score, or the evaluation has no melanoma or no nevus.
    """

    def __init__(self, results: Results, score: str = "mel", *, resamples: int = RESAMPLES, seed: int = 0):
        scores = melanoma_scores(results.probabilities, score)
        self.score = score
        kinds = {"melanoma": results.y_true == MELANOMA, "nevus": results.y_true == NEVUS}
        for kind, rows in kinds.items():
            if not rows.any():
                raise ValueError(
                    f"The evaluation has no {kind}, so there is nothing to tell apart. Evaluate on photos of both."
                )
        weights = resample_lesions(results.lesions, resamples, seed)
        # First the photos as they are, then the resamples.
        self._weights = np.vstack([np.ones((1, len(scores)), weights.dtype), weights])
        self._probabilities = results.probabilities
        self._rows = kinds
        # What the probabilities hold for; a diagnosis that no photo has is left as it is.
        photos = np.maximum(np.bincount(results.y_true, minlength=len(CODES)), 0.5)
        self._shares = photos / photos.sum()
        self.lesions = {kind: len(np.unique(results.lesions[rows])) for kind, rows in kinds.items()}
        self.photos = {kind: int(rows.sum()) for kind, rows in kinds.items()}
        self._falling, self._above = self._sorted(scores)

    def _sorted(self, scores: np.ndarray) -> tuple[dict, dict]:
        """Of each kind: minus its scores, rising, (n,), and the weight of the k highest in column k, (1 + R, 1 + n)."""
        falling, above = {}, {}
        for kind, rows in self._rows.items():
            order = np.argsort(-scores[rows], kind="stable")
            falling[kind] = -scores[rows][order]
            counted = self._weights[:, rows][:, order]
            above[kind] = np.pad(np.cumsum(counted, axis=1, dtype="int32"), ((0, 0), (1, 0)))
        return falling, above

    @property
    def prevalence(self) -> float:
        """Share of melanomas among the evaluation's own melanoma and nevus photos."""
        return self.photos["melanoma"] / sum(self.photos.values())

    def scores(self, kind: str) -> np.ndarray:
        """Scores of the "melanoma" or "nevus" photos, falling."""
        return -self._falling[kind]

    def rates(self, thresholds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Sensitivity and specificity at many thresholds.

        Returns:
            Both (1 + R, T): first the photos as they are, then the resamples; NaN where a resample lacks the class.
        """
        return self._rates(self._falling, self._above, thresholds)

    @staticmethod
    def _rates(falling: dict, every: dict, thresholds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        shares = []
        for kind in ("melanoma", "nevus"):
            places = np.searchsorted(falling[kind], -np.asarray(thresholds, "float64"), side="right")
            above = every[kind]
            total = above[:, -1:].astype("float64")
            shares.append(
                np.divide(above[:, places], total, out=np.full((len(above), len(places)), np.nan), where=total > 0)
            )
        return shares[0], 1 - shares[1]

    def at(self, threshold: float) -> TwoByTwo:
        """The 2 x 2 at a threshold."""
        sensitivity, specificity = (rate[:, 0] for rate in self.rates(np.array([threshold])))
        called = round(sensitivity[0] * self.photos["melanoma"])
        spared = round(specificity[0] * self.photos["nevus"])
        return TwoByTwo(
            threshold=float(threshold),
            found=called,
            missed=self.photos["melanoma"] - called,
            alarms=self.photos["nevus"] - spared,
            spared=spared,
            sensitivity=_estimate(sensitivity, self.lesions["melanoma"]),
            specificity=_estimate(specificity, self.lesions["nevus"]),
        )

    def predictive(self, threshold: float, prevalence: float) -> Predictive:
        """Predictive values at a threshold where melanoma has this prevalence, by Bayes' theorem.

        Raises:
            ValueError: a prevalence outside 0..1.
        """
        _check_share("prevalence", prevalence)
        rates = [rate[:, 0] for rate in self.rates(np.array([threshold]))]
        resampled = _predictive(*rates, prevalence)  # pyright: ignore[reportCallIssue]
        # Where a rate is the same in every resample its Wilson interval stands for it, and so do the values at its ends:
        # whatever follows rises or falls with both rates.
        sensitivity, specificity = (
            _estimate(rate, self.lesions[kind]) for rate, kind in zip(rates, self._rows, strict=True)
        )
        ends = [
            _predictive(np.array([getattr(sensitivity, end)]), np.array([getattr(specificity, end)]), prevalence)
            for end in ("low", "high")
        ]

        def estimate(name: str) -> Estimate:
            shown = _estimate(resampled[name])
            if shown.value is None or shown.low != shown.high:
                return shown
            reached = [shown.value, *(float(end[name][0]) for end in ends)]
            # No upper end where the least sensitivity finds nothing: any number of nevi for a melanoma.
            return Estimate(shown.value, float(np.nanmin(reached)), None if np.isnan(reached).any() else max(reached))

        return Predictive(
            prevalence, *(estimate(name) for name in ("ppv", "npv", "nevi_per_melanoma", "missed_per_1000"))
        )

    def decision_curve(self, prevalence: float, threshold: float, harm: np.ndarray = HARM_THRESHOLDS) -> DecisionCurve:
        """Net benefit where melanoma has this prevalence.

        The network's probabilities hold where diagnoses are mixed as in the evaluation, where melanoma is more common than at a doctor's.
        All seven are re-weighted first, by Bayes' rule, to a mixture in which melanomas and nevi together are as common as there and
        melanomas are the asked share of them; then the score is formed and compared with each threshold probability.

        Reference: Vickers and Elkin 2006, Med Decis Making 26:565; for the mixture `core.prevalence.reweight`.

        Args:
            prevalence: share of melanomas among the melanomas and nevi examined.
            threshold: of the fixed policy.
            harm: threshold probabilities, between 0 and 1.
        """
        _check_share("prevalence", prevalence)
        harm = np.asarray(harm, "float64")
        odds = harm / (1 - harm)
        there = self._shares.copy()
        both = there[MELANOMA] + there[NEVUS]
        there[MELANOMA], there[NEVUS] = both * prevalence, both * (1 - prevalence)
        scores = melanoma_scores(reweight(self._probabilities, self._shares, there), self.score)
        benefit = self._benefit(*self._rates(*self._sorted(scores), harm), prevalence, odds)
        fixed = self._benefit(*(rate[:1] for rate in self.rates(np.array([threshold]))), prevalence, odds)  # pyright: ignore[reportCallIssue]
        low, high = np.nanquantile(benefit[1:], [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
        return DecisionCurve(harm, benefit[0], low, high, fixed[0], prevalence - (1 - prevalence) * odds)

    @staticmethod
    def _benefit(sensitivity, specificity, prevalence, odds) -> np.ndarray:
        return prevalence * sensitivity - (1 - prevalence) * (1 - specificity) * odds

    def roc(self, grid: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """The curve at every score of a photo, and its 95 % band on a grid of false-alarm rates.

        Returns:
            False-alarm rates and sensitivities, rising, (T,); low and high of the sensitivity at each rate of `grid`.
        """
        thresholds = np.r_[np.inf, np.unique(np.r_[self._falling["melanoma"], self._falling["nevus"]]) * -1]
        sensitivity, specificity = self.rates(thresholds)
        first = slice(1, 1 + BAND_RESAMPLES)
        band = np.stack(
            [np.interp(grid, 1 - p, s) for s, p in zip(sensitivity[first], specificity[first], strict=True)]
        )
        low, high = np.nanquantile(band, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
        return 1 - specificity[0], sensitivity[0], low, high

    def auc(self) -> Estimate:
        """Share of (melanoma, nevus) pairs in the right order."""
        return _estimate(self.aucs(), min(self.lesions.values()))

    def aucs(self) -> np.ndarray:
        """That share of the photos as they are, then of each resample, (1 + R,)."""
        rows = self._rows["melanoma"] | self._rows["nevus"]
        scores = melanoma_scores(self._probabilities[rows], self.score)
        return weighted_auc(scores, self._rows["melanoma"][rows], self._weights[:, rows])


def operating_threshold(results: Results, score: str = "mel") -> float:
    """The operating point on a score, chosen as `operating.choose_threshold` does. To be chosen on validation photos, never on test.

    Raises:
        ValueError: no melanoma among the photos, or an unknown score.
    """
    column = np.zeros_like(results.probabilities)
    column[:, MELANOMA] = melanoma_scores(results.probabilities, score)
    return choose_threshold(results.y_true, column)


def find_threshold(folder: str | Path, card: Card, score: str = "mel") -> float | None:
    """A model's operating point on a score, from the files in its folder; None where its validation part was not evaluated.

    Raises:
        InvalidResults: validation files that are damaged or of other weights.
        ValueError: unknown score.
    """
    folder = Path(folder)
    if score == "mel":
        try:
            record = read_evaluation(folder)
        except InvalidEvaluation:
            return None
        point = record.operating_point
        return float(point["threshold"]) if point and record.probabilities_sha256 == card.probabilities_sha256 else None
    if not (folder / VALIDATION_FOLDER).is_dir():
        return None
    return operating_threshold(read_results(folder / VALIDATION_FOLDER, card), score)


def _check_share(what: str, value: float) -> None:
    if not 0 < value < 1:
        raise ValueError(f"A {what} of {value!r} is not possible. Expected a share between 0 and 1.")


def _quotient(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)


def _predictive(sensitivity: np.ndarray, specificity: np.ndarray, prevalence: float) -> dict[str, np.ndarray]:
    """The numbers of `Predictive`, by Bayes' theorem; NaN where nobody is called, or nobody is not."""
    found, missed = prevalence * sensitivity, prevalence * (1 - sensitivity)
    alarms, spared = (1 - prevalence) * (1 - specificity), (1 - prevalence) * specificity
    return {
        "ppv": _quotient(found, found + alarms),
        "npv": _quotient(spared, spared + missed),
        "nevi_per_melanoma": _quotient(alarms, found),
        "missed_per_1000": 1000 * missed,
    }


def _estimate(values: np.ndarray, lesions: int = 0) -> Estimate:
    """Of a statistic and its resamples, (1 + R,); of a proportion of so many lesions, never one of no width."""
    return proportion(None if np.isnan(values[0]) else float(values[0]), values[1:], lesions)
