"""The tables that `evaluate` leaves in a model's folder, written, and read back with its record: all that dashboards are drawn from."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.card import Card
from core.csv_cells import csv_text, uncovered
from core.decisions import Terms, decide
from core.diagnoses import CODES, index_of
from core.evaluation.metrics import check_predictions, confusion
from core.evaluation.report import (
    EVALUATION_FILE,
    Evaluation,
    InvalidEvaluation,
    evaluation_text,
    read_evaluation,
)
from core.files import write_together

if TYPE_CHECKING:
    import pandas as pd

PREDICTIONS_FILE = "predictions.csv"
PREDICTION_COLUMNS = ("image_id", "dx", *CODES)
# In a model's folder: the same files for the validation part.
VALIDATION_FOLDER = "validation"
CASES_FILE = "cases.csv"
CASE_COLUMNS = ("image_id", "lesion_id", "dx_type", "age", "sex", "localization", "dataset")


class InvalidResults(ValueError):
    """Evaluation files that are missing, stale, or do not fit together."""


class _OtherEvaluation(InvalidResults):
    """A table that is not the one that `evaluation.json` names."""


@dataclass(frozen=True, eq=False)
class Results:
    """One model's evaluation with every photo's probabilities and facts.

    Args:
        evaluation: of `evaluation.json`.
        table: one row a photo: image_id, dx, the seven codes, lesion_id, dx_type, age (NaN unknown), sex, localization,
            dataset.
        y_true: classes, (N,), positions in `CODES`.
        y_pred: those of the rule "likeliest"; see `decided`.
        probabilities: (N, 7).
    """

    evaluation: Evaluation
    table: pd.DataFrame
    y_true: np.ndarray
    y_pred: np.ndarray
    probabilities: np.ndarray

    def decided(self, rule: str) -> np.ndarray:
        """Classes that a decision rule gives, (N,), positions in `CODES`."""
        return decide(rule, self.probabilities, Terms(**self.evaluation.terms))

    def weighed(self, rule: str) -> pd.DataFrame:
        """The table with probabilities whose largest is what the rule decides for: "balanced" divides them by the training shares."""
        if rule == "likeliest":
            return self.table
        terms = Terms(**self.evaluation.terms)
        weighed = self.probabilities / np.array(terms.shares) ** terms.power
        return self.table.assign(**dict(zip(CODES, (weighed / weighed.sum(axis=1, keepdims=True)).T, strict=True)))

    def only(self, rows: np.ndarray) -> Results:
        """The chosen rows of the table, (N,) bool, under the same evaluation."""
        return Results(
            self.evaluation,
            self.table[rows].reset_index(drop=True),
            self.y_true[rows],
            self.y_pred[rows],
            self.probabilities[rows],
        )

    @property
    def lesions(self) -> np.ndarray:
        """Lesion of each photo, (N,)."""
        return self.table.lesion_id.to_numpy(dtype=str)


def read_results(folder: str | Path, card: Card) -> Results:
    """Reads a model's evaluation; one that is exchanged at this moment is read again. See `_read_results`."""
    try:
        return _read_results(folder, card)
    except _OtherEvaluation:
        return _read_results(folder, card)


def _read_results(folder: str | Path, card: Card) -> Results:
    """Reads `evaluation.json`, `predictions.csv` and `cases.csv` of a model's folder.

    Raises:
        InvalidResults: a file is missing or damaged, belongs to other weights or another calibration than the card's, lists the
            classes in another order, or the files are of different evaluations; the sentence ends with the command that makes them.
    """
    folder = Path(folder)
    name = folder.parent.name if folder.name == VALIDATION_FOLDER else folder.name
    again = f"Run `python -m core evaluate {name} --data HAM10000_FOLDER`."
    try:
        evaluation = read_evaluation(folder)
    except InvalidEvaluation as error:
        raise InvalidResults(f"{name} has no usable evaluation: {error}") from None
    if evaluation.probabilities_sha256 != card.probabilities_sha256:
        raise InvalidResults(
            f"The evaluation of {name} is stale: it is of other weights or another calibration "
            f"({str(evaluation.probabilities_sha256)[:12]}...) than its card's ({card.probabilities_sha256[:12]}...). {again}"
        )
    if list(evaluation.classes) != list(CODES):
        raise InvalidResults(
            f"{folder / 'evaluation.json'} has the classes {', '.join(map(str, evaluation.classes))}. Expected {', '.join(CODES)}, in "
            f"this order. {again}"
        )
    predictions = _read_table(folder / PREDICTIONS_FILE, PREDICTION_COLUMNS, evaluation.files, again)
    cases = _read_table(folder / CASES_FILE, CASE_COLUMNS, evaluation.files, again)
    apart = set(predictions.image_id) ^ set(cases.image_id)
    if apart:
        raise InvalidResults(
            f"{PREDICTIONS_FILE} and {CASES_FILE} of {name} are of different photos: {len(apart)} stand in one only. {again}"
        )
    table = predictions.merge(cases, on="image_id", how="left", validate="one_to_one", sort=False)
    try:
        y_true = np.array([index_of(code) for code in table.dx])
        y_true, probabilities = check_predictions(y_true, table[list(CODES)].to_numpy("float64"))
    except ValueError as error:
        raise InvalidResults(f"{folder / PREDICTIONS_FILE} cannot be used. {error} {again}") from None
    y_pred = probabilities.argmax(axis=1)
    if confusion(y_true, y_pred).tolist() != evaluation.decisions.get("likeliest", {}).get("confusion"):
        raise InvalidResults(
            f"{PREDICTIONS_FILE} and evaluation.json of {name} are of different evaluations: their confusion matrices differ. "
            f"{again}"
        )
    return Results(evaluation, table, y_true, y_pred, probabilities)


def write_results(evaluation: Evaluation, predictions: pd.DataFrame, folder: str | Path) -> Evaluation:
    """Writes an evaluation with its tables: all of it appears, or nothing.

    Args:
        predictions: as `predict_table` gives them: `predictions.csv` gets image_id, dx and the seven codes, `cases.csv` what is known
            of each photo, in the same order.
        folder: is made if need be.

    Returns:
        The evaluation, with the tables' checksums.
    """
    tables = {
        PREDICTIONS_FILE: csv_text(predictions[list(PREDICTION_COLUMNS)]).encode(),
        CASES_FILE: csv_text(predictions[list(CASE_COLUMNS)]).encode(),
    }
    evaluation = replace(
        evaluation, files={name: hashlib.sha256(content).hexdigest() for name, content in tables.items()}
    )
    write_together(folder, {**tables, EVALUATION_FILE: evaluation_text(evaluation)})
    return evaluation


def _read_table(path: Path, columns: tuple[str, ...], digests: dict, again: str) -> pd.DataFrame:
    """A CSV file with exactly these columns, in this order; empty cells are "", but for the age."""
    import pandas as pd

    texts = dict.fromkeys((c for c in columns if c != "age" and c not in CODES), str)
    try:
        content = path.read_bytes()
        if digests.get(path.name, "") != hashlib.sha256(content).hexdigest():
            raise _OtherEvaluation(
                f"{path} is damaged, or of another evaluation than {EVALUATION_FILE} beside it: its checksum is another. {again}"
            )
        table = pd.read_csv(io.BytesIO(content), dtype=texts, keep_default_na=False, na_values={"age": [""]})
    except InvalidResults:
        raise
    except FileNotFoundError:
        raise InvalidResults(f"{path} is missing. {again}") from None
    except (OSError, ValueError) as error:
        raise InvalidResults(f"{path} cannot be read as a table ({error}). {again}") from None
    if tuple(table.columns) != columns:
        raise InvalidResults(
            f"{path} has the columns {', '.join(map(str, table.columns))}. Expected {', '.join(columns)}, in this order: classes in "
            f"another order would be mistaken for one another. {again}"
        )
    if not table.image_id.is_unique:
        raise InvalidResults(f"{path} lists an image_id more than once. {again}")
    for column in texts:
        table[column] = [uncovered(cell) for cell in table[column]]  # pyright: ignore[reportCallIssue]
    numbers = [c for c in columns if c not in texts]
    if not all(pd.api.types.is_numeric_dtype(table[c]) for c in numbers):
        raise InvalidResults(f"{path} has text where numbers belong, in one of {', '.join(numbers)}. {again}")
    return table
