"""Evaluation files of made-up predictions: as `evaluate` writes them, without a network or photos."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd

from core.calibration import Calibration
from core.card import bind_files, read_card, sha256_of
from core.decisions import Terms
from core.diagnoses import CODES
from core.evaluation.evaluator import score_rules
from core.evaluation.metrics import absent_classes
from core.evaluation.report import EVALUATION_FILE, Evaluation
from core.evaluation.results import Results, read_results, write_results
from core.trust.measure_table import MEASURES

SHIPPED = Path(__file__).resolve().parent.parent / "weights" / "MobileNetV3Small" / "fold-1"
SHA = "ab" * 32
CARD = SimpleNamespace(
    weights={"sha256": SHA}, probabilities_sha256=SHA, split={}, name="MadeUp", files={}, is_fold_set=False
)


def bound(card, folder: Path):
    """The card with every file of the folder bound to it, whatever is in them."""
    files = {p.relative_to(folder).as_posix(): sha256_of(p) for p in folder.rglob("*") if p.is_file()}
    return SimpleNamespace(**vars(card) | {"files": files}) if card is CARD else replace(card, files=files)


def made_up_table(photos: int = 240, lesions: int = 160, seed: int = 0, skill: float = 2.0) -> pd.DataFrame:
    """Predictions and facts; the same photos for every skill, and different answers."""
    facts = np.random.default_rng(7)
    lesion = np.r_[np.arange(lesions), facts.integers(0, lesions, photos - lesions)]
    of_lesion = facts.choice(len(CODES), lesions, p=[0.08, 0.1, 0.15, 0.05, 0.2, 0.37, 0.05])
    y_true = of_lesion[lesion]
    logits = np.random.default_rng(seed).normal(size=(photos, len(CODES))) + skill * np.eye(len(CODES))[y_true]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    table = pd.DataFrame(probabilities, columns=list(CODES))
    table.insert(0, "image_id", [f"ISIC_{i:07d}" for i in range(photos)])
    table.insert(1, "dx", [CODES[c] for c in y_true])
    table["lesion_id"] = [f"HAM_{i:07d}" for i in lesion]
    table["dx_type"] = facts.choice(["histo", "follow_up"], lesions)[lesion]
    table["age"] = np.where(lesion % 11 == 0, np.nan, (lesion * 5.0) % 90)
    table["sex"] = np.where(lesion % 2, "female", "male")
    table["localization"] = np.where(lesion % 40, "back", "ear")
    table["dataset"] = "rosendahl"
    return table


def write_made_up(folder: Path, table: pd.DataFrame, sha256: str = SHA, name: str = "MadeUp") -> Path:
    """Writes the three files of an evaluation of this table."""
    y_true = np.array([CODES.index(code) for code in table.dx])
    probabilities = table[list(CODES)].to_numpy()
    terms = Terms((1 / len(CODES),) * len(CODES), 0.5)
    metrics, per_class, decisions = score_rules(y_true, probabilities, table.lesion_id, terms, resamples=50)
    for code in CODES:
        per_class[code] |= {
            "photos": int((table.dx == code).sum()),
            "lesions": int(table.lesion_id[table.dx == code].nunique()),
        }
    evaluation = Evaluation(
        model=name,
        weights_sha256=sha256,
        probabilities_sha256=sha256,
        calibration=Calibration(1.0).to_json(),
        photos=len(table),
        lesions=int(table.lesion_id.nunique()),
        terms=terms.to_json(),
        metrics=metrics,
        per_class=per_class,
        decisions=decisions,
        split={
            "part": "test",
            "kind": "lesion",
            "seed": 0,
            "hash": "0" * 64,
            "leaky": False,
            "expected": None,
            "missing": 0,
        },
        data={"name": "made up"},
        confidence="95 % intervals of 50 resamples",
        absent_classes=absent_classes(y_true),
    )
    write_results(evaluation, table, folder)
    return folder


def bind_all(folder: Path) -> Path:
    """Binds what lies in a model's folder to its card, as `evaluate` and `measure` do."""
    names = [EVALUATION_FILE, *(file for measure in MEASURES.values() for file in measure.files)]
    bind_files(folder, [name for name in names if (folder / name).is_file()])
    return folder


def made_up_results(folder: Path, seed: int = 0, skill: float = 2.0) -> Results:
    return read_results(write_made_up(folder, made_up_table(seed=seed, skill=skill)), CARD)


def write_made_up_model(root: Path, name: str, seed: int = 0, skill: float = 2.0, **changes) -> Path:
    """A model's folder as the pages see it, with a shipped network's card and no usable weights: no page loads them.

    The shipped one is of a fold; this one stands alone.
    """
    folder = root / name
    folder.mkdir(parents=True)
    card = json.loads((SHIPPED / "card.json").read_text(encoding="utf-8"))
    del card["split"]["fold"]
    (folder / "card.json").write_text(json.dumps(card | {"name": name, "files": {}} | changes))
    (folder / card["weights"]["file"]).touch()
    write_made_up(folder, made_up_table(seed=seed, skill=skill), read_card(folder).probabilities_sha256, name)
    return bind_all(folder)
