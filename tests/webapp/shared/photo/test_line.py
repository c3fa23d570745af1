import threading
import time

import pytest

from core.webapp.shared.photo.line import Line, waiting_words


def in_line(line, owner, order, tell=lambda before: None, hold=0.0):
    def work():
        with line.turn(owner, tell):
            order.append(owner)
            time.sleep(hold)

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def wait_for(condition):
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)
    assert condition()


def test_turns_come_in_the_order_of_asking_and_the_waiting_are_told_their_place():
    line, order, told = Line(1, tell_after=0.2), [], {}
    with line.turn("first", lambda before: None):
        threads = []
        for owner in "abc":
            threads.append(in_line(line, owner, order, lambda before, owner=owner: told.setdefault(owner, before)))
            wait_for(lambda: len(line._waiting) == len(threads))
        wait_for(lambda: len(told) == 3)
        assert not order
    for thread in threads:
        thread.join(10)
    assert order == ["a", "b", "c"] and told == {"a": 0, "b": 1, "c": 2}


def test_a_turn_inside_a_turn_is_the_same_one():
    line = Line(1)
    with line.turn("a", pytest.fail), line.turn("a", pytest.fail):
        assert line._free == 0
    assert line._free == 1


def test_who_leaves_while_waiting_and_who_fails_within_block_nobody():
    class Left(Exception):
        pass

    def leave(before):
        raise Left

    line, order = Line(1, tell_after=0.0), []
    with line.turn("first", pytest.fail), pytest.raises(Left), line.turn("gone", leave):
        pytest.fail("had no turn")
    with pytest.raises(ZeroDivisionError), line.turn("failing", pytest.fail):
        _ = 1 / 0
    in_line(line, "next", order).join(10)
    assert order == ["next"] and line._free == 1


@pytest.mark.parametrize("before, words", [(0, "next"), (1, "One other"), (7, "7 other")])
def test_the_place_is_told_in_words(before, words):
    assert words in waiting_words(before)
