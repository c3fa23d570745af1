"""Real photos beside the numbers: a HAM10000 folder from `HAM10000_DIR`, or one that a person chose, looked through once."""

import os
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from core.data.ham10000 import InvalidDataset, read_table
from core.data.images import UnreadablePhoto, photo_hash, read_photo
from core.webapp.ask import Photo
from core.webapp.words import plain

VARIABLE = "HAM10000_DIR"
ARCHIVE = "https://api.isic-archive.com/images/{}/"
_CHOSEN, _FIELD = "photo folder", "photo folder field"
# A gallery's pages, small: decoded photos of 450 x 600 take 0.8 MB each.
_DECODED = 64


@dataclass(frozen=True, eq=False)
class PhotoFolder:
    """A folder of real photos.

    Args:
        folder: in HAM10000 layout.
        paths: image_id -> path of the photo; those that the folder lacks are left out.
        masks: image_id -> path of the lesion's mask, likewise.
    """

    folder: Path
    paths: dict[str, str]
    masks: dict[str, str]


def read_folder(folder: str | Path) -> PhotoFolder:
    """Looks through a HAM10000 folder.

    Raises:
        InvalidDataset: no folder, no metadata, metadata that cannot be used, or no photo in it.
    """
    table = read_table(Path(folder).expanduser())
    there = table[table.path != ""]
    if there.empty:
        raise InvalidDataset(
            f"{folder} has the metadata of {len(table):,} photos, but none of the photos. Expected the unpacked HAM10000 download, "
            "with its JPEGs in HAM10000_images_part_1 and _part_2. See README, 'Get the data'."
        )
    masked = table[table["mask"] != ""]
    return PhotoFolder(
        Path(folder).expanduser(),
        dict(zip(there.image_id, there.path, strict=True)),
        dict(zip(masked.image_id, masked["mask"], strict=True)),
    )


def photo_folder() -> PhotoFolder | None:
    """The folder in use: the one chosen in this session, else `HAM10000_DIR`; None where there is none that is usable."""
    return _try(_wanted())[0]


def find_photo(image_id: str) -> Path | None:
    """Where a photo lies, or None without it."""
    found = photo_folder()
    path = found.paths.get(image_id) if found else None
    return Path(path) if path else None


def find_mask(image_id: str) -> Path | None:
    """Where a photo's lesion mask lies, or None without it."""
    found = photo_folder()
    path = found.masks.get(image_id) if found else None
    return Path(path) if path else None


def load_photo(image_id: str) -> Photo | None:
    """A photo of the folder in use, decoded; None where it is missing or cannot be read."""
    path = find_photo(image_id)
    if path is None:
        return None
    try:
        return _decoded(str(path), path.stat().st_mtime_ns)
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
    found, problem = _try(wanted)
    label = f"Photos: {len(found.paths):,} found" if found else "Photos: none here"
    with st.expander(label, icon=":material/photo_library:", expanded=bool(problem)):
        st.text_input(
            "Folder with the HAM10000 photos, on the computer that runs Melascope",
            value=wanted,
            key=_FIELD,
            on_change=_choose,
            placeholder="~/ham10000",
            help=f"The unpacked HAM10000 download: its metadata and photos. The variable {VARIABLE} names it for every session.",
        )
        if problem:
            st.error(plain(problem), icon=":material/folder_off:")
        elif found is None:
            st.caption("Without the photos every number stays; each case links to its photo in the ISIC archive.")
        else:
            st.caption(
                f"{len(found.paths):,} photos and {len(found.masks):,} lesion masks. They stay on this computer."
            )
    return found


def _wanted() -> str:
    chosen = st.session_state.get(_CHOSEN)
    return os.environ.get(VARIABLE, "") if chosen is None else chosen


def _choose() -> None:
    st.session_state[_CHOSEN] = st.session_state[_FIELD].strip()


def _try(folder: str) -> tuple[PhotoFolder | None, str]:
    """The folder, or the sentence why it cannot be used; neither where none is named."""
    if not folder:
        return None, ""
    place = Path(folder).expanduser()
    try:
        stamps = tuple(p.stat().st_mtime_ns for p in [place, *sorted(place.iterdir())])
    except OSError:
        stamps = ()
    try:
        return _kept(folder, stamps), ""
    except InvalidDataset as error:
        return None, str(error)
    except OSError as error:
        return None, f"{folder} cannot be read ({error.strerror}). Check the folder's permissions."


@st.cache_resource(max_entries=4, show_spinner="Looking through the photos")
def _kept(folder: str, stamps: tuple) -> PhotoFolder:
    return read_folder(folder)


@st.cache_resource(max_entries=_DECODED, show_spinner=False)
def _decoded(path: str, stamp: int) -> Photo:
    pixels = read_photo(path)
    pixels.flags.writeable = False
    return Photo(pixels, photo_hash(pixels))
