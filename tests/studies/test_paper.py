"""The paper's numbers as taken in, and what stands beside them."""

import pandas as pd
import pytest
from made_up import made_up_results

from core.diagnoses import CODES
from core.studies.paper import (
    CONFUSIONS,
    ERROR_KINDS,
    FOOTNOTES,
    TABLES,
    chosen_cases,
    one_against_rest,
    our_score,
    read_notebook_runs,
    read_paper_table,
)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return made_up_results(tmp_path_factory.mktemp("paper") / "MadeUp")


@pytest.mark.parametrize("name", TABLES)
def test_tables_hold_what_they_name(name):
    paper, table = TABLES[name], read_paper_table(name)
    assert set(paper.footnotes) <= set(FOOTNOTES) and paper.footnotes and "note" in table
    for column in filter(None, (paper.printed, paper.run)):
        assert pd.api.types.is_numeric_dtype(table[column]) and (table[column].dropna() > 0).all()


@pytest.mark.parametrize("name", [n for n, t in TABLES.items() if t.run and n != "Table 6"])
def test_runs_are_in_the_notebooks(name):
    runs, table = read_notebook_runs(), read_paper_table(name)
    assert set(table.run.dropna()) <= set(runs.index)
    if name in ("Table 5", "Table 8"):
        known = table.dropna(subset=["run"])
        assert known[TABLES[name].run].tolist() == pytest.approx(runs.loc[known.run, "accuracy"].tolist(), abs=1e-4)


def test_footnotes_are_all_there():
    assert list(FOOTNOTES) == [f"M{i}" for i in range(1, 22)]


@pytest.mark.parametrize(
    "backbone, run",
    [("DenseNet201", "densenet201_10split_lr_september"), ("InceptionResNetV2", "irv2_10split_lr_september")],
)
def test_corrected_matrices_give_the_accuracy_and_recalls_of_their_runs(backbone, run):
    counts, row = CONFUSIONS[backbone], read_notebook_runs().loc[run]
    rows = [sum(r) for r in counts]
    assert rows == [33, 51, 109, 12, 111, 666, 14]
    assert sum(counts[i][i] for i in range(7)) / 996 == pytest.approx(row.accuracy, abs=1e-4)
    for i, code in enumerate(CODES):
        assert counts[i][i] / rows[i] == pytest.approx(row[f"recall_{code}"], abs=0.006)


def test_our_scores_are_of_the_same_kind(results):
    found = results.evaluation.under("likeliest")
    metrics, per_class = found.metrics, found.per_class
    table = read_paper_table("Table A5")
    eq13 = table[table.metric == "balanced_accuracy_eq13"].iloc[0]
    assert our_score("Table A5", eq13, results) == metrics["one_vs_rest_balanced_accuracy"]
    table = read_paper_table("Table A4")
    mel = table[(table.arm == "MD") & (table.diagnosis == "mel")].iloc[0]
    assert our_score("Table A4", mel, results) == per_class["mel"]["sensitivity"]
    assert (
        our_score("Table A4", mel | {"arm": "AD"} if isinstance(mel, dict) else mel.replace("MD", "AD"), results)
        is None
    )
    assert our_score("Table 8", read_paper_table("Table 8").iloc[0], results) is None


def test_one_against_the_rest_adds_up(results):
    (hit, missed), (alarm, quiet) = one_against_rest(results, "mel")
    row = results.evaluation.under("likeliest").per_class["mel"]
    assert hit / (hit + missed) == pytest.approx(row["sensitivity"].value)
    assert quiet / (quiet + alarm) == pytest.approx(row["specificity"].value)
    assert hit + missed + alarm + quiet == len(results.table)


def test_cases_are_chosen_by_rule(results):
    rows = chosen_cases(results)
    assert set(rows.kind) <= set(ERROR_KINDS) and not rows.duplicated(["kind", "lesion_id"]).any()
    for kind, group in rows.groupby("kind"):
        true, predicted = ERROR_KINDS[kind]
        there = (results.table.dx == true) & (results.y_pred == CODES.index(predicted))
        assert group.confidence.max() == results.probabilities[there.to_numpy()].max()
