"""Probabilities where diagnoses are mixed otherwise than where they were calibrated: the table of places, and Bayes' rule."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.diagnoses import CODES, MELANOMA

# Shares are typed and printed with few digits: seven rounded numbers need not add up to 1 exactly.
TOLERANCE = 0.01


@dataclass(frozen=True)
class Mixture:
    """How common the seven diagnoses are where a photo comes from.

    Args:
        title: as an answer to "Where does this photo come from?".
        shares: (7,), in the order of `CODES`.
        source: where the shares are from, and what is assumed, in words.
    """

    title: str
    shares: tuple[float, ...]
    source: str

    def apply(self, probabilities: np.ndarray, shares_from: Sequence[float]) -> np.ndarray:
        """Probabilities there; see `reweight`."""
        return reweight(probabilities, shares_from, self.shares)

    def to_json(self) -> dict:
        """As plain values."""
        return {"title": self.title, "shares": dict(zip(CODES, self.shares, strict=True)), "source": self.source}


AS_CALIBRATED = "ham10000"
OWN = "own"
MIXTURES: dict[str, Mixture] = {
    "screening": Mixture(
        "Screening of many moles",
        (0.004, 0.008, 0.030, 0.003, 0.018, 0.934, 0.003),
        "Melanoma as among the 33,126 photos of ISIC 2020 (584, 1.8 %), where patients' moles were photographed one after the other "
        "(Rotemberg et al. 2021, Sci Data 8:34). How the others share the rest is assumed: nearly all are nevi.",
    ),
    "referral": Mixture(
        "A referral clinic",
        (0.0590, 0.1312, 0.1036, 0.0094, 0.1785, 0.5083, 0.0100),
        "As the 25,331 photos of the ISIC 2019 training set, from clinics in Barcelona, Vienna, Queensland and New York (Combalia et al. "
        "2019, arXiv 1908.02288), squamous cell carcinoma counted with actinic keratosis.",
    ),
}


def own_mixture(melanoma: float, shares_from: Sequence[float]) -> Mixture:
    """A place with another share of melanoma, where the other diagnoses are to one another as before.

    Raises:
        ValueError: a share that is not between 0 and 1.
    """
    if not 0 < melanoma < 1:
        raise ValueError(
            f"A share of melanoma of {melanoma!r} is not possible. Expected a number between 0 and 1, such as 0.02."
        )
    shares, place = np.array(shares_from, "float64") / np.sum(shares_from), MELANOMA
    others = 1 - shares[place]
    shares *= (1 - melanoma) / others
    shares[place] = melanoma
    return Mixture(
        f"A place where {100 * melanoma:.3g} % are melanomas",
        tuple(shares.tolist()),
        "The share of melanoma is the reader's; the other diagnoses are to one another as in the photos of the calibration.",
    )


def find_mixture(name: str, shares_from: Sequence[float]) -> Mixture | None:
    """The mixture that was asked for; None where probabilities stay as they were calibrated.

    Args:
        name: "ham10000", a key of `MIXTURES`, or a share of melanoma, such as "0.02" or "2 %".
        shares_from: of the calibration.

    Raises:
        ValueError: none of these.
    """
    if name == AS_CALIBRATED:
        return None
    if name in MIXTURES:
        return MIXTURES[name]
    number = name.strip()
    try:
        share = float(number.removesuffix("%")) / (100 if number.endswith("%") else 1)
    except ValueError:
        raise ValueError(
            f"Unknown prevalence {name!r}. Expected {AS_CALIBRATED}, {', '.join(MIXTURES)}, or a share of melanoma such as 0.02 or 2%."
        ) from None
    return own_mixture(share, shares_from)


def reweight(
    probabilities: np.ndarray, shares_from: Sequence[float], shares_to: Sequence[float] | np.ndarray
) -> np.ndarray:
    """Moves probabilities from one mixture of diagnoses to another by Bayes' rule.

    Each diagnosis is weighted by its new share over its old one, and the seven are scaled to add up to 1. Right where a diagnosis
    looks alike in both places and only its frequency differs; a diagnosis with a new share of 0 is ruled out.

    Reference: Saerens, Latinne and Decaestecker 2002, Neural Computation 14:21, equation 2.4; Elkan 2001, IJCAI, theorem 2.

    Args:
        probabilities: (..., 7), rows add up to 1.
        shares_from: of the diagnoses where the probabilities were calibrated, (7,); all above 0.
        shares_to: of the diagnoses where the photo comes from, (7,).

    Returns:
        The probabilities there, float64, in the shape of `probabilities`.

    Raises:
        ValueError: shares that are not seven numbers from 0 to 1 that add up to 1, or a diagnosis that was not there before.
    """
    before, after = (_checked(shares, name) for shares, name in ((shares_from, "from"), (shares_to, "to")))
    if (before == 0).any():
        absent = ", ".join(code for code, share in zip(CODES, before, strict=True) if share == 0)
        raise ValueError(
            f"The shares to re-weight from give {absent} none. Probabilities of a diagnosis that was never there say nothing of a place "
            "where it is: expected seven shares above 0."
        )
    weighted = np.asarray(probabilities, "float64") * (after / before)
    total = weighted.sum(axis=-1, keepdims=True)
    # All that was probable is ruled out: what is left is the mixture itself.
    return np.divide(weighted, total, out=np.broadcast_to(after, weighted.shape).copy(), where=total > 0)


def _checked(shares: Sequence[float] | np.ndarray, name: str) -> np.ndarray:
    values = np.asarray(shares, "float64")
    if values.shape != (len(CODES),) or not np.isfinite(values).all() or (values < 0).any():
        raise ValueError(
            f"Got shares {values.tolist()} to re-weight {name}. Expected {len(CODES)} numbers from 0 to 1, one for each of "
            f"{', '.join(CODES)}."
        )
    if abs(values.sum() - 1) > TOLERANCE:
        raise ValueError(f"The shares to re-weight {name} add up to {values.sum():.4g}. Expected 1.")
    return values / values.sum()
