"""Real photos beside the numbers: a HAM10000 folder from `HAM10000_DIR` or chosen by a person, or photos fetched from the archive."""

import os
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from core.archive.photos import Credit, fetched_folder, fetched_photos, read_credit
from core.data.images import UnreadablePhoto, photo_hash, read_photo
from core.data.photo_files import PHOTO_SUFFIXES, walk
from core.data.tables.table_file import InvalidDataset
from core.folders import CannotWrite
from core.webapp.shared.photo.allowed import FOLDER_VARIABLE, NOT_ALLOWED, is_allowed
from core.webapp.shared.photo.in_use import Photo
from core.webapp.shared.photo.kept import keep
from core.webapp.shared.words import plain

ARCHIVE = "https://api.isic-archive.com/images/{}/"
UNUSABLE = (
    "{folder} cannot be used. Expected the unpacked HAM10000 download: a table such as HAM10000_metadata.csv, and the photos beside it "
    "or in folders below. On that computer `python -m core data check FOLDER` says what is missing."
)
_CHOSEN, _FIELD = "photo folder", "photo folder field"
# Files beside the photos that are looked at for changes: tables. More than this is no folder of photos.
_WATCHED = 64


@dataclass(frozen=True, eq=False)
class PhotoFolder:
    """A folder of real photos.

    Args:
        folder: in HAM10000 layout.
        paths: image_id -> path of the photo; those that the folder lacks are left out.
        masks: image_id -> path of the lesion's mask, likewise.
        watched: folders and tables with the times when they were changed last: as long as these stay, so does all the rest.
    """

    folder: Path
    paths: dict[str, str]
    masks: dict[str, str]
    watched: tuple[tuple[str, int], ...] = ()

    @property
    def is_current(self) -> bool:
        """Whether nothing was added, removed or edited since; a handful of look-ups, however many photos there are."""
        return all(_stamp(path) == stamp for path, stamp in self.watched)


def read_folder(folder: str | Path) -> PhotoFolder:
    """Looks through a HAM10000 folder.

    Raises:
        InvalidDataset: no folder, no metadata, metadata that cannot be used, or no photo in it.
    """
    from core.data.ham10000 import read_table  # with pandas, which a reading without photos beside it does not need

    place = Path(folder).expanduser()
    watched = _watch(place)  # before it is read: what changes meanwhile is seen next time
    table = read_table(place)
    there = table[table.path != ""]
    if there.empty:
        raise InvalidDataset(
            f"{folder} has the metadata of {len(table):,} photos, but none of the photos. Expected the unpacked HAM10000 download, "
            "with its JPEGs in HAM10000_images_part_1 and _part_2. See README, 'Get the data'."
        )
    masked = table[table["mask"] != ""]
    return PhotoFolder(
        place,
        dict(zip(there.image_id, there.path, strict=True)),
        dict(zip(masked.image_id, masked["mask"], strict=True)),
        watched,
    )


def photo_folder() -> PhotoFolder | None:
    """The folder in use: the one chosen in this session, else `HAM10000_DIR`, else photos that were fetched; None without any."""
    return open_folder(_wanted())[0] or fetched()


def fetched() -> PhotoFolder | None:
    """Photos that were fetched from the archive, without masks; None where there are none."""
    try:
        folder = fetched_folder()
    except CannotWrite:
        return None
    return _fetched(str(folder), _stamp(str(folder)))


def find_photo(image_id: str) -> Path | None:
    """Where a photo lies, in the folder in use or among those fetched; None without it."""
    for photos in (photo_folder(), fetched()):
        if photos and (path := photos.paths.get(image_id)):
            return Path(path)
    return None


def photo_credit(image_id: str) -> Credit | None:
    """Whose a photo is, where it was fetched and is shown; None of one in a folder, whose owner knows."""
    path = find_photo(image_id)
    try:
        return read_credit(image_id) if path and path.parent == fetched_folder() else None
    except CannotWrite:
        return None


def find_mask(image_id: str) -> Path | None:
    """Where a photo's lesion mask lies, or None without it."""
    folder = photo_folder()
    path = folder.masks.get(image_id) if folder else None
    return Path(path) if path else None


def load_photo(image_id: str) -> Photo | None:
    """A photo of the folder in use, decoded; None where it is missing or cannot be read."""
    path = find_photo(image_id)
    if path is None:
        return None
    try:
        return keep((str(path), path.stat().st_mtime_ns), lambda: _decoded(path), lambda photo: photo.pixels.nbytes)
    except (UnreadablePhoto, OSError):
        return None


def archive_link(image_id: str) -> str:
    """Where the ISIC archive shows a photo."""
    return ARCHIVE.format(image_id)


def ask_folder() -> PhotoFolder | None:
    """Offers to choose the folder of real photos, and says what is wrong with the one that was chosen.

    Returns:
        The folder in use, or None: then the page goes on without photos.
    """
    wanted = _wanted()
    opened, problem = open_folder(wanted)
    got = fetched()
    if opened:
        label = f"Photos: {len(opened.paths):,} found"
    else:
        label = f"Photos: {len(got.paths):,} fetched from the archive" if got else "Photos: none here"
    with st.expander(label, icon=":material/photo_library:", expanded=bool(problem)):
        st.text_input(
            "Folder with the HAM10000 photos, on the computer that runs Melascope",
            value=wanted,
            key=_FIELD,
            on_change=_choose,
            placeholder="~/ham10000",
            help=f"The unpacked HAM10000 download: its metadata and photos. The variable {FOLDER_VARIABLE} names it for every session.",
        )
        if problem:
            st.error(plain(problem), icon=":material/folder_off:")
        elif opened is None:
            st.caption(
                "All of HAM10000: `python -m core data get FOLDER`, some 3 GB. Single cases: the button *Get photos* beside them."
            )
        else:
            st.caption(
                f"{len(opened.paths):,} photos and {len(opened.masks):,} lesion masks. They stay on this computer."
            )
    return opened or got


def _wanted() -> str:
    chosen = st.session_state.get(_CHOSEN)
    return os.environ.get(FOLDER_VARIABLE, "") if chosen is None else chosen


def _choose() -> None:
    st.session_state[_CHOSEN] = st.session_state[_FIELD].strip()


def open_folder(folder: str) -> tuple[PhotoFolder | None, str]:
    """A folder, looked through once, or the sentence why it cannot be used; neither where none is named."""
    if not folder:
        return None, ""
    if not is_allowed(folder):
        return None, NOT_ALLOWED
    try:
        opened = _kept(folder)
        if not opened.is_current:
            _kept.clear(folder)
            opened = _kept(folder)
        return opened, ""
    except (ValueError, OSError, RuntimeError):
        # Why not is for those who own the computer: what lies in its folders is nobody's business who opens this page.
        return None, UNUSABLE.format(folder=folder.replace("\0", ""))


def _watch(place: Path) -> tuple[tuple[str, int], ...]:
    """The folder, those below it, and the files among the photos that may be tables, with the times of their last change."""
    folders, tables = [], []
    for folder, names in walk(place):
        folders.append(str(folder))
        tables += [str(folder / name) for name in names if Path(name).suffix.lower() not in PHOTO_SUFFIXES]
    return tuple((path, _stamp(path)) for path in (*folders, *tables[:_WATCHED]))


def _stamp(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return -1


@st.cache_resource(max_entries=2, show_spinner=False)
def _fetched(folder: str, stamp: int) -> PhotoFolder | None:
    there = fetched_photos(Path(folder))
    return PhotoFolder(Path(folder), {image_id: str(path) for image_id, path in there.items()}, {}) if there else None


@st.cache_resource(max_entries=4, show_spinner="Looking through the photos")
def _kept(folder: str) -> PhotoFolder:
    return read_folder(folder)


def _decoded(path: Path) -> Photo:
    pixels = read_photo(path)
    pixels.flags.writeable = False
    return Photo(pixels, photo_hash(pixels))
