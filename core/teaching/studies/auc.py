"""The area under the ROC of many readers at once, with the covariances of its estimates over the same cases."""

import numpy as np

from core.choices import check_choice

METHODS = ("jackknife", "delong")


def auc_matrix(ratings: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Areas by the trapezoid rule (Wilcoxon): share of pairs of cases in the right order, ties half.

    Args:
        ratings: of each set of readings (a reader in an arm) for each case, (S, N); higher is more suspicious.
        truth: (N,) bool; True where the case has the disease.

    Returns:
        (S,).
    """
    return _outranked(ratings, truth).mean(axis=(1, 2))


def auc_covariances(ratings: np.ndarray, truth: np.ndarray, method: str = "jackknife") -> np.ndarray:
    """Covariances of the areas, over the choice of cases.

    Reference: DeLong et al. 1988, Biometrics 44:837; jackknife as in Hillis et al. 2005, Stat Med 24:1579 (all cases pooled).

    Args:
        ratings, truth: as for `auc_matrix`.
        method: "jackknife" or "delong".

    Returns:
        (S, S).

    Raises:
        ValueError: unknown method.
    """
    check_choice("way to estimate covariances", method, METHODS)
    outranked = _outranked(ratings, truth)
    of_diseased, of_healthy = outranked.mean(axis=2), outranked.mean(axis=1)  # each case's mean over the other kind
    diseased, healthy = of_diseased.shape[1], of_healthy.shape[1]
    if method == "delong":
        return np.atleast_2d(np.cov(of_diseased)) / diseased + np.atleast_2d(np.cov(of_healthy)) / healthy
    area = outranked.mean(axis=(1, 2), keepdims=True)[:, 0]
    without = np.hstack(
        [(diseased * area - of_diseased) / (diseased - 1), (healthy * area - of_healthy) / (healthy - 1)]
    )
    cases = diseased + healthy
    return np.atleast_2d(np.cov(without)) * (cases - 1) ** 2 / cases


def _outranked(ratings: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Whether each diseased case outranks each healthy one, ties half, (S, diseased, healthy)."""
    apart = ratings[:, truth][:, :, None] - ratings[:, ~truth][:, None, :]
    return (np.sign(apart) + 1) / 2
