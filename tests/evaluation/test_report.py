"""`evaluation.json` gives back what was written, and refuses what it cannot read."""

import subprocess
import sys
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import pytest

from core.decisions import EVEN
from core.diagnoses import CODES
from core.estimates import Estimate
from core.estimates.in_files import from_text, to_text
from core.evaluation.report import (
    EVALUATION_FILE,
    FORMAT,
    Evaluation,
    InvalidEvaluation,
    read_evaluation,
    write_evaluation,
)

REPOSITORY = Path(__file__).resolve().parents[2]
SCORE = Estimate(0.5, 0.25, 0.75)
NONE = Estimate(None)
RULED = {
    "metrics": {"accuracy": SCORE},
    "per_class": {code: {"sensitivity": SCORE} for code in CODES},
    "confusion": [[0] * 7 for _ in CODES],
}


@pytest.fixture
def evaluation() -> Evaluation:
    return Evaluation(
        model="Drawn",
        weights_sha256="ab" * 32,
        probabilities_sha256="ab" * 32,
        calibration={"temperature": 1.5},
        photos=8,
        lesions=6,
        metrics={"accuracy": SCORE, "balanced_accuracy": SCORE, "auc_macro": NONE},
        per_class={code: {"auc": NONE, "photos": 1, "lesions": 1} for code in CODES},
        decisions={"likeliest": RULED, "balanced": RULED},
        terms=EVEN.to_json(),
        split={
            "part": "test",
            "kind": "lesion",
            "seed": 0,
            "hash": "0" * 64,
            "leaky": False,
            "expected": 8,
            "missing": 0,
        },
        data={"name": "drawn", "photos": 80, "trained_on": 0},
        confidence="95 % by hand",
        warnings=["Mind the gap."],
    )


def test_round_trip(evaluation, tmp_path):
    path = write_evaluation(evaluation, tmp_path / "new" / "folder")
    assert read_evaluation(path.parent) == evaluation
    assert read_evaluation(path) == evaluation
    assert [p.name for p in path.parent.iterdir()] == [EVALUATION_FILE]


def test_schema(evaluation, tmp_path):
    record = from_text(write_evaluation(evaluation, tmp_path).read_text())
    assert record["balanced_accuracy"] == SCORE
    assert record["auc_macro"] == NONE
    assert record["decisions"]["balanced"]["per_class"]["mel"]["sensitivity"] == SCORE
    assert record["classes"] == list(CODES)
    assert record["split"]["part"] == "test"
    assert "metrics" not in record


def test_scores_under_a_rule_are_those_of_the_rule_and_those_that_need_none(evaluation):
    found = evaluation.under("balanced")
    assert (found.rule, found.per_class["mel"]["sensitivity"], found.per_class["mel"]["auc"]) == (
        "balanced",
        SCORE,
        NONE,
    )
    assert found.metrics["auc_macro"] == NONE and found.confusion == RULED["confusion"]
    with pytest.raises(KeyError):
        evaluation.under("costs")


def test_summary_fits_a_card(evaluation):
    summary = evaluation.summary()
    assert summary["balanced_accuracy"] == SCORE
    assert (summary["photos"], summary["lesions"], summary["confidence"]) == (8, 6, "95 % by hand")
    to_text(summary)


def test_frozen(evaluation):
    with pytest.raises(FrozenInstanceError):
        evaluation.photos = 9


def test_not_a_number_is_never_written(evaluation, tmp_path):
    write_evaluation(evaluation, tmp_path)
    with pytest.raises(ValueError, match="JSON"):
        write_evaluation(replace(evaluation, calibration={"temperature": float("nan")}), tmp_path)
    assert read_evaluation(tmp_path) == evaluation


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "is missing"),
        ("{", "cannot be read as JSON"),
        ("[]", "evaluation format 'list'"),
        ('{"format": 99}', "evaluation format 99"),
        (f'{{"format": {FORMAT}, "model": "Drawn"}}', "not a complete evaluation"),
        (f'{{"format": {FORMAT}, "surprise": 1}}', "not a complete evaluation"),
    ],
)
def test_unusable_files_are_refused(tmp_path, text, said):
    if text is not None:
        (tmp_path / EVALUATION_FILE).write_text(text)
    with pytest.raises(InvalidEvaluation, match=said):
        read_evaluation(tmp_path)


def test_reading_a_report_needs_no_heavy_library():
    heavy = "{'keras', 'tensorflow', 'sklearn', 'pandas', 'numpy'} & set(sys.modules)"
    command = f"import sys, core.evaluation.report; sys.exit(', '.join({heavy}) or None)"
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, cwd=REPOSITORY, check=False)
    assert done.returncode == 0, done.stderr
