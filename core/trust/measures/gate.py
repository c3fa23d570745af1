"""Fits a model's photo gate on training photos and strangers, sets its thresholds on validation, and measures it on test.

The validation photos whose share may be refused also chose the model's epoch; what the gate does to new photos is measured on test.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from PIL import Image
from sklearn.linear_model import LogisticRegression

from core.card import read_card
from core.data.ham10000 import read_table
from core.data.images import fit_image
from core.diagnoses import CODES
from core.estimates import Estimate
from core.estimates.in_files import to_text
from core.evaluation.evaluator import choose_rows
from core.evaluation.statistics.bootstrap import wilson
from core.evaluation.statistics.shares import share_of
from core.files import write_text
from core.threads import Progress
from core.trust.measure_table import MEASURES, InvalidMeasure, binding_of
from core.trust.measures.strangers import (
    DEGRADED,
    FAMILIES,
    degraded_strangers,
    draw_strangers,
    imitate_other_clinic,
    package_strangers,
)
from core.trust.signals.eye import fit_spread, see
from core.trust.signals.feature_vectors import encode_images, encode_table
from core.trust.signals.gate import FAULTS, INPUTS, OK, REFUSE, WARN, gate_inputs, raw_inputs, score_inputs, verdicts
from core.trust.signals.lookalikes import LookalikeIndex, read_index
from core.trust.signals.photo_statistics import SIDE, STATISTICS, photo_statistics

if TYPE_CHECKING:  # at run time this would load TensorFlow
    from core.bundle import Bundle

MEASURE = "gate"
# Shares of validation photos, each diagnosis weighing the same, that the model may refuse, and may refuse or warn of.
REFUSED, WARNED = 0.03, 0.05
# The same of photos as other clinics might take them; imitations are cruder than what they imitate.
REFUSED_ABROAD, WARNED_ABROAD = 0.05, 0.10
# Share of validation photos beyond each limit of `FAULTS`.
BEYOND = 0.002
# Training photos of each diagnosis, drawings and crops of each family, photos that are spoilt.
OF_DIAGNOSIS, OF_FAMILY, SPOILT = 170, 45, 110
# Training photos that lend strangers their colours.
DONORS = 60
# A strong prior: hundreds of terms, and families of pictures that nobody has drawn here.
STRENGTH = 0.03
# A stranger that is of no use for a diagnosis but shows skin counts less: a warning is enough for it.
DEGRADED_WEIGHT = 0.3
# Of N photos: statistics (N, 26), the model's vectors (N, C), the eye's (N, 576).
Numbers = tuple[np.ndarray, np.ndarray, np.ndarray]


def measure_gate(bundle: "Bundle", folder: Path, progress: Progress | None = None) -> None:
    """Writes `gate.json`; makes the index of look-alikes first where it is missing.

    The gate of a set of folds sees through its first network, whose lesions it was fitted and measured on as any network's: no photo
    of the collection is new to all of them.

    Raises:
        ValueError: a folder without photos of the model's train, validation or test part.
    """
    from core.data.image_cache import cache_images

    whole, (bundle, network) = bundle, bundle.first_network
    table = read_table(folder)
    for part in ("train", "validation", "test"):
        choose_rows(bundle.card, table, part, folder)
    index = _index(bundle, folder, progress)
    pooled, images = encode_table(bundle, table, progress), cache_images(table, SIDE, progress=progress)
    rows = {
        part: np.flatnonzero(table.image_id.isin(set(bundle.card.split[part])))
        for part in ("train", "validation", "test")
    }
    rng = np.random.default_rng(0)
    codes, lesions = table.dx.to_numpy(dtype=str), table.lesion_id.to_numpy(dtype=str)
    train, validation, test = _balanced_rows(rows["train"], codes, OF_DIAGNOSIS, rng), rows["validation"], rows["test"]

    def numbers(chosen: np.ndarray) -> Numbers:
        return np.stack([photo_statistics(images[i]) for i in chosen]), pooled[chosen], _seen(images, chosen)

    def from_other_clinics(chosen: np.ndarray, seed: int) -> Numbers:
        return _encoded(
            bundle, [imitate_other_clinic(np.array(images[i]), np.random.default_rng([seed, i])) for i in chosen]
        )

    abroad = {
        "train": train[::2],
        "validation": _balanced_rows(validation, codes, OF_DIAGNOSIS // 3, rng),
        "test": _balanced_rows(test, codes, OF_DIAGNOSIS // 3, rng),
    }
    donors = images[np.sort(rng.permutation(train)[:DONORS])]
    strangers = draw_strangers(OF_FAMILY, donors=donors) + package_strangers(OF_FAMILY, donors=donors)
    strangers += _spoilt(table, images, rows["train"], rng)
    families = np.array([s.family for s in strangers])
    home = {"train": numbers(train), "validation": numbers(validation), "test": numbers(test)}
    away = {part: from_other_clinics(chosen, seed) for seed, (part, chosen) in enumerate(abroad.items(), start=1)}
    strange = _encoded(bundle, [s.photo for s in strangers])

    record = {**binding_of(MEASURE, whole.card), "inputs": list(INPUTS), "eye": fit_spread(home["train"][2])}
    if bundle is not whole:
        record["network"] = network
    record |= _spread(index, home["train"][:2], lesions[train])
    own = np.concatenate([lesions[train], lesions[abroad["train"]]])
    known = own[:, None] == index.lesions
    together = (np.concatenate(x) for x in zip(home["train"], away["train"], strict=True))
    good = gate_inputs(index, record, *together, known)  # pyright: ignore[reportCallIssue]
    bad = gate_inputs(index, record, *strange)
    good_scores = {
        "validation": gate_inputs(index, record, *home["validation"]),
        "abroad": gate_inputs(index, record, *away["validation"]),
    }
    weights = _class_weights(codes[validation])

    def fitted(kept: np.ndarray) -> dict:
        """The gate that met only the strangers of `kept`."""
        gate = record | _fit(good, bad[kept], families[kept])
        return gate | _thresholds(gate, good_scores, weights, home["validation"][0])

    record = fitted(np.ones(len(families), bool))
    caught = {}
    for family in dict.fromkeys(families):
        of_family = families == family
        # Leave-one-family-out, together with what is drawn after the same thing.
        without = fitted(~np.isin(families, _kin(family)))
        caught[family] = _counted(verdicts(without, strange[0][of_family], score_inputs(without, bad[of_family])))
    record["strangers"] = caught
    record["strangers_mean"] = {
        key: Estimate(float(np.mean([one[key].value for family, one in caught.items() if family not in DEGRADED])))
        for key in ("refused", "caught")
    }
    record["not_measured"] = [family for family in FAMILIES if family not in caught]
    record["degraded"] = [family for family in DEGRADED if family in caught]
    home_verdicts = verdicts(record, home["test"][0], score_inputs(record, gate_inputs(index, record, *home["test"])))
    abroad_verdicts = verdicts(record, away["test"][0], score_inputs(record, gate_inputs(index, record, *away["test"])))
    record["test"] = _false(home_verdicts, table.iloc[test])
    record["test_abroad"] = _false(abroad_verdicts, table.iloc[abroad["test"]])
    write_text(Path(whole.folder) / MEASURES[MEASURE].file, to_text(record) + "\n")


def _index(bundle, folder, progress) -> LookalikeIndex:
    try:
        return read_index(bundle.folder, bundle.card)
    except InvalidMeasure:
        MEASURES["lookalikes"].run(bundle, folder, progress)
        return read_index(bundle.folder, read_card(bundle.folder))


def _balanced_rows(rows: np.ndarray, codes: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
    """At most `most` rows of each diagnosis."""
    return np.concatenate([rng.permutation(rows[codes[rows] == code])[:most] for code in CODES])


def _seen(images: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """The eye's vectors of chosen images, (N, 576)."""
    return np.concatenate([see(np.asarray(images[chosen[s : s + 256]])) for s in range(0, len(chosen), 256)])


def _encoded(bundle, photos: list[np.ndarray]) -> Numbers:
    """Statistics and vectors of photos of any size."""
    squares = [fit_image(np.ascontiguousarray(p), SIDE) for p in photos]
    statistics = np.stack([photo_statistics(s) for s in squares])
    seen = np.concatenate([see(np.stack(squares[s : s + 256])) for s in range(0, len(squares), 256)])
    size = bundle.card.image_size
    pooled = np.concatenate(
        [
            encode_images(
                bundle, np.stack([fit_image(np.ascontiguousarray(p), size) for p in photos[start : start + 256]])
            )
            for start in range(0, len(photos), 256)
        ]
    )
    return statistics, pooled, seen


def _spoilt(table: pd.DataFrame, images: np.ndarray, train: np.ndarray, rng: np.random.Generator) -> list:
    chosen = np.sort(rng.permutation(train)[:SPOILT])
    masks = [
        np.asarray(Image.open(path).convert("L").resize((SIDE, SIDE))) > 127 if path else None
        for path in table["mask"].iloc[chosen]
    ]
    return degraded_strangers(images[chosen], masks)


def _spread(index: LookalikeIndex, home: tuple[np.ndarray, np.ndarray], lesions: np.ndarray) -> dict:
    """Means and scales of the inputs over training photos."""
    statistics, pooled = home
    centre = statistics.mean(axis=0)
    covariance = np.cov((statistics - centre).T)
    # Shrunk towards independence, as no statistic is to count through a chance correlation.
    covariance = 0.8 * covariance + 0.2 * np.diag(np.diag(covariance)) + 1e-6 * np.eye(len(STATISTICS))
    measured = {"statistics_mean": centre.tolist(), "statistics_precision": np.linalg.inv(covariance).tolist()}
    known = lesions[:, None] == index.lesions
    raw = raw_inputs(index, measured, statistics, pooled, known)
    return measured | {
        "input_mean": raw.mean(axis=0).tolist(),
        "input_scale": np.maximum(raw.std(axis=0), 1e-3).tolist(),
    }


def _fit(good: np.ndarray, bad: np.ndarray, families: np.ndarray) -> dict:
    """The logistic model; each family weighs the same, and both sides together do."""
    counts = {family: int((families == family).sum()) for family in set(families)}
    weights = np.array([(DEGRADED_WEIGHT if f in DEGRADED else 1.0) / counts[f] for f in families])
    weights = np.concatenate([np.full(len(good), 1 / len(good)), weights / weights.sum()]) * len(good)
    truth = np.concatenate([np.zeros(len(good)), np.ones(len(bad))])
    model = LogisticRegression(C=STRENGTH, max_iter=2000).fit(np.concatenate([good, bad]), truth, weights)
    return {"coefficients": model.coef_[0].round(6).tolist(), "intercept": round(float(model.intercept_[0]), 6)}


def _class_weights(codes: np.ndarray) -> np.ndarray:
    """Weights with which each diagnosis counts the same, so that a rare one is not refused more."""
    names, place, counts = np.unique(codes, return_inverse=True, return_counts=True)
    return 1 / (len(names) * counts[place])


def _thresholds(record: dict, inputs: dict[str, np.ndarray], weights: np.ndarray, statistics: np.ndarray) -> dict:
    """Score thresholds, of which neither the photos as they are nor those of other clinics may exceed more than their share."""
    scores = {name: score_inputs(record, values) for name, values in inputs.items()}
    at = {}
    for name, share, abroad in ((REFUSE, REFUSED, REFUSED_ABROAD), (WARN, WARNED, WARNED_ABROAD)):
        order = np.argsort(-scores["validation"])
        beyond = np.cumsum(weights[order]) <= share
        own = scores["validation"][order][int(beyond.sum())]
        at[name] = round(max(float(own), float(np.quantile(scores["abroad"], 1 - abroad))) + 1e-6, 6)
    limits = {}
    for name, side, _ in FAULTS:
        values = statistics[:, STATISTICS.index(name)]
        limits[f"{name} {side}"] = float(np.quantile(values, BEYOND if side == "low" else 1 - BEYOND))
    return {"thresholds": at, "limits": limits}


_KIN = (
    {"faces", "drawn faces"},
    {"cats", "drawn animals"},
    {"documents", "pages"},
    {"tissue photos", "drawn tissue"},
    {"things", "scenes"},
)


def _kin(family: str) -> list[str]:
    return sorted(set().union({family}, *(kin for kin in _KIN if family in kin)))


def _counted(judged: np.ndarray) -> dict:
    """Shares of one family that are refused, and refused or warned of; pictures are independent, so Wilson's interval."""

    def share(true: np.ndarray) -> Estimate:
        value = float(true.mean())
        return Estimate(value, *wilson(value, len(true)))

    return {"pictures": len(judged), "refused": share(judged == REFUSE), "caught": share(judged != OK)}


def _false(judged: np.ndarray, table: pd.DataFrame) -> dict:
    """Shares of dermoscopic photos that are refused, and refused or warned of, over all and by diagnosis and source."""

    def shares(rows: np.ndarray) -> dict:
        lesions = table.lesion_id.to_numpy(dtype=str)[rows]
        return {
            "refused": share_of(judged[rows] == REFUSE, lesions),
            "refused_or_warned": share_of(judged[rows] != OK, lesions),
        }

    groups = {name: table[name].to_numpy(dtype=str) for name in ("dx", "dataset")}
    return shares(np.ones(len(judged), bool)) | {
        f"by_{name}": {str(value): shares(values == value) for value in np.unique(values)}
        for name, values in groups.items()
    }
