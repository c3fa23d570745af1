import pytest

from core.webapp.words import duration, frequency, interval, listed, milliseconds, percent, plain


@pytest.mark.parametrize(
    "share, text", [(0, "<1 %"), (0.004, "<1 %"), (0.006, "1 %"), (0.123, "12 %"), (0.994, "99 %"), (1, ">99 %")]
)
def test_percent_never_claims_certainty(share, text):
    assert percent(share) == text


@pytest.mark.parametrize(
    "share, text",
    [
        (0.001, "fewer than 1 in 100"),
        (0.01, "about 1 in 100"),
        (0.05, "about 1 in 20"),
        (0.094, "about 1 in 11"),
        (0.096, "about 1 in 10"),
        (0.27, "about 1 in 4"),
        (0.45, "about 1 in 2"),
        (0.94, "about 9 in 10"),
        (0.97, "more than 19 in 20"),
    ],
)
def test_frequency(share, text):
    assert frequency(share) == text


def test_a_frequency_is_near_the_share():
    for thousandth in range(10, 950):
        part, whole = map(int, frequency(thousandth / 1000).removeprefix("about ").split(" in "))
        assert abs(part / whole - thousandth / 1000) <= 0.05 + 1e-9


def test_interval():
    assert interval({"value": 0.661, "low": 0.624, "high": 0.699}) == "0.66 (0.62 to 0.70)"
    assert interval({"value": 0.661}) == "0.66"
    assert interval({"value": None, "low": None, "high": None}) == interval(None) == "not measured"


def test_times_and_lists():
    assert (milliseconds(0.0451), milliseconds(1.24)) == ("45 ms", "1.2 s")
    assert (duration(50), duration(720), duration(12600)) == ("50 s", "12 min", "3.5 h")
    assert (listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])) == ("a", "a and b", "a, b and c")


def test_plain_leaves_no_markdown():
    assert plain("**a** [b](c) $d$ `e`") == r"\*\*a\*\* \[b\](c) \$d\$ \`e\`"
    assert plain("a:red[b]") == r"a\:red\[b\]" and plain("Note: it is 10:30") == r"Note: it is 10\:30"
