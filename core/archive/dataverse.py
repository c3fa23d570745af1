"""All of HAM10000, and the official test photos of ISIC 2018 task 3, from the Harvard Dataverse.

Reference: Tschandl P., "The HAM10000 dataset", Harvard Dataverse, doi:10.7910/DVN/DBW86T. The interface: guides.dataverse.org,
"Native API" (a data set's files) and "Data Access API" (a file; tables that were taken apart come as they were given by
`format=original`, and their checksum is that of the original).
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from core.archive.unpack import unpack_photos
from core.archive.web import FetchFailed, Web
from core.data.photo_files import MASK_FOLDER, PHOTO_SUFFIXES, TEST_FOLDER
from core.files import locked, make_folder, write_text
from core.folders import CannotWrite

DATAVERSE_VARIABLE = "MELASCOPE_DATAVERSE"
DATAVERSE = "https://dataverse.harvard.edu"
DOI = "doi:10.7910/DVN/DBW86T"
LICENCE = "CC BY-NC 4.0"
# What is unpacked already: written after each file, so that a command that was stopped goes on.
STATE_FILE = ".melascope-download.json"
TEST_TABLE = "ISIC2018_Task3_Test_GroundTruth"
_SPARE = 1.02  # of the disk, beyond what is announced
_HASHES = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-512": "sha512"}
_DIGEST = re.compile(r"[0-9a-fA-F]{32,128}")


@dataclass(frozen=True)
class Wanted:
    """A file of the data set that is fetched.

    Args:
        names: under which the Dataverse may list it, without suffix.
        place: below the data set's folder: a table's file, or the folder that a zip is unpacked into.
        packed: a zip of photos.
        test: belongs to the official test.
    """

    names: tuple[str, ...]
    place: str
    packed: bool = True
    test: bool = False


WANTED = (
    Wanted(("HAM10000_metadata",), "HAM10000_metadata.csv", packed=False),
    Wanted(("HAM10000_images_part_1", "HAM10000_images_part1"), "HAM10000_images_part_1"),
    Wanted(("HAM10000_images_part_2", "HAM10000_images_part2"), "HAM10000_images_part_2"),
    Wanted((MASK_FOLDER,), MASK_FOLDER),
    Wanted((TEST_TABLE,), f"{TEST_FOLDER}/{TEST_TABLE}.csv", packed=False, test=True),
    Wanted(("ISIC2018_Task3_Test_Images",), f"{TEST_FOLDER}/ISIC2018_Task3_Test_Images", test=True),
)


@dataclass(frozen=True)
class Listed:
    """A file as the Dataverse lists it.

    Args:
        id: of the file.
        name: without suffix.
        size: in bytes, of what is fetched.
        checksum: name for `hashlib` and digest.
        taken_apart: a table, fetched as it was given.
    """

    id: int
    name: str
    size: int | None
    checksum: tuple[str, str]
    taken_apart: bool

    @property
    def address(self) -> str:
        """Where it is fetched."""
        return f"{dataverse_address()}/api/access/datafile/{self.id}{'?format=original' if self.taken_apart else ''}"


def dataverse_address() -> str:
    """The Dataverse: `MELASCOPE_DATAVERSE`, or Harvard's."""
    return os.environ.get(DATAVERSE_VARIABLE, "").strip().rstrip("/") or DATAVERSE


def list_files(web: Web) -> dict[str, Listed]:
    """The data set's files, by name without suffix. Raises `FetchFailed`."""
    answer = web.json(f"{dataverse_address()}/api/datasets/:persistentId/?persistentId={DOI}")
    try:
        files = [_read_listed(one) for one in answer["data"]["latestVersion"]["files"]]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FetchFailed(
            f"{dataverse_address()} lists the files of {DOI} in a way that is not understood ({type(error).__name__}: {error}). Update "
            f"Melascope, or download them by hand: https://doi.org/{DOI.removeprefix('doi:')}."
        ) from None
    return {one.name: one for one in files}


def get_dataset(
    folder: str | Path,
    test: bool = True,
    web: Web | None = None,
    progress: Callable[[int, int | None, str], None] | None = None,
) -> dict[str, int]:
    """Fetches, checks and unpacks what is not there yet, one file after the other.

    Args:
        folder: of the data set; the official test gets a folder of its own in it.
        test: whether the official test is wanted.
        progress: called with (bytes done, bytes of this file, what is done).

    Returns:
        Place below the folder -> how many photos it holds now (0 for a table).

    Raises:
        FetchFailed: something cannot be fetched or unpacked; the next call goes on there.
        CannotWrite: there is no room, or no permission.
    """
    folder, web = make_folder(folder), web or Web()
    say = progress or (lambda done, total, doing: None)
    wanted = [one for one in WANTED if test or not one.test]
    with locked(folder):
        listed = list_files(web)
        files = {one.place: _find(listed, one) for one in wanted}
        state = _read_state(folder)
        _check_room(folder, [files[one.place] for one in wanted if not _is_done(folder, one, files[one.place], state)])
        counts = {}
        for one in wanted:
            file, place = files[one.place], folder / one.place
            if not _is_done(folder, one, file, state):
                target = place.with_name(f"{place.name}.zip") if one.packed else place
                if not _is_whole(target, file):
                    web.file(
                        file.address,
                        target,
                        file.size,
                        file.checksum,
                        lambda done, total, name=target.name: say(done, total, f"Fetching {name}"),
                    )
                count = 0
                if one.packed:
                    say(0, None, f"Unpacking {target.name}")
                    count = unpack_photos(target, place)
                state[one.place] = {"checksum": file.checksum[1], "photos": count}
                write_text(folder / STATE_FILE, json.dumps(state, indent=1) + "\n")
                if one.packed:
                    target.unlink()
            counts[one.place] = state[one.place]["photos"]
    return counts


# ---- details ----


def _read_listed(record: Mapping) -> Listed:
    file = record["dataFile"]
    taken_apart = bool(file.get("tabularData") or file.get("originalFileFormat"))
    name = (
        str(file.get("originalFileName") or record.get("label") or file["filename"])
        if taken_apart
        else str(file["filename"])
    )
    checksum = file.get("checksum") or {"type": "MD5", "value": file["md5"]}
    digest = str(checksum["value"])
    if not _DIGEST.fullmatch(digest):
        raise ValueError(f"{name} has the checksum {digest!r:.60}")
    size = file.get("originalFileSize") if taken_apart else file["filesize"]
    return Listed(
        id=int(file["id"]),
        name=re.sub(r"\.(zip|csv|tab|tsv|txt)$", "", name, flags=re.IGNORECASE),
        size=None if size is None else int(size),
        checksum=(_HASHES[str(checksum["type"])], digest.lower()),
        taken_apart=taken_apart,
    )


def _find(listed: Mapping[str, Listed], wanted: Wanted) -> Listed:
    by_name = {name.casefold(): one for name, one in listed.items()}
    for name in wanted.names:
        if file := by_name.get(name.casefold()):
            return file
    raise FetchFailed(
        f"{dataverse_address()} lists no {wanted.names[0]} in {DOI}, but: {', '.join(sorted(listed)) or 'nothing'}. Update Melascope, or "
        "download it by hand."
    )


def _read_state(folder: Path) -> dict[str, dict]:
    """What earlier calls have done; nothing where that cannot be read."""
    try:
        state = json.loads((folder / STATE_FILE).read_text(encoding="utf-8"))
        return {str(k): {"checksum": str(v["checksum"]), "photos": int(v["photos"])} for k, v in state.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _is_done(folder: Path, wanted: Wanted, file: Listed, state: Mapping[str, dict]) -> bool:
    """Whether an earlier call has finished this file, and all of it is still there."""
    known, place = state.get(wanted.place), folder / wanted.place
    if known is None or known["checksum"] != file.checksum[1]:
        return False
    if not wanted.packed:
        return _is_whole(place, file)
    return sum(path.suffix.lower() in PHOTO_SUFFIXES for path in place.rglob("*")) == known["photos"]


def _is_whole(path: Path, file: Listed) -> bool:
    if not path.is_file():
        return False
    with open(path, "rb") as opened:
        return hashlib.file_digest(opened, file.checksum[0]).hexdigest() == file.checksum[1]


def _check_room(folder: Path, files: Iterable[Listed]) -> None:
    """That the disk has room: for all unpacked, and the largest zip beside them. Raises `CannotWrite`."""
    sizes = [file.size or 0 for file in files]
    needed = int(_SPARE * (sum(sizes) + max(sizes, default=0)))
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise CannotWrite(
            f"{folder} needs {needed / 1e9:,.1f} GB for the photos, and its disk has {free / 1e9:,.1f} GB. Make room, or choose another "
            "folder."
        )
