"""Two models on the same photos: how far apart, whether that is chance, and where they disagree."""

import math
from dataclasses import dataclass

import pandas as pd

from core.diagnoses import CODES
from core.evaluation.bootstrap import paired_differences
from core.evaluation.results import Results

COMPARED = ("balanced_accuracy", "accuracy", "macro_f1", "auc_macro", "mel.sensitivity", "mel.specificity", "ece")


@dataclass(frozen=True, eq=False)
class Comparison:
    """Model a against model b.

    Args:
        differences: metric -> {"value", "low", "high", "p"}, a minus b.
        only_a, only_b: photos that only the one got right.
        both, neither: photos that both and that none got right.
        mcnemar: exact two-sided p value of McNemar's test on photos.
        disagreements: photos with different answers: image_id, lesion_id, dx, "a", "b", and the probabilities of these answers.
    """

    differences: dict[str, dict]
    only_a: int
    only_b: int
    both: int
    neither: int
    mcnemar: float
    disagreements: pd.DataFrame


def mcnemar(only_a: int, only_b: int) -> float:
    """McNemar's exact two-sided p value: how surprising this lopsidedness is if both models were equally often right.

    Reference: McNemar 1947, Psychometrika 12:153, in its exact binomial form.

    Args:
        only_a, only_b: photos that only the one model got right.
    """
    n = only_a + only_b
    tail = sum(math.comb(n, k) for k in range(min(only_a, only_b) + 1))
    # Whole numbers until the end: 2**n has no place in a float beyond 1023 photos.
    return min(1.0, (2 * tail * 10**18 // 2**n) / 10**18)


def compare_results(a: Results, b: Results, *, resamples: int = 1000, seed: int = 0) -> Comparison:
    """Compares two models that were scored on the same photos.

    Raises:
        ValueError: they were not; see `paired_differences`.
    """
    differences = paired_differences(COMPARED, a.table, b.table, resamples=resamples, seed=seed)
    answers = pd.DataFrame({"image_id": a.table.image_id, "lesion_id": a.table.lesion_id, "dx": a.table.dx})
    answers["a"] = [CODES[i] for i in a.y_pred]
    answers["p a"] = a.probabilities.max(axis=1)
    other = pd.DataFrame(
        {"b": [CODES[i] for i in b.y_pred], "p b": b.probabilities.max(axis=1)}, index=b.table.image_id
    )
    answers = answers.join(other, on="image_id")
    right_a, right_b = answers.a == answers.dx, answers.b == answers.dx
    only_a, only_b = int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())
    apart = answers[answers.a != answers.b].sort_values("p a", ascending=False, kind="stable").reset_index(drop=True)
    return Comparison(
        differences,
        only_a,
        only_b,
        int((right_a & right_b).sum()),
        int((~right_a & ~right_b).sum()),
        mcnemar(only_a, only_b),
        apart,
    )
