"""Catch the faulty AI: a share of the network's right answers is made wrong, believably, and the end always tells which.

Reference: faulty advice in dermoscopy, Tschandl et al. 2020, Nat Med 26:1229; after Chanda et al. 2025, trust must be taught.
"""

import math
from collections.abc import Mapping

import numpy as np

from core.diagnoses import CODES
from core.teaching.advice import Advice
from core.teaching.case_sets.record import CaseSet

SHARES = (0.05, 0.5)  # below, nothing comes up; above, the network would be worth ignoring


def spoil(cases: CaseSet, advice: Mapping[str, Advice], share: float, seed: int) -> dict[str, Advice]:
    """The advice with a share of it made wrong.

    Only right answers are made wrong: a network that is wrong by itself stays as it is. At least one is made wrong where any is right.

    Args:
        advice: id of a case -> the network's answer, for all cases.
        share: of the cases, 0.05 to 0.5.
        seed: chooses which; the same again with the same seed.

    Raises:
        ValueError: another share.
    """
    low, high = SHARES
    if not low <= share <= high:
        raise ValueError(f"A share of {share!r} cannot be made wrong. Expected {low} to {high}.")
    # Two diagnoses that are equally likely leave nothing to exchange.
    right = [
        case.id for case in cases.cases if advice[case.id].answer == case.truth != make_wrong(advice[case.id]).answer
    ]
    wanted = min(len(right), max(1, math.floor(share * len(cases) + 0.5)))
    chosen = {right[i] for i in np.random.default_rng(seed).permutation(len(right))[:wanted]}
    return {i: make_wrong(answer) if i in chosen else answer for i, answer in advice.items()}


def make_wrong(advice: Advice) -> Advice:
    """The answer with its two likeliest diagnoses exchanged: as sure as before, and wrong in the way nearest to the network."""
    first, second = sorted(CODES, key=lambda code: -advice.probabilities[code])[:2]
    return Advice(advice.model, _exchanged(advice, first, second), really=first)


def undo(advice: Advice) -> Advice:
    """What the network really said."""
    return advice if advice.really is None else Advice(advice.model, _exchanged(advice, advice.answer, advice.really))


def _exchanged(advice: Advice, one: str, other: str) -> dict[str, float]:
    values = advice.probabilities
    return values | {one: values[other], other: values[one]}
