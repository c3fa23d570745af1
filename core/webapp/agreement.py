"""Whether several networks say the same about one photo, and which of them dissent."""

from collections import Counter
from dataclasses import dataclass

from core.diagnoses import NAMES
from core.webapp.words import listed, percent


@dataclass(frozen=True)
class Agreement:
    """How several readings of one photo compare.

    Args:
        leading: code that most networks name, or None where two codes are named equally often.
        voters: names of the networks whose likeliest diagnosis is `leading`.
        dissenters: name -> its own likeliest diagnosis, of all others.
        malignancy: (lowest, highest) probability that the lesion is malignant.
    """

    leading: str | None
    voters: tuple[str, ...]
    dissenters: dict[str, str]
    malignancy: tuple[float, float]

    @property
    def headline(self) -> str:
        count = len(self.voters) + len(self.dissenters)
        if count == 1:
            return f"One network only, and it says {NAMES[self.leading]}"
        if self.leading is None:
            return f"The {count} networks are divided"
        if not self.dissenters:
            return f"{'Both' if count == 2 else f'All {count}'} networks say {NAMES[self.leading]}"
        return f"{len(self.voters)} of {count} networks say {NAMES[self.leading]}"

    @property
    def dissent(self) -> str:
        """Who says otherwise, as a sentence; empty where nobody does."""
        if not self.dissenters:
            return ""
        said = [f"{name} says {NAMES[code]}" for name, code in self.dissenters.items()]
        return f"{listed(said)}."

    @property
    def spread(self) -> str:
        low, high = (percent(p) for p in self.malignancy)
        return f"Malignant or pre-malignant: {low}." if low == high else f"Malignant or pre-malignant: {low} to {high}."


def compare(tops: dict[str, str], malignancy: dict[str, float]) -> Agreement:
    """Counts the votes.

    Args:
        tops: network -> code of its likeliest diagnosis; at least one.
        malignancy: network -> probability that the lesion is malignant.
    """
    votes = Counter(tops.values()).most_common()
    divided = len(votes) > 1 and votes[0][1] == votes[1][1]
    leading = None if divided else votes[0][0]
    return Agreement(
        leading,
        tuple(name for name, code in tops.items() if code == leading),
        {name: code for name, code in tops.items() if code != leading},
        (min(malignancy.values()), max(malignancy.values())),
    )
