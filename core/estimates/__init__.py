"""Measured numbers with their intervals, and their form in files."""

from core.estimates.estimate import (
    CorrectedDifference,
    CountedEstimate,
    DecidedEstimate,
    Difference,
    Estimate,
    estimate_in,
)

__all__ = ["CorrectedDifference", "CountedEstimate", "DecidedEstimate", "Difference", "Estimate", "estimate_in"]
