"""A choice by its name: the row, or a sentence that lists what there is."""

import pytest

from core.choices import check_choice, find_choice

TABLE = {"fast": 1, "slow": 2}


def test_a_known_name_gives_its_row():
    assert find_choice("speed", "slow", TABLE) == 2
    check_choice("speed", "fast", tuple(TABLE))


@pytest.mark.parametrize("name", ["Fast", "", None, ["fast"]])
def test_an_unknown_name_is_a_sentence_that_lists_the_known_ones(name):
    for look in (find_choice, check_choice):
        with pytest.raises(ValueError, match=r"^Unknown speed .*\. Expected one of: fast, slow\.$"):
            look("speed", name, TABLE)
