"""Intervals, tests and weights that resample lesions."""
