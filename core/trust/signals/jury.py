"""The jury: every shipped network's vote on one photo, and how often a majority as large was right on the held-out photos.

Each network votes once, on every page and on the command line: a model that is made of others (its card lists "members")
never votes beside them. The networks learnt from the same photos, so they share mistakes: their agreement is worth what it
was worth on the held-out photos, and that is what stands beside it.

Reference: B. Lakshminarayanan, A. Pritzel, C. Blundell, "Simple and scalable predictive uncertainty estimation using deep
ensembles", NeurIPS 2017.
"""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.card import Card
from core.diagnoses import CODES, NAMES
from core.estimates import CountedEstimate
from core.evaluation.results import Results
from core.evaluation.statistics.shares import share_of
from core.wording import listed


@dataclass(frozen=True)
class Jury:
    """What several networks say about one photo.

    Args:
        votes: network -> code of its likeliest diagnosis.
        probabilities: code -> mean of the networks' probabilities.
        verdict: code that most networks vote for; among codes with as many votes, that of the higher mean probability.
        entropy: of the mean probabilities, bits: 0 certain, 2.8 all seven alike.
    """

    votes: dict[str, str]
    probabilities: dict[str, float]
    verdict: str
    entropy: float

    @property
    def agreeing(self) -> int:
        """How many networks vote for the verdict."""
        return sum(code == self.verdict for code in self.votes.values())

    @property
    def agreement(self) -> float:
        """Their share of the networks, 0..1."""
        return self.agreeing / len(self.votes)

    @property
    def dissenters(self) -> dict[str, str]:
        """Network -> its own likeliest diagnosis, of those that vote otherwise."""
        return {name: code for name, code in self.votes.items() if code != self.verdict}

    @property
    def divided(self) -> bool:
        """Whether another diagnosis has as many votes as the verdict, which the mean probability then decides."""
        counts = Counter(self.votes.values()).most_common(2)
        return len(counts) > 1 and counts[0][1] == counts[1][1]

    @property
    def headline(self) -> str:
        """The votes in words, such as "2 of 3 networks say Melanoma"."""
        count, name = len(self.votes), NAMES[self.verdict]
        if count == 1:
            return f"One network only, and it says {name}"
        if self.divided:
            return f"The {count} networks are divided; by their mean probability {name}"
        if not self.dissenters:
            return f"{'Both' if count == 2 else f'All {count}'} networks say {name}"
        return f"{self.agreeing} of {count} networks say {name}"

    @property
    def dissent(self) -> str:
        """Who says otherwise, as a sentence; empty where nobody does."""
        if not self.dissenters:
            return ""
        return f"{listed([f'{name} says {NAMES[code]}' for name, code in self.dissenters.items()])}."

    def to_json(self) -> dict:
        """As plain values, for records and files."""
        return {
            "verdict": self.verdict,
            "agreement": self.agreement,
            "networks": len(self.votes),
            "entropy_bits": self.entropy,
            "probabilities": self.probabilities,
            "votes": self.votes,
        }


@dataclass(frozen=True)
class JuryRecord:
    """How often the verdict was right on the held-out photos that all networks were scored on.

    Args:
        networks: their names.
        photos, lesions: how many.
        right: number of networks that agree -> the share of right verdicts.
    """

    networks: tuple[str, ...]
    photos: int
    lesions: int
    right: dict[int, CountedEstimate]


def votes(card: Card) -> bool:
    """Whether a model votes: an ensemble of others does not beside them, and of one with a leaky split nothing is known.

    A set of folds is one network in several copies, and has one vote.
    """
    return not card.is_ensemble and not card.split.get("leaky")


def convene(opinions: Mapping[str, Mapping[str, float]]) -> Jury:
    """Counts the votes.

    Args:
        opinions: network -> code -> probability; at least one network.

    Raises:
        ValueError: no network.
    """
    if not opinions:
        raise ValueError("A jury needs at least one network's probabilities; there are none. Ship or train a model.")
    mean = {code: math.fsum(p[code] for p in opinions.values()) / len(opinions) for code in CODES}
    answers = {name: max(CODES, key=lambda code: p[code]) for name, p in opinions.items()}
    counts = Counter(answers.values())
    verdict = max(CODES, key=lambda code: (counts[code], mean[code]))
    entropy = -math.fsum(p * math.log2(p) for p in mean.values() if p > 0)
    return Jury(answers, mean, verdict, max(0.0, entropy))


def jury_record(results: Mapping[str, Results]) -> JuryRecord:
    """How often the verdict was right at each level of agreement, on the held-out photos that all the networks share.

    Args:
        results: network -> its held-out results; the same networks as on the jury.

    Raises:
        ValueError: no network, or networks without a held-out photo in common.
    """
    if not results:
        raise ValueError("A jury's record needs at least one network's held-out results; there are none.")
    tables = [r.table.set_index("image_id") for r in results.values()]
    shared = tables[0].index
    for table in tables[1:]:
        shared = shared[shared.isin(table.index)]
    if not len(shared):
        raise ValueError(
            f"{', '.join(results)} have no held-out photo in common, so nothing is known of their agreement. Train them on one split."
        )
    probabilities = np.stack([t.loc[shared, list(CODES)].to_numpy("float64") for t in tables])
    counts = np.zeros(probabilities.shape[1:])
    for answers in probabilities.argmax(axis=2):
        counts[np.arange(len(shared)), answers] += 1
    # As in `convene`: votes first, then the mean probability, which never outweighs a vote.
    verdicts = (counts + probabilities.mean(axis=0) * 0.5).argmax(axis=1)
    agreeing = counts.max(axis=1).astype(int)
    right = np.array(CODES)[verdicts] == tables[0].loc[shared, "dx"].to_numpy(dtype=str)
    lesions = tables[0].loc[shared, "lesion_id"].to_numpy(dtype=str)
    return JuryRecord(
        tuple(results),
        len(shared),
        len(np.unique(lesions)),
        {
            int(k): share_of(right[agreeing == k], lesions[agreeing == k])
            for k in range(1, len(tables) + 1)
            if (agreeing == k).any()
        },
    )
