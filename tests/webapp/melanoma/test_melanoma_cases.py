"""The melanoma page's cases: errors at a threshold, filters, order and the rule behind Figure 17."""

import numpy as np
import pandas as pd
import pytest
from made_up import made_up_results

from core.diagnoses import CODES
from core.webapp.melanoma.cases import (
    ALARMS,
    FIGURE_17_KINDS,
    FILTERS,
    MISSED,
    OTHER,
    Narrowing,
    darkest_nevi_first,
    errors_of_kind,
    figure_17,
    name_said,
    options,
    pair_table,
)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    results = made_up_results(tmp_path_factory.mktemp("cases"))
    looks = pd.DataFrame(
        {"colour": "brown", "lightness": np.arange(200.0) / 2, "hue": 20.0}, index=[f"ISIC_{i:07d}" for i in range(200)]
    )
    looks.loc[looks.index[:50], "colour"] = "black"
    return pair_table(results, looks, "mel")


def test_the_table_holds_melanomas_and_nevi_with_their_colour(table):
    assert set(table.dx) == {"mel", "nv"} and set(table.colour) == {"black", "brown", "not measured"}
    assert (table.score == table.mel).all() and table.lightness.isna().any()


def test_a_missed_melanoma_is_named_by_the_likeliest_other_diagnosis(table):
    said = name_said(table, 0.4)
    others = [code for code in CODES if code != "mel"]
    assert (said.said[said.score >= 0.4] == "mel").all()
    below = said[said.score < 0.4]
    assert len(below) and (below.said == below[others].idxmax(axis=1)).all()


def test_errors_begin_with_the_confusion_and_each_error_has_one_kind(table):
    missed = errors_of_kind(table, MISSED, 0.4, Narrowing())
    assert (
        len(missed)
        and set(missed.dx) == {"mel"}
        and set(missed.said) == {"nv"}
        and missed.score.is_monotonic_increasing
    )
    alarms = errors_of_kind(table, ALARMS, 0.1, Narrowing())
    assert set(alarms.dx) == {"nv"} and (alarms.score >= 0.1).all() and alarms.score.is_monotonic_decreasing
    near = errors_of_kind(table, MISSED, 0.4, Narrowing(), surest_first=False)
    assert list(near.score) == list(missed.score)[::-1]
    said = name_said(table, 0.4)
    kinds = [set(errors_of_kind(table, kind, 0.4, Narrowing()).index) for kind in (MISSED, ALARMS, OTHER)]
    assert set.union(*kinds) == set(said.index[said.said != said.dx])
    assert sum(map(len, kinds)) == len(set.union(*kinds))
    assert set(errors_of_kind(table, OTHER, 0.4, Narrowing({"only_said": ["bkl"]})).said) <= {"bkl"}


def test_the_lab_begins_with_the_darkest_nevus(table):
    first = darkest_nevi_first(table).iloc[0]
    assert first.dx == "nv" and first.lightness == table[table.dx == "nv"].lightness.min()


def test_filters_narrow_and_combine(table):
    everything = errors_of_kind(table, ALARMS, 0.02, Narrowing())
    chosen = Narrowing({"only_sex": ["female"], "only_colour": ["black"], "only_site": []}, lightness=(0, 20))
    few = errors_of_kind(table, ALARMS, 0.02, chosen)
    by_hand = everything[(everything.sex == "female") & (everything.colour == "black") & (everything.lightness <= 20)]
    assert 0 < len(few) == len(by_hand) < len(everything)
    named = name_said(table, 0.5)
    for key, (_, column) in FILTERS.items():
        assert set(options(named, key)) == set(named[column])
    assert options(table, "only_age")[0] == "0 to 29" and options(table, "only_age")[-1] == "unknown"


def test_without_a_table_of_lesions_no_colour_is_known(tmp_path):
    table = pair_table(made_up_results(tmp_path), None, "pair")
    assert set(table.colour) == {"not measured"} and table.lightness.isna().all()


def test_figure_17_takes_the_surest_of_each_kind_and_no_lesion_twice(table):
    shown = figure_17(table)
    assert list(shown) == list(FIGURE_17_KINDS)
    for title, (true, predicted) in FIGURE_17_KINDS.items():
        rows = table.loc[shown[title]]
        assert (rows.dx == true).all() and (rows.predicted == predicted).all() and rows.lesion_id.is_unique
        rest = table[(table.dx == true) & (table.predicted == predicted)]
        if len(rows):
            assert rows.p_predicted.iloc[0] == rest.p_predicted.max()
