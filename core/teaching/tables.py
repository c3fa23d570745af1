"""Tables for spreadsheets: CSV in which no cell can be taken for a formula."""

import csv
import io
from collections.abc import Iterable, Sequence

from core.csv_cells import inert


def write_csv(columns: Sequence[str], rows: Iterable[Sequence]) -> bytes:
    """A CSV file: UTF-8 with a byte-order mark, which Excel needs; None is an empty cell, numbers stay numbers."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_cell(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig", "replace")


def _cell(cell: object) -> object:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return inert(cell)
