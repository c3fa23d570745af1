"""Tables as CSV whose cells no spreadsheet takes for formulas."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas

# What makes a spreadsheet take a cell for a formula; the full-width forms are read as the plain ones.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def csv_text(table: "pandas.DataFrame", **settings) -> str:
    """A table as CSV in which no cell from outside is a formula.

    A spreadsheet runs a cell that begins with "=", "+", "-", "@", a tab or a line end, whoever named it so: a photo, a lesion, a clinic.
    An apostrophe before it makes it text. Numbers stay numbers.
    """
    table = table.copy()
    for place, kind in enumerate(table.dtypes):
        if kind.kind in "OTSU" or not hasattr(kind, "kind"):
            table.isetitem(place, [inert(cell) for cell in table.iloc[:, place]])
    table.columns = [inert(name) for name in table.columns]
    return table.to_csv(index=False, lineterminator="\n", **settings)


def inert(cell: object) -> object:
    """A cell's text that no spreadsheet runs; what is no text stays as it is."""
    if not isinstance(cell, str):
        return cell
    # A bare carriage return would end the row where it is not quoted.
    cell = cell.replace("\r\n", "\n").replace("\r", "\n")
    if not cell.startswith(_FORMULA):
        return cell
    try:
        float(cell)
    except ValueError:
        return f"'{cell}"
    return cell


def uncovered(cell: object) -> object:
    """What `inert` was given."""
    return cell[1:] if isinstance(cell, str) and cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell
