"""What a network says of a class's cases: never from memory."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from made_up import made_up_results

from core.webapp.teach import advice


@pytest.fixture
def shelf(cases, tmp_path, monkeypatch):
    """Two networks: one was held out from the first case and learned from the second, the other met neither; the third is nobody's."""
    first, second, _ = (case.id for case in cases.cases)
    results = made_up_results(tmp_path / "results")
    held_out = replace(results, table=results.table.assign(image_id=[first, *results.table.image_id[1:]]))
    evaluated = {"Learned": SimpleNamespace(results=held_out)}
    monkeypatch.setattr(advice, "read_evaluated", lambda shelf: (evaluated, {}))
    monkeypatch.setattr(advice, "find_path", lambda case: None)
    cards = {
        # A set of folds counts what any of its networks met as trained on, what it is held out from, too.
        "Learned": SimpleNamespace(split={"train": [first, second], "validation": [], "test": []}),
        "Fresh": SimpleNamespace(split={"train": ["another"], "validation": [], "test": []}),
    }
    return SimpleNamespace(models=cards)


def test_of_a_photo_that_it_learned_from_a_network_says_nothing(cases, shelf):
    first, second, _ = (case.id for case in cases.cases)
    assert advice.learned_from(cases, "Learned", shelf) == [second]
    assert set(advice.gather_advice(cases, "Learned", shelf)) == {first}
    assert not advice.learned_from(cases, "Fresh", shelf) and not advice.learned_from(cases, "", shelf)


def test_it_is_said_of_how_many_and_who_was_held_out(cases, shelf, monkeypatch):
    told = []
    monkeypatch.setattr(advice.st, "caption", told.append)
    advice.draw_learned(cases, "Fresh", shelf)
    assert not told
    advice.draw_learned(cases, "Learned", shelf)
    assert "Learned learned from 1 of these 3 photos" in told[0] and "Fresh learned from none of them" in told[0]
