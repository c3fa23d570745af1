"""Scores of a model on a HAM10000 folder, each with an interval that resamples lesions."""
