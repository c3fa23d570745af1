"""The list of photos that workers read: of a folder, of a CSV or Parquet list, or behind any address that fsspec knows."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.data.decoding.photo_formats import holds_photo

# What a column of a list may be called, in whatever case.
_COLUMNS = {
    "photo": ("photo", "path", "file", "image"),
    "age": ("age",),
    "sex": ("sex",),
    "site": ("site", "localization"),
}
_LISTS = (".csv", ".parquet")
_CLUTTER = ("thumbs.db", "desktop.ini")


@dataclass(frozen=True)
class PhotoRow:
    """A photo to read.

    Args:
        photo: a path, or an address with a scheme such as s3://.
        age, sex, site: as the list says; None where it says nothing.
    """

    photo: str
    age: str | None = None
    sex: str | None = None
    site: str | None = None


def is_address(source: str) -> bool:
    """Whether this is an address for fsspec, not a path of this machine."""
    return "://" in source


def list_rows(sources: Iterable[str]) -> list[PhotoRow]:
    """Photos in a fixed order.

    Args:
        sources: each a photo, a folder (of its own files; folders in it are not entered), a list (.csv or .parquet with a column
            `photo`, and perhaps `age`, `sex` and `site`), or the address of one of these. What is behind an address is listed
            by name; files of a local folder that hold no photo are left out.

    Raises:
        ValueError: nothing there, a list without a column of photos, or no photo at all.
    """
    rows: list[PhotoRow] = []
    for source in sources:
        before = len(rows)
        if source.lower().endswith(_LISTS):
            rows += _read_list(source)
        elif is_address(source):
            rows += _list_address(source)
        elif Path(source).is_dir():
            entries = sorted(p for p in Path(source).resolve().iterdir() if not _passed_over(p.name))
            rows += [PhotoRow(str(p)) for p in entries if p.is_file() and holds_photo(p)]
        else:
            rows.append(PhotoRow(str(Path(source).resolve())))
        if len(rows) == before:
            raise ValueError(
                f"{source} holds no photos. Expected a folder of photos, a list of them, or an address of either."
            )
    return rows


def digest_of_rows(rows: Sequence[PhotoRow]) -> str:
    """SHA-256 of a list: what tells whether parts are of the same photos in the same order."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(repr((row.photo, row.age, row.sex, row.site)).encode())
    return digest.hexdigest()


def fetch(photo: str) -> bytes | Path:
    """What is to be decoded: a path of this machine, or the bytes behind an address.

    Raises:
        OSError: nothing there, or it cannot be reached.
    """
    if not is_address(photo):
        return Path(photo)
    file_system, path = _open_address(photo)
    return file_system.cat_file(path)


def _open_address(address: str):
    """The file system behind an address, and the path within it."""
    try:
        import fsspec

        return fsspec.core.url_to_fs(address)
    except ImportError as error:
        raise ValueError(
            f"{address} cannot be reached: {error}. fsspec and s3fs come with the extra `scale`: pip install 'melascope[scale]'."
        ) from None
    except ValueError as error:
        raise ValueError(
            f"{address} cannot be reached: {error}. Expected an address that fsspec knows, such as s3://."
        ) from None


def _list_address(address: str) -> list[PhotoRow]:
    file_system, path = _open_address(address)
    try:
        if file_system.isfile(path):
            return [PhotoRow(address)]
        entries = file_system.ls(path, detail=True)
    except OSError as error:
        raise ValueError(f"{address} cannot be listed: {str(error) or type(error).__name__}.") from None
    names = sorted(
        e["name"] for e in entries if e["type"] == "file" and not _passed_over(posixpath.basename(e["name"]))
    )
    return [PhotoRow(file_system.unstrip_protocol(name)) for name in names]


def _read_list(source: str) -> list[PhotoRow]:
    import pandas as pd

    read = pd.read_parquet if source.lower().endswith(".parquet") else pd.read_csv
    try:
        if is_address(source):
            file_system, path = _open_address(source)
            with file_system.open(path, "rb") as file:
                table = read(file)
        else:
            table = read(source)
    except OSError as error:
        raise ValueError(f"{source} cannot be read: {error.strerror or error}.") from None
    except Exception as error:  # noqa: BLE001 - pandas and pyarrow have many names for a damaged table
        raise ValueError(f"{source} is no list of photos: {str(error).splitlines()[0]}") from None
    names = {str(column).strip().lower(): column for column in table.columns}
    places = {key: next((names[word] for word in words if word in names), None) for key, words in _COLUMNS.items()}
    if places["photo"] is None:
        raise ValueError(
            f"{source} has no column of photos: it has {', '.join(map(str, table.columns))}. "
            "Expected one called photo, path, file or image."
        )
    base = posixpath.dirname(source) if is_address(source) else str(Path(source).resolve().parent)
    columns = [
        [None] * len(table) if place is None else [_cell(value) for value in table[place]] for place in places.values()
    ]
    rows = []
    for number, (photo, age, sex, site) in enumerate(zip(*columns, strict=True), 1):
        if photo is None:
            raise ValueError(f"{source}, row {number}, names no photo. Fill it in, or remove the row.")
        rows.append(PhotoRow(_against(base, photo), age, sex, site))
    return rows


def _against(base: str, photo: str) -> str:
    """A list's photo, relative to where the list lies."""
    if is_address(photo):
        return photo
    return posixpath.join(base, photo) if is_address(base) else str(Path(base) / photo)


def _cell(value) -> str | None:
    text = "" if value is None or value != value else str(value).strip()
    return text or None


def _passed_over(name: str) -> bool:
    return name.startswith(".") or name.lower() in _CLUTTER
