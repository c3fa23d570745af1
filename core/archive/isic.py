"""Photos of the ISIC Archive by its public interface: where each lies, under which licence, and whose it is.

Reference: https://api.isic-archive.com/api/docs/swagger/ and its source, ImageMarkup/isic (isic/core/api/image.py).
"""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from core.archive.web import FetchFailed, Web

ARCHIVE_VARIABLE = "MELASCOPE_ISIC_ARCHIVE"
ARCHIVE = "https://api.isic-archive.com"
# What the archive calls its licences -> words and where they stand.
LICENCES: dict[str, tuple[str, str]] = {
    "CC-0": ("CC0 1.0", "https://creativecommons.org/publicdomain/zero/1.0/"),
    "CC-BY": ("CC BY 4.0", "https://creativecommons.org/licenses/by/4.0/"),
    "CC-BY-NC": ("CC BY-NC 4.0", "https://creativecommons.org/licenses/by-nc/4.0/"),
}
_ID = re.compile(r"ISIC_\d{7}")
ASKED = 25  # ids in one request: an address of some 600 characters
PAGES = 20  # of one answer, at most
MOST_BYTES = 100_000_000  # of one photo


@dataclass(frozen=True)
class RemoteFile:
    """Where a file lies, and how many bytes it has."""

    address: str
    size: int


@dataclass(frozen=True)
class ArchivePhoto:
    """What the archive says of a photo.

    Args:
        id: such as ISIC_0024306.
        licence: as the archive words it, such as "CC-BY-NC".
        attribution: whose the photo is.
        full, thumbnail: the files; their addresses are signed and soon out of date.
    """

    id: str
    licence: str
    attribution: str
    full: RemoteFile
    thumbnail: RemoteFile


def archive_address() -> str:
    """The archive's interface: `MELASCOPE_ISIC_ARCHIVE`, or the archive itself."""
    return os.environ.get(ARCHIVE_VARIABLE, "").strip().rstrip("/") or ARCHIVE


def is_archive_id(image_id: str) -> bool:
    """Whether this is an id of the archive."""
    return bool(_ID.fullmatch(image_id))


def find_photos(web: Web, ids: Iterable[str]) -> dict[str, ArchivePhoto]:
    """Looks photos up, some at a time.

    Returns:
        id -> photo; those that the archive does not show are left out.

    Raises:
        FetchFailed: no answer, or none that can be used.
    """
    wanted = [i for i in dict.fromkeys(ids) if is_archive_id(i)]
    photos = {}
    for start in range(0, len(wanted), ASKED):
        asked = wanted[start : start + ASKED]
        query = quote(" OR ".join(f"isic_id:{i}" for i in asked))
        address = f"{archive_address()}/api/v2/images/search/?query={query}&limit={2 * ASKED}"
        for _ in range(PAGES):
            page = web.json(address)
            if not isinstance(page, dict) or not isinstance(page.get("results"), list):
                raise FetchFailed(
                    f"{archive_address()} answered without a list of photos. Has its interface changed? {_UPDATE}"
                )
            for record in page["results"]:
                photo = _read_photo(record)
                if photo.id in asked:
                    photos[photo.id] = photo
            if not page.get("next"):
                break
            # Only its path: the archive's own words about its name and port need not be those by which we reached it.
            after = urlsplit(str(page["next"]))
            address = f"{archive_address()}{after.path}?{after.query}"
    return photos


_UPDATE = "Update Melascope, or write to its maintainers."


def _read_photo(record: object) -> ArchivePhoto:
    try:
        return ArchivePhoto(
            id=_text(record, "isic_id"),
            licence=_text(record, "copyright_license"),
            attribution=_text(record, "attribution"),
            full=_read_file(record, "full"),
            thumbnail=_read_file(record, "thumbnail_256"),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise FetchFailed(
            f"{archive_address()} describes a photo in a way that is not understood ({type(error).__name__}: {error}). {_UPDATE}"
        ) from None


def _text(record, name: str) -> str:
    value = record[name]
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"no {name}")
    return " ".join(value.split())[:500]


def _read_file(record, name: str) -> RemoteFile:
    file: Mapping = record["files"][name]
    address, size = file["url"], int(file["size"])
    if urlsplit(address).scheme not in ("https", "http") or not 0 < size <= MOST_BYTES:
        raise ValueError(f"{name} has the address {address!r:.60} and {size:,} bytes")
    return RemoteFile(address, size)
