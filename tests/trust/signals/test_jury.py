import numpy as np
import pytest
from made_up import CARD, made_up_results, made_up_table, write_made_up

from core.diagnoses import CODES
from core.evaluation.results import read_results
from core.trust.signals.jury import convene, jury_record, votes


def says(code: str, p: float = 0.7) -> dict:
    return {c: p if c == code else (1 - p) / 6 for c in CODES}


def test_votes_are_counted_and_dissenters_named():
    jury = convene({"A": says("mel"), "B": says("mel"), "C": says("nv", 0.99)})
    assert jury.verdict == "mel" and jury.agreeing == 2 and jury.agreement == pytest.approx(2 / 3)
    assert jury.dissenters == {"C": "nv"}
    assert sum(jury.probabilities.values()) == pytest.approx(1)


def test_a_tie_goes_to_the_more_probable():
    assert convene({"A": says("mel", 0.5), "B": says("nv", 0.9)}).verdict == "nv"


def test_entropy_of_certainty_and_of_ignorance():
    assert convene({"A": {c: float(c == "mel") for c in CODES}}).entropy == 0
    assert convene({"A": dict.fromkeys(CODES, 1 / 7)}).entropy == pytest.approx(np.log2(7))


def test_no_network_is_said():
    with pytest.raises(ValueError, match="at least one network"):
        convene({})


def test_the_record_agrees_with_counting_photo_by_photo(tmp_path):
    results = {f"M{i}": made_up_results(tmp_path / str(i), seed=i) for i in range(3)}
    record = jury_record(results)
    right = {1: [], 2: [], 3: []}
    for row in range(record.photos):
        jury = convene({n: dict(zip(CODES, r.probabilities[row], strict=True)) for n, r in results.items()})
        right[jury.agreeing].append(jury.verdict == results["M0"].table.dx[row])
    assert record.photos == 240 and record.networks == ("M0", "M1", "M2")
    for level, found in record.right.items():
        assert found.photos == len(right[level]) and found.value == pytest.approx(np.mean(right[level]))
        assert found.low <= found.value <= found.high
    assert record.right[3].value > record.right[2].value, "a signal that is tied to error"


def test_only_shared_photos_count(tmp_path):
    table = made_up_table(seed=5)
    few = read_results(write_made_up(tmp_path / "few", table.iloc[:100]), CARD)
    other = read_results(write_made_up(tmp_path / "other", table.iloc[100:]), CARD)
    assert jury_record({"A": made_up_results(tmp_path / "a"), "B": few}).photos == 100
    with pytest.raises(ValueError, match="no held-out photo in common"):
        jury_record({"A": few, "B": other})


def test_a_model_made_of_others_or_with_a_leaky_split_does_not_vote():
    class Card:
        def __init__(self, split, is_ensemble=False):
            self.split, self.is_ensemble = split, is_ensemble

    assert votes(Card({"leaky": False})) and votes(Card({}))
    assert votes(Card({"folds": [[1, 2], [2, 2]]})), "one network in several copies"
    assert not votes(Card({}, is_ensemble=True)) and not votes(Card({"leaky": True}))
    assert not votes(Card({"folds": [[1, 2], [2, 2]]}, is_ensemble=True)), "sets that vote by themselves"


def test_the_votes_in_words():
    both = convene({"A": says("nv"), "B": says("nv")})
    assert both.headline == "Both networks say Melanocytic nevus" and both.dissent == "" and not both.divided
    all_three = convene({n: says("nv") for n in "ABC"})
    assert all_three.headline == "All 3 networks say Melanocytic nevus"
    one_dissents = convene({"A": says("nv"), "B": says("mel"), "C": says("nv")})
    assert (
        one_dissents.headline == "2 of 3 networks say Melanocytic nevus" and one_dissents.dissent == "B says Melanoma."
    )
    divided = convene({"A": says("nv", 0.5), "B": says("mel", 0.9)})
    assert divided.divided and divided.headline == "The 2 networks are divided; by their mean probability Melanoma"
    alone = convene({"A": says("bcc")})
    assert alone.headline == "One network only, and it says Basal cell carcinoma"
