"""Calibrates the 90 % sets on validation lesions and measures them on held-out lesions; see `core.trust.signals.prediction_set`."""

import math
from pathlib import Path

import numpy as np

from core.bundle import Bundle
from core.card import Card
from core.diagnoses import CODES
from core.estimates.in_files import to_text
from core.evaluation.out_of_fold import held_out_by
from core.evaluation.results import InvalidResults, Results, read_results
from core.evaluation.statistics.bootstrap import resample_lesions
from core.evaluation.statistics.shares import share_of
from core.evaluation.subgroups import GROUPINGS
from core.files import write_text
from core.threads import Progress
from core.trust.measure_table import MEASURES, InvalidMeasure, binding_of
from core.trust.signals.prediction_set import SET_LEVEL, build_set

# The fewest lesions whose largest score still is a 90 % quantile: 9 of 10 parts, the tenth at infinity.
FEWEST_LESIONS = math.ceil(SET_LEVEL / (1 - SET_LEVEL) - 1e-9)
# Subgroups with fewer lesions are left out of the measure: their coverage would be a guess.
GROUP_LESIONS = 30
MEASURED_GROUPS = ("Age band", "Sex", "Body site", "Source")
MEASURE = "set"


def set_thresholds(results: Results, level: float = SET_LEVEL) -> dict[str, dict]:
    """The lowest probability with which each diagnosis stays in the set.

    Args:
        results: of the validation part, which no threshold is tested on.

    Returns:
        Code -> {"probability", "photos", "lesions", "with": codes that it was calibrated together with}; a probability of
        0 means that it always is in the set, where even all diagnoses together have too few lesions.
    """
    truth = results.probabilities[np.arange(len(results.y_true)), results.y_true]
    pools = _pools({c: len(np.unique(results.lesions[results.y_true == i])) for i, c in enumerate(CODES)}, level)
    thresholds = {}
    for i, code in enumerate(CODES):
        pool = pools[code]
        rows = np.isin(results.y_true, [CODES.index(c) for c in pool])
        own = results.y_true == i
        thresholds[code] = {
            "probability": lesion_threshold(truth[rows], results.lesions[rows], level),
            "photos": int(own.sum()),
            "lesions": len(np.unique(results.lesions[own])),
            "with": [c for c in pool if c != code],
        }
    return thresholds


def lesion_threshold(truth: np.ndarray, lesions: np.ndarray, level: float = SET_LEVEL) -> float:
    """The probability that at least `level` of the lesions' weight reaches; 0 where they are too few.

    Args:
        truth: probability of each photo's true diagnosis, (N,).
        lesions: lesion of each photo, (N,).
    """
    names, lesion, counts = np.unique(lesions, return_inverse=True, return_counts=True)
    order = np.argsort(-truth, kind="stable")
    mass = np.cumsum(1 / counts[lesion[order]]) / (len(names) + 1)
    enough = np.flatnonzero(mass >= level - 1e-9)
    return float(truth[order[enough[0]]]) if len(enough) else 0.0


def _pools(lesions: dict[str, int], level: float) -> dict[str, tuple[str, ...]]:
    """Each diagnosis with those it is calibrated with: the rarest are joined until every pool is large enough."""
    fewest = math.ceil(level / (1 - level) - 1e-9)
    ranked = sorted(CODES, key=lambda code: lesions[code])
    first = 1
    while first < len(ranked) and lesions[ranked[0]] < fewest and sum(lesions[c] for c in ranked[:first]) < fewest:
        first += 1
    # All that are too small by themselves share the pool of the smallest.
    while first < len(ranked) and lesions[ranked[first]] < fewest:
        first += 1
    joined = tuple(sorted(ranked[:first]))
    return {code: joined if code in joined else (code,) for code in CODES}


def score_sets(results: Results, record: dict | list[dict]) -> dict:
    """How the sets fare on lesions that nothing was calibrated on.

    Args:
        record: whose thresholds make the sets; a list of one for each photo where they differ.

    Returns:
        "coverage", "size" and "abstains" by lesion, as promised (each lesion counts the same, by the mean over its photos), and
        "coverage_by_photo"; "per_class" and "groups" the same within; "by_size": the error rate of the likeliest diagnosis, and
        the coverage, of photos at each size of the set; "unusual", "abstained" and "answered": error rate of photos where the
        network abstains because nothing fits, where it abstains, and where it does not.
    """
    records = record if isinstance(record, list) else [record] * len(results.probabilities)
    sets = [
        build_set(dict(zip(CODES, row, strict=True)), own)
        for row, own in zip(results.probabilities, records, strict=True)
    ]
    sizes = np.array([len(s.codes) for s in sets])
    covered = np.array([CODES[y] in s.codes for y, s in zip(results.y_true, sets, strict=True)])
    abstains, unusual = np.array([s.abstains for s in sets]), np.array([s.unusual for s in sets])
    wrong = results.y_true != results.y_pred
    lesions = results.lesions

    def scored(rows: np.ndarray) -> dict:
        weights = resample_lesions(lesions[rows]) if rows.any() else None
        parts = {"coverage": covered, "size": sizes, "abstains": abstains}
        of_lesions = {
            name: share_of(values[rows], lesions[rows], weights, by_lesion=True) for name, values in parts.items()
        }
        return of_lesions | {"coverage_by_photo": share_of(covered[rows], lesions[rows], weights)}

    groups = {}
    for title in MEASURED_GROUPS:
        names = GROUPINGS[title](results.table).fillna("").replace("", "unknown").to_numpy(dtype=str)
        groups[title] = {
            str(name): scored(names == name)
            for name in np.unique(names)
            if len(np.unique(lesions[names == name])) >= GROUP_LESIONS
        }
    return {
        **scored(np.ones(len(sizes), bool)),
        "per_class": {code: scored(results.y_true == i) for i, code in enumerate(CODES)},
        "groups": groups,
        "by_size": {
            str(size): {
                "wrong": share_of(wrong[rows], lesions[rows]),
                "coverage": share_of(covered[rows], lesions[rows]),
            }
            for size in np.unique(sizes)
            for rows in [(sizes == size) & ~unusual]
            if rows.any()
        },
        "unusual": share_of(wrong[unusual], lesions[unusual]),
        "abstained": share_of(wrong[abstains], lesions[abstains]),
        "answered": share_of(wrong[~abstains], lesions[~abstains]),
    }


def records_of_folds(cards: list[Card], record: dict, validation: Results, test: Results) -> list[dict]:
    """For each held-out photo the record with the thresholds that validation gives without the photo's own part.

    Args:
        cards: of the networks of a set of folds.
    """
    by = held_out_by(cards)
    own = validation.table.image_id.map(by).to_numpy()
    apart = {
        name: {**record, "thresholds": set_thresholds(validation.only(own != name))} for name in sorted(set(by.values()))
    }
    return [apart[by[image]] for image in test.table.image_id]


def measure_set(bundle: Bundle, folder: Path, progress: Progress | None = None) -> None:
    """Calibrates on the model's validation predictions, measures on its held-out predictions, and writes `set.json`.

    The validation slices of a set of folds calibrate together. A photo is scored with what they give without its own part.
    """
    place = Path(bundle.folder)
    try:
        validation = read_results(place / "validation", bundle.card)
    except InvalidResults as error:
        command = (
            f"python -m core folds join {place}"
            if bundle.card.is_fold_set
            else f"python -m core evaluate {place.name} --data {folder} --split validation --out {place / 'validation'}"
        )
        raise InvalidMeasure(
            f"The set is calibrated on validation predictions, and there are none to use: {error} The validation part's: `{command}`."
        ) from None
    test = read_results(place, bundle.card)
    record = {
        **binding_of(MEASURE, bundle.card),
        "level": SET_LEVEL,
        "counted_by": "lesion",
        "thresholds": set_thresholds(validation),
        "calibrated_on": {"photos": len(validation.y_true), "lesions": len(np.unique(validation.lesions))},
    }
    scored = record
    if bundle.card.is_fold_set:
        scored = records_of_folds([network.card for network in bundle.scored_networks], record, validation, test)
    record["test"] = score_sets(test, scored)
    write_text(place / MEASURES[MEASURE].file, to_text(record) + "\n")
    if progress:
        progress(1, 1)
