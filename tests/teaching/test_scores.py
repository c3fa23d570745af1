"""Scores and reliance, worked by hand, and the figures that the lesson of the docs promises."""

import numpy as np
import pytest

from core.evaluation.statistics.bootstrap import wilson
from core.teaching.answers import Answered, last_answer
from core.teaching.case_sets import rules
from core.teaching.case_sets.shipped import read_lists
from core.teaching.reliance import reliance
from core.teaching.scores import majority_point, network_point, point, points_of_people, share


def answered(person, case, truth, first, advice=None, second=None):
    return Answered(person, case, truth, first, 70, advice, second, 70 if second else None)


# truth, first, advice, second of six answers, each another kind of reliance
KINDS = {
    "misled": ("nv", "nv", "mel", "mel"),
    "stood firm": ("nv", "nv", "mel", "nv"),
    "helped": ("mel", "nv", "mel", "mel"),
    "unhelped": ("mel", "nv", "mel", "nv"),
    "agreed, right": ("nv", "nv", "nv", "nv"),
    "agreed, wrong": ("mel", "nv", "nv", "nv"),
}


@pytest.fixture
def all_kinds():
    return [
        answered("Anna", kind, truth, first, advice, second) for kind, (truth, first, advice, second) in KINDS.items()
    ]


def counted(one):
    return one.hits, one.of


def test_reliance_by_hand(all_kinds):
    found = reliance(all_kinds)
    assert counted(found.misled) == (1, 2)
    assert counted(found.unhelped) == (1, 2)
    assert counted(found.followed_wrong) == (2, 3)
    assert counted(found.ignored_right) == (1, 3)
    assert counted(found.switched) == (2, 4)
    assert (counted(found.right_before), counted(found.right_after)) == ((3, 6), (3, 6))
    assert found.over_reliant == {"Anna": ("misled",)}
    assert found.under_reliant == {"Anna": ("unhelped",)}


def test_reliance_needs_advice_and_a_second_answer_where_it_says_so():
    once = [
        answered("Anna", "a", "nv", "mel", "mel"),
        answered("Anna", "b", "nv", "nv", "nv"),
        answered("Anna", "c", "nv", "mel"),
    ]
    found = reliance(once)
    assert (counted(found.followed_wrong), counted(found.ignored_right)) == ((1, 1), (0, 1))
    for empty in (found.misled, found.unhelped, found.switched, found.right_before):
        assert (empty.of, empty.value, empty.low) == (0, None, None)
    assert reliance([]).switched.value is None


def test_a_share_of_one_person_has_wilsons_interval():
    one = share([True] * 3 + [False], ["Anna"] * 4)
    assert (one.value, one.low, one.high) == (0.75, *wilson(0.75, 4))
    assert share([True] * 3 + [False]) == one
    assert share([]).value is None


def test_a_share_of_many_people_resamples_people():
    """Ten people who always answer alike know no more than ten answers, however often they are asked."""
    people = np.repeat([f"S{n}" for n in range(10)], 20)
    hits = np.repeat([True] * 5 + [False] * 5, 20)
    together = share(hits, list(people))
    low, high = wilson(0.5, 200)
    assert together.high - together.low > 3 * (high - low)
    sure = share(np.ones(200, bool), list(people))
    assert (sure.low, sure.high) == (wilson(1.0, 10)[0], 1.0)


def test_points_by_hand():
    rows = [answered("Anna", "a", "mel", "mel"), answered("Anna", "b", "mel", "nv"), answered("Anna", "c", "nv", "nv")]
    rows += [
        answered("Bert", "a", "mel", "bkl"),
        answered("Bert", "c", "nv", "mel"),
        answered("Bert", "d", "bcc", "akiec"),
    ]
    anna, bert = points_of_people(rows)
    assert (counted(anna.sensitivity), counted(anna.specificity)) == ((1, 2), (1, 1))
    assert (counted(bert.sensitivity), counted(bert.specificity)) == ((0, 1), (1, 2))
    malignant = point("all", rows, "malignant")
    assert (counted(malignant.sensitivity), counted(malignant.specificity)) == ((2, 4), (1, 2))
    assert point("nobody", []).sensitivity.value is None
    assert point("last", rows, which=last_answer) == point("last", rows)


def test_the_network_counts_once_a_case():
    rows = [answered(who, case, "mel", "nv", advice) for who in "ABC" for case, advice in (("a", "mel"), ("b", "nv"))]
    found = network_point(rows)
    assert counted(found.sensitivity) == (1, 2)
    assert (found.sensitivity.low, found.sensitivity.high) == wilson(0.5, 2)


def test_the_majority_and_a_tie():
    rows = [answered(who, "a", "mel", said) for who, said in zip("ABC", ("mel", "mel", "nv"), strict=True)]
    rows += [answered(who, "b", "mel", said) for who, said in zip("AB", ("mel", "nv"), strict=True)]
    rows += [answered("A", "c", "nv", None)]
    assert counted(majority_point(rows).sensitivity) == (1, 2)
    assert majority_point(rows).specificity.value is None


# ---- the lesson of docs/teaching.md ----


def lesson(right, follow_wrong, follow_right, students=1500):
    """A class on the ten cases whose members follow advice that they disagree with as often as given."""
    other = {"nv": "mel", "mel": "nv"}
    random = np.random.default_rng(0)
    rows = []
    for student in range(students):
        for case, verdict in zip(CASES, rules.LESSON, strict=True):
            advice = case.truth if verdict == "R" else other[case.truth]
            first = case.truth if random.random() < right else other[case.truth]
            follows = random.random() < (follow_right if verdict == "R" else follow_wrong)
            rows.append(answered(f"S{student}", case.id, case.truth, first, advice, advice if follows else first))
    return rows


CASES = read_lists()["over-reliance"].cases


@pytest.mark.parametrize(
    ("follow_wrong", "follow_right", "after", "wrong", "right", "misled", "unhelped"),
    [(0, 0, 65, 65, 65, 0, 100), (0.4, 0.6, 67, 39, 86, 40, 40), (1, 1, 60, 0, 100, 100, 0)],
)
def test_the_figures_of_the_lesson(follow_wrong, follow_right, after, wrong, right, misled, unhelped):
    rows = lesson(0.65, follow_wrong, follow_right)
    found = reliance(rows)
    values = [found.right_before, found.right_after, found.misled, found.unhelped]
    assert [100 * one.value for one in values] == pytest.approx([65, after, misled, unhelped], abs=2)
    for verdict, expected in (("W", wrong), ("R", right)):
        of = [one.second == one.truth for one in rows if (one.advice == one.truth) == (verdict == "R")]
        assert 100 * np.mean(of) == pytest.approx(expected, abs=2)
    network = network_point(rows)
    assert (counted(network.sensitivity), counted(network.specificity)) == ((3, 5), (3, 5))
    assert [round(100 * end) for end in (network.sensitivity.low, network.sensitivity.high)] == [23, 88]
