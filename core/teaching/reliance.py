"""Reliance on the network: who followed it where it was wrong, and who went against it where it was right.

Over-reliance is following wrong advice, under-reliance is not following right advice; both are told only where first and second
answer stand on both sides of the advice.

Reference: Schemmer et al. 2023, "Appropriate reliance on AI advice", IUI; in dermoscopy Tschandl et al. 2020, Nat Med 26:1229, where
faulty advice misled readers of all degrees of experience.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from core.teaching.answers import Answered
from core.teaching.scores import Share, share


@dataclass(frozen=True)
class Reliance:
    """What advice did.

    Args:
        followed_wrong: of answers to cases where the network was wrong, those that end as it said.
        misled: of right first answers to such cases, those that end as it said: over-reliance proper.
        ignored_right: of answers to cases where the network was right, those that do not end as it said.
        unhelped: of wrong first answers to such cases, those that end wrong all the same: under-reliance proper.
        switched: of first answers unlike the network's, those that end as it said, right or wrong.
        right_before, right_after: of all first, and of all last answers, the right ones; the same answers in both.
        over_reliant: person -> id of each case in which right became wrong by following.
        under_reliant: person -> id of each case in which wrong stayed wrong against right advice.
    """

    followed_wrong: Share
    misled: Share
    ignored_right: Share
    unhelped: Share
    switched: Share
    right_before: Share
    right_after: Share
    over_reliant: dict[str, tuple[str, ...]]
    under_reliant: dict[str, tuple[str, ...]]


def reliance(answered: Sequence[Answered]) -> Reliance:
    """Of answers with advice; others say nothing about reliance.

    Where nobody was asked a second time, the first answer is taken for one that was given after the advice was seen, and what needs
    both (misled, unhelped, switched) counts nothing.
    """
    advised = [one for one in answered if one.advice is not None and one.last is not None]
    both = [one for one in advised if one.first is not None and one.second is not None]

    def of(rows: list[Answered], hit) -> Share:
        return share([hit(one) for one in rows], [one.person for one in rows])

    wrong = [one for one in advised if one.advice != one.truth]
    right = [one for one in advised if one.advice == one.truth]
    could_mislead = [one for one in both if one.advice != one.truth and one.first == one.truth]
    could_help = [one for one in both if one.advice == one.truth and one.first != one.truth]
    apart = [one for one in both if one.first != one.advice]
    return Reliance(
        followed_wrong=of(wrong, lambda one: one.last == one.advice),
        misled=of(could_mislead, _followed),
        ignored_right=of(right, lambda one: one.last != one.advice),
        unhelped=of(could_help, _stayed_wrong),
        switched=of(apart, _followed),
        right_before=of(both, lambda one: one.first == one.truth),
        right_after=of(both, lambda one: one.second == one.truth),
        over_reliant=_by_person(could_mislead, _followed),
        under_reliant=_by_person(could_help, _stayed_wrong),
    )


def _followed(one: Answered) -> bool:
    return one.second == one.advice


def _stayed_wrong(one: Answered) -> bool:
    return one.second != one.truth


def _by_person(rows: list[Answered], hit) -> dict[str, tuple[str, ...]]:
    by_person: dict[str, tuple[str, ...]] = {}
    for one in rows:
        if hit(one):
            by_person[one.person] = (*by_person.get(one.person, ()), one.case)
    return by_person
