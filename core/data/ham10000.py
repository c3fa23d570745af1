"""A folder of dermoscopic photos and the table about them, read into one row an image: HAM10000's download, or ISIC's."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from core.data.photo_files import (
    ARCHIVE_SUFFIXES,
    MASK_FOLDER,
    PHOTO_SUFFIXES,
    TABLE_SUFFIXES,
    Clash,
    FoundFiles,
    choose_photos,
    find_files,
    is_made,
    walk,
)
from core.data.tables.table_file import WORKBOOKS, InvalidDataset, read_columns, read_header
from core.data.tables.table_forms import (
    COLUMNS,
    HEADER,
    FormedRows,
    has_diagnoses,
    has_facts,
    has_lesions,
    has_photos,
    is_one_hot,
    read_rows,
)
from core.data.tables.vocabulary import KNOWN_COLUMNS
from core.diagnoses import CODES

__all__ = ["COLUMNS", "MASK_FOLDER", "PHOTO_SUFFIXES", "InvalidDataset"]

METADATA_FILE = "HAM10000_metadata.csv"
# The Harvard Dataverse serves the same table without a suffix; Kaggle's copy has seven columns (no `dataset`).
METADATA_NAMES = (METADATA_FILE, "HAM10000_metadata", "HAM10000_metadata.tab", "HAM10000_metadata.tsv")
# A table may lie in a folder of its own, as the ISIC challenges pack theirs, or in a doubled one.
TABLE_DEPTH = 2


@dataclass(frozen=True, eq=False)
class Dataset:
    """A folder, read: its table, and what there was to say about the way there (`findings` says it).

    Args:
        folder: that was named.
        source: the table's file.
        table: as `read_table` gives it.
        rows: what became of the table's words.
        clashes: photos whose name other pictures have, too.
        without_row: names of photos that no row of the table is about.
        files: what lies in the folder.
    """

    folder: Path
    source: Path
    table: pd.DataFrame
    rows: FormedRows
    clashes: tuple[Clash, ...]
    without_row: tuple[str, ...]
    files: FoundFiles


def read_table(folder: str | Path) -> pd.DataFrame:
    """Reads a folder's table and finds each row's photo and mask.

    Unknown age, sex and site stay: age NaN, sex and localization "unknown". Rows of diagnoses that are none of the seven (ISIC's
    SCC and UNK) are left out; nothing else is dropped. `read_dataset` tells what was left out, mapped and not understood.

    Args:
        folder: holds the table (HAM10000's metadata, of which only `image_id` and `dx` are required; the ground truth of the ISIC
            challenges of 2018 and 2019 with their metadata; or metadata of the ISIC Archive) and the photos, in
            `HAM10000_images_part_1` and `_part_2`, in folders of any name, or beside the table.

    Returns:
        One row an image, in the file's order: lesion_id, image_id, dx, dx_type, age (years or NaN), sex,
        localization, dataset, path and mask ("" where there is none). Without a lesion_id each photo is its own lesion, and has its
        image_id there (see `lesions_unknown`).

    Raises:
        InvalidDataset: no table, required columns missing, an unknown diagnosis, a doubled image_id, an impossible age, or
            two pictures of one name; the message names the first rows.
    """
    return read_dataset(folder).table


def read_dataset(folder: str | Path) -> Dataset:
    """Reads a folder as `read_table` does, and keeps what there is to say about it.

    Raises:
        InvalidDataset: as for `read_table`.
    """
    folder = Path(folder)
    source = _find_table(folder)
    columns = read_columns(source, KNOWN_COLUMNS, HEADER)
    rows = read_rows(columns, source, _companions(folder, source, list(columns.columns)))
    files = find_files(folder)
    table = rows.table.copy()
    paths, clashes = choose_photos(files, table.image_id)
    table["path"] = pd.Series([paths.get(i, "") for i in table.image_id], dtype="str")
    table["mask"] = pd.Series([files.masks.get(i, "") for i in table.image_id], dtype="str")
    known = set(table.image_id.str.casefold()) | {i.casefold() for ids in rows.left_out.values() for i in ids}
    without_row = tuple(
        stem
        for stem, places in sorted(files.photos.items())
        if stem.casefold() not in known and not is_made(folder, places[0])
    )
    return Dataset(folder, source, table, rows, clashes, without_row, files)


def class_indices(table: pd.DataFrame) -> np.ndarray:
    """Diagnoses as output indices, shape (N,), int32."""
    return table.dx.map({c: i for i, c in enumerate(CODES)}).to_numpy("int32")


def _find_table(folder: Path) -> Path:
    if not folder.is_dir():
        raise InvalidDataset(
            f"{folder} is not a folder. Expected the unpacked HAM10000 download. See README, 'Get the data'."
        )
    for place, names in walk(folder, TABLE_DEPTH):
        # By its name, in any case of letters: that of another table that lies there, too, does not matter then.
        named = {name.casefold(): name for name in names}
        for name in METADATA_NAMES:
            if name.casefold() in named:
                return place / named[name.casefold()]
    usable = [path for path, header in _tables(folder) if has_photos(header) and has_diagnoses(header)]
    nearest = [path for path in usable if len(path.parts) == min(len(p.parts) for p in usable)]
    if len(nearest) == 1:
        return nearest[0]
    if nearest:
        raise InvalidDataset(
            f"{folder} holds {len(nearest)} tables of photos and diagnoses: {', '.join(str(p.relative_to(folder)) for p in nearest[:5])}. "
            f"Expected one; move the others elsewhere, or name the right one {METADATA_FILE}."
        )
    raise InvalidDataset(_no_table(folder))


def _no_table(folder: Path) -> str:
    """Why no table was found, and the mend for what was found instead."""
    expected = f"{folder} has no {METADATA_FILE}"
    entries = [p for p in sorted(folder.iterdir()) if not p.name.startswith(".")]
    books = [p.name for p in entries if p.suffix.lower() in WORKBOOKS]
    if books:
        return (
            f"{expected}, but {books[0]}, an Excel workbook, which is not read. In Excel: File, Save As, 'CSV UTF-8', as {METADATA_FILE} "
            "in the same folder."
        )
    packed = [p.name for p in entries if p.suffix.lower() in ARCHIVE_SUFFIXES]
    if packed:
        return f"{expected}; {', '.join(packed[:5])} {'is' if len(packed) == 1 else 'are'} still packed. Unpack into {folder}."
    tables = [p for p in entries if p.suffix.lower() in TABLE_SUFFIXES and p.is_file()]
    if len(tables) == 1:
        # Its own fault is the better answer.
        columns = read_columns(tables[0], KNOWN_COLUMNS, HEADER)
        read_rows(columns, tables[0], {})
    there = ", ".join(p.name for p in entries[:5]) or "nothing"
    return f"{expected}. Expected the unpacked HAM10000 download; found: {there}. See README, 'Get the data'."


def _tables(folder: Path) -> list[tuple[Path, list[str]]]:
    """Tables in a folder and just below it that name photos, with their headers."""
    tables = []
    for place, names in walk(folder, TABLE_DEPTH):
        for name in names:
            if Path(name).suffix.lower() in TABLE_SUFFIXES:
                header = read_header(place / name, KNOWN_COLUMNS)
                if header:
                    tables.append((place / name, header))
    return tables


def _companions(folder: Path, source: Path, names: list[str]) -> dict[str, pd.DataFrame]:
    """Tables of lesions and facts beside one that lacks them: ISIC's metadata and lesion groupings."""
    if not is_one_hot(names) and has_lesions(names):
        return {}
    return {
        path.name: read_columns(path, KNOWN_COLUMNS, HEADER)
        for path, header in _tables(folder)
        if path != source and has_photos(header) and has_facts(header) and not has_diagnoses(header)
    }
