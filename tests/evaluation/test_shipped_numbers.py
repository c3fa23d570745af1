"""Numbers that pages show of the shipped models, made again from the committed files."""

import numpy as np
import pandas as pd
import pytest

from core.card import read_card
from core.diagnoses import CODES
from core.estimates.in_files import to_plain
from core.evaluation.curves import reliability, roc
from core.evaluation.operating import choose_threshold
from core.evaluation.out_of_fold import held_out_by
from core.evaluation.results import read_results
from core.evaluation.subgroups import subgroup_scores
from core.folders import weights_root
from core.members import scored_cards
from core.studies.paper import one_against_rest

SHIPPED = sorted(path.parent.name for path in weights_root().glob("*/cases.csv"))
MEL = CODES.index("mel")


@pytest.fixture(params=SHIPPED)
def folder(request):
    return weights_root() / request.param


@pytest.fixture
def results(folder):
    return read_results(folder, read_card(folder))


def test_what_one_photo_weighs(results):
    for code in CODES:
        assert results.evaluation.per_class[code]["photos"] == (results.table.dx == code).sum()
        assert (
            results.evaluation.per_class[code]["lesions"] == results.table.lesion_id[results.table.dx == code].nunique()
        )


def test_probabilities_mean_what_they_say(results):
    """The first sentence of the app promises calibrated probabilities: of each model, on photos that calibrated nothing."""
    melanoma, metrics = results.evaluation.per_class["mel"], results.evaluation.metrics
    assert melanoma["ece"].value <= 0.03
    assert abs(melanoma["mean_probability"].value - melanoma["share"].value) <= 0.02
    assert abs(metrics["malignancy_mean_probability"].value - metrics["malignancy_share"].value) <= 0.02
    assert results.probabilities[:, MEL].mean() == pytest.approx(melanoma["mean_probability"].value)


def test_the_operating_point_was_chosen_on_photos_that_it_is_not_measured_on(folder, results):
    point = results.evaluation.operating_point
    if point is None:
        pytest.skip("this model has no operating point")
    # A set of folds chooses on the out-of-fold answers to its other parts.
    choosing = results if read_card(folder).is_fold_set else read_results(folder / "validation", read_card(folder))
    assert point["threshold"] == pytest.approx(choose_threshold(choosing.y_true, choosing.probabilities))
    thresholds = np.full(len(results.table), point["threshold"])
    for own, chosen_on, name in parts_of(folder, results, choosing):
        assert not set(choosing.lesions[chosen_on]) & set(results.lesions[own]), "no lesion helped to choose its own"
        if name:
            chosen = choose_threshold(choosing.y_true[chosen_on], choosing.probabilities[chosen_on])
            assert point["thresholds"][name] == pytest.approx(chosen)
            thresholds[own] = chosen
    called, melanoma = results.probabilities[:, MEL] >= thresholds, results.y_true == MEL
    assert point["sensitivity"].value == pytest.approx(called[melanoma].mean())
    assert point["specificity"].value == pytest.approx((~called)[~melanoma].mean())


def parts_of(folder, results, choosing):
    """Of each network that is scored: its held-out rows, the rows of the photos that choose for them, and its name in a set of folds."""
    card = read_card(folder)
    if not card.is_fold_set:
        return [(np.ones(len(results.table), bool), np.ones(len(choosing.table), bool), "")]
    by = held_out_by(cards := scored_cards(card, folder))
    return [
        (
            (results.table.image_id.map(by) == name).to_numpy(),
            (choosing.table.image_id.map(by) != name).to_numpy(),
            name,
        )
        for name in [card.name for card in cards]
    ]


def test_reliability_bins_give_the_calibration_error(results):
    bins = reliability(results)
    error = sum(b.photos * abs(b.accuracy - b.confidence) for b in bins) / sum(b.photos for b in bins)
    assert error == pytest.approx(results.evaluation.metrics["ece"].value)


def test_the_area_under_the_drawn_curve_is_the_printed_auc(results):
    curve = roc(results, "mel", resamples=2)
    assert np.trapezoid(curve.y, curve.x) == pytest.approx(results.evaluation.per_class["mel"]["auc"].value)


def test_the_two_by_two_gives_the_printed_sensitivity(results):
    (hit, missed), (alarm, quiet) = one_against_rest(results, "mel")
    row = results.evaluation.under("likeliest").per_class["mel"]
    assert hit / (hit + missed) == pytest.approx(row["sensitivity"].value)
    assert quiet / (quiet + alarm) == pytest.approx(row["specificity"].value)


def test_subgroups_add_up_to_the_whole(results):
    rows = subgroup_scores(results, "Sex", resamples=2)
    right = sum(row.accuracy.value * row.photos for row in rows)
    assert right / results.evaluation.photos == pytest.approx(results.evaluation.metrics["accuracy"].value)


def test_what_is_said_of_the_maps(folder):
    from core.trust.measures.map_summary import summarise
    from core.trust.measures.maps import CSV_FILE, JSON_FILE, read_maps_table

    record = measured(folder, JSON_FILE)
    assert (folder / CSV_FILE).is_file()
    again = summarise(read_maps_table(folder), {}, record["model"])
    for key in ("photos", "lesions", "masks", "methods", "agreement"):
        check_alike(again[key], record[key])


def test_the_set_was_calibrated_on_validation_and_covers_what_is_said(folder, results):
    from core.trust.measures.prediction_set import records_of_folds, score_sets, set_thresholds

    record = measured(folder, "set.json")
    validation = read_results(folder / "validation", read_card(folder))
    check_alike(to_plain(set_thresholds(validation)), record["thresholds"])
    card, scored = read_card(folder), record
    if card.is_fold_set:
        scored = records_of_folds(scored_cards(card, folder), record, validation, results)
    check_alike(to_plain(score_sets(results, scored)), to_plain(record["test"]))


# Of all 10,015 photos it takes long.
@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow) if n.startswith("MobileNet") else n for n in SHIPPED]
)
def test_what_changes_of_colour_do(name):
    from core.trust.measures.colour import COLOUR_FILE, PHOTOS_FILE, compare_settings

    folder = weights_root() / name
    record = measured(folder, COLOUR_FILE)
    again = compare_settings(pd.read_csv(folder / PHOTOS_FILE), record["threshold"])
    check_alike(to_plain(again["settings"]), to_plain(record["settings"]))


def measured(folder, name):
    """The record of a measure; it belongs to the shipped weights and calibration."""
    from core.trust.measure_table import MEASURES, read_measure

    if not (folder / name).is_file():
        pytest.skip(f"{folder.name} has no {name} yet")
    return read_measure(next(key for key, one in MEASURES.items() if one.file == name), folder, read_card(folder))


def check_alike(a, b):
    """Equal but for the rounding of another processor's sums."""
    if isinstance(a, dict):
        assert a.keys() == b.keys()
        for key in a:
            check_alike(a[key], b[key])
    elif isinstance(a, list):
        assert len(a) == len(b)
        for one, other in zip(a, b, strict=True):
            check_alike(one, other)
    else:
        assert a == (pytest.approx(b, abs=1e-9) if isinstance(b, float) else b)
