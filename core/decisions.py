"""Rules that make a decision of probabilities. Each has a name, which stands beside every score that it gives."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.choices import find_choice
from core.diagnoses import CODES, MELANOMA


@dataclass(frozen=True)
class Terms:
    """What the rules need to know beside probabilities.

    Args:
        shares: (7,), how common each diagnosis was in training.
        power: of these shares in the rule "balanced", chosen on validation: 0 decides for the likeliest, 1 is Bayes' rule for
            balanced accuracy.
        threshold: on the probability of melanoma, in the rule "costs"; None where nobody gave one.
    """

    shares: tuple[float, ...]
    power: float
    threshold: float | None = None

    def __post_init__(self):
        object.__setattr__(self, "shares", tuple(float(s) for s in self.shares))
        if len(self.shares) != len(CODES) or not (np.isfinite(self.shares).all() and min(self.shares) > 0):
            raise ValueError(f"The shares {self.shares} are not possible. Expected {len(CODES)} numbers above 0.")
        if not np.isfinite(self.power):
            raise ValueError(f"A power of {self.power!r} is not possible. Expected a finite number.")

    def to_json(self) -> dict:
        """As plain values."""
        return {"shares": list(self.shares), "power": self.power, "threshold": self.threshold}


EVEN = Terms((1 / len(CODES),) * len(CODES), 0.0)


@dataclass(frozen=True)
class Decision:
    """A rule.

    Args:
        title: as in "under the rule TITLE".
        about: one sentence.
        decide: (probabilities (N, 7), terms) -> classes, (N,), positions in `CODES`.
    """

    title: str
    about: str
    decide: Callable[[np.ndarray, Terms], np.ndarray]


def _likeliest(probabilities: np.ndarray, terms: Terms) -> np.ndarray:
    return probabilities.argmax(axis=-1)


def _balanced(probabilities: np.ndarray, terms: Terms) -> np.ndarray:
    return (probabilities / np.array(terms.shares) ** terms.power).argmax(axis=-1)


def _costs(probabilities: np.ndarray, terms: Terms) -> np.ndarray:
    if terms.threshold is None:
        raise ValueError("The rule 'costs' needs a threshold on the probability of melanoma, and there is none.")
    others = probabilities.copy()
    others[..., MELANOMA] = -1
    return np.where(probabilities[..., MELANOMA] >= terms.threshold, MELANOMA, others.argmax(axis=-1))


DECISIONS: dict[str, Decision] = {
    "likeliest": Decision(
        "likeliest",
        "The diagnosis with the largest probability: most photos right.",
        _likeliest,
    ),
    "balanced": Decision(
        "balanced",
        "The largest probability over the diagnosis' share in training to a power chosen on validation: each diagnosis counts alike, "
        "however rare.",
        _balanced,
    ),
    "costs": Decision(
        "costs",
        "Melanoma from the reader's threshold on its probability on, which weighs a missed melanoma against needless excisions; "
        "else the likeliest of the others.",
        _costs,
    ),
}


# The rules whose scores an evaluation gives in full; "costs" is the reader's, who moves the threshold.
SCORED = ("likeliest", "balanced")


def rule_of(metric: str) -> str:
    """The rule under which a score is headlined: balanced accuracies under "balanced", which is made for them; others under "likeliest"."""
    return "balanced" if metric.endswith("balanced_accuracy") else "likeliest"


def find_decision(name: str) -> Decision:
    """Looks a rule up.

    Raises:
        ValueError: no such rule; the message lists those there are.
    """
    return find_choice("decision rule", name, DECISIONS)


def decide(name: str, probabilities: np.ndarray, terms: Terms = EVEN) -> np.ndarray:
    """Classes that a rule decides for, (N,), positions in `CODES`.

    Args:
        name: key of `DECISIONS`.
        probabilities: (N, 7).
        terms: of the model; the rule "likeliest" needs none.
    """
    return find_decision(name).decide(np.asarray(probabilities, "float64"), terms)


def cost_threshold(excisions: float) -> float:
    """The probability of melanoma from which on excising costs less, where one missed melanoma weighs `excisions` needless ones.

    Reference: Elkan 2001, "The foundations of cost-sensitive learning".
    """
    if not excisions > 0:
        raise ValueError(
            f"{excisions!r} needless excisions for one missed melanoma are not possible. Expected a number above 0."
        )
    return 1 / (1 + excisions)
