"""Whoever tries many codes waits; whoever types the right one does not."""

import pytest

from core.teaching.guesses import Guesses
from core.teaching.people import Refused


def wrong():
    raise Refused("There is no such room.")


@pytest.fixture
def clock():
    return [0.0]


@pytest.fixture
def guesses(clock):
    return Guesses(most=3, within=60, clock=lambda: clock[0])


def miss(guesses, address="10.0.0.1"):
    with pytest.raises(Refused) as told:
        guesses.ask(address, wrong)
    return str(told.value)


def test_too_many_wrong_codes_are_refused_without_looking(guesses):
    assert [miss(guesses) for _ in range(3)] == ["There is no such room."] * 3
    looked = []
    with pytest.raises(Refused, match=r"Too many wrong codes came from here\. Wait 60 seconds"):
        guesses.ask("10.0.0.1", lambda: looked.append("the right code"))
    assert not looked, "a guesser learns nothing while waiting"


def test_others_are_not_kept_waiting_and_the_wait_ends(guesses, clock):
    for _ in range(3):
        miss(guesses)
    assert guesses.ask("10.0.0.2", lambda: "in") == "in"
    clock[0] = 61
    assert guesses.ask("10.0.0.1", lambda: "in") == "in"


def test_right_codes_never_count(guesses):
    assert [guesses.ask("10.0.0.1", lambda: "in") for _ in range(10)] == ["in"] * 10


def test_addresses_are_forgotten_rather_than_kept_without_end(guesses, monkeypatch):
    monkeypatch.setattr("core.teaching.guesses._ADDRESSES", 2)
    for n in range(5):
        miss(guesses, f"10.0.0.{n}")
    assert len(guesses._missed) == 2
