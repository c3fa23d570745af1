"""Does a change of colour reduce the confusion of melanoma and nevus? Every setting of the lab over what a model was held out from."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core import wording
from core.csv_cells import csv_text
from core.data.colour import SETTINGS
from core.data.images import fit_image
from core.diagnoses import MELANOMA, NEVUS
from core.estimates import CorrectedDifference, Difference
from core.estimates.in_files import to_text
from core.evaluation.melanoma import Duel, find_threshold
from core.evaluation.metrics import CLASSES
from core.evaluation.statistics.bootstrap import RESAMPLES, proportion, resampled_difference
from core.evaluation.statistics.significance import holm
from core.files import write_text
from core.threads import Progress
from core.trust.measure_table import binding_of
from core.trust.measures.pair_photos import read_in_batches, read_pair_table

if TYPE_CHECKING:  # at run time this would load TensorFlow
    from core.bundle import Bundle

COLOUR_FILE, PHOTOS_FILE = "colour.json", "colour.csv"
UNCHANGED = "plain"
# Score -> what it is called.
COLOUR_SCORES: dict[str, str] = {
    "auc": "AUC, melanoma against nevus",
    "sensitivity": "Melanoma sensitivity",
    "specificity": "Nevus specificity",
    "balanced_accuracy": "Mean of the two",
}
# A probability is kept with this many decimals; all scores are of the kept ones, so that they can be computed again.
DECIMALS = 5


def measure_colour(bundle: "Bundle", folder: Path, progress: Progress | None = None) -> None:
    """Reads each held-out melanoma and nevus plain and under every setting of `SETTINGS`, with its own facts.

    Writes `colour.json` (scores and paired differences) and `colour.csv` (each photo's probabilities of melanoma and nevus).

    Raises:
        InvalidDataset: the folder lacks photos that were held out.
        ValueError: the model has no operating point.
    """
    threshold = find_threshold(bundle.folder, bundle.card)
    if threshold is None:
        raise ValueError(
            f"{bundle.name} has no operating point, so sensitivity cannot be measured. Run `python -m core evaluate {bundle.name} "
            f"--data {folder}` first."
        )
    read = []
    for network in bundle.scored_networks:
        table = read_pair_table(network.card, folder)
        read.append(table[["image_id", "lesion_id", "dx"]].join(_read_all(network, table, progress)))
    photos = pd.concat(read, ignore_index=True)
    out = Path(bundle.folder)
    write_text(out / PHOTOS_FILE, csv_text(photos))
    record = {
        **binding_of("colour", bundle.card),
        "model": bundle.name,
        "threshold": threshold,
        "photos": len(photos),
        "melanomas": int((photos.dx == "mel").sum()),
        "lesions": int(photos.lesion_id.nunique()),
        **compare_settings(photos, threshold),
    }
    write_text(out / COLOUR_FILE, to_text(record) + "\n")


def _read_all(bundle: "Bundle", table: pd.DataFrame, progress: Progress | None) -> pd.DataFrame:
    """Calibrated probabilities of melanoma and nevus of each photo under each setting, columns mel.NAME and nv.NAME."""
    card = bundle.card
    metadata = card.facts_encoder.encode_columns(table.age, table.sex, table.localization)
    changes: dict[str, Callable] = {UNCHANGED: lambda photo: photo, **SETTINGS}
    columns = {f"{code}.{name}": np.empty(len(table)) for name in changes for code in ("mel", "nv")}

    def prepare(photo: np.ndarray) -> np.ndarray:
        # Whole numbers: eight bits hold them.
        return np.stack([fit_image(change(photo), card.image_size).astype("uint8") for change in changes.values()])

    for rows, images in read_in_batches(table, prepare):
        for number, name in enumerate(changes):
            seen = bundle.engine.encode(images[: len(rows), number])
            answers = card.calibration.probabilities(bundle.engine.head(seen, metadata[rows])[0])
            columns[f"mel.{name}"][rows], columns[f"nv.{name}"][rows] = answers[:, MELANOMA], answers[:, NEVUS]
        if progress:
            progress(int(rows[-1]) + 1, len(table))
    return pd.DataFrame(columns).round(DECIMALS)


def compare_settings(photos: pd.DataFrame, threshold: float, *, resamples: int = RESAMPLES, seed: int = 0) -> dict:
    """Scores of each setting, and how far each lies from plain on the same resampled lesions.

    Args:
        photos: image_id, lesion_id, dx, and mel.NAME and nv.NAME of each setting, as in `colour.csv`.
        threshold: on the probability of melanoma; the same for every setting.

    Returns:
        "settings": [{"name", "title", "transformation", "strength", "scores": {score: `Estimate`},
        "differences": {score: `CorrectedDifference`}}], plain first and without differences; "confidence" in words.
    """
    sides = [photos.lesion_id[photos.dx == code].nunique() for code in ("mel", "nv")]
    behind = {"sensitivity": sides[0], "specificity": sides[1]}
    names = [column.removeprefix("mel.") for column in map(str, photos) if column.startswith("mel.")]
    resampled = {name: _scores(photos, name, threshold, resamples, seed) for name in names}
    rows = []
    for name in names:
        setting = SETTINGS.get(name)
        row = {
            "name": name,
            "title": setting.title if setting else "Plain (no change)",
            "transformation": setting.transformation if setting else None,
            "strength": setting.strength if setting else None,
            "scores": {
                score: proportion(float(v[0]), v[1:], behind.get(score, min(sides)))
                for score, v in resampled[name].items()
            },
        }
        if name != UNCHANGED:
            row["differences"] = {s: _difference(resampled[name][s], resampled[UNCHANGED][s]) for s in COLOUR_SCORES}
        rows.append(row)
    changed = [row for row in rows if row["name"] != UNCHANGED]
    for score in COLOUR_SCORES:
        for row, corrected in zip(changed, _corrected([row["differences"][score] for row in changed]), strict=True):
            row["differences"][score] = corrected
    lesions = photos.lesion_id.nunique()
    return {
        "settings": rows,
        "confidence": f"95 % percentile intervals of a bootstrap that resamples the {lesions:,} lesions of melanomas and nevi "
        f"({resamples} resamples, seed {seed}), the same resamples for every setting; p values are Holm-corrected over the settings of "
        "one score",
    }


def _scores(photos: pd.DataFrame, name: str, threshold: float, resamples: int, seed: int) -> dict[str, np.ndarray]:
    """Each score of the photos as they are, then of each resample, (1 + R,)."""
    probabilities = np.zeros((len(photos), CLASSES))
    probabilities[:, MELANOMA], probabilities[:, NEVUS] = photos[f"mel.{name}"], photos[f"nv.{name}"]
    results = SimpleNamespace(
        y_true=np.where(photos.dx == "mel", MELANOMA, NEVUS),
        probabilities=probabilities,
        lesions=photos.lesion_id.to_numpy(dtype=str),
    )
    sensitivity, specificity = (
        rate[:, 0] for rate in Duel(results, "mel", resamples=resamples, seed=seed).rates(np.array([threshold]))
    )
    return {
        "auc": Duel(results, "pair", resamples=resamples, seed=seed).aucs(),
        "sensitivity": sensitivity,
        "specificity": specificity,
        "balanced_accuracy": (sensitivity + specificity) / 2,
    }


def _difference(changed: np.ndarray, plain: np.ndarray) -> Difference:
    return resampled_difference(float(changed[0]), float(plain[0]), changed[1:] - plain[1:])


def _corrected(differences: list[Difference]) -> list[CorrectedDifference]:
    """Each with its p value corrected for all of them."""
    ps = holm([one.p for one in differences])
    return [CorrectedDifference(**vars(one), p_holm=p) for one, p in zip(differences, ps, strict=True)]


def colour_verdict(record: dict) -> str:
    """The answer in plain words, from the numbers of `colour.json` alone."""
    changed = [row for row in record["settings"] if row["name"] != UNCHANGED]
    plain = next(row for row in record["settings"] if row["name"] == UNCHANGED)["scores"]

    def clear(score: str, sign: int) -> list[dict]:
        return [
            row
            for row in changed
            if row["differences"][score].p_holm < 0.05 and sign * row["differences"][score].value > 0
        ]

    better, worse = clear("auc", 1), clear("auc", -1)
    best = max(changed, key=lambda row: row["differences"]["auc"].value)
    gain = best["differences"]["auc"]
    sentences = [f"Plain, the network tells melanoma from nevus with an AUC of {wording.interval(plain['auc'])}."]
    if better:
        sentences.append(
            f"{len(better)} of {len(changed)} changes of colour tell them apart better, beyond chance; the best, "
            f"{_name(best)}, by {wording.difference(gain)}."
        )
    else:
        sentences.append(
            f"None of {len(changed)} changes of colour tells them apart better beyond chance; the best, {_name(best)}, changes the AUC "
            f"by {wording.difference(gain)}."
        )
    if worse:
        sentences.append(f"{len(worse)} make it worse: {', '.join(_name(row) for row in worse)}.")
    more_found, spared = clear("sensitivity", 1), clear("specificity", 1)
    traded = [row for row in more_found if row["differences"]["specificity"].value < 0]
    if more_found:
        sentences.append(
            f"At the fixed threshold {len(more_found)} find more melanomas, {len(traded)} of them for more false alarms: that moves the "
            "threshold, and tells nothing better apart."
            if traded
            else f"At the fixed threshold {len(more_found)} find more melanomas."
        )
    elif spared:
        sentences.append(f"At the fixed threshold {len(spared)} call fewer nevi melanoma; none finds more melanomas.")
    sentences.append("The network was not trained on changed photos: training with such colours is another question.")
    return " ".join(sentences)


def _name(row: dict) -> str:
    return row["title"][0].lower() + row["title"][1:]
