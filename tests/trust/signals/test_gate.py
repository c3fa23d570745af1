import json

import numpy as np
import pytest

from core.data.drawn import draw_lesion
from core.estimates.in_files import from_text
from core.trust.measures import drawings
from core.trust.measures.gate import REFUSED, _fit, _kin, _thresholds
from core.trust.measures.strangers import DEGRADED
from core.trust.signals.gate import FAULTS, INPUTS, OK, REFUSE, TERMS, WARN, judge, score_inputs, verdicts
from core.trust.signals.photo_statistics import SIDE, STATISTICS, photo_statistics

LESION = draw_lesion("mel", (SIDE, SIDE), seed=1)[0]


def statistic(image, name):
    return float(photo_statistics(image)[STATISTICS.index(name)])


def record(**limits):
    """A gate that refuses above 2 and warns above 1, with limits that nothing exceeds unless given."""
    open_limits = {f"{name} {side}": -1e9 if side == "low" else 1e9 for name, side, _ in FAULTS}
    return {"thresholds": {REFUSE: 2.0, WARN: 1.0}, "limits": open_limits | limits}


def test_statistics_mean_what_they_say():
    import cv2

    assert len(STATISTICS) == len(photo_statistics(LESION)) and np.isfinite(photo_statistics(LESION)).all()
    assert statistic(cv2.GaussianBlur(LESION, (0, 0), 6), "log_sharpness") < statistic(LESION, "log_sharpness") - 1
    assert statistic(LESION // 6, "lightness") < statistic(LESION, "lightness") / 2
    assert statistic(np.full_like(LESION, 255), "white") == 1 and statistic(np.zeros_like(LESION), "black") == 1
    assert statistic(np.full_like(LESION, (40, 160, 60)), "greenish") == 1
    assert statistic(np.full_like(LESION, (40, 60, 200)), "bluish") == 1
    assert statistic(np.full_like(LESION, 128), "grey") == 1
    skin = np.full_like(LESION, (225, 180, 160))
    assert statistic(skin, "lesion_contrast") < 0.1 < statistic(LESION, "lesion_contrast")
    assert 0.1 < statistic(LESION, "lesion_share") < 0.7


@pytest.mark.parametrize("make", [np.zeros_like, lambda a: np.full_like(a, 255), lambda a: np.full_like(a, 77)])
def test_statistics_of_one_colour_are_finite(make):
    assert np.isfinite(photo_statistics(make(LESION))).all()


def test_verdicts_by_score():
    numbers = photo_statistics(LESION)
    assert judge(record(), numbers, 0.5, 450).verdict == OK and judge(record(), numbers, 0.5, 450).reasons == ()
    warned = judge(record(), numbers, 1.5, 450)
    assert warned.verdict == WARN and len(warned.reasons) == 1 and "unlike" in warned.reasons[0]
    refused = judge(record(), numbers, 2.5, 450)
    assert refused.verdict == REFUSE and "not look like a dermoscopic photo" in refused.reasons[0]
    assert json.loads(json.dumps(refused.to_json()))["verdict"] == "refuse"


def test_faults_warn_and_are_named():
    numbers = photo_statistics(LESION)
    blurred = judge(record(**{"log_sharpness low": 99.0}), numbers, 0.0, 450)
    assert blurred.verdict == WARN and blurred.reasons == ("The photo is blurred.",)
    small = judge(record(), numbers, 0.0, 90)
    assert small.verdict == WARN and "90 pixels" in small.reasons[0]
    both = judge(record(**{"lightness high": 1.0}), numbers, 3.0, 450)
    assert both.verdict == REFUSE and both.reasons[1] == "The photo is too bright."


def test_many_are_judged_as_one_is():
    numbers = np.stack([photo_statistics(LESION), photo_statistics(LESION // 6)])
    given = record(**{"lightness low": 20.0})
    scores = np.array([0.0, 1.5, 5.0])
    for score in scores:
        many = verdicts(given, numbers, np.full(2, score))
        assert list(many) == [judge(given, n, score, 450).verdict for n in numbers]


def test_the_fit_tells_apart_what_differs_and_families_weigh_the_same():
    rng = np.random.default_rng(0)
    good, bad = rng.normal(0, 1, (200, len(INPUTS))), rng.normal(0, 1, (60, len(INPUTS)))
    bad[:, 3] += 4
    fitted = _fit(good, bad, np.array(["charts"] * 50 + ["cats"] * 10))
    scores = score_inputs(fitted, bad), score_inputs(fitted, good)
    assert scores[0].mean() > scores[1].mean() + 1
    assert np.abs(fitted["coefficients"]).argmax() == 3


def test_thresholds_refuse_no_more_than_allowed_even_of_a_rare_diagnosis():
    rng = np.random.default_rng(1)
    inputs = np.zeros((1000, len(INPUTS)))
    inputs[:, 0] = rng.normal(0, 1, 1000)
    inputs[900:, 0] += 1  # a rare diagnosis that looks stranger
    weights = np.r_[np.full(900, 0.5 / 900), np.full(100, 0.5 / 100)]
    statistics = rng.normal(size=(1000, len(STATISTICS)))
    fitted = {"coefficients": [1.0, *[0.0] * (len(INPUTS) - 1)], "intercept": 0.0}
    found = _thresholds(fitted, {"validation": inputs, "abroad": inputs}, weights, statistics)
    refused = inputs[:, 0] >= found["thresholds"][REFUSE]
    assert weights[refused].sum() <= REFUSED and found["thresholds"][WARN] <= found["thresholds"][REFUSE]
    assert set(found["limits"]) == {f"{name} {side}" for name, side, _ in FAULTS}


def test_kin_is_left_out_together():
    assert _kin("cats") == ["cats", "drawn animals"] and _kin("charts") == ["charts"]


def test_a_measured_gate_says_what_it_is_worth(measured_bundle_folder):
    found = from_text((measured_bundle_folder / "gate.json").read_text())
    assert found["inputs"] == list(INPUTS) and len(found["coefficients"]) == TERMS
    assert {"documents", "drawn faces", "phone photos"} <= set(found["strangers"])
    for family in found["strangers"].values():
        assert 0 <= family["refused"].value <= family["caught"].value <= 1
    assert found["test"]["by_dx"]["mel"]["refused"].photos > 0 and "drawn" in found["test"]["by_dataset"]
    assert set(found["degraded"]) <= set(DEGRADED)
    assert (measured_bundle_folder / "gate.json").stat().st_size < 400_000


def test_a_document_is_refused_and_a_lesion_is_not(measured_bundle_folder):
    from core.bundle import load_bundle
    from core.reading import encode_photo
    from core.trust.measure_table import read_measure
    from core.trust.signals.gate import gate_photo
    from core.trust.signals.lookalikes import read_index

    bundle = load_bundle(measured_bundle_folder)
    index = read_index(measured_bundle_folder, bundle.card)
    given = read_measure("gate", measured_bundle_folder, bundle.card)
    document = drawings.draw_document(np.random.default_rng(5))
    lesion = draw_lesion("nv", (120, 90), seed=100003 * 3)[0]
    found = [gate_photo(index, given, encode_photo(bundle, p, explain=False)) for p in (document, lesion)]
    assert found[0].verdict == REFUSE and found[0].score > found[1].score + 1
    assert found[1].verdict != REFUSE


def test_a_grey_lesion_is_warned_of(measured_bundle_folder):
    from core.bundle import load_bundle
    from core.reading import encode_photo
    from core.trust.signals.colourless import GREY
    from core.trust.signals.opinion import form_gate, read_signals

    bundle = load_bundle(measured_bundle_folder)
    lesion = draw_lesion("nv", (120, 90), seed=100003 * 3)[0]
    grey = np.repeat(lesion.mean(axis=2, keepdims=True).astype("uint8"), 3, axis=2)
    signals = read_signals(measured_bundle_folder, bundle.card)
    coloured, colourless = (form_gate(signals, encode_photo(bundle, p, explain=False)) for p in (lesion, grey))
    assert GREY not in coloured.reasons and GREY in colourless.reasons and colourless.verdict != OK
    assert GREY in colourless.to_json()["reasons"]
