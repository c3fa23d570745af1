"""Two models on the same photos: how far apart, whether that is chance, and where they disagree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.decisions import SCORED, rule_of
from core.diagnoses import CODES
from core.estimates import Difference
from core.evaluation.results import Results
from core.evaluation.statistics.bootstrap import paired_differences
from core.evaluation.statistics.significance import clustered_mcnemar, mcnemar

if TYPE_CHECKING:
    import pandas as pd

COMPARED = ("balanced_accuracy", "accuracy", "macro_f1", "auc_macro", "mel.sensitivity", "mel.specificity", "ece")


@dataclass(frozen=True, eq=False)
class Comparison:
    """Model a against model b.

    Args:
        differences: metric -> a minus b, under the rule that the metric is headlined with.
        only_a, only_b: photos that only the one got right.
        both, neither: photos that both and that none got right.
        p: two-sided p value of McNemar's test that lets photos of one lesion go together. The verdict follows this one.
        p_by_photo: that of the exact test that takes photos for independent, to compare with papers that give it.
        disagreements: photos with different answers: image_id, lesion_id, dx, "a", "b", and the probabilities of these answers.
    """

    differences: dict[str, Difference]
    only_a: int
    only_b: int
    both: int
    neither: int
    p: float
    p_by_photo: float
    disagreements: pd.DataFrame


def compare_results(a: Results, b: Results, *, resamples: int = 1000, seed: int = 0) -> Comparison:
    """Compares two models that were scored on the same photos.

    Raises:
        ValueError: they were not; see `paired_differences`.
    """
    import pandas as pd

    differences = {}
    for rule in SCORED:
        asked = [metric for metric in COMPARED if rule_of(metric) == rule]
        differences |= paired_differences(asked, a.weighed(rule), b.weighed(rule), resamples=resamples, seed=seed)
    differences = {metric: differences[metric] for metric in COMPARED}
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
        clustered_mcnemar(right_a, right_b, a.table.lesion_id),
        mcnemar(only_a, only_b),
        apart,
    )
