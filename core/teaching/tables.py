"""Tables for spreadsheets: CSV in which no cell can be taken for a formula."""

import csv
import io
from collections.abc import Iterable, Sequence

# A cell that begins so is run by spreadsheets as a formula, also after white space (OWASP, "CSV injection").
_STARTERS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def write_csv(columns: Sequence[str], rows: Iterable[Sequence]) -> bytes:
    """A CSV file: UTF-8 with a byte-order mark, which Excel needs; None is an empty cell, numbers stay numbers."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([safe_cell(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig", "replace")


def safe_cell(cell: object) -> object:
    """A cell that is text in every spreadsheet: an apostrophe stands before what would be a formula. Numbers are left alone."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, int | float):
        return cell
    text = str(cell)
    return f"'{text}" if text.lstrip(" \u00a0").startswith(_STARTERS) else text
