"""What a call means, told in people: whole people, who add up."""

import re

import pytest

from core.estimates import Estimate
from core.evaluation.melanoma import TwoByTwo
from core.webapp.melanoma.threshold import people_words


def two_by_two(sensitivity: float, specificity: float) -> TwoByTwo:
    return TwoByTwo(0.2, 1, 1, 1, 1, Estimate(sensitivity), Estimate(specificity))


def test_at_one_in_a_hundred_most_of_those_called_have_none():
    words = people_words(two_by_two(0.8, 0.9), 0.01)
    assert "10 with a melanoma and 990 with a nevus: 8 of the 10 are called melanoma, 2 missed" in words
    assert "of the nevi 99 are called" in words and "So of the **107** called melanoma **8** have one" in words


@pytest.mark.parametrize("prevalence", [0.001, 0.05, 0.5])
@pytest.mark.parametrize("rate", [0.0, 0.33, 1.0])
def test_people_are_whole_and_add_up(prevalence, rate):
    words = people_words(two_by_two(rate, 0.77), prevalence)
    assert not re.search(r"\d\.\d|-\d", words)
    with_one, without = map(int, re.search(r"(\d+) with a melanoma and (\d+)", words).groups())
    assert with_one + without == 1000


def test_nobody_called_is_said():
    assert people_words(two_by_two(0.0, 1.0), 0.01).endswith("Nobody is called melanoma.")
