"""Where a teacher's own case sets come from: photos chosen in galleries, a table, own photos."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from core.data.images import read_photo
from core.data.patient import SEXES, SITES, Facts
from core.data.photo_files import PHOTO_SUFFIXES
from core.data.tables.table_file import InvalidDataset, read_columns
from core.data.tables.table_forms import HEADER, read_rows
from core.data.tables.vocabulary import ALIASES, KNOWN_COLUMNS
from core.teaching.case_sets.record import (
    CONFIRMED,
    HAM10000_ATTRIBUTION,
    HAM10000_LICENCE,
    OWN_PHOTOS,
    CaseSet,
    InvalidCaseSet,
    TeachingCase,
)

# Columns of a teacher's table beside those of HAM10000 -> what they say.
FURTHER_COLUMNS = {
    "copyright_license": "licence",
    "license": "licence",
    "licence": "licence",
    "attribution": "attribution",
    "why": "why",
    "group": "group",
}


def choose_cases(
    table: pd.DataFrame,
    ids: Iterable[str],
    title: str,
    *,
    why: Mapping[str, str] | None = None,
    groups: Mapping[str, str] | None = None,
    **further,
) -> CaseSet:
    """A set of photos chosen from a table, as galleries choose them.

    Args:
        table: as `read_table` gives it, or `Results.table`: image_id, dx, dx_type, age, sex, localization.
        ids: of the photos, in the order in which they are to be shown.
        why, groups: id -> why it was chosen, and what it belongs to.
        further: of the set, such as `description`.

    Raises:
        InvalidCaseSet: a photo that the table does not list, or nothing chosen.
    """
    by_id, ids = table.set_index("image_id"), list(ids)
    foreign = [i for i in ids if i not in by_id.index]
    if foreign:
        raise InvalidCaseSet(
            f"The table does not list {', '.join(map(str, foreign[:5]))}. Choose photos that it lists."
        )
    words = [{"why": (why or {}).get(i, ""), "group": (groups or {}).get(i, "")} for i in ids]
    return CaseSet(title, tuple(case_of_row(by_id.loc[i], i, **w) for i, w in zip(ids, words, strict=True)), **further)


def case_of_row(row, image_id: str, **further) -> TeachingCase:
    """The case of a row in HAM10000's columns; `further` are fields of `TeachingCase`."""
    facts = Facts(
        age=None if pd.isna(row.age) else float(row.age),
        sex=row.sex if row.sex in SEXES else "unknown",
        site=row.localization if row.localization in SITES else "unknown",
    )
    confirmed = row.dx_type if row.dx_type in CONFIRMED else "unknown"
    further = {"licence": HAM10000_LICENCE, "attribution": HAM10000_ATTRIBUTION} | further
    return TeachingCase(image_id, row.dx, confirmed, facts=facts, **further)


def read_case_table(path: str | Path, title: str, licence: str, attribution: str) -> CaseSet:
    """A set from a table file of archive photos, in the table's order.

    Args:
        path: any table that `data check` reads: image_id and dx, perhaps dx_type, age, sex, localization, and here licence,
            attribution, why and group.
        title: of the set.
        licence, attribution: of rows without their own.

    Raises:
        InvalidCaseSet: a table that cannot be used, or a row that is no case.
    """
    path = Path(path)
    try:
        columns = read_columns(path, KNOWN_COLUMNS, HEADER)
        table = read_rows(columns, path, {}).table
    except InvalidDataset as error:
        raise InvalidCaseSet(str(error)) from None
    except OSError as error:
        raise InvalidCaseSet(f"{path} cannot be read ({error.strerror or error}). Choose a table that can.") from None
    # `read_rows` leaves rows of other diagnoses out: the id says which row of the file a case is.
    own = pd.DataFrame({c: columns[n] for n, c in FURTHER_COLUMNS.items() if n in columns}, dtype="str")
    own = own.set_axis(_photo_ids(columns)).to_dict("index")
    cases = []
    rows: Iterator[Any] = iter(table.itertuples(index=False))
    for row in rows:
        words = {str(k): str(v) for k, v in own.get(row.image_id, {}).items() if v}
        cases.append(case_of_row(row, row.image_id, **{"licence": licence, "attribution": attribution} | words))
    return CaseSet(title, tuple(cases))


def _photo_ids(columns: pd.DataFrame) -> list[str]:
    """The photo ids of a table's rows as `read_rows` writes them: without folder and suffix."""
    name = next(n for n in ALIASES["image_id"] if n in columns)
    names = [str(word).replace("\\", "/").rsplit("/", 1)[-1] for word in columns[name]]
    return [Path(word).stem if word.lower().endswith(PHOTO_SUFFIXES) else word for word in names]


def own_case(
    photo: bytes,
    truth: str,
    confirmed: str,
    licence: str,
    attribution: str,
    *,
    facts: Facts | None = None,
    name: str = "",
    why: str = "",
) -> TeachingCase:
    """A case of a teacher's own photo. The photo is read once, to know that it can be, and is kept nowhere.

    Args:
        photo: the file's bytes.
        name: an id of the teacher's; else "own-" and the beginning of the SHA-256. Never the file's name, which may be a patient's.

    Raises:
        UnreadablePhoto: no photo.
        InvalidCaseSet: a value that cannot be.
    """
    read_photo(photo, "The photo")
    digest = hashlib.sha256(photo).hexdigest()
    return TeachingCase(
        name or f"own-{digest[:12]}",
        truth,
        confirmed,
        licence,
        attribution,
        facts=facts or Facts(),
        source=OWN_PHOTOS,
        sha256=digest,
        why=why,
    )


def find_own_photos(cases: CaseSet, folder: str | Path) -> dict[str, Path]:
    """Where the own photos of a set lie in a folder: id -> path, by SHA-256; those that are not there are left out."""
    wanted = {case.sha256: case.id for case in cases.cases if case.source == OWN_PHOTOS}
    photos: dict[str, Path] = {}
    folder = Path(folder)
    for path in sorted(folder.iterdir()) if wanted and folder.is_dir() else ():
        if path.suffix.lower() in PHOTO_SUFFIXES and path.is_file():
            with open(path, "rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            if digest in wanted:
                photos.setdefault(wanted[digest], path)
    return photos
