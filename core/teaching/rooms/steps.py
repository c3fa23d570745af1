"""The steps of a case in a class, in order: what each shows beside what was shown before, and whether it takes votes."""

from collections.abc import Sequence
from dataclasses import dataclass

PHOTO, FACTS, NETWORK, MAP, TRUTH, VOTES = "photo", "facts", "network", "map", "truth", "votes"


@dataclass(frozen=True)
class Step:
    """One step.

    Args:
        title: for buttons.
        shows: what students see from here on.
        round: of votes that this step takes: 1 before the network's answer, 2 after it; 0 for none.
    """

    title: str
    shows: tuple[str, ...] = ()
    round: int = 0


STEPS: dict[str, Step] = {
    "photo": Step("Photo", (PHOTO,)),
    "facts": Step("Patient", (FACTS,)),
    "vote": Step("Vote", round=1),
    "network": Step("Network", (NETWORK,)),
    "map": Step("Map", (MAP,)),
    "second vote": Step("Vote again", round=2),
    # The votes of others come with the truth: seen before a second vote they would be followed like advice.
    "truth": Step("Truth", (TRUTH, NETWORK, MAP, FACTS, VOTES)),
}
PLAIN_LESSON = ("photo", "facts", "vote", "network", "map", "truth")
RELIANCE_LESSON = ("photo", "facts", "vote", "network", "map", "second vote", "truth")
# Who sees the network's answer before the truth.
WITH_AI, WITHOUT_AI = "with AI", "without AI"
ARMS = (WITH_AI, WITHOUT_AI)
_HIDDEN_WITHOUT_AI = {NETWORK, MAP}


def check_steps(steps: Sequence[str]) -> tuple[str, ...]:
    """The steps of a room, or an error.

    Raises:
        ValueError: an unknown step, another order than that of `STEPS`, or a lesson that does not go from photo to truth.
    """
    steps, order = tuple(steps), list(STEPS)
    foreign = [s for s in steps if s not in STEPS]
    if foreign:
        raise ValueError(f"Unknown step {foreign[0]!r:.40}. Expected some of: {', '.join(order)}.")
    if list(steps) != sorted(set(steps), key=order.index) or steps[:1] != ("photo",) or steps[-1:] != ("truth",):
        raise ValueError(
            f"The steps are {', '.join(steps)}. Expected photo first and truth last, and in this order: {', '.join(order)}."
        )
    if "second vote" in steps and not {"vote", "network"} <= set(steps):
        raise ValueError(
            "A second vote needs a vote and the network's answer before it. Add these steps, or leave it out."
        )
    return steps


def seen_at(steps: Sequence[str], place: int, arm: str = WITH_AI) -> frozenset[str]:
    """What a student of an arm sees at a step: all that the steps up to it show.

    Args:
        steps: of the room.
        place: of the step in them.
    """
    seen = {what for name in steps[: place + 1] for what in STEPS[name].shows}
    if arm == WITHOUT_AI and TRUTH not in seen:
        seen -= _HIDDEN_WITHOUT_AI
    return frozenset(seen)
