"""Models that were scored on different photos, cut to those that all were held out from: only there do their scores compare."""

from dataclasses import replace

import numpy as np
import streamlit as st

from core.diagnoses import CODES
from core.evaluation.evaluator import score_table
from core.evaluation.operating import measure_threshold
from core.evaluation.out_of_fold import held_out_by
from core.evaluation.results import Results
from core.evaluation.statistics.bootstrap import RESAMPLES, confidence_words
from core.members import scored_cards
from core.webapp.shared.evaluations import Evaluated


def common_photos(models: dict[str, Evaluated]) -> list[str]:
    """Ids of the photos that all models were scored on, sorted."""
    ids = [set(model.results.table.image_id) for model in models.values()]
    return sorted(set.intersection(*ids)) if ids else []


def scored_alike(models: dict[str, Evaluated]) -> bool:
    """Whether all models were scored on the same photos."""
    return all(len(model.results.table) == len(common_photos(models)) for model in models.values())


def on_common_photos(models: dict[str, Evaluated]) -> dict[str, Evaluated]:
    """The models with their answers to the common photos alone, scored anew; each was held out from all of them.

    Raises:
        ValueError: no photo is common to all.
    """
    common = common_photos(models)
    if not common:
        raise ValueError(f"{', '.join(models)} have no held-out photo in common, so nothing compares. Choose others.")
    keys = tuple(model.key for model in models.values())
    return {
        name: replace(model, results=_cut(model.key, keys, model, common), key=(*model.key, "common", keys))
        for name, model in models.items()
    }


@st.cache_resource(max_entries=24, show_spinner="Scoring the photos that all were held out from")
def _cut(key: tuple, keys: tuple, _model: Evaluated, _common: list[str]) -> Results:
    results = _model.results.only(_model.results.table.image_id.isin(_common).to_numpy())
    old, table = results.evaluation, results.table
    metrics, per_class, decisions = score_table(table, _model.card.terms, resamples=RESAMPLES)
    lesions = int(table.lesion_id.nunique())
    evaluation = replace(
        old,
        photos=len(table),
        lesions=lesions,
        metrics=metrics,
        per_class=per_class,
        decisions=decisions,
        confidence=confidence_words(lesions, resamples=RESAMPLES, seed=0),
        absent_classes=[code for code in CODES if not per_class[code]["photos"]],
        operating_point=_operating_point(_model, results),
    )
    return replace(results, evaluation=evaluation)


def _operating_point(model: Evaluated, results: Results) -> dict | None:
    """The thresholds as they were chosen, measured on the photos that are left."""
    point = results.evaluation.operating_point
    if not point:
        return None
    thresholds = point["threshold"]
    if model.card.is_fold_set:
        by = held_out_by(scored_cards(model.card, model.key[0]))
        thresholds = np.array([point["thresholds"][by[image]] for image in results.table.image_id])
    measured = measure_threshold(results.y_true, results.probabilities, results.lesions, thresholds)
    return {key: value for key, value in point.items() if key != "on_slices"} | measured
