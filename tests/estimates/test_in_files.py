"""Numbers with intervals keep their form in files, and come back as the records that they were."""

import json
import math
from pathlib import Path

import pytest

from core.estimates import CorrectedDifference, CountedEstimate, DecidedEstimate, Difference, Estimate, estimate_in
from core.estimates.in_files import RECORDS, from_text, to_plain, to_text

REPOSITORY = Path(__file__).resolve().parents[2]
COMMITTED = sorted(
    path for folder in ("weights", "experiments") for path in (REPOSITORY / folder).rglob("*.json")
)
SOME = (
    Estimate(0.5, 0.25, 0.75),
    Estimate(None),
    Estimate(0.5),
    CountedEstimate(0.5, 0.25, 0.75, 8, 6),
    DecidedEstimate(0.5, 0.25, 0.75, "balanced"),
    DecidedEstimate(0.5, rule="balanced"),
    Difference(0.1, -0.1, 0.3, 0.4),
    CorrectedDifference(0.1, -0.1, 0.3, 0.4, 1.0),
)


def test_every_record_is_tested():
    assert set(RECORDS.values()) == {type(one) for one in SOME}


@pytest.mark.parametrize("estimate", SOME, ids=str)
def test_a_record_comes_back(estimate):
    back = from_text(to_text({"scores": [{"deep": estimate}]}))["scores"][0]["deep"]
    assert back == estimate and type(back) is type(estimate)


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.relative_to(REPOSITORY).as_posix())
def test_committed_files_keep_their_form(path):
    text = path.read_text(encoding="utf-8")
    assert json.dumps(to_plain(from_text(text))) == json.dumps(json.loads(text))


def test_numbers_of_another_form_stay_as_they_are():
    for entry in (
        {"value": [0.1, 0.2], "low": [0, 0], "high": [1, 1]},
        {"value": 0.5, "low": 0.4, "high": 0.6, "name": "an experiment"},
        {"value": "a word"},
        {"value": True},
        {"low": 0, "high": 1},
    ):
        assert from_text(json.dumps(entry)) == entry


def test_nothing_is_written_that_is_no_json():
    with pytest.raises(ValueError, match="JSON"):
        to_text(Estimate(math.nan, 0, 1))
    with pytest.raises(TypeError, match="object cannot be written"):
        to_text({"what": object()})


def test_signs_of_an_interval():
    assert Estimate(2, 1, 3).is_above_zero and Estimate(-2, -3, -1).is_below_zero
    for open_ended in (Estimate(0, -1, 1), Estimate(None), Estimate(2)):
        assert not open_ended.is_above_zero and not open_ended.is_below_zero
    assert estimate_in({"name": "x", "value": 1, "low": 0, "high": 2}) == Estimate(1, 0, 2)
    with pytest.raises(ValueError, match="not defined"):
        _ = Estimate(None).known
