"""What `evaluate` wrote, read back; and each way in which it may not fit."""

import csv
import json

import numpy as np
import pandas as pd
import pytest
from made_up import CARD, made_up_results, made_up_table, write_made_up

from core.card import read_card, sha256_of
from core.decisions import SCORED
from core.diagnoses import CODES
from core.estimates import DecidedEstimate, Estimate
from core.evaluation.metrics import DECIDED, decision_scores, flatten, scores
from core.evaluation.report import EVALUATION_FILE
from core.evaluation.results import CASES_FILE, PREDICTIONS_FILE, InvalidResults, read_results
from core.folders import weights_root


@pytest.fixture
def folder(tmp_path):
    return write_made_up(tmp_path / "MadeUp", made_up_table())


def test_what_was_written_comes_back(folder):
    found, table = read_results(folder, CARD), made_up_table()
    pd.testing.assert_frame_equal(found.table[table.columns.tolist()], table, check_dtype=False)
    assert [CODES[i] for i in found.y_true] == table.dx.tolist()
    np.testing.assert_array_equal(found.y_pred, table[list(CODES)].to_numpy().argmax(axis=1))


def test_names_that_a_spreadsheet_would_run_are_text_in_the_files_and_come_back(tmp_path):
    table = made_up_table()
    hostile = ["=1+1", "+1", "-cmd", "@SUM(A1)", "\t=1"]
    table["lesion_id"] = hostile + table.lesion_id.tolist()[len(hostile) :]
    table["image_id"] = [f"={name}" for name in table.image_id]
    folder = write_made_up(tmp_path / "MadeUp", table)
    for name in (PREDICTIONS_FILE, CASES_FILE):
        cells = [cell for row in csv.reader((folder / name).read_text(encoding="utf-8").splitlines()) for cell in row]
        texts = [cell for cell in cells if not cell.replace(".", "").replace("-", "").replace("+", "").isdigit()]
        assert not [cell for cell in texts if cell.startswith(("=", "+", "-", "@", "\t"))]
    found = read_results(folder, CARD).table
    assert found.lesion_id.tolist() == table.lesion_id.tolist() and found.image_id.tolist() == table.image_id.tolist()


def edit_evaluation(folder, **changes):
    path = folder / EVALUATION_FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def edit_table(path, change):
    change(pd.read_csv(path)).to_csv(path, index=False)
    name_anew(path)


def name_anew(path):
    """Has the evaluation name the table as it is now: its checksum then tells nothing."""
    files = json.loads((path.parent / EVALUATION_FILE).read_text())["files"]
    edit_evaluation(path.parent, files=files | {path.name: sha256_of(path)})


def swap(table):
    return table[["image_id", "dx", *CODES[1:], CODES[0]]]


@pytest.mark.parametrize(
    "damage, words",
    [
        (lambda f: (f / EVALUATION_FILE).unlink(), "no usable evaluation"),
        (lambda f: (f / PREDICTIONS_FILE).unlink(), "predictions.csv is missing"),
        (lambda f: (f / CASES_FILE).unlink(), "cases.csv is missing"),
        (lambda f: edit_evaluation(f, probabilities_sha256="cd" * 32), "stale"),
        (lambda f: edit_evaluation(f, probabilities_sha256=None), "probabilities_sha256 is None; expected a text"),
        (lambda f: edit_evaluation(f, classes=list(CODES[::-1])), "in this order"),
        (lambda f: edit_table(f / PREDICTIONS_FILE, swap), "classes in another order"),
        (lambda f: edit_table(f / PREDICTIONS_FILE, lambda t: t.iloc[1:]), "1 stand in one only"),
        (lambda f: edit_table(f / CASES_FILE, lambda t: t.iloc[:-2]), "2 stand in one only"),
        (lambda f: edit_table(f / PREDICTIONS_FILE, lambda t: t.assign(dx="wart")), "Unknown diagnosis 'wart'"),
        (lambda f: edit_table(f / PREDICTIONS_FILE, lambda t: t.assign(mel="x")), "text where numbers belong"),
        (lambda f: edit_table(f / PREDICTIONS_FILE, lambda t: t.assign(mel=2.0)), "not probabilities"),
        (
            lambda f: edit_evaluation(f, decisions={"likeliest": {"confusion": [[0] * 7] * 7}}),
            "confusion matrices differ",
        ),
        (lambda f: edit_table(f / PREDICTIONS_FILE, lambda t: pd.concat([t, t.head(1)])), "more than once"),
        (lambda f: [(f / CASES_FILE).write_bytes(b"\xff\xfe\x00\x01"), name_anew(f / CASES_FILE)], "cannot be read"),
        (lambda f: (f / CASES_FILE).write_bytes((f / CASES_FILE).read_bytes()[:-9]), "its checksum is another"),
        (lambda f: edit_evaluation(f, files={}), "its checksum is another"),
    ],
)
def test_files_that_do_not_fit_are_refused_with_the_command(folder, damage, words):
    damage(folder)
    with pytest.raises(InvalidResults, match="python -m core evaluate MadeUp --data") as error:
        read_results(folder, CARD)
    assert words in str(error.value)


SHIPPED = sorted(p.parent.name for p in weights_root().glob("*/cases.csv"))


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_scores_are_those_of_the_shipped_predictions(name):
    folder = weights_root() / name
    found = read_results(folder, read_card(folder))
    for rule in SCORED:
        again = flatten(scores(found.y_true, found.weighed("likeliest")[list(CODES)].to_numpy()))
        again |= flatten(decision_scores(found.y_true, found.decided(rule)))
        ruled = found.evaluation.under(rule)
        written = {k: v.value for k, v in ruled.metrics.items()}
        written |= {
            f"{code}.{k}": v.value
            for code in CODES
            for k, v in ruled.per_class[code].items()
            if isinstance(v, Estimate)
        }
        assert again == pytest.approx(written)
        assert (found.weighed(rule)[list(CODES)].to_numpy().argmax(axis=1) == found.decided(rule)).all()
    headlined = {k: v.rule for k, v in found.evaluation.metrics.items() if isinstance(v, DecidedEstimate)}
    assert headlined["balanced_accuracy"] == "balanced" and headlined["accuracy"] == "likeliest"
    assert set(headlined) == set(DECIDED)
    assert found.evaluation.lesions == len(set(found.lesions))


def test_two_models_have_the_same_photos(tmp_path):
    a, b = made_up_results(tmp_path / "a"), made_up_results(tmp_path / "b", seed=1)
    assert a.table.image_id.tolist() == b.table.image_id.tolist()
    assert not np.array_equal(a.y_pred, b.y_pred)
