"""The record of one evaluation, written as `evaluation.json`; reading it needs neither a network nor photos."""

from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from core.diagnoses import CODES
from core.estimates import Estimate
from core.estimates.in_files import from_text, to_text
from core.files import finish_writing, write_text
from core.schemas.kind import InvalidRecord, Kind

EVALUATION_FILE = "evaluation.json"
FORMAT = 3


class InvalidEvaluation(ValueError):
    """An `evaluation.json` that is missing, damaged or of another version."""


@dataclass(frozen=True)
class Ruled:
    """An evaluation's scores under one decision rule.

    Args:
        rule: key of `core.decisions.DECISIONS`.
        metrics, per_class, confusion: see `Evaluation`.
    """

    rule: str
    metrics: dict[str, Estimate]
    per_class: dict[str, dict]
    confusion: list


@dataclass(frozen=True)
class Evaluation:
    """What one model scored on one set of photos.

    `evaluation.json` holds these fields under their names, but for `metrics`, whose entries stand at the top level:

        {"format": 3, "model": ..., "weights_sha256": ..., "probabilities_sha256": ..., "calibration": {...}, "classes": [7 codes],
         "photos": n, "lesions": n, "warnings": [...], "absent_classes": [...],
         "split": {...}, "data": {...}, "confidence": "95 % ...",
         "accuracy": {"value": 0.8, "low": 0.78, "high": 0.82, "rule": "likeliest"},
         "balanced_accuracy": {..., "rule": "balanced"}, "auc_macro": {"value": ..., "low": ..., "high": ...}, ...,
         "per_class": {"akiec": {"auc": {...}, "average_precision": {...}, "ece": {...}, "mean_probability": {...},
                                 "share": {...}, "photos": n, "lesions": n}, ...},
         "decisions": {"likeliest": {"metrics": {"accuracy": {...}, ...},
                                     "per_class": {"akiec": {"sensitivity": {...}, "specificity": {...}, "precision": {...},
                                                             "f1": {...}}, ...},
                                     "confusion": [7 lists of 7 counts]},
                       "balanced": {...}},
         "operating_point": {"score": "mel", "threshold": ..., "rule": ..., "validation": {...},
                             "sensitivity": {...}, "specificity": {...}}}

    Args:
        model: name of the bundle.
        weights_sha256: of the weights file that answered.
        probabilities_sha256: `Card.probabilities_sha256`, of weights, calibration and the rules' terms.
        calibration: of the card, as plain values.
        photos, lesions: how many were scored.
        terms: of the card, as plain values: what the decision rules needed.
        metrics: name -> the score; the names are explained in `metrics.scores`. Those that a decision rule gives are here under the
            rule that they are headlined with (see `decisions.rule_of`), which is named (`DecidedEstimate`).
        per_class: code -> the class' scores that need no decision, in the same form, with its photos and lesions.
        decisions: rule -> what it gives: "metrics", "per_class", and "confusion": counts of photos, rows = true class, columns =
            decided class, in the order of `classes`. See `under`.
        split: {"part": "test" | "validation" | "train" | "all", "kind", "seed", "hash", "leaky": of the model's split,
            "expected": photos of the part in the model's card (None for "all"), "missing": those that the folder lacks}.
        data: {"name": the folder's name, "photos": in the whole folder, and, of the scored ones, how many the model
            has met, as `evaluator.find_contamination` counts them: "trained_on", "validated_on", "lesions_seen",
            "lesions_trained_on"}.
        confidence: how the intervals were made, in words.
        warnings: sentences that must stand beside the scores; empty when there is nothing to warn of.
        absent_classes: codes that no scored photo has; means over classes leave them out.
        operating_point: the threshold on p(melanoma) and what it gives on the scored photos, which did not choose it; see
            `operating.operating_point`, and of a set of folds `out_of_fold`. None where the validation photos were not at hand.
        files: name -> SHA-256 of the tables that belong to this evaluation, `predictions.csv` and `cases.csv`.
    """

    model: str
    weights_sha256: str
    probabilities_sha256: str
    calibration: dict
    terms: dict
    photos: int
    lesions: int
    metrics: dict[str, Estimate]
    per_class: dict[str, dict]
    decisions: dict
    split: dict
    data: dict
    confidence: str
    warnings: list = field(default_factory=list)
    absent_classes: list = field(default_factory=list)
    operating_point: dict | None = None
    files: dict = field(default_factory=dict)
    classes: list = field(default_factory=lambda: list(CODES))
    format: int = FORMAT

    def under(self, rule: str) -> "Ruled":
        """Every score, those that need a decision as this rule of `decisions` makes it."""
        decided = self.decisions[rule]
        per_class = {code: {**row, **decided["per_class"].get(code, {})} for code, row in self.per_class.items()}
        return Ruled(rule, {**self.metrics, **decided["metrics"]}, per_class, decided["confusion"])

    def summary(self) -> dict:
        """The summary that goes into `card.scores[part]`: every metric, with counts and `confidence`."""
        return {"photos": self.photos, "lesions": self.lesions, "confidence": self.confidence, **self.metrics}

    def to_json(self) -> dict:
        """The record of `evaluation.json`, estimates as they are."""
        record = dict(vars(self))
        metrics = record.pop("metrics")
        tail = {key: record.pop(key) for key in ("per_class", "decisions", "operating_point")}
        return {"format": record.pop("format"), **record, **metrics, **tail}


_EVALUATION = Kind("evaluation", Evaluation, FORMAT)


def write_evaluation(evaluation: Evaluation, folder: str | Path) -> Path:
    """Writes `evaluation.json` into a folder, which is made if need be; returns the file's path."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    return write_text(folder / EVALUATION_FILE, evaluation_text(evaluation))


def evaluation_text(evaluation: Evaluation) -> str:
    """The text of `evaluation.json`."""
    return to_text(evaluation.to_json(), ensure_ascii=False) + "\n"


def read_evaluation(folder: str | Path) -> Evaluation:
    """Reads `evaluation.json` from a folder (or from the path of the file itself).

    Raises:
        InvalidEvaluation: the file is missing, is not JSON, or is not one of this version's evaluations.
    """
    path = Path(folder)
    path = path if path.suffix == ".json" else path / EVALUATION_FILE
    folder = path.parent.parent if path.parent.name == "validation" else path.parent
    again = f"Make it with `python -m core evaluate {folder.name or 'MODEL'} --data HAM10000_FOLDER`."
    with suppress(OSError):  # a folder that cannot be written keeps what it has
        finish_writing(path.parent)
    try:
        record = from_text(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InvalidEvaluation(f"{path} is missing. {again}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise InvalidEvaluation(f"{path} cannot be read as JSON ({error}). {again}") from None
    try:
        record = _EVALUATION.check_format(record, path, again)
        metrics = {key: entry for key, entry in record.items() if isinstance(entry, Estimate)}
        rest = {key: entry for key, entry in record.items() if key not in metrics}
        return replace(_EVALUATION.convert(rest | {"metrics": {}}, path, again), metrics=metrics)
    except InvalidRecord as error:
        raise InvalidEvaluation(str(error)) from None
