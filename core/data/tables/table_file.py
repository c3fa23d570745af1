"""A table file as spreadsheets, pandas and R write it, read into columns of text: whatever its encoding, separator and quoting."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

SEPARATORS = (",", ";", "\t", "|")
# A title or a remark may stand above the header; further down nobody looks for it.
HEADER_ROWS = 10
# Characters within which these rows are sought.
HEAD = 20_000
# A quoted cell may hold line ends; one with more of them than this is a quote that nobody closed.
CELL_LINES = 5
# Bytes within which `read_header` looks.
HEADER_BYTES = 64_000
# Half a gigabyte of text is no table of photos, but pixels (Kaggle's hmnist files) or a mistake.
MAX_BYTES = 500_000_000

_EXCEL = "an Excel workbook. In Excel: File, Save As, 'CSV UTF-8'; put that file in its place."
_ARCHIVE = "a packed archive. Unpack it first."
# How files begin that are sometimes named .csv: (bytes, what it is and the mend).
_STRANGERS = (
    (
        b"PK\x03\x04",
        "an Excel or OpenDocument workbook, or a ZIP archive. Save the sheet as 'CSV UTF-8', or unpack the archive.",
    ),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls). Save the sheet as 'CSV UTF-8'."),
    (b"\x1f\x8b", _ARCHIVE),
    (b"7z\xbc\xaf", _ARCHIVE),
    (b"Rar!", _ARCHIVE),
    (b"PAR1", "a Parquet file. Write it as CSV: pandas.read_parquet(...).to_csv(..., index=False)."),
    (b"ARROW1", "a Feather file. Write it as CSV: pandas.read_feather(...).to_csv(..., index=False)."),
    (b"SQLite format 3", "an SQLite database. Export the table as CSV."),
    (b"\x89HDF", "an HDF5 file. Export the table as CSV."),
    (b"\x80\x04\x95", "a Python pickle. Write it as CSV: DataFrame.to_csv(..., index=False)."),
    (b"%PDF", "a PDF document. Export the table as CSV."),
    (b"{\\rtf", "a text document (RTF). Save it as plain CSV."),
    (b"version https://git-lfs", "a Git LFS pointer, not the table itself. Fetch it: `git lfs pull`."),
)
WORKBOOKS = (".xlsx", ".xls", ".xlsm", ".xlsb", ".ods", ".numbers")
# Order matters: UTF-32's mark begins with UTF-16's.
_MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\0\0", "utf-32-le"),
    (b"\0\0\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
# A byte-order mark that was itself read as Windows-1252 and saved again.
_MANGLED_MARK = "ï»¿"
_UNSEEN = dict.fromkeys(map(ord, "\ufeff\u200b\u200c\u200d\u2060\u00ad"))
# The ISIC Archive's first tables nested their names; people add units: "meta.clinical.age_approx", "Age (years)".
_PREFIX = re.compile(r"^\s*(meta|metadata)\.(clinical|acquisition|unstructured)\.")
_IN_BRACKETS = re.compile(r"[(\[].*?[)\]]")
_QUOTES = ('""', "''", "“”", "„“", "‘’", "«»")


class InvalidDataset(ValueError):
    """A folder that is not in a known layout, or whose table cannot be used."""


def read_columns(path: str | Path, known: frozenset[str], example: str) -> pd.DataFrame:
    """Reads a table file into text columns.

    Understood: UTF-8, UTF-16 and UTF-32 with or without a byte-order mark, Windows-1252; comma, semicolon, tab or bar;
    Windows, Unix and old Mac line ends; quoted cells, whole quoted lines, `="..."`; a title or Excel's `sep=;` above the header;
    an index column without a name; empty rows and columns; the header again between rows.

    Args:
        known: names, as `column_name` writes them, one of which every usable header has.
        example: what a header should look like, for an error.

    Returns:
        One row a row of the file, cells stripped; columns named by `column_name`, in the file's order.

    Raises:
        InvalidDataset: another kind of file, no header, rows of another length than the header, a column twice.
    """
    path = Path(path)
    return _columns(path, read_text(path), known, example)


def parse_columns(content: bytes, name: str, known: frozenset[str], example: str) -> pd.DataFrame:
    """`read_columns` of a table that is in memory.

    Args:
        name: what to call it in an error.
    """
    if not content.strip(b"\0 \t\r\n"):
        raise InvalidDataset(f"{name} is empty. Save the table again.")
    return _columns(Path(name), _decode(content, Path(name)), known, example)


def _columns(path: Path, text: str, known: frozenset[str], example: str) -> pd.DataFrame:
    """A table's text in columns; see `read_columns`."""
    import pandas as pd

    header, rows = _header_and_rows(path, text, known, example)
    names = [column_name(cell) for cell in header]
    rows = [row for row in rows if row != header and any(row)]
    names, rows = _without_index(names, rows)
    wrong = [number for number, row in enumerate(rows, start=1) if len(row) != len(names)]
    if wrong:
        row = rows[wrong[0] - 1]
        raise InvalidDataset(
            f"{path} has {len(wrong):,} rows with more or fewer cells than its header; the first, row {wrong[0]:,}, has {len(row)} "
            f"instead of {len(names)}: {' | '.join(row)[:120]!r}. Put cells that hold the separator in quotes, or save the table again "
            "as 'CSV UTF-8'."
        )
    twice = [name for name, count in Counter(names).items() if count > 1 and name]
    for name in twice:
        first, *others = (place for place, other in enumerate(names) if other == name)
        if any(row[first] != row[place] for row in rows for place in others):
            raise InvalidDataset(f"{path} has the column {name!r} twice, with other values. Keep one of them.")
    keep = [place for place, name in enumerate(names) if name and names.index(name) == place]
    return pd.DataFrame(
        [[row[place] for place in keep] for row in rows], columns=[names[place] for place in keep], dtype="str"
    )


def read_header(path: str | Path, known: frozenset[str]) -> list[str] | None:
    """The column names of a table file from its beginning, or None where that is no header with one of the `known` names."""
    try:
        with open(path, "rb") as file:
            start = file.read(HEADER_BYTES)
            cut = bool(file.read(1))
        text = _decode(start, Path(path), cut)
        # The last line is cut, too.
        header, _ = _header_and_rows(Path(path), text[: text.rfind("\n") + 1] or text if cut else text, known, "")
    except (InvalidDataset, OSError):
        return None
    return [column_name(cell) for cell in header]


def column_name(cell: str) -> str:
    """A header cell in the form that columns are known by: "Lesion ID" is "lesion_id"."""
    name = _IN_BRACKETS.sub("", _PREFIX.sub("", cell.casefold()))
    name = "_".join(name.replace("-", " ").replace("_", " ").split())
    return "" if name.startswith("unnamed:") else name


def read_text(path: Path) -> str:
    """A text file, whatever its encoding.

    Raises:
        InvalidDataset: it cannot be read, or is no text.
    """
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise InvalidDataset(
                f"{path} has {size / 1e6:,.0f} MB: too much for a table with a row a photo. Choose the metadata."
            )
        data = path.read_bytes()
    except OSError as error:
        raise InvalidDataset(f"{path} cannot be read ({error.strerror}). Check the file's permissions.") from None
    if not data.strip(b"\0 \t\r\n"):
        raise InvalidDataset(f"{path} is empty. Download it again.")
    return _decode(data, path)


def _decode(data: bytes, path: Path, cut: bool = False) -> str:
    """Bytes as text; `cut` where they are a file's beginning, whose last character may be cut."""
    for start, what in _STRANGERS:
        if data.startswith(start):
            raise InvalidDataset(f"{path} is {_EXCEL if path.suffix.lower() == '.xlsx' else what}")
    text = None
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            text = _try(data[len(mark) :], encoding, cut)
            break
    else:
        text = next((t for t in (_try(data, e, cut) for e in _guesses(data)) if t is not None), None)
    if text is None or "\0" in text:
        raise InvalidDataset(
            f"{path} is no text in a known encoding. Expected a table in UTF-8, UTF-16 or Windows-1252; save it as 'CSV UTF-8'."
        )
    # DOS ended its files with Ctrl-Z.
    text = text.removeprefix(_MANGLED_MARK).translate(_UNSEEN).rstrip("\x1a")
    start = text[:200].lstrip().casefold()
    if start.startswith(("<!doctype", "<html", "<?xml")):
        raise InvalidDataset(
            f"{path} is a web page or XML, not a table: what came was not the download. Download it again."
        )
    if start.startswith(("{", "[")):
        raise InvalidDataset(
            f"{path} is JSON, not a table. Write it as CSV: pandas.read_json(...).to_csv(..., index=False)."
        )
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _guesses(data: bytes) -> tuple[str, ...]:
    """Encodings to try where no mark tells: in UTF-16 every other byte of plain letters is 0."""
    start = data[:1000]
    if start[1::2].count(0) > len(start) // 4:
        return ("utf-16-le",)
    if start[0::2].count(0) > len(start) // 4:
        return ("utf-16-be",)
    return ("utf-8", "cp1252", "mac_roman")


def _try(data: bytes, encoding: str, cut: bool) -> str | None:
    try:
        return codecs.getincrementaldecoder(encoding)().decode(data, final=not cut)
    except UnicodeDecodeError:
        return None


def _header_and_rows(path: Path, text: str, known: frozenset[str], example: str) -> tuple[list[str], list[list[str]]]:
    """The header by the separator that shows most known names in one of the first rows, and the rows below it."""
    best = (0, "", 0)
    for separator in SEPARATORS:
        for place, row in enumerate(_split(text[:HEAD], separator)[:HEADER_ROWS]):
            score = len({column_name(cell) for cell in row} & known)
            if score > best[0]:
                best = (score, separator, place)
    score, separator, place = best
    if not score:
        first = next((line for line in text.split("\n") if line.strip()), "")[:160]
        raise InvalidDataset(
            f"{path} has no header that names the photos: it begins {first!r}. Expected a first line such as {example}."
        )
    rows = _split(text, separator)
    torn = next((number for number, row in enumerate(rows) if any(cell.count("\n") > CELL_LINES for cell in row)), None)
    if torn is not None or not rows or _ends_in_a_quote(text, separator):
        where = f"in line {torn + 1:,}" if torn is not None else "in it"
        raise InvalidDataset(
            f"{path}: a quote that opens {where} is never closed. Mend that line, or save the table again as 'CSV UTF-8'."
        )
    return rows[place], rows[place + 1 :]


def _split(text: str, separator: str) -> list[list[str]]:
    rows = _parse(text, separator)
    # Whole lines in quotes: a table that was pasted into the first column of a sheet.
    filled = [row for row in rows if any(row)]
    if filled and separator in filled[0][0] and all(not any(row[1:]) for row in filled):
        rows = _parse("\n".join(row[0] for row in filled), separator)
    return rows


def _parse(text: str, separator: str) -> list[list[str]]:
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    try:
        return [[_clean(cell) for cell in row] for row in lines]
    except csv.Error:  # a cell of more than 128 kB
        return []


def _ends_in_a_quote(text: str, separator: str) -> bool:
    try:
        for _ in csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True, strict=True):
            pass
    except csv.Error as error:
        return "unexpected end" in str(error)
    return False


def _clean(cell: str) -> str:
    """A cell without what surrounds its value: spaces, quotes, Excel's text marks."""
    cell = cell.strip()
    if len(cell) > 3 and cell.startswith('="') and cell.endswith('"'):
        cell = cell[2:-1]
    if len(cell) > 1 and cell[0] + cell[-1] in _QUOTES and cell[0] not in cell[1:-1]:
        cell = cell[1:-1].strip()
    return cell.removeprefix("'")


def _without_index(names: list[str], rows: list[list[str]]) -> tuple[list[str], list[list[str]]]:
    """Cuts empty cells at the end, and the row names of R, which have no cell in the header."""
    width = len(names)
    while width and not names[width - 1]:
        width -= 1
    cut = []
    for row in rows:
        end = len(row)
        while end > width and not row[end - 1]:
            end -= 1
        cut.append(row[:end])
    if cut and all(len(row) == width + 1 and row[0].isdigit() for row in cut):
        return names[:width], [row[1:] for row in cut]
    # Excel leaves out empty cells at a line's end.
    return names[:width], [row + [""] * (width - len(row)) if 0 < len(row) < width else row for row in cut]
