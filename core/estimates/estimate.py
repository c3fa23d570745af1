"""A measured number with its 95 % interval: the one record that scores, shares, rates and differences are."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Estimate:
    """A number and its 95 % interval.

    Args:
        value: None where it is not defined, such as a share of nothing.
        low, high: of the interval; None where there is none, or no such end.
    """

    value: float | None
    low: float | None = None
    high: float | None = None

    @property
    def known(self) -> float:
        """The value, where the caller knows that there is one.

        Raises:
            ValueError: there is none.
        """
        if self.value is None:
            raise ValueError(
                "This number is not defined: nothing was there to count. Ask for `value`, and say so where it is None."
            )
        return self.value

    @property
    def is_above_zero(self) -> bool:
        """Whether the whole interval is above 0."""
        return self.low is not None and self.low > 0

    @property
    def is_below_zero(self) -> bool:
        """Whether the whole interval is below 0."""
        return self.high is not None and self.high < 0


@dataclass(frozen=True)
class CountedEstimate(Estimate):
    """A mean over photos, with how many there are.

    Args:
        photos, lesions: that the mean is of.
    """

    photos: int = 0
    lesions: int = 0


@dataclass(frozen=True)
class DecidedEstimate(Estimate):
    """A score that a decision rule gives.

    Args:
        rule: key of `core.decisions.DECISIONS`.
    """

    rule: str = ""


@dataclass(frozen=True)
class Difference(Estimate):
    """A difference of two scores of the same photos.

    Args:
        p: two-sided p value of no difference; None where it is not defined.
    """

    p: float | None = None


@dataclass(frozen=True)
class CorrectedDifference(Difference):
    """One of several differences.

    Args:
        p_holm: the p value, corrected for all of them by Holm's method.
    """

    p_holm: float | None = None


def estimate_in(entry: Mapping) -> Estimate:
    """The number of a file's entry that holds more than a number, such as an experiment's: its "value", "low" and "high"."""
    return Estimate(entry["value"], entry["low"], entry["high"])
