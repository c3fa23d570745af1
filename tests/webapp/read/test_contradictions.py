"""Voices that say something else than the answer are told, each in a sentence."""

from types import SimpleNamespace

from core.trust.signals.lookalikes import LookalikeVote
from core.webapp.read.contradictions import contradictions


def reading(top: str, there: str | None = None):
    return SimpleNamespace(top=top, elsewhere=SimpleNamespace(top=there) if there else None)


def test_look_alikes_that_say_otherwise_are_told_and_a_tie_with_the_answer_is_none():
    said = contradictions(reading("nv"), LookalikeVote("mel", 4, 5))
    assert (
        len(said) == 1 and "4 of the 5 nearest training lesions: Melanoma." in said[0] and "says Melanocytic" in said[0]
    )
    assert contradictions(reading("nv"), LookalikeVote("mel", 2, 5, ("nv",))) == []
    assert contradictions(reading("nv"), LookalikeVote("nv", 5, 5)) == [] == contradictions(reading("nv"), None)


def test_another_likeliest_elsewhere_is_told():
    assert "Where the photo is said to come from" in contradictions(reading("mel", "nv"), None)[0]
    assert contradictions(reading("nv", "nv"), None) == []
