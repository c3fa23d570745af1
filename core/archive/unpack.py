"""Unpacking a zip file that nobody has checked: photos only, below one folder, and no more than was announced."""

import shutil
import stat
import zipfile
from pathlib import Path, PurePosixPath

from core.archive.web import FetchFailed
from core.data.photo_files import PHOTO_SUFFIXES
from core.files import folder_written_whole, make_folder, written_at

MOST_FILES = 200_000
MOST_BYTES = 200_000_000  # of one photo
# Photos are packed already: a zip that unpacks to much more than it has is none of photos.
MOST_GROWTH = 20
# What macOS and Windows leave in a zip.
_CLUTTER = ("__MACOSX", "Thumbs.db", ".DS_Store")


class UnsafeZip(FetchFailed):
    """A zip file that is damaged, or that would write elsewhere or without end."""


def unpack_photos(archive: str | Path, folder: str | Path) -> int:
    """Unpacks the photos of a zip file into a folder, which appears whole or not at all.

    A folder in which all of them lie within the zip is left out.

    Args:
        archive: the zip file.
        folder: takes the place of one that is there.

    Returns:
        How many photos there are.

    Raises:
        UnsafeZip: not a zip, damaged, encrypted, or with entries that no zip of photos has; nothing is unpacked then.
        CannotWrite: the disk is full.
    """
    archive, folder = Path(archive), Path(folder)
    make_folder(folder.parent)
    try:
        with zipfile.ZipFile(archive) as packed:
            entries = _entries(packed, archive)
            with folder_written_whole(folder) as scratch:
                for entry, name in entries:
                    target = scratch / name
                    with written_at(target):
                        target.parent.mkdir(parents=True, exist_ok=True)
                    _unpack(packed, entry, target, archive)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, RuntimeError) as error:
        raise UnsafeZip(f"{archive.name} is no whole zip file ({error}). Delete it and fetch it again.") from None
    return len(entries)


def _entries(packed: zipfile.ZipFile, archive: Path) -> list[tuple[zipfile.ZipInfo, str]]:
    """What is to be unpacked, and under which name; looked through before anything is written."""
    every = packed.infolist()
    if len(every) > MOST_FILES:
        raise UnsafeZip(f"{archive.name} holds {len(every):,} entries. Expected at most {MOST_FILES:,}.")
    chosen = []
    for entry in every:
        path = PurePosixPath(entry.filename)
        inside = not path.is_absolute() and ".." not in path.parts and ":" not in entry.filename
        if (
            not inside
            or "\\" in entry.filename
            or "\0" in entry.orig_filename
            or stat.S_ISLNK(entry.external_attr >> 16)
        ):
            raise UnsafeZip(
                f"{archive.name} has the entry {entry.filename!r:.80}, which leads out of the folder. Nothing of it was unpacked."
            )
        if entry.is_dir() or any(p in _CLUTTER or p.startswith(".") for p in path.parts):
            continue
        if path.suffix.lower() not in PHOTO_SUFFIXES:
            continue
        if entry.flag_bits & 1:
            raise UnsafeZip(f"{archive.name} is encrypted. Nothing of it was unpacked.")
        if entry.file_size > MOST_BYTES:
            raise UnsafeZip(
                f"{archive.name} has {entry.filename!r:.80} of {entry.file_size / 1e6:,.0f} MB: that is no photo."
            )
        chosen.append((entry, path))
    total, has = sum(entry.file_size for entry, _ in chosen), archive.stat().st_size
    if total > MOST_GROWTH * has:
        raise UnsafeZip(
            f"{archive.name} has {has / 1e6:,.1f} MB and would unpack to {total / 1e6:,.0f} MB: photos do not. Nothing was unpacked."
        )
    if not chosen:
        raise UnsafeZip(f"{archive.name} holds no photo. Expected files such as ISIC_0024306.jpg.")
    tops = {path.parts[0] if len(path.parts) > 1 else "" for _, path in chosen}
    first = 1 if len(tops) == 1 and "" not in tops else 0
    named = [(entry, str(PurePosixPath(*path.parts[first:]))) for entry, path in chosen]
    names = [name.casefold() for _, name in named]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise UnsafeZip(f"{archive.name} holds {twice!r:.80} twice. Nothing of it was unpacked.")
    return named


def _unpack(packed: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, archive: Path) -> None:
    """One photo; its announced size is what is read at most, and zipfile checks its checksum."""
    with packed.open(entry) as source, written_at(target), open(target, "wb") as file:
        shutil.copyfileobj(source, file, 1 << 20)
    if target.stat().st_size != entry.file_size:
        raise UnsafeZip(
            f"{archive.name}: {entry.filename!r:.80} has another size than announced. Nothing of it was kept."
        )
