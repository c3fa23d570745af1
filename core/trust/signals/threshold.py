"""From what a missed melanoma weighs against a needless excision to a threshold on the probability of melanoma.

Whoever holds a missed melanoma to be R times as bad as a needless excision acts from a probability of 1 / (1 + R) on: there both
expected losses are equal. This is the reader's judgement, never the network's, and it takes the probability at its word:
for patients as in the collection, where melanomas are commoner than in most practices.

Reference: S. G. Pauker, J. P. Kassirer, "The threshold approach to clinical decision making", NEJM 1980; C. Barata et al., "A
reinforcement learning model for AI-based decision support in skin cancer", Nat Med 2023 (rewards in place of labels).
"""

from dataclasses import dataclass

from core.estimates import Estimate
from core.evaluation.melanoma import Duel
from core.wording import against

# Missed melanoma : needless excision, for a first look.
RATIOS = (1, 4, 9, 19, 49, 99)


@dataclass(frozen=True)
class Weighing:
    """One judgement, and what it comes to on the held-out photos' melanomas and nevi.

    Args:
        ratio: needless excisions that weigh as much as one missed melanoma.
        threshold: the probability of melanoma to act from.
        sensitivity, specificity: at the threshold.
        missed, needless: melanomas and nevi among `of` melanomas and nevi as in the held-out photos: missed, and excised.
        loss: expected, per 1000 lesions, in needless excisions.
    """

    ratio: float
    threshold: float
    sensitivity: Estimate
    specificity: Estimate
    missed: float
    needless: float
    loss: float


def suggested_threshold(ratio: float) -> float:
    """The probability from which acting loses less than waiting.

    Args:
        ratio: how many needless excisions weigh as much as one missed melanoma.

    Raises:
        ValueError: a ratio that is not positive.
    """
    if not ratio > 0:
        raise ValueError(
            f"A ratio of {ratio!r} is not possible. Expected how many needless excisions weigh as one missed melanoma."
        )
    return 1 / (1 + ratio)


def weigh(duel: Duel, ratio: float) -> Weighing:
    """What acting on a judgement comes to, per 1000 melanomas and nevi as in the evaluation."""
    threshold = suggested_threshold(ratio)
    table = duel.at(threshold)
    per = 1000 / sum(duel.photos.values())
    missed, needless = table.missed * per, table.alarms * per
    return Weighing(ratio, threshold, table.sensitivity, table.specificity, missed, needless, ratio * missed + needless)


def threshold_words(probability: float, threshold: float, own: bool = True) -> str:
    """Where a photo's probability of melanoma stands to a threshold, in words.

    Args:
        threshold: on the probability of melanoma.
        own: whether the reader set it; else it is the network's operating point, until the reader sets one.
    """
    whose = "your threshold" if own else "the network's operating point"
    rule = "your own rule" if own else "that rule"
    _, share = against(probability, threshold)
    if probability >= threshold:
        return f"at or above {whose} of {share}: by {rule}, treated as a possible melanoma"
    return f"below {whose} of {share}: by {rule}, not treated as a melanoma"
