"""How well people find what is to be found: sensitivity and specificity of one and of many, beside the network's."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.estimates import Estimate
from core.evaluation.statistics.bootstrap import proportion, resample_lesions, wilson
from core.teaching.answers import TARGETS, Answered, Which, first_answer

RESAMPLES = 1000


@dataclass(frozen=True)
class Share(Estimate):
    """A share of answers; of None where there is nothing to count.

    Args:
        hits, of: counted.
    """

    hits: int = 0
    of: int = 0


@dataclass(frozen=True)
class Point:
    """Where somebody works on the ROC: the share of targets that were found, and of the others that were left alone."""

    name: str
    sensitivity: Share
    specificity: Share


def share(hits: Sequence[bool] | np.ndarray, people: Sequence[str] | None = None) -> Share:
    """A share.

    Args:
        hits: (N,) bool.
        people: whose each is, where several people answer: the interval then resamples people, since one person's answers go
            together; it holds for people like these and for these cases. Without them, and for one person, it is Wilson's.
    """
    hits = np.asarray(hits, dtype=bool)
    if not len(hits):
        return Share(None)
    value = float(hits.mean())
    if people is None or len(set(people)) < 2:
        low, high = wilson(value, len(hits))
        return Share(value, low, high, int(hits.sum()), len(hits))
    weights = resample_lesions(people, RESAMPLES).astype("float64")
    estimate = proportion(value, (weights @ hits) / weights.sum(axis=1), len(set(people)))
    return Share(value, estimate.low, estimate.high, int(hits.sum()), len(hits))


def point(name: str, answered: Sequence[Answered], target: str = "mel", which: Which = first_answer) -> Point:
    """The point of one person, or of several together.

    Args:
        target: key of `answers.TARGETS`.
        which: which answer counts; cases without it are left out.
    """
    codes = TARGETS[target][1]
    there = [one for one in answered if which(one) is not None]
    people = [one.person for one in there]
    called = np.array([which(one) in codes for one in there], dtype=bool)
    positive = np.array([one.truth in codes for one in there], dtype=bool)

    def of(rows: np.ndarray, right: np.ndarray) -> Share:
        return share(right[rows], [p for p, row in zip(people, rows, strict=True) if row])

    return Point(name, of(positive, called), of(~positive, ~called))


def points_of_people(answered: Sequence[Answered], target: str = "mel", which: Which = first_answer) -> list[Point]:
    """A point a person, in the order in which they come."""
    by_person: dict[str, list[Answered]] = {}
    for one in answered:
        by_person.setdefault(one.person, []).append(one)
    return [point(person, theirs, target, which) for person, theirs in by_person.items()]


def network_point(answered: Sequence[Answered], target: str = "mel") -> Point:
    """The network's point on the same cases, each counted once; intervals are Wilson's over the cases."""
    cases = {
        one.case: Answered("network", one.case, one.truth, one.advice) for one in answered if one.advice is not None
    }
    return point("network", list(cases.values()), target)


def majority_point(answered: Sequence[Answered], target: str = "mel", which: Which = first_answer) -> Point:
    """The point of the class as one: what most of them answered (a tie is no majority: then the case counts as not called).

    Reference: collective intelligence in dermoscopy, Tschandl et al. 2020, Nat Med 26:1229.
    """
    codes = TARGETS[target][1]
    by_case: dict[str, list[Answered]] = {}
    for one in answered:
        if which(one) is not None:
            by_case.setdefault(one.case, []).append(one)
    together = []
    for case, theirs in by_case.items():
        called = sum(which(one) in codes for one in theirs)
        answer = next(iter(codes)) if 2 * called > len(theirs) else "none of them"
        together.append(Answered("majority", case, theirs[0].truth, answer))
    return point("majority", together, target)
