"""What the file of each measure holds: read by these schemas, so that a file of another version is told from a present one.

Lists and objects within are described where they are made, in `core.trust.measures`.
"""

from typing import Literal

from msgspec import Struct


class SetRecord(Struct):
    """`set.json`: the 90 % set of diagnoses."""

    probabilities_sha256: str
    level: float
    counted_by: Literal["lesion"]  # earlier versions counted photos
    thresholds: dict
    test: dict
    calibrated_on: dict = {}


class FactsRecord(Struct):
    """`facts.json`: combinations of facts in training, and what facts change on test."""

    probabilities_sha256: str
    training_facts: list
    test: dict


class LookalikesRecord(Struct):
    """`lookalikes.json`: what the nearest training lesions are worth."""

    probabilities_sha256: str
    photos: int
    lesions: int
    k: int
    thresholds: dict
    test: dict
    seen_before: dict


class GateRecord(Struct):
    """`gate.json`: the photo gate, and how often it is wrong."""

    weights_sha256: str
    inputs: list
    eye: dict
    statistics_mean: list
    statistics_precision: list
    input_mean: list
    input_scale: list
    coefficients: list
    intercept: float
    thresholds: dict
    limits: dict
    strangers: dict
    strangers_mean: dict
    not_measured: list
    degraded: list
    test: dict
    test_abroad: dict
    network: str = ""  # of a set of folds the one that the gate sees through


class MapsRecord(Struct):
    """`maps.json`: whether the maps mean anything."""

    format: Literal[1]
    model: str
    probabilities_sha256: str
    part: str
    confidence: str
    sample: dict
    photos: int
    lesions: int
    masks: int
    methods: dict
    agreement: dict
    curves: dict
    network: str = ""  # of a set of folds the one that was measured


class SimilarRecord(Struct):
    """`similar.json`: which of its test melanomas and nevi a network finds alike; `similar.npz` beside it holds them."""

    weights_sha256: str
    neighbours_sha256: str
    feature: str
    model: str = ""
    photos: int = 0
    melanomas: int = 0
    lesions: int = 0
    neighbours: str = ""


class ColourRecord(Struct):
    """`colour.json`: melanoma against nevus under each change of colour."""

    probabilities_sha256: str
    threshold: float
    photos: int
    melanomas: int
    settings: list
    confidence: str
    model: str = ""
    lesions: int = 0
