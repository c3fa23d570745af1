"""Intervals from a bootstrap that resamples lesions: photos of one lesion are not independent, so they go together."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from core.choices import check_choice
from core.diagnoses import CODES, MALIGNANT, MELANOMA, NEVUS, index_of
from core.estimates import Difference, Estimate
from core.evaluation.metrics import DECIDED, decision_scores, flatten, point_names, scores
from core.evaluation.statistics.significance import bootstrap_p
from core.evaluation.statistics.weighted import counted_scores, weighted_scores

if TYPE_CHECKING:
    import pandas as pd

RESAMPLES = 1000
LEVEL = 0.95
Z = 1.959963984540054  # two-sided 95 % point of the normal distribution


def resample_lesions(lesions: Iterable, resamples: int = RESAMPLES, seed: int = 0) -> np.ndarray:
    """How often each photo counts in each resample: its lesion's number of draws.

    Args:
        lesions: lesion of each photo, (N,).
        resamples: R; in each, as many lesions as there are are drawn with replacement.

    Returns:
        Weights, shape (R, N), uint16.
    """
    names, lesion = np.unique(np.asarray(list(lesions), dtype=str), return_inverse=True)
    drawn = np.random.default_rng(seed).integers(0, len(names), (resamples, len(names)))
    drawn += np.arange(resamples)[:, None] * len(names)
    counts = np.bincount(drawn.ravel(), minlength=resamples * len(names)).astype("uint16")
    return counts.reshape(resamples, len(names))[:, lesion]


def with_interval(value: float | None, resampled: np.ndarray) -> Estimate:
    """A number between the resamples' 2.5 % and 97.5 % percentiles, undefined resamples left out.

    Widened to hold the value where the percentiles do not: resampling biases a few scores, the calibration error above all.
    """
    known = resampled[~np.isnan(resampled)]
    if value is None or not len(known):
        return Estimate(value)
    low, high = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(value, min(float(low), value), max(float(high), value))


def wilson(value: float, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a proportion of n.

    Reference: Wilson 1927, J Am Stat Assoc 22:209.
    """
    centre = (value + Z * Z / (2 * n)) / (1 + Z * Z / n)
    reach = Z * math.sqrt(value * (1 - value) / n + Z * Z / (4 * n * n)) / (1 + Z * Z / n)
    # Exact at the ends, where rounding would leave 1e-18 beside a value of 0.
    return 0.0 if value == 0 else max(0.0, centre - reach), 1.0 if value == 1 else min(1.0, centre + reach)


def proportion(value: float | None, resampled: np.ndarray, lesions: int) -> Estimate:
    """`with_interval` of a proportion, never one of no width.

    A proportion that is the same in every resample (14 of 14 right) has a bootstrap interval of no width, which would read as
    certainty: Wilson's interval takes its place.

    Args:
        lesions: that the proportion is a proportion of: Wilson's n, since photos of one lesion are not independent.
    """
    estimate = with_interval(value, resampled)
    if value is not None and lesions and (estimate.low is None or estimate.low == estimate.high):
        return Estimate(value, *wilson(value, lesions))
    return estimate


def _lesions_behind(y_true: np.ndarray, y_pred: np.ndarray, lesions: np.ndarray) -> dict[str, int]:
    """Number of lesions that each proportion is a proportion of; of the rarer side where it is one of pairs, as an AUC is."""
    everyone = len(np.unique(lesions))
    behind = {"accuracy": everyone, "balanced_accuracy": everyone, "majority_baseline": everyone}
    sides = {f"{code}.auc": (y_true == c, y_true != c) for c, code in enumerate(CODES)}
    sides["malignancy_auc"] = np.array(MALIGNANT)[y_true], ~np.array(MALIGNANT)[y_true]
    sides["melanoma_nevus_auc"] = y_true == MELANOMA, y_true == NEVUS
    for given, asked in (("specificity", "sensitivity"), ("sensitivity", "specificity")):
        sides |= dict.fromkeys(point_names(given, asked), sides["mel.auc"])
    for name, pair in sides.items():
        behind[name] = min(len(np.unique(lesions[rows])) for rows in pair)
    for c, code in enumerate(CODES):
        for key, rows in (("sensitivity", y_true == c), ("specificity", y_true != c), ("precision", y_pred == c)):
            behind[f"{code}.{key}"] = len(np.unique(lesions[rows]))
    return behind


def lesion_bootstrap(
    y_true: np.ndarray, probabilities: np.ndarray, lesions: Iterable, *, resamples: int = RESAMPLES, seed: int = 0
) -> dict:
    """All of `metrics.scores`, each with its 95 % interval.

    A proportion that is the same in every resample has Wilson's interval; see `proportion`.

    Args:
        y_true: true classes, (N,), positions in `CODES`.
        probabilities: (N, 7), rows add up to 1.
        lesions: lesion of each photo, (N,).

    Returns:
        As `metrics.scores`, with an `Estimate` for each number (of None where undefined).

    Raises:
        ValueError: shapes that do not fit; see `check_predictions`.
    """
    y_true, lesions = np.asarray(y_true), np.asarray(list(lesions), dtype=str)
    if lesions.shape != y_true.shape:
        raise ValueError(f"Got {len(lesions)} lesion ids for {len(y_true)} photos. Expected one a photo.")
    points = scores(y_true, probabilities)
    resampled = weighted_scores(y_true, probabilities, resample_lesions(lesions, resamples, seed))
    behind = _lesions_behind(y_true, np.asarray(probabilities).argmax(axis=1), lesions)

    def estimate(name: str, value: float | None) -> Estimate:
        return proportion(value, resampled[name], behind.get(name, 0))

    per_class = {c: {k: estimate(f"{c}.{k}", v) for k, v in row.items()} for c, row in points["per_class"].items()}
    summary = {name: estimate(name, value) for name, value in points.items() if name != "per_class"}
    return summary | {"per_class": per_class}


def decided_bootstrap(
    y_true: np.ndarray, y_pred: np.ndarray, lesions: Iterable, *, resamples: int = RESAMPLES, seed: int = 0
) -> dict:
    """All of `metrics.decision_scores`, each with its 95 % interval, over the same resamples as `lesion_bootstrap`.

    Args:
        y_true, y_pred: classes, (N,), positions in `CODES`.
        lesions: lesion of each photo, (N,).
    """
    y_true, y_pred, lesions = np.asarray(y_true), np.asarray(y_pred), np.asarray(list(lesions), dtype=str)
    cells = np.eye(len(CODES) ** 2)[y_true * len(CODES) + y_pred]
    weights = resample_lesions(lesions, resamples, seed).astype("float64")
    summary, columns = counted_scores((weights @ cells).reshape(-1, len(CODES), len(CODES)), 0)
    points = decision_scores(y_true, y_pred)
    behind = _lesions_behind(y_true, y_pred, lesions)
    per_class = {
        code: {
            key: proportion(value, columns[key][:, c], behind.get(f"{code}.{key}", 0))
            for key, value in points["per_class"][code].items()
        }
        for c, code in enumerate(CODES)
    }
    scored = {name: proportion(points[name], summary[name], behind.get(name, 0)) for name in DECIDED}
    return scored | {"per_class": per_class}


def confidence_words(lesions: int, *, resamples: int = RESAMPLES, seed: int = 0) -> str:
    """How the intervals of `lesion_bootstrap` were made, for a reader of the report."""
    return (
        f"95 % percentile intervals of a bootstrap that resamples lesions ({resamples} resamples of {lesions} lesions, seed {seed}); "
        "a proportion that is the same in every resample has Wilson's interval with lesions as n. They cover the choice of test "
        "lesions, not the chance in training."
    )


def _aligned(predictions: pd.DataFrame, lesions: Mapping[str, str] | None) -> pd.DataFrame:
    table = predictions.set_index("image_id")
    if not table.index.is_unique:
        raise ValueError("Predictions list an image_id more than once. Keep one row each.")
    if lesions is not None:
        table = table.assign(lesion_id=[lesions.get(i, "") for i in table.index])
    if "lesion_id" not in table or (table.lesion_id == "").any():
        raise ValueError(
            "Predictions have no lesion_id for every photo (predictions.csv has none). Give `lesions`, a mapping from image_id to "
            "lesion_id: an interval that takes photos of one lesion for independent is too narrow."
        )
    return table


def paired_differences(
    metrics: Sequence[str],
    predictions_a: pd.DataFrame,
    predictions_b: pd.DataFrame,
    *,
    lesions: Mapping[str, str] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, Difference]:
    """How much better model a scores than model b on the same photos, both seen through the same resampled lesions.

    Args:
        metrics: names that `metrics.flatten` gives, such as "balanced_accuracy" or "mel.sensitivity".
        predictions_a, predictions_b: columns image_id, dx, the seven codes and, unless `lesions` is given, lesion_id; in any
            order of rows.
        lesions: image_id -> lesion_id.

    Returns:
        Metric -> a minus b with its 95 % interval, and the two-sided bootstrap p value of no difference (see `bootstrap_p`; correct it
        for the number of comparisons by `holm`). Of None where the metric is undefined.

    Raises:
        ValueError: the two are not of the same photos and diagnoses, no lesions, or an unknown metric.
    """
    a, b = _aligned(predictions_a, lesions), _aligned(predictions_b, lesions)
    different = len(a.index.symmetric_difference(b.index))
    if different:
        raise ValueError(
            f"The two models were not scored on the same photos: {different} stand in one table only. Evaluate both on one part."
        )
    b = b.loc[a.index]
    if (a.dx != b.dx).any():
        raise ValueError(
            f"The two tables give different diagnoses for {(a.dx != b.dx).sum()} photos. Evaluate both on one folder."
        )
    y_true = np.array([index_of(code) for code in a.dx])
    tables = [table[list(CODES)].to_numpy("float64") for table in (a, b)]
    values = [flatten(scores(y_true, table)) for table in tables]
    for metric in metrics:
        check_choice("metric", metric, values[0])
    weights = resample_lesions(a.lesion_id, resamples, seed)
    first, second = (weighted_scores(y_true, table, weights) for table in tables)
    return {m: resampled_difference(values[0][m], values[1][m], first[m] - second[m]) for m in metrics}


def paired_difference(metric: str, predictions_a: pd.DataFrame, predictions_b: pd.DataFrame, **settings) -> Difference:
    """`paired_differences` of one metric."""
    return paired_differences([metric], predictions_a, predictions_b, **settings)[metric]


def resampled_difference(a: float | None, b: float | None, resampled: np.ndarray) -> Difference:
    """A minus b, with the interval and the p value that its resamples give, (R,)."""
    if a is None or b is None:
        return Difference(None)
    apart = with_interval(a - b, resampled)
    return Difference(apart.value, apart.low, apart.high, bootstrap_p(resampled))
