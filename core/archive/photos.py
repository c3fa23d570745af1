"""Photos that were fetched: in the user's data folder, each with a thumbnail, its licence and its attribution beside it."""

import contextlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from core.archive.isic import LICENCES, ArchivePhoto, RemoteFile, find_photos, is_archive_id
from core.archive.web import Denied, FetchFailed, NotThere, Web
from core.files import locked, make_folder, write_text
from core.folders import data_root
from core.threads import Progress

PHOTOS, THUMBNAILS = "photos", "thumbnails"
# What the archive's photos of HAM10000 have on average, to say beforehand how much will come.
USUAL_BYTES = 290_000


@dataclass(frozen=True)
class Credit:
    """Whose a photo is, and what may be done with it.

    Args:
        licence: in words, such as "CC BY-NC 4.0".
        address: where the licence stands; "" where that is not known.
        attribution: whose the photo is.
    """

    licence: str
    address: str
    attribution: str


@dataclass(frozen=True)
class Fetched:
    """What came of fetching photos.

    Args:
        new: ids of those that were fetched now.
        lacking: ids of those that the archive does not have.
    """

    new: tuple[str, ...]
    lacking: tuple[str, ...]


def fetched_folder() -> Path:
    """Where fetched photos lie. Raises `CannotWrite` where there is no home folder."""
    return data_root() / PHOTOS


def fetched_photos(folder: Path | None = None) -> dict[str, Path]:
    """Every fetched photo, by id."""
    folder = folder or fetched_folder()
    try:
        names = sorted(entry.name for entry in os.scandir(folder))
    except OSError:
        return {}
    return {name[:-4]: folder / name for name in names if name.endswith(".jpg") and is_archive_id(name[:-4])}


def fetched_thumbnail(image_id: str, folder: Path | None = None) -> Path | None:
    """A fetched photo's thumbnail, or None without it."""
    path = (folder or fetched_folder()) / THUMBNAILS / f"{image_id}.jpg"
    return path if path.is_file() else None


def read_credit(image_id: str, folder: Path | None = None) -> Credit | None:
    """Whose a fetched photo is; None where that is not known."""
    try:
        record = json.loads(((folder or fetched_folder()) / f"{image_id}.json").read_text(encoding="utf-8"))
        licence, attribution = str(record["licence"]), str(record["attribution"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return Credit(*LICENCES.get(licence, (licence, "")), attribution)


def fetch_photos(
    ids: Iterable[str],
    folder: Path | None = None,
    web: Web | None = None,
    progress: Progress | None = None,
) -> Fetched:
    """Fetches photos that are not there yet, each with its thumbnail; each counts as soon as it is whole.

    Another process that fetches into the same folder is waited for, and what it has fetched is not fetched again.

    Args:
        ids: of photos of the archive; others are told in `Fetched.lacking`.
        progress: called with (photos done, photos wanted).

    Raises:
        FetchFailed: the archive cannot be reached or used; what had come stays.
        CannotWrite: the folder takes nothing more.
    """
    folder = make_folder(folder or fetched_folder())
    make_folder(folder / THUMBNAILS)
    web = web or Web()
    ids = list(dict.fromkeys(ids))
    report = progress or (lambda done, total: None)
    with locked(folder):
        there = fetched_photos(folder)
        wanted = [i for i in ids if i not in there]
        done = len(ids) - len(wanted)
        report(done, len(ids))
        photos = find_photos(web, wanted) if wanted else {}
        new = []
        for photo in photos.values():
            # First whose it is: no photo lies there without it.
            record = {"id": photo.id, "licence": photo.licence, "attribution": photo.attribution}
            write_text(folder / f"{photo.id}.json", json.dumps(record, indent=1, ensure_ascii=False) + "\n")
            with contextlib.suppress(NotThere):  # it is a convenience
                _fetch(web, photo, "thumbnail", folder / THUMBNAILS / f"{photo.id}.jpg")
            with contextlib.suppress(NotThere):
                _fetch(web, photo, "full", folder / f"{photo.id}.jpg")
                new.append(photo.id)
            report(done + len(new), len(ids))
    return Fetched(tuple(new), tuple(i for i in wanted if i not in new))


def _fetch(web: Web, photo: ArchivePhoto, kind: str, target: Path) -> None:
    """One file; where its signed address is out of date, by a new one."""
    if target.is_file():
        return
    file: RemoteFile = getattr(photo, kind)
    try:
        web.file(file.address, target, file.size)
    except Denied:
        again = find_photos(web, [photo.id]).get(photo.id)
        if again is None:
            raise
        file = getattr(again, kind)
        web.file(file.address, target, file.size)
    _check(target, photo.id)


def _check(path: Path, image_id: str) -> None:
    """That a photo is one. Raises `FetchFailed`, and keeps nothing."""
    from core.data.images import UnreadablePhoto, read_photo

    try:
        read_photo(path)
    except UnreadablePhoto as error:
        path.unlink(missing_ok=True)
        raise FetchFailed(
            f"What came for {image_id} is no photo ({error}). Nothing of it was kept; try again later."
        ) from None
