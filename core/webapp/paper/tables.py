"""The paper's tables with a column for this project, in words that people read."""

from typing import Any

import pandas as pd

from core.card import Card
from core.diagnoses import NAMES
from core.studies.paper import our_score, read_paper_table
from core.webapp.shared.evaluations import Evaluated
from core.webapp.shared.shelf import scored_on
from core.wording import interval

NO_RUN, NO_COUNTERPART = "no run yet", ""
# Columns of the paper's tables as people read them.
COLUMNS = {
    "backbone": "Backbone",
    "arm": "Arm",
    "quantity": "Quantity",
    "metric": "Score",
    "diagnosis": "Diagnosis",
    "averaging": "Averaged as",
    "match": "Run agrees",
    "run": "Notebook run",
    "note": "Note",
    "notes": "Notes",
    "work": "Work",
    "reference": "Reference",
    "accuracy": "Accuracy",
    "precision": "Precision",
    "f1": "F1",
    "recall": "Recall",
    "auc": "AUC",
    "accuracy_printed": "Accuracy, printed",
    "accuracy_run": "Accuracy, its run",
    "value_printed": "Printed",
    "value_run": "Its run",
    "auc_printed": "AUC, printed",
    "auc_macro_run": "AUC of its run, macro",
    "auc_micro_run": "AUC of its run, micro",
    "auc_weighted_run": "AUC of its run, weighted",
    "loss_printed": "Loss, printed",
    "loss_run": "Loss of its run",
    "f1_printed": "F1, printed",
    "f1_run": "F1, its run",
    "recall_printed": "Recall, printed",
    "recall_run": "Recall, its run",
}

CELLS = {
    "accuracy": "Accuracy",
    "auc_macro": "AUC, macro",
    "balanced_accuracy_eq13": "Balanced accuracy (Eq. 13)",
    "f1_macro": "F1, macro",
    "precision_macro": "Precision, macro",
    "sensitivity_macro": "Sensitivity, macro",
    "specificity_macro": "Specificity, macro",
    "trainable_parameters": "Trainable parameters",
    "depth": "Depth",
    "seconds_per_epoch": "Seconds an epoch",
    "no_weight": "no weights",
    "normalised_inverse": "N/Ni over their sum",
    "mel_x5": "melanoma times 5",
    "mean": "mean of the seven",
}


def by_backbone(models: dict[str, Evaluated]) -> dict[str, Evaluated]:
    """The first, that is the best, model of each backbone that was scored on its own held-out test part."""
    best: dict[str, Evaluated] = {}
    for model in models.values():
        if model.results.evaluation.split.get("part") == model.card.held_out_part:
            best.setdefault(model.card.backbone, model)
    return best


def side_by_side(name: str, models: dict[str, Evaluated]) -> pd.DataFrame:
    """A table of the paper with a column for this project, notes last."""
    table, ours = read_paper_table(name), by_backbone(models)
    note = table.pop("note")
    if name == "Table 9":
        table["notes"] = note
        rows = [_own_row(model) for model in ours.values()]
        # Text throughout: an empty cell is one that the work does not report.
        return pd.DataFrame([*table.to_dict("records"), *rows]).map(lambda cell: "" if pd.isna(cell) else str(cell))
    column = []
    for _, row in table.iterrows():
        model = ours.get(row["backbone"])
        score = our_score(name, row, model.results) if model else None
        countable = row.get("arm") != "AD" and name != "Table 8" and row.get("quantity", "accuracy") == "accuracy"
        if name == "Table 6" and model and row["quantity"] == "trainable_parameters":
            column.append(f"{_parameters(model.card):,}")
        else:
            column.append(interval(score) if score else (NO_COUNTERPART if model or not countable else NO_RUN))
    table["Melascope (95 %)"] = column
    table["note"] = note.fillna("")
    return table


def as_read(table: pd.DataFrame) -> pd.DataFrame:
    """A table with words for its columns' and cells' keys, the Melascope column early, and nothing where the paper reports nothing."""

    def cell(value: Any) -> str:
        if pd.isna(value):
            return ""
        if isinstance(value, float):
            whole, _, digits = f"{value:.4f}".partition(".")
            return f"{value:,.0f}" if value >= 100 else f"{whole}.{digits.rstrip('0').ljust(2, '0')}"
        return CELLS.get(str(value)) or NAMES.get(str(value), str(value))

    notebook = [name for name in ("run", "note", "notes") if name in table]
    words = table[[*(name for name in table if name not in notebook), *notebook]].map(cell)
    if "run" in table:
        words["run"] = table["run"].fillna("")  # a file's name
    return words.rename(columns=COLUMNS)


def _parameters(card: Card) -> int:
    """Of one network: a set of folds holds several alike."""
    return card.parameters // len(card.members) if card.is_fold_set and not card.is_ensemble else card.parameters


def _own_row(model: Evaluated) -> dict:
    metrics = model.results.evaluation.under("likeliest").metrics
    names = {"accuracy": "accuracy", "precision": "macro_precision", "f1": "macro_f1", "recall": "balanced_accuracy"}
    return (
        {"work": f"Melascope {model.name}", "reference": "-"}
        | {column: round(metrics[metric].known, 3) for column, metric in names.items()}
        | {
            "auc": round(metrics["auc_macro"].known, 3),
            "notes": f"held out by lesion, {scored_on(model.card)}; rule likeliest; macro means",
        }
    )
