import time
from types import SimpleNamespace

import pytest

from core.webapp.shared.session import parked


@pytest.fixture
def sessions(monkeypatch):
    """Two sessions of one server: a function that makes one of them the one at work."""
    server, states = parked.Parked(), {"old": {}, "new": {}}
    monkeypatch.setattr(parked, "_parked", lambda: server)
    monkeypatch.setattr(parked, "_owner", lambda name: name)

    def work(name: str) -> dict:
        monkeypatch.setattr(parked, "st", SimpleNamespace(session_state=states[name]))
        return states[name]

    work.server = server
    return work


def test_a_reloaded_tab_finds_photo_facts_and_cases_and_nothing_else(sessions):
    cases = {"hash": "case"}
    sessions("old").update(
        {"photo from uploader": "file", "age": 44.0, "session cases": cases, "uploader": "widget", "lab": 1}
    )
    parked.park("secret")
    cases["later"] = "case"
    new = sessions("new")
    assert parked.restore("secret") and not parked.is_lost("")
    assert new == {"photo from uploader": "file", "age": 44.0, "session cases": {"hash": "case", "later": "case"}}


@pytest.mark.parametrize("name", ["another", "", None, 3, {"a": 1}])
def test_who_does_not_know_the_name_gets_nothing(sessions, name):
    sessions("old")["age"] = 44.0
    parked.park("secret")
    new = sessions("new")
    assert not parked.restore(name) and "age" not in new and parked.is_lost("")


def test_what_ended_is_gone_and_said_until_there_is_a_photo(sessions):
    sessions("old")["age"] = 44.0
    parked.park("secret")
    sessions.server.leave("secret", after=0.01)
    deadline = time.monotonic() + 10
    while sessions.server.find("secret") is not None and time.monotonic() < deadline:
        time.sleep(0.01)
    sessions("new")
    assert not parked.restore("secret") and parked.is_lost("")
    assert not parked.is_lost("a photo") and not parked.is_lost("")


def test_a_tab_that_comes_back_keeps_its_state(sessions):
    sessions("old")["age"] = 44.0
    parked.park("secret")
    left = sessions.server.find("secret")
    parked.park("secret")
    sessions.server.drop("secret", left)
    assert sessions.server.find("secret") == {"age": 44.0}
