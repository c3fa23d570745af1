"""Numbers in words: the same everywhere, and never at odds with one another."""

import json
import re

import numpy as np
import pytest

from core.estimates import Estimate
from core.folders import weights_root
from core.wording import (
    against,
    cut,
    difference,
    duration,
    frequency,
    hundredths,
    interval,
    listed,
    milliseconds,
    p_value,
    percent,
    points,
    rate,
    without_signed_zero,
)


@pytest.mark.parametrize(
    "share, text",
    [(0, "<1 %"), (0.004, "<1 %"), (0.005, "1 %"), (0.125, "13 %"), (0.135, "14 %"), (0.994, "99 %"), (1, ">99 %")],
)
def test_percent_never_claims_certainty(share, text):
    assert percent(share) == text


def test_what_is_rounded_to_nothing_has_no_sign():
    assert without_signed_zero("difference -0.00 (-0.01 to -0.00), -0.004") == "difference 0.00 (-0.01 to 0.00), -0.004"


def test_finer_percent():
    assert (percent(0.0004, 1), percent(0.0237, 1), percent(0.99951, 1)) == ("<0.1 %", "2.4 %", ">99.9 %")
    assert (cut(0.237), cut(0.0237), cut(0.0999)) == ("23.7 %", "2.4 %", "10.0 %")


@pytest.mark.parametrize(
    "share, text",
    [
        (0.001, "fewer than 1 in 100"),
        (0.01, "about 1 in 100"),
        (0.05, "about 1 in 20"),
        (0.096, "about 1 in 10"),
        (0.14, "about 1 in 7"),
        (0.15, "about 3 in 20"),
        (0.27, "about 27 in 100"),
        (0.33, "about 1 in 3"),
        (0.45, "about 9 in 20"),
        (0.67, "about 2 in 3"),
        (0.95, "about 19 in 20"),
        (0.97, "about 97 in 100"),
        (0.996, "more than 99 in 100"),
    ],
)
def test_frequency(share, text):
    assert frequency(share) == text


def test_frequency_and_percent_agree_over_the_whole_range():
    for step in range(10001):
        share = step / 10000
        said, shown = frequency(share), percent(share)
        number = float(re.sub(r"[<>%\s]", "", shown))
        part, of = map(int, re.search(r"(\d+) in (\d+)", said).groups())
        assert abs(100 * part / of - number) <= 0.5, (share, said, shown)
        # The number is the share rounded, so the words are within a per cent of the share.
        assert abs(number - 100 * share) <= 1 and abs(100 * part / of - 100 * share) <= 1
        # "fewer than" and "more than" stand exactly where per cent has "<" and ">".
        assert said.startswith("fewer") == shown.startswith("<") and said.startswith("more") == shown.startswith(">")


def test_neighbours_are_never_ordered_the_other_way_round():
    def value(share):
        part, of = map(int, re.search(r"(\d+) in (\d+)", frequency(share)).groups())
        return part / of

    values = [value(step / 1000) for step in range(1001)]
    assert values == sorted(values)


@pytest.mark.parametrize(
    "share, text",
    [
        (Estimate(0.343, 0.281, 0.414), "34 % (28 to 41 %)"),
        (Estimate(0, 0, 0.123), "0 % (0 to 12 %)"),
        (Estimate(1, 0.785, 1), "100 % (79 to 100 %)"),
        (Estimate(0.9997, 0.9995, 0.9999), "99.97 % (99.95 to 99.99 %)"),
        (Estimate(0.0062, 0.0031, 0.0104), "0.6 % (0.3 to 1.0 %)"),
        (Estimate(0.0013, 0.0005, 0.0021), "0.13 % (0.05 to 0.21 %)"),
        (Estimate(0.5, None, None), "50 %"),
        (Estimate(None), "not measured"),
        (None, "not measured"),
    ],
)
def test_rate(share, text):
    assert rate(share) == text


def test_no_interval_is_printed_without_width():
    for bottom in range(0, 1000, 7):
        low, high = bottom / 1000, bottom / 1000 + 0.0011
        ends = re.search(r"\((.+) to (.+) %\)", rate(Estimate(low, low, high))).groups()
        assert ends[0] != ends[1]
    sure = Estimate(1 - 4e-6, 1 - 5e-6, 1 - 3e-6)
    assert rate(sure) == ">99.999 % (>99.999 to >99.999 %)", "what three decimals cannot show is not called 100"


def test_scores_differences_and_p_values():
    assert interval(Estimate(0.6612, 0.6241, 0.6989)) == "0.661 (0.624 to 0.699)"
    assert interval(Estimate(0.661)) == "0.661"
    assert interval(Estimate(None)) == interval(None) == "not measured"
    assert difference(Estimate(0.012, -0.003, 0.027)) == "+0.012 (-0.003 to +0.027)"
    assert difference(Estimate(None)) == p_value(None) == points(None) == "not defined"
    assert points(Estimate(0.04, 0.01, 0.07)) == "+4 points (+1 to +7)"
    assert (p_value(0.0668), p_value(2 / 5001), p_value(1)) == ("0.067", "<0.001", "1.000")


def test_times_and_lists():
    assert (milliseconds(0.0451), milliseconds(1.24)) == ("45 ms", "1.2 s")
    assert (duration(50), duration(720), duration(12600)) == ("50 s", "12 min", "3.5 h")
    assert (listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])) == ("a", "a and b", "a, b and c")


@pytest.mark.parametrize(
    "share, threshold, said",
    [
        (0.03, 0.057, ("3 %", "5.7 %")),
        (0.056, 0.057, ("5.6 %", "5.7 %")),
        (0.0572, 0.0574, ("5.72 %", "5.74 %")),
        (0.057, 0.057, ("6 %", "5.7 %")),
        (0.236, 0.24, ("23.6 %", "24.0 %")),
        (0.5, 0.24, ("50 %", "24.0 %")),
        (0.003, 0.004, ("0.3 %", "0.4 %")),
    ],
)
def test_a_probability_beside_a_threshold_is_fine_enough(share, threshold, said):
    assert against(share, threshold) == said


def test_what_is_printed_is_ordered_as_the_numbers_are():
    rng = np.random.default_rng(0)
    for threshold in (0.004, 0.02, 0.057, 0.0999, 0.24, 0.5):
        for share in threshold + rng.normal(0, 0.01, 200):
            share = min(max(share, 0.0), 1.0)
            one, other = (float(re.sub(r"[<>%\s]", "", text)) for text in against(share, threshold))
            assert abs(share - threshold) < 1e-5 or (one >= other) == (share >= threshold), (share, threshold)


def test_what_rounds_to_zero_has_no_minus():
    close = Estimate(-0.0004, -0.0049, -0.0001)
    assert interval(close, 2) == "0.00 (0.00 to 0.00)" and difference(close) == "+0.000 (-0.005 to +0.000)"
    assert points(close) == "+0 points (+0 to +0)" and "-0.0 " not in hundredths(close, is_difference=True)


def _sentences(record):
    """Every text of a JSON record."""
    if isinstance(record, str):
        yield record
    elif isinstance(record, dict | list):
        for part in record.values() if isinstance(record, dict) else record:
            yield from _sentences(part)


@pytest.mark.parametrize("path", sorted(weights_root().glob("*/*.json")), ids=str)
def test_no_shipped_sentence_says_minus_zero(path):
    for sentence in _sentences(json.loads(path.read_text(encoding="utf-8"))):
        assert not re.search(r"(?<![\w.])[-−]0(\.0+)?(?![\d.]*\d)", sentence), sentence
