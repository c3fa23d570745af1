"""Errors between melanoma and nevus against how lesions look: is it the colour, as the paper says?"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.choices import check_choice
from core.diagnoses import MELANOMA, NEVUS
from core.estimates import Estimate
from core.evaluation.melanoma import melanoma_scores
from core.evaluation.results import Results
from core.evaluation.statistics.bootstrap import RESAMPLES, proportion, resample_lesions, with_interval
from core.wording import percent, points, rate

FIFTHS = 5
# Column of the table of lesions -> what it is called, and what its two ends are.
PROPERTIES: dict[str, tuple[str, str, str]] = {
    "lightness": ("Mean lightness, L*", "darkest", "lightest"),
    "darkest": ("Lightness of its darkest tenth, L*", "darkest", "lightest"),
    "chroma": ("Chroma, C*", "greyest", "most colourful"),
    "hue": ("Hue, degrees", "towards blue and red", "towards yellow"),
    "blue": ("Blue-grey share", "none", "most"),
    "area": ("Size, share of the photo", "smallest", "largest"),
    "contrast": ("Contrast to the skin, L*", "faintest", "strongest"),
}
# What errors are regressed on: no two of them say the same.
REGRESSED = ("lightness", "chroma", "blue", "area", "contrast")
REGRESSION_RESAMPLES = 300
# Keeps a resample whose errors one property splits perfectly from running away; tiny beside a few hundred photos.
RIDGE = 0.5
FIT_STEPS = 12


@dataclass(frozen=True)
class Group:
    """Melanomas and nevi that look alike in one respect.

    Args:
        name: of the group.
        low, high: of the property; NaN for groups that are no range.
        nevi, melanomas: photos.
        alarms: share of its nevi that are called melanoma.
        missed: share of its melanomas that are not.
    """

    name: str
    low: float
    high: float
    nevi: int
    melanomas: int
    alarms: Estimate
    missed: Estimate


@dataclass(frozen=True)
class BlackClaim:
    """The paper's claim that black nevi are taken for melanoma because of the same colour, in numbers.

    Args:
        black, other: the two groups.
        alarm_difference: false-alarm rate of black nevi minus that of the others.
        missed_difference: miss rate of black melanomas minus that of the others.
        of_nevi, of_alarms: share of nevi, and of false alarms, that are black.
    """

    black: Group
    other: Group
    alarm_difference: Estimate
    missed_difference: Estimate
    of_nevi: float
    of_alarms: Estimate


class LookErrors:
    """A model's errors at one threshold, with how each lesion looks.

    Args:
        results: an evaluation.
        looks: from `read_lesions`, by image_id.
        threshold: a photo is called melanoma from this score on.
        score: key of `melanoma.SCORES`.

    Raises:
        ValueError: no melanoma or no nevus of the evaluation is in the table of lesions.
    """

    def __init__(
        self,
        results: Results,
        looks: pd.DataFrame,
        threshold: float,
        score: str = "mel",
        *,
        resamples: int = RESAMPLES,
        seed: int = 0,
    ):
        pair = np.isin(results.y_true, (MELANOMA, NEVUS))
        known = results.table.image_id.isin(looks.index).to_numpy()
        rows = pair & known
        self.melanoma = results.y_true[rows] == MELANOMA
        if not 0 < self.melanoma.sum() < len(self.melanoma):
            raise ValueError(
                "The table of lesions has no melanoma or no nevus of this evaluation. Run `python -m core data lesions HAM10000_FOLDER`."
            )
        self.unmeasured = int((pair & ~known).sum())
        self.looks = looks.loc[results.table.image_id[rows]].reset_index(drop=True)
        self.called = melanoma_scores(results.probabilities, score)[rows] >= threshold
        self.lesions = results.lesions[rows]
        self._weights = resample_lesions(results.lesions, resamples, seed)[:, rows].astype("float32")

    def by_fifth(self, name: str) -> list[Group]:
        """Error rates in the fifths of a property, the lowest first; the cuts are those of melanomas and nevi together.

        Raises:
            ValueError: unknown property.
        """
        check_choice("property", name, PROPERTIES)
        values = self.looks[name].to_numpy("float64")
        cuts = np.nanquantile(values, np.linspace(0, 1, FIFTHS + 1))
        # A property that is 0 in most lesions has fewer than five groups.
        cuts = np.unique(cuts)
        place = np.clip(np.searchsorted(cuts, values, side="right") - 1, 0, max(0, len(cuts) - 2))
        known = ~np.isnan(values)
        return [
            self._group(
                f"{cuts[i]:.3g} to {cuts[min(i + 1, len(cuts) - 1)]:.3g}",
                known & (place == i),
                cuts[i],
                cuts[min(i + 1, len(cuts) - 1)],
            )
            for i in range(max(1, len(cuts) - 1))
        ]

    def by_colour(self) -> list[Group]:
        """Error rates by the colour's name."""
        names = self.looks.colour.to_numpy(dtype=str)
        return [self._group(name, names == name) for name in dict.fromkeys(self.looks.colour)]

    def black_claim(self) -> BlackClaim:
        """Black lesions against all others."""
        black = (self.looks.colour == "black").to_numpy()
        alarms, nevi = ~self.melanoma & self.called, ~self.melanoma
        return BlackClaim(
            black=self._group("black", black),
            other=self._group("all others", ~black),
            alarm_difference=self._difference(self._share(alarms, black & nevi), self._share(alarms, ~black & nevi)),
            missed_difference=self._difference(
                self._share(~self.called, black & self.melanoma), self._share(~self.called, ~black & self.melanoma)
            ),
            of_nevi=float(black[nevi].mean()),
            of_alarms=self._rate(black, alarms),
        )

    def odds_ratios(self, kind: str) -> dict[str, Estimate]:
        """How an error's odds change with each property, the others held fixed: logistic regression, per standard deviation.

        Args:
            kind: "alarms" (of nevi) or "missed" (of melanomas).

        Returns:
            Property -> odds ratio; empty where there are too few errors to tell.
        """
        rows = ~self.melanoma if kind == "alarms" else self.melanoma
        values = self.looks[list(REGRESSED)].to_numpy("float64")
        rows = rows & ~np.isnan(values).any(axis=1)
        errors = (self.called if kind == "alarms" else ~self.called)[rows].astype("float64")
        if min(errors.sum(), len(errors) - errors.sum()) < 2 * len(REGRESSED):
            return {}
        x = values[rows]
        x = np.column_stack([np.ones(len(x)), (x - x.mean(axis=0)) / np.maximum(x.std(axis=0), 1e-9)])
        weights = np.vstack([np.ones((1, len(x))), self._weights[:REGRESSION_RESAMPLES, rows]])
        slopes = _logistic(x, errors, weights)[:, 1:]
        return {
            name: with_interval(float(np.exp(slopes[0, i])), np.exp(slopes[1:, i])) for i, name in enumerate(REGRESSED)
        }

    def _group(self, name: str, rows: np.ndarray, low: float = float("nan"), high: float = float("nan")) -> Group:
        nevi, melanomas = rows & ~self.melanoma, rows & self.melanoma
        return Group(
            name,
            float(low),
            float(high),
            int(nevi.sum()),
            int(melanomas.sum()),
            self._rate(self.called, nevi),
            self._rate(~self.called, melanomas),
        )

    def _share(self, of: np.ndarray, rows: np.ndarray) -> tuple[float | None, np.ndarray]:
        if not rows.any():
            return None, np.full(len(self._weights), np.nan)
        total = self._weights[:, rows].sum(axis=1)
        part = self._weights[:, rows & of].sum(axis=1)
        return float(of[rows].mean()), np.divide(part, total, out=np.full(len(total), np.nan), where=total > 0)

    def _rate(self, of: np.ndarray, rows: np.ndarray) -> Estimate:
        return proportion(*self._share(of, rows), len(np.unique(self.lesions[rows])))

    @staticmethod
    def _difference(a: tuple, b: tuple) -> Estimate:
        value = None if a[0] is None or b[0] is None else a[0] - b[0]
        return with_interval(value, a[1] - b[1])


def _logistic(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Coefficients of a logistic regression under each of many weightings of the photos, by Newton's method.

    Args:
        x: (N, P), the first column ones.
        y: (N,) 0 or 1.
        weights: (R, N).

    Returns:
        (R, P).
    """
    beta = np.zeros((len(weights), x.shape[1]))
    penalty = RIDGE * np.eye(x.shape[1])
    penalty[0, 0] = 1e-6
    products = (x[:, :, None] * x[:, None, :]).reshape(len(x), -1)
    for _ in range(FIT_STEPS):
        p = 1 / (1 + np.exp(-np.clip(beta @ x.T, -30, 30)))
        slope = (weights * (y - p)) @ x - beta @ penalty
        curvature = ((weights * p * (1 - p)) @ products).reshape(len(weights), x.shape[1], x.shape[1]) + penalty
        beta = beta + np.linalg.solve(curvature, slope[:, :, None])[:, :, 0]
    return beta


def claim_words(claim: BlackClaim) -> str:
    """The verdict on "black nevi are taken for melanoma because of the same colour", from the numbers alone."""
    black, other, apart = claim.black.alarms, claim.other.alarms, claim.alarm_difference
    if apart.value is None or claim.black.nevi == 0:
        return "There is no black nevus among these photos, so the paper's claim cannot be tested on them."
    sentences = [
        f"Of {claim.black.nevi} photos of black nevi {rate(black)} are called melanoma, of the {claim.other.nevi:,} other nevi "
        f"{rate(other)}: a difference of {points(apart)}."
    ]
    if apart.is_above_zero:
        sentences.append("So black nevi are indeed taken for melanoma more often than others.")
    elif apart.is_below_zero:
        sentences.append(
            "So black nevi are taken for melanoma less often than others: the claim is wrong for this network."
        )
    else:
        sentences.append("The interval holds no difference: on these photos the claim is not shown.")
    rest = 1 - claim.of_alarms.value if claim.of_alarms.value is not None else None
    if rest is not None:
        sentences.append(
            f"They are {percent(claim.of_nevi)} of the nevi and {rate(claim.of_alarms)} of the false alarms; "
            f"the other {percent(rest)} of the false alarms have another colour, so colour alone does not explain the confusion."
            if rest >= 0.5
            else f"They are {percent(claim.of_nevi)} of the nevi and {rate(claim.of_alarms)} of the false alarms."
        )
    missed = claim.missed_difference
    if missed.is_below_zero or missed.is_above_zero:
        word = "less" if missed.is_below_zero else "more"
        sentences.append(f"Black melanomas are missed {word} often than others, by {points(missed)}.")
    return " ".join(sentences)
