"""Probabilities where diagnoses are mixed otherwise than where they were calibrated."""

from collections.abc import Sequence

import numpy as np

from core.diagnoses import CODES

# Shares are typed and printed with few digits: seven rounded numbers need not add up to 1 exactly.
TOLERANCE = 0.01


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
