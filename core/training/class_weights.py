"""Loss weights of the seven diagnoses, from training counts only."""

from collections.abc import Callable

import numpy as np

from core.choices import check_choice

# Reference: Cui et al. 2019, "Class-Balanced Loss Based on Effective Number of Samples"; 0.999 suits counts of 80 to 5,000.
EFFECTIVE_BETA = 0.999


def _inverse(counts):
    return counts.sum() / counts


def _balanced(counts):
    return counts.sum() / (len(counts) * counts)


def _effective(counts):
    return (1 - EFFECTIVE_BETA) / (1 - EFFECTIVE_BETA**counts)


# name -> (weights from counts, whether they are rescaled to mean 1 over the training photos). The paper's two are left as
# printed: their scale acts as a learning rate under Adam with epsilon 0.1 (docs/reproduction.md, section 5).
CLASS_WEIGHTS: dict[str, tuple[Callable[[np.ndarray], np.ndarray], bool]] = {
    "none": (np.ones_like, True),
    "inverse": (_inverse, False),
    "paper": (_balanced, False),
    "effective": (_effective, True),
    "sqrt_inverse": (lambda counts: 1 / np.sqrt(counts), True),
}


def class_weights(name: str, counts: np.ndarray) -> np.ndarray:
    """Loss weights w of the diagnoses; the loss is (1/B) sum_i w[y_i] (-log p_i[y_i]).

    "none": 1. "inverse": N/N_i, the paper's original. "paper": N/(C N_i), its new weights (Eqs. 3-4, which need C, not n, as the
    last index). "effective": effective number of samples. "sqrt_inverse": 1/sqrt(N_i). The last two are rescaled so that the mean weight
    over training photos is 1.

    Reference: paper, Eqs. 2-4; docs/reproduction.md, section 5.

    Args:
        counts: training photos of each diagnosis, (7,). A diagnosis without photos gets weight 0.

    Returns:
        (7,) float64.

    Raises:
        ValueError: unknown name.
    """
    check_choice("class weights", name, CLASS_WEIGHTS)
    formula, rescale = CLASS_WEIGHTS[name]
    counts = np.asarray(counts, "float64")
    there = counts > 0
    # An absent diagnosis is counted as one photo, so that no formula divides by zero; its weight is never used.
    weights = np.where(there, formula(np.maximum(counts, 1.0)), 0.0)
    return weights * counts.sum() / (weights * counts).sum() if rescale else weights
