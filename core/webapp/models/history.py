"""`history.csv`, the training's epochs, as rows of numbers."""

import csv
from pathlib import Path

from core.card import HISTORY_FILE


def read_history(folder: str | Path) -> list[dict]:
    """The epochs of a model's training; empty where there is no history or it cannot be read."""
    try:
        with open(Path(folder) / HISTORY_FILE, newline="", encoding="utf-8") as file:
            rows = [{key: _number(text) for key, text in row.items() if key} for row in csv.DictReader(file)]
    except (OSError, UnicodeDecodeError, csv.Error):
        return []
    return [row for row in rows if isinstance(row.get("epoch"), float)]


def _number(text: str | None) -> float | str | None:
    """A number where there is one; a missing cell is None."""
    try:
        return float(text)
    except (TypeError, ValueError):
        return text or None
