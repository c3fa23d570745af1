"""Numbers as people read them, the same on every page, in every report and on the command line.

A probability, or a share of lesions, is said in whole per cent ("13 %"), finer only where its interval would vanish. A score
from 0 to 1 (balanced accuracy, AUC, calibration error) has three decimals ("0.751"), as has a difference of two scores. Files
for machines hold every digit. Nothing that rounds to zero has a minus.
"""

import math
import re
from collections.abc import Callable

from core.estimates import Estimate

UNKNOWN = "not measured"
UNDEFINED = "not defined"
# Denominators of natural frequencies with more than one of them; "1 in n" may have any.
_WHOLES = (3, 4, 5, 10, 20)
# An interval is printed with so many decimals that it spans two steps of the last one, and at most with three.
_STEPS = 2
_FINEST = 3


def without_signed_zero(text: str) -> str:
    """A sentence of a record in which no number is "-0.00": rounded to nothing, it has no sign."""
    return re.sub(r"-(0\.0+)(?!\d)", r"\1", text)


def percent(share: float, decimals: int = 0) -> str:
    """A probability in per cent, honest at both ends: never 0 % or 100 %."""
    step = 10.0**-decimals
    value = _rounded(share, decimals)
    if value < step / 2:
        return f"<{step:.{decimals}f} %"
    return f">{100 - step:.{decimals}f} %" if value > 100 - step / 2 else f"{value:.{decimals}f} %"


def frequency(share: float) -> str:
    """A probability as a natural frequency, which people judge better than per cent.

    Formed from the whole per cent that `percent` says, and within half a per cent of it, so that the two never disagree.

    Reference: G. Gigerenzer, U. Hoffrage, "How to improve Bayesian reasoning without instruction", Psychol Rev 1995.
    """
    whole = int(_rounded(share, 0))
    if whole < 1:
        return "fewer than 1 in 100"
    if whole > 99:
        return "more than 99 in 100"
    single = min(range(2, 101), key=lambda n: abs(100 / n - whole))
    fractions = [(1, single), *((part, of) for of in _WHOLES for part in range(2, of)), (whole, 100)]
    part, of = next((p, n) for p, n in fractions if abs(100 * p / n - whole) <= 0.5)
    return f"about {part} in {of}"


def spelt(
    estimate: Estimate | None,
    number: Callable[[float], str],
    *,
    unit: str = "",
    of_ends: str | None = None,
    missing: str = UNKNOWN,
    endless: bool = False,
) -> str:
    """A measured number with its 95 % interval: the one form in which all are said, "VALUE UNIT (LOW to HIGH UNIT)".

    Args:
        number: how a number of this kind is written.
        unit: that follows the value and the interval, with the space before it.
        of_ends: that follows the interval, where it is another.
        missing: said where there is no value.
        endless: an interval without an upper end has none, and says "at least"; else such an interval is left out.
    """
    if estimate is None or estimate.value is None:
        return missing
    text, low, high = f"{number(estimate.value)}{unit}", estimate.low, estimate.high
    if low is None or (high is None and not endless):
        return text
    ends = f"at least {number(low)}" if high is None else f"{number(low)} to {number(high)}"
    return f"{text} ({ends}{unit if of_ends is None else of_ends})"


def rate(share: Estimate | None, missing: str = UNKNOWN) -> str:
    """A measured share with its 95 % interval, such as "34 % (28 to 41 %)".

    What was counted may be none or all ("0 % (0 to 12 %)"); decimals are added until the interval spans two steps of the last.
    """
    decimals = 0
    if share is not None and share.low is not None and share.high is not None:
        width = 100 * (share.high - share.low)
        decimals = next((d for d in range(_FINEST) if width * 10**d >= _STEPS), _FINEST)
    return spelt(share, lambda number: _counted(number, decimals), unit=" %", missing=missing)


def interval(score: Estimate | None, decimals: int = 3) -> str:
    """A score from 0 to 1 with its 95 % interval, such as "0.661 (0.624 to 0.699)"."""
    return spelt(score, lambda number: f"{number:z.{decimals}f}")


def difference(apart: Estimate | None) -> str:
    """A difference of two scores with its 95 % interval, such as "+0.012 (-0.003 to +0.027)"."""
    return spelt(apart, signed, missing=UNDEFINED)


def signed(value: float, decimals: int = 3) -> str:
    """A number with its sign, such as "+0.012"."""
    return f"{value:+z.{decimals}f}"


def points(apart: Estimate | None) -> str:
    """A difference of two shares in percentage points, such as "+4 points (+1 to +7)"."""
    return spelt(apart, lambda share: signed(100 * share, 0), unit=" points", of_ends="", missing=UNDEFINED)


def hundredths(score: Estimate | None, *, is_difference: bool, missing: str = UNKNOWN) -> str:
    """A score, or a difference of scores, in points without their name, as tables of experiments hold them: "75.1 (70.7 to 79.8)"."""
    sign = "+" if is_difference else ""
    return spelt(score, lambda number: f"{100 * number:{sign}z.1f}", missing=missing)


def p_value(p: float | None) -> str:
    """A p value: three decimals, and never 0."""
    if p is None:
        return UNDEFINED
    return "<0.001" if p < 0.0005 else f"{p:.3f}"


def cut(threshold: float) -> str:
    """A threshold on a probability, in tenths of a per cent, as it is set: "23.7 %"."""
    return percent(threshold, 1)


def against(share: float, threshold: float) -> tuple[str, str]:
    """A probability and a threshold on it, so fine that what is printed stands as the numbers do: never "6 % is below 5.7 %"."""
    for decimals in range(_FINEST + 2):
        fine = max(decimals, 1)  # as `cut` says thresholds
        printed, limit = _rounded(share, decimals), _rounded(threshold, fine)
        vague = printed < 10.0**-decimals / 2 and limit < 10.0**-decimals  # "<1 %" beside "0.4 %"
        if not vague and (printed >= limit) == (share >= threshold):
            return percent(share, decimals), percent(threshold, fine)
    return percent(share, _FINEST), percent(threshold, _FINEST)


def milliseconds(seconds: float) -> str:
    """A short time, such as "45 ms" or "1.2 s"."""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def duration(seconds: float) -> str:
    """A long time, such as "50 s", "12 min" or "3.5 h"."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"


def listed(names: list[str]) -> str:
    """Names as a sentence lists them: "a", "a and b", "a, b and c"."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _rounded(share: float, decimals: int) -> float:
    """Per cent, halves upwards: 0.125 is 13 %, and 0.005 is 1 %, as readers round."""
    return math.floor(round(share * 100 * 10**decimals, 6) + 0.5) / 10**decimals


def _counted(share: float, decimals: int) -> str:
    """Per cent without the sign; 0 and 100 only where none or all were counted."""
    if share in (0, 1):
        return f"{100 * share:.0f}"
    return percent(share, decimals).removesuffix(" %")
