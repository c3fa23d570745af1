"""The photo gate: is this a dermoscopic photo at all, and good enough to be read? Asked before any diagnosis is shown.

A small logistic model weighs how far the photo's feature vectors lie from those of the training photos (distance within and beside
their principal components, similarity to the nearest), once by the network's own and once by those of an eye that was never trained on
lesions (`core.trust.signals.eye`), and plain statistics of its pixels. It learns from training photos,
from the same photos as other clinics' cameras might show them, and from pictures that are no dermoscopic photos. How well it
catches a family of pictures is measured with a gate that never met that family.

Reference: K. Lee et al., "A simple unified framework for detecting out-of-distribution samples and adversarial attacks",
NeurIPS 2018 (distances of features); M. Combalia et al., "Validation of artificial intelligence prediction models for skin cancer
diagnosis using dermoscopy images", Lancet Digit Health 2022 (classifiers answer whatever they are shown).
"""

from dataclasses import dataclass

import numpy as np

from core.trust.signals import eye
from core.trust.signals.colourless import colour_fault
from core.trust.signals.feature_vectors import pool_features
from core.trust.signals.lookalikes import LookalikeIndex
from core.trust.signals.photo_statistics import STATISTICS
from core.trust.signals.square import square_of

OK, WARN, REFUSE = "ok", "warn", "refuse"
# The gate was measured and cannot judge: nobody looked at the photo, so there is no answer without the reader's word.
UNUSABLE = "unusable"
# Below this the short side shows too little of a lesion's structures, pixels; HAM10000's originals have 450.
SMALL_SIDE = 200
NEIGHBOURS = 5
DISTANCES = ("beside", "within", "nearest", "statistics")
INPUTS = (*STATISTICS, *DISTANCES)
# Each input also counts by its square: strange on either side is strange.
TERMS = 2 * len(INPUTS) + eye.TERMS
# Standardised inputs are cut here: a picture that is very strange in one way only must not drown the others.
CUT = 5.0
NOT_DERMOSCOPY = "This does not look like a dermoscopic photo: its colours, edges and structures are unlike those the network learnt from."
UNUSUAL = "The photo is unlike most dermoscopic photos that the network learnt from."
# Statistic, side of its limit, and what is said; limits stand in gate.json.
FAULTS: tuple[tuple[str, str, str], ...] = (
    ("log_sharpness", "low", "The photo is blurred."),
    ("lightness", "low", "The photo is too dark."),
    ("lightness", "high", "The photo is too bright."),
    ("white", "high", "Parts of the photo are overexposed."),
    ("lesion_contrast", "low", "No lesion stands out from the skin."),
)


@dataclass(frozen=True)
class Gate:
    """Whether a photo should be read.

    Args:
        verdict: "ok", "warn", "refuse", or "unusable" where the gate itself is damaged.
        reasons: sentences; empty when the verdict is "ok".
        score: log odds of being no usable dermoscopic photo; NaN where the gate is unusable.
    """

    verdict: str
    reasons: tuple[str, ...]
    score: float

    @property
    def stops(self) -> bool:
        """Whether nothing may be said of the photo unless the reader insists."""
        return self.verdict in (REFUSE, UNUSABLE)

    def to_json(self) -> dict:
        """As plain values, for records and files."""
        return {"verdict": self.verdict, "reasons": list(self.reasons)}


def gate_photo(index: LookalikeIndex, record: dict, encoded) -> Gate:
    """Judges an encoded photo, in milliseconds.

    Args:
        index: of the model that encoded the photo; of a set of folds that of its first network, whose channels come first.
        record: of `gate.json`, from `read_measure("gate", folder, card)`.
        encoded: an `EncodedPhoto`.

    Raises:
        InvalidBundle: the eye's file is missing or damaged.
    """
    square = square_of(encoded)
    vectors = pool_features(encoded.feature_map)[None, : len(index.mean)], square.seen[None]
    inputs = gate_inputs(index, record, square.statistics[None], *vectors)
    score, short_side = float(score_inputs(record, inputs)[0]), min(encoded.photo.shape[:2])
    return judge(record, square.statistics, score, short_side, colour_fault(square.image))


def as_arrays(record: dict) -> dict:
    """The record of `gate.json` with what is calculated with as arrays, so that no photo waits for that."""
    vectors = ("coefficients", "statistics_mean", "statistics_precision", "input_mean", "input_scale")
    arrays = {name: np.asarray(values, "float64") for name, values in record.items() if name in vectors}
    eyes = {name: np.asarray(values, "float64") for name, values in record.get("eye", {}).items()}
    return {**record, **arrays, "eye": eyes}


def judge(record: dict, statistics: np.ndarray, score: float, short_side: int, colours: str = "") -> Gate:
    """The verdict on a photo whose numbers are known.

    Args:
        statistics: of `photo_statistics`.
        score: of `score_inputs`.
        short_side: of the photo, pixels.
        colours: of `colour_fault`.

    Raises:
        ValueError: a score that is not a number, of which no comparison would be true.
    """
    if not np.isfinite(score):
        raise ValueError("its score is not a number")
    faults = [words for _, exceeded, words in _faults(record, statistics[None]) if exceeded[0]]
    if short_side < SMALL_SIDE:
        faults.append(f"The photo is small: {short_side} pixels on its short side, where 450 are usual.")
    if colours:
        faults.append(colours)
    if score >= record["thresholds"][REFUSE]:
        return Gate(REFUSE, (NOT_DERMOSCOPY, *faults), score)
    if score >= record["thresholds"][WARN]:
        return Gate(WARN, tuple(faults) or (UNUSUAL,), score)
    return Gate(WARN if faults else OK, tuple(faults), score)


def verdicts(record: dict, statistics: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Verdicts on many photos of usual size, (N,) text, as `judge` gives them."""
    faulty = np.any([exceeded for _, exceeded, _ in _faults(record, statistics)], axis=0)
    warned = faulty | (scores >= record["thresholds"][WARN])
    return np.where(scores >= record["thresholds"][REFUSE], REFUSE, np.where(warned, WARN, OK))


def gate_inputs(
    index: LookalikeIndex,
    record: dict,
    statistics: np.ndarray,
    pooled: np.ndarray,
    seen: np.ndarray,
    known: np.ndarray | None = None,
) -> np.ndarray:
    """What the logistic model weighs, (N, 638): see `terms` and `eye_terms`.

    Args:
        record: with "statistics_mean", "statistics_precision", "input_mean", "input_scale" and "eye".
        statistics: (N, 26).
        pooled: (N, C), by the model's encoder.
        seen: (N, 576), by the eye.
        known: see `raw_inputs`.
    """
    return np.column_stack(
        [terms(record, raw_inputs(index, record, statistics, pooled, known)), eye.eye_terms(record["eye"], seen)]
    )


def terms(record: dict, raw: np.ndarray) -> np.ndarray:
    """Raw inputs (N, 30) standardised by the training photos, then their squares, (N, 60)."""
    away = np.clip((raw - np.asarray(record["input_mean"])) / np.asarray(record["input_scale"]), -CUT, CUT)
    return np.column_stack([away, away**2 / CUT])


def raw_inputs(
    index: LookalikeIndex, record: dict, statistics: np.ndarray, pooled: np.ndarray, known: np.ndarray | None = None
) -> np.ndarray:
    """The statistics, then the distances of `DISTANCES`.

    Args:
        known: (N, M) bool, training photos that must not count as neighbours, such as the photo itself.
    """
    scaled = index.scaled(pooled)
    inside = scaled @ index.components.T
    beside = np.maximum((scaled**2).sum(axis=1) - (inside**2).sum(axis=1), 1e-6)
    similarities = unit_similarities(inside, index)
    if known is not None:
        similarities = np.where(known, -1, similarities)
    nearest = np.partition(similarities, -NEIGHBOURS, axis=1)[:, -NEIGHBOURS:].mean(axis=1)
    away = statistics - np.asarray(record["statistics_mean"])
    strange = np.einsum("ni,ij,nj->n", away, np.asarray(record["statistics_precision"]), away)
    distances = (
        np.log(beside),
        np.log((inside**2 / index.variances).sum(axis=1) + 1e-6),
        nearest,
        np.log(np.maximum(strange, 1e-3)),
    )
    return np.column_stack([statistics, *distances])


def unit_similarities(projected: np.ndarray, index: LookalikeIndex) -> np.ndarray:
    """Cosines of projected vectors (N, K) to the training photos, (N, M)."""
    return projected / np.maximum(np.linalg.norm(projected, axis=1, keepdims=True), 1e-9) @ index.vectors.T


def score_inputs(record: dict, inputs: np.ndarray) -> np.ndarray:
    """Log odds of being no usable dermoscopic photo, (N,)."""
    return inputs @ np.asarray(record["coefficients"]) + record["intercept"]


def _faults(record: dict, statistics: np.ndarray) -> list[tuple[str, np.ndarray, str]]:
    faults = []
    for name, side, sentence in FAULTS:
        values, limit = statistics[:, STATISTICS.index(name)], record["limits"][f"{name} {side}"]
        faults.append((name, values < limit if side == "low" else values > limit, sentence))
    return faults
