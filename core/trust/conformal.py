"""The 90 % set: the diagnoses that a photo's probabilities cannot rule out, calibrated on the validation lesions.

Class-conditional (Mondrian) split conformal prediction. A diagnosis is in the set when its probability is at least as high
as it was for nine in ten of the validation lesions that truly had this diagnosis. So each diagnosis, however rare, is missed
in at most one lesion in ten, as far as new lesions resemble those of validation; a set calibrated over all photos alike
would reach its 90 % with nevi and miss melanomas.

Photos of one lesion are not independent. Each lesion therefore weighs the same, whatever its number of photos, and the
number that a threshold rests on is that of lesions. The weighted quantile with one part in K + 1 at infinity keeps the
guarantee for a photo of a new lesion: of lesions, each shown by one of its photos, nine in ten. So the coverage that is
measured against the promise counts lesions, too: each by the share of its photos whose set holds its diagnosis. The
coverage of photos stands beside it, and may be lower, where lesions of many photos are the harder ones.

Validation is used a second time here (a third, where it also fitted the calibration): the epoch was chosen on the same
lesions, so their probabilities are a little higher than those of new lesions, and the coverage may fall a little short of
the promise. The test part chose nothing; what is reported is measured there.

Below 9 lesions no threshold can promise 90 %. A diagnosis with so few is calibrated together with the next rarest until
9 are reached; the promise then holds for these together, and the page says so. (Naming it in every set instead would
keep the promise and tell nobody anything.)

Reference: V. Vovk, "Conditional validity of inductive conformal predictors", ACML 2012; M. Sadinle, J. Lei,
L. Wasserman, "Least ambiguous set-valued classifiers with bounded error levels", JASA 2019; Y. Lee, R. F. Barber,
R. Willett, "Distribution-free inference with hierarchical data", 2023.
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.diagnoses import CODES, MALIGNANT, NAMES
from core.evaluation.bootstrap import resample_lesions
from core.evaluation.results import InvalidResults, Results, read_results
from core.evaluation.subgroups import GROUPINGS
from core.files import write_text
from core.trust.measures import MEASURES, InvalidMeasure, Progress, digest_of
from core.trust.shares import share_of

if TYPE_CHECKING:  # at run time this would load TensorFlow, and pages build sets without it
    from core.bundle import Bundle

LEVEL = 0.9
# The fewest lesions whose largest score still is a 90 % quantile: 9 of 10 parts, the tenth at infinity.
FEWEST_LESIONS = math.ceil(LEVEL / (1 - LEVEL) - 1e-9)
# A differential of more than half the seven diagnoses rules too little out to be of use.
LARGEST_SET = 3
# Subgroups with fewer lesions are left out of the measure: their coverage would be a guess.
GROUP_LESIONS = 30
MEASURED_GROUPS = ("Age band", "Sex", "Body site", "Source")
MEASURE = "set"


@dataclass(frozen=True)
class PredictionSet:
    """What a photo's probabilities cannot rule out.

    Args:
        codes: of the diagnoses, the likeliest first; never empty.
        level: share of lesions whose diagnosis is to be in the set.
        unusual: no diagnosis is as probable as it usually is where it is true; `codes` then holds the likeliest alone.
    """

    codes: tuple[str, ...]
    level: float
    unusual: bool

    @property
    def abstains(self) -> bool:
        """Whether the honest answer is "the network does not know"."""
        return self.unusual or len(self.codes) > LARGEST_SET

    @property
    def malignant(self) -> tuple[str, ...]:
        """The malignant and pre-malignant diagnoses among them."""
        return tuple(c for c in self.codes if MALIGNANT[CODES.index(c)])

    @property
    def words(self) -> str:
        """As a differential, such as "90 % set: melanoma, melanocytic nevus"."""
        names = [NAMES[c] for c in self.codes]
        return f"{self.level * 100:.0f} % set: {', '.join([names[0], *(n[0].lower() + n[1:] for n in names[1:])])}"

    @property
    def doubt(self) -> str:
        """Why the network does not know, in words; empty where it abstains not."""
        if self.unusual:
            return (
                "No diagnosis is as probable here as it usually is where it is true. The photo is unlike those that the network "
                "learnt from, or shows something else."
            )
        if self.abstains:
            return (
                f"{len(self.codes)} of the {len(CODES)} diagnoses cannot be ruled out, which is too many to be of use."
            )
        return ""


def build_set(probabilities: dict[str, float], record: dict) -> PredictionSet:
    """The set of a photo.

    Args:
        probabilities: code -> calibrated probability, as in a reading.
        record: of `set.json`, from `read_measure`.
    """
    thresholds = record["thresholds"]
    ranked = sorted(CODES, key=lambda code: -probabilities[code])
    # A hair's breadth is rounding: one photo at a time and a batch differ in the last bits.
    within = tuple(c for c in ranked if probabilities[c] >= thresholds[c]["probability"] - 1e-6)
    return PredictionSet(within or (ranked[0],), float(record["level"]), not within)


def calibrate(results: Results, level: float = LEVEL) -> dict[str, dict]:
    """The lowest probability with which each diagnosis stays in the set.

    Args:
        results: of the validation part, which no threshold is tested on.

    Returns:
        Code -> {"probability", "photos", "lesions", "with": codes that it was calibrated together with}; a probability of
        0 means that it always is in the set, where even all diagnoses together have too few lesions.
    """
    truth = results.probabilities[np.arange(len(results.y_true)), results.y_true]
    pools = _pools({c: len(np.unique(results.lesions[results.y_true == i])) for i, c in enumerate(CODES)}, level)
    found = {}
    for i, code in enumerate(CODES):
        pool = pools[code]
        rows = np.isin(results.y_true, [CODES.index(c) for c in pool])
        own = results.y_true == i
        found[code] = {
            "probability": lesion_threshold(truth[rows], results.lesions[rows], level),
            "photos": int(own.sum()),
            "lesions": len(np.unique(results.lesions[own])),
            "with": [c for c in pool if c != code],
        }
    return found


def lesion_threshold(truth: np.ndarray, lesions: np.ndarray, level: float = LEVEL) -> float:
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


def score_sets(results: Results, record: dict) -> dict:
    """How the sets fare on lesions that nothing was calibrated on.

    Returns:
        "coverage", "size" and "abstains" by lesion, as promised (each lesion counts the same, by the mean over its photos), and
        "coverage_by_photo"; "per_class" and "groups" the same within; "by_size": the error rate of the likeliest diagnosis, and
        the coverage, of photos at each size of the set; "unusual", "abstained" and "answered": error rate of photos where the
        network abstains because nothing fits, where it abstains, and where it does not.
    """
    sets = [build_set(dict(zip(CODES, row, strict=True)), record) for row in results.probabilities]
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


def measure_set(bundle: "Bundle", folder: Path, progress: Progress | None = None) -> None:
    """Calibrates on the model's validation predictions, measures on its test predictions, and writes `set.json`."""
    place = Path(bundle.folder)
    try:
        validation = read_results(place / "validation", bundle.card)
    except InvalidResults as error:
        command = (
            f"python -m core evaluate {place.name} --data {folder} --split validation --out {place / 'validation'}"
        )
        raise InvalidMeasure(
            f"The set is calibrated on validation predictions, and there are none to use: {error} The validation part's: `{command}`."
        ) from None
    test = read_results(place, bundle.card)
    record = {
        **digest_of(MEASURE, bundle.card),
        "level": LEVEL,
        "counted_by": "lesion",
        "thresholds": calibrate(validation),
        "calibrated_on": {"photos": len(validation.y_true), "lesions": len(np.unique(validation.lesions))},
    }
    record["test"] = score_sets(test, record)
    write_text(place / MEASURES[MEASURE].file, json.dumps(record, indent=1, allow_nan=False) + "\n")
    if progress:
        progress(1, 1)
