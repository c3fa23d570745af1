"""Scores within groups of patients, photos and sources, with intervals, and a warning where few lesions carry a number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.choices import check_choice
from core.diagnoses import CODES, MELANOMA
from core.estimates import Estimate
from core.evaluation.metrics import CLASSES, confusion
from core.evaluation.results import Results
from core.evaluation.statistics.bootstrap import RESAMPLES, proportion, resample_lesions
from core.evaluation.statistics.weighted import counted_scores

if TYPE_CHECKING:
    import pandas as pd

AGE_BANDS = ((0, 30), (30, 45), (45, 60), (60, 75), (75, 200))
# Below this, one lesion moves a proportion by more than three points, and the interval is wider than most differences.
FEW_LESIONS = 30
# A sensitivity on fewer melanomas than this is no measurement.
FEW_MELANOMAS = 10


@dataclass(frozen=True)
class Subgroup:
    """One row of a subgroup table.

    Args:
        warning: a sentence where the numbers rest on few lesions, else "".
    """

    name: str
    photos: int
    lesions: int
    melanomas: int
    classes: int
    accuracy: Estimate
    balanced_accuracy: Estimate
    melanoma_sensitivity: Estimate
    melanoma_specificity: Estimate
    warning: str


def age_band(age: float) -> str:
    """Name of the band of an age in years, such as "45 to 59"; "unknown" for NaN."""
    if np.isnan(age):
        return "unknown"
    low, high = next((low, high) for low, high in AGE_BANDS if low <= age < high)
    return f"{low} and older" if high == AGE_BANDS[-1][1] else f"{low} to {high - 1}"


# How a table is cut: title -> the group of each photo.
GROUPINGS: dict[str, Callable[[pd.DataFrame], pd.Series]] = {
    "Age band": lambda table: table.age.map(age_band, na_action=None),
    "Sex": lambda table: table.sex,
    "Body site": lambda table: table.localization,
    "Source": lambda table: table.dataset,
    "How it was confirmed": lambda table: table.dx_type,
}


def subgroup_scores(results: Results, grouping: str, *, resamples: int = RESAMPLES, seed: int = 0) -> list[Subgroup]:
    """Scores of each group; the age bands by age, others the largest first.

    Args:
        grouping: a key of `GROUPINGS`.

    Raises:
        ValueError: unknown grouping.
    """
    check_choice("grouping", grouping, GROUPINGS)
    groups = GROUPINGS[grouping](results.table).fillna("").replace("", "unknown").to_numpy(dtype=str)
    names, counts = np.unique(groups, return_counts=True)
    if grouping == "Age band":
        bands = [age_band(low) for low, _ in AGE_BANDS]
        ordered = sorted(names, key=lambda name: bands.index(name) if name in bands else len(bands))
    else:
        ordered = [str(names[i]) for i in np.argsort(-counts, kind="stable")]
    return [_score(results, str(name), groups == name, resamples, seed) for name in ordered]


def _score(results: Results, name: str, rows: np.ndarray, resamples: int, seed: int) -> Subgroup:
    y_true, y_pred, lesions = results.y_true[rows], results.y_pred[rows], results.lesions[rows]
    balanced = results.decided("balanced")[rows]
    weights = resample_lesions(lesions, resamples, seed).astype("float64")

    def counted(decided: np.ndarray) -> tuple:
        cells = np.eye(CLASSES**2)[y_true * CLASSES + decided]
        points, columns = counted_scores(confusion(y_true, decided)[None].astype("float64"), 0)
        return points, columns, *counted_scores((weights @ cells).reshape(-1, CLASSES, CLASSES), 0)

    points, columns, spread, spread_columns = counted(y_pred)
    even, even_columns, even_spread, even_spread_columns = counted(balanced)
    melanoma = y_true == MELANOMA
    melanomas, count = len(np.unique(lesions[melanoma])), len(np.unique(lesions))
    others = len(np.unique(lesions[~melanoma]))

    def scored(point: np.ndarray, resampled: np.ndarray, behind: int) -> Estimate:
        return proportion(None if np.isnan(point[0]) else float(point[0]), resampled, behind)

    few = []
    if count < FEW_LESIONS:
        few.append(f"only {count} {'lesion' if count == 1 else 'lesions'}")
    if 0 < melanomas < FEW_MELANOMAS:
        few.append(f"only {melanomas} {'melanoma' if melanomas == 1 else 'melanomas'}")
    absent = CLASSES - len(np.unique(y_true))
    if absent:
        few.append(f"{absent} {'diagnosis' if absent == 1 else 'diagnoses'} absent, left out of the mean")
    return Subgroup(
        name=name,
        photos=int(rows.sum()),
        lesions=count,
        melanomas=melanomas,
        classes=len(CODES) - absent,
        accuracy=scored(points["accuracy"], spread["accuracy"], count),
        balanced_accuracy=scored(even["balanced_accuracy"], even_spread["balanced_accuracy"], count),
        melanoma_sensitivity=scored(
            columns["sensitivity"][:, MELANOMA], spread_columns["sensitivity"][:, MELANOMA], melanomas
        ),
        melanoma_specificity=scored(
            columns["specificity"][:, MELANOMA], spread_columns["specificity"][:, MELANOMA], others
        ),
        warning="; ".join(few).capitalize(),
    )
