"""Scores a bundle on a HAM10000 folder: photos in, `predictions.csv`, `cases.csv` and `evaluation.json` out."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from core.bundle import Bundle
from core.card import Card, bind_files
from core.choices import check_choice
from core.data.ham10000 import class_indices, read_dataset
from core.data.split import PARTS, lesions_unknown
from core.data.tables.findings import list_findings
from core.decisions import SCORED, Terms, decide, rule_of
from core.diagnoses import CODES, MELANOMA
from core.estimates import DecidedEstimate, Estimate
from core.evaluation.metrics import DECIDED, DECIDED_PER_CLASS, absent_classes, confusion
from core.evaluation.operating import operating_point
from core.evaluation.predictions import predict_table
from core.evaluation.report import EVALUATION_FILE, Evaluation
from core.evaluation.results import VALIDATION_FOLDER, Results, read_results, write_results
from core.evaluation.statistics.bootstrap import RESAMPLES, confidence_words, decided_bootstrap, lesion_bootstrap
from core.files import check_folder_takes
from core.threads import Progress

CHOICES = (*PARTS, "all")


def choose_rows(card: Card, table: pd.DataFrame, split: str, folder: str | Path = "The folder") -> pd.DataFrame:
    """The rows of a table that belong to a part of the model's split.

    Args:
        split: "train", "validation" or "test", by the ids in the card, or "all".
        folder: what to call the table's folder in an error.

    Raises:
        ValueError: unknown part, or no photo of it in the table.
    """
    check_choice("split", split, CHOICES)
    if split == "all":
        return table
    ids = set(card.split.get(split, ()))
    rows = table[table.image_id.isin(ids)].reset_index(drop=True)
    if not len(rows):
        instead = f"To score every photo of {folder}, use `--split all`."
        if not ids:
            raise ValueError(f"The card of {card.name} lists no {split} photos, so there is no {split} part. {instead}")
        raise ValueError(f"{folder} holds none of the {len(ids)} photos of {card.name}'s {split} part. {instead}")
    return rows


def find_contamination(card: Card, table: pd.DataFrame, rows: pd.DataFrame) -> dict[str, int]:
    """How many of the scored photos the model has met before.

    Lesions are known from the table alone (a card lists photos): a photo counts as of a seen lesion when the table holds
    another photo of this lesion that is in the model's train or validation part.

    Args:
        table: every row of the folder.
        rows: those scored.

    Returns:
        "trained_on" and "validated_on": scored photos in the card's train and validation part; "lesions_seen": further
        scored photos that show a lesion of these parts; "lesions_trained_on": those of them, among photos of any part but
        train, whose lesion is in train.
    """
    train, validation = (set(card.split.get(part, ())) for part in ("train", "validation"))
    trained, validated = rows.image_id.isin(train), rows.image_id.isin(validation)
    train_lesions = set(table.lesion_id[table.image_id.isin(train)])
    seen_lesions = set(table.lesion_id[table.image_id.isin(train | validation)])
    return {
        "trained_on": int(trained.sum()),
        "validated_on": int(validated.sum()),
        "lesions_seen": int((rows.lesion_id.isin(seen_lesions) & ~trained & ~validated).sum()),
        "lesions_trained_on": int((rows.lesion_id.isin(train_lesions) & ~trained).sum()),
    }


def _warnings(
    card: Card, split: str, rows: pd.DataFrame, met: dict[str, int], missing: int, absent: list[str]
) -> list[str]:
    count, warnings = len(rows), []
    if met["trained_on"]:
        warnings.append(
            f"CONTAMINATED: {card.name} was trained on {met['trained_on']} of these {count} photos. The scores are far too high "
            "and say nothing about new patients."
        )
    if met["validated_on"]:
        warnings.append(
            f"CONTAMINATED: {met['validated_on']} of these {count} photos chose {card.name}'s best epoch and calibration. The scores "
            "are too high."
        )
    if met["lesions_trained_on"]:
        warnings.append(
            f"CONTAMINATED: {met['lesions_trained_on']} of these {count} photos show a lesion of which {card.name} was trained on "
            "another photo. The scores are too high."
        )
    elif met["lesions_seen"]:
        warnings.append(
            f"CONTAMINATED: {met['lesions_seen']} of these {count} photos show a lesion that helped to choose {card.name}'s best epoch. "
            "The scores are too high."
        )
    if card.split.get("leaky"):
        warnings.append(
            "The model's split is by photo, as in the paper: one lesion may stand in training and in test. For replication only."
        )
    if missing:
        warnings.append(
            f"The folder lacks {missing} of the {count + missing} photos of the model's {split} part; the rest was scored."
        )
    if absent:
        warnings.append(
            f"No scored photo shows {', '.join(absent)}: means over classes leave them out, and compare with no full test part."
        )
    unknown = int(lesions_unknown(rows).sum())
    if unknown == count > 1:
        warnings.append(
            "The metadata names no lesions: each photo counts as its own, and the intervals may be too narrow."
        )
    elif unknown:
        warnings.append(
            f"{unknown} of these {count} photos have no lesion_id: each counts as a lesion of its own, and the intervals may be too narrow."
        )
    return warnings


def default_out(bundle: Bundle, folder: Path, split: str, missing: int) -> Path:
    """Where an evaluation goes if nobody says.

    Into the bundle, where pages find it, when it is of the whole test part of the model's own split; else into
    `evaluations/<model>/<folder>-<split>` under the current folder, so that it never passes for that one.
    """
    own = split == "test" and not missing
    return Path(bundle.folder) if own else Path("evaluations") / bundle.name / f"{folder.resolve().name}-{split}"


def evaluate(
    bundle: Bundle,
    folder: str | Path,
    split: str = "test",
    out: str | Path | None = None,
    progress: Progress | None = None,
    *,
    say: Callable[[str], None] | None = None,
    batch_size: int = 32,
    resamples: int = RESAMPLES,
    seed: int = 0,
    predict: Callable[..., pd.DataFrame] | None = None,
) -> Evaluation:
    """Scores a model on a HAM10000 folder and writes `evaluation.json`, `predictions.csv` and `cases.csv`.

    A model's own test part brings its validation part along, in the folder `validation` beside the three files: there the
    operating point is chosen that the test part is then measured at.

    Args:
        folder: in HAM10000 layout; may hold photos that the model never saw (then `split="all"`).
        split: "test", "validation" or "train": the folder's photos that the model's card lists under this part; "all": every
            photo, with a warning in the record where the model has met some.
        out: folder for the three files; see `default_out` when None.
        progress: called with (photos done, photos in all).
        say: takes what there is to say of the folder, before the long part.
        batch_size: photos that go through the network together.
        resamples, seed: of the bootstrap.
        predict: what asks the network; `predict_table` when None.

    Raises:
        InvalidDataset: metadata that cannot be used, missing or unreadable photos.
        ValueError: unknown split, or a folder that holds no photo of it.
    """
    folder = Path(folder)
    dataset = read_dataset(folder)
    table = dataset.table
    rows = choose_rows(bundle.card, table, split, folder)
    expected = None if split == "all" else len(set(bundle.card.split[split]))
    missing = 0 if expected is None else expected - len(rows)
    out = Path(out) if out else default_out(bundle, folder, split, missing)
    # Before the long part, so that a folder that cannot be written is known at once.
    check_folder_takes(out)
    if say:
        for finding in list_findings(dataset):
            say(finding.sentence)
    validation = None
    if split == "test" and table.image_id.isin(bundle.card.split.get("validation", ())).any():
        chosen_on = out / VALIDATION_FOLDER
        evaluate(
            bundle,
            folder,
            "validation",
            chosen_on,
            progress,
            batch_size=batch_size,
            resamples=resamples,
            seed=seed,
            predict=predict,
        )
        validation = read_results(chosen_on, bundle.card)
    predictions = (predict or predict_table)(bundle, rows, batch_size, progress)
    part = _Part(split, expected, folder.resolve().name, table)
    evaluation = _report(bundle.card, part, predictions, validation, resamples, seed)
    evaluation = write_results(evaluation, predictions, out)
    if out.resolve() == Path(bundle.folder).resolve():
        parts = (out, out / VALIDATION_FOLDER) if validation is not None else (out,)
        bind_files(out, [(place / EVALUATION_FILE).relative_to(out).as_posix() for place in parts])
    return evaluation


@dataclass(frozen=True, eq=False)
class _Part:
    """What is scored.

    Args:
        split: one of `CHOICES`.
        expected: photos of the part in the model's card; None for "all".
        folder: its name.
        table: every row of the folder.
    """

    split: str
    expected: int | None
    folder: str
    table: pd.DataFrame


def _report(
    card: Card, part: _Part, predictions: pd.DataFrame, validation: Results | None, resamples: int, seed: int
) -> Evaluation:
    y_true, probabilities = class_indices(predictions), predictions[list(CODES)].to_numpy("float64")
    metrics, per_class, decisions = score_table(predictions, card.terms, resamples=resamples, seed=seed)
    lesions = int(predictions.lesion_id.nunique())
    missing = 0 if part.expected is None else part.expected - len(predictions)
    met, absent = find_contamination(card, part.table, predictions), absent_classes(y_true)
    return Evaluation(
        model=card.name,
        weights_sha256=card.weights["sha256"],
        probabilities_sha256=card.probabilities_sha256,
        calibration=card.calibration.to_json(),
        photos=len(predictions),
        lesions=lesions,
        terms=card.terms.to_json(),
        metrics=metrics,
        per_class=per_class,
        decisions=decisions,
        split={"part": part.split}
        | {k: card.split.get(k) for k in ("kind", "seed", "hash", "leaky")}
        | {"expected": part.expected, "missing": missing},
        data={"name": part.folder, "photos": len(part.table), **met},
        confidence=confidence_words(lesions, resamples=resamples, seed=seed),
        warnings=_warnings(card, part.split, predictions, met, missing, absent),
        absent_classes=absent,
        operating_point=_operating_point(validation, y_true, probabilities, predictions.lesion_id),
    )


def score_table(predictions: pd.DataFrame, terms: Terms, *, resamples: int, seed: int = 0) -> tuple[dict, dict, dict]:
    """As `score_rules`, with each class's photos and lesions counted.

    Args:
        predictions: as `predict_table` gives them.
    """
    probabilities = predictions[list(CODES)].to_numpy("float64")
    metrics, per_class, decisions = score_rules(
        class_indices(predictions), probabilities, predictions.lesion_id, terms, resamples=resamples, seed=seed
    )
    for code in CODES:
        of_class = predictions[predictions.dx == code]
        per_class[code] |= {"photos": len(of_class), "lesions": int(of_class.lesion_id.nunique())}
    return metrics, per_class, decisions


def score_rules(
    y_true: np.ndarray, probabilities: np.ndarray, lesions: Iterable, terms: Terms, *, resamples: int, seed: int = 0
) -> tuple[dict, dict, dict]:
    """The parts `metrics`, `per_class` and `decisions` of an `Evaluation`, with intervals; photos and lesions are not counted yet."""
    scored = lesion_bootstrap(y_true, probabilities, lesions, resamples=resamples, seed=seed)
    per_class = scored.pop("per_class")
    decisions = {}
    for rule in SCORED:
        decided = decide(rule, probabilities, terms)
        of_rule = decided_bootstrap(y_true, decided, lesions, resamples=resamples, seed=seed)
        of_classes = of_rule.pop("per_class")
        decisions[rule] = {
            "metrics": {name: _decided(score, rule) for name, score in of_rule.items()},
            "per_class": of_classes,
            "confusion": confusion(y_true, decided).tolist(),
        }
    headlined = {name: decisions[rule_of(name)]["metrics"][name] for name in DECIDED}
    free = {code: {k: v for k, v in row.items() if k not in DECIDED_PER_CLASS} for code, row in per_class.items()}
    return {**scored, **headlined}, free, decisions


def _decided(score: Estimate, rule: str) -> DecidedEstimate:
    return DecidedEstimate(score.value, score.low, score.high, rule)


def _operating_point(validation: Results | None, y_true, probabilities, lesions) -> dict | None:
    """None where no threshold can be chosen: no validation photos, or no melanoma among them."""
    if validation is None or MELANOMA not in validation.y_true:
        return None
    return operating_point(validation, y_true, probabilities, lesions)
