"""The photos of cases, as wall and phones show them: from this machine, as new JPEGs without the file's name and notes."""

import io
import os
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import streamlit as st
from PIL import Image

from core.data.images import UnreadablePhoto, read_photo
from core.teaching.advice import Advice
from core.teaching.case_sets.record import OWN_PHOTOS, CaseSet, TeachingCase
from core.teaching.case_sets.sources import find_own_photos
from core.webapp.shared.failures import FAILURES, failure
from core.webapp.shared.photo.allowed import FOLDER_VARIABLE, is_allowed
from core.webapp.shared.photo.folder import fetched, open_folder
from core.webapp.shared.photo.kept import ByteBound
from core.webapp.shared.photo.models import await_model
from core.webapp.shared.shelf import read_shelf

SIDE = 1000  # pixels of the longer side; Streamlit leaves smaller pictures alone
QUALITY = 88
MAP_OPACITY = 0.45
LONGEST_WAIT = 60.0  # seconds
_MOST_BYTES, _EVERYBODY = 120_000_000, "everybody"


@dataclass
class _Pictures:
    """One for the server: the folder that the teacher chose, and what was made of its photos."""

    folder: str = ""
    kept: ByteBound = field(default_factory=lambda: ByteBound(_MOST_BYTES))
    maps: dict[tuple, Future] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    # One thread: maps are made one after the other, and never while sixty phones wait for a page.
    maker: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="melascope-maps")
    )


def chosen_folder() -> str:
    """The folder of photos for everybody on this server: what a teacher chose on the page, else the variable."""
    return _pictures().folder or os.environ.get(FOLDER_VARIABLE, "")


def choose_folder(folder: str) -> None:
    """Takes photos from this folder from now on, for everybody on this server."""
    _pictures().folder = folder.strip()


def find_path(case: TeachingCase) -> Path | None:
    """Where the photo of a case lies on this machine, or None without it."""
    folder = chosen_folder()
    if case.source == OWN_PHOTOS:
        place = Path(folder).expanduser()
        with suppress(OSError):
            return _own_photos(str(place), place.stat().st_mtime_ns, case) if folder and is_allowed(folder) else None
        return None
    for photos in (open_folder(folder)[0], fetched()):
        if photos and (path := photos.paths.get(case.id)):
            return Path(path)
    return None


def missing_photos(cases: CaseSet) -> list[str]:
    """Ids of the cases whose photo is not on this machine."""
    return [case.id for case in cases.cases if find_path(case) is None]


def photo_jpeg(case: TeachingCase) -> bytes | None:
    """The photo to be sent; None where it is missing or cannot be read."""
    path = find_path(case)
    if path is None:
        return None
    try:
        key = "photo", str(path), path.stat().st_mtime_ns
        return _pictures().kept.get(key, _EVERYBODY, lambda: to_jpeg(_small(read_photo(path))), len)
    except (UnreadablePhoto, OSError):
        return None


def map_jpeg(case: TeachingCase, advice: Advice | None) -> bytes | str | None:
    """Where the network looked, laid over the photo; None while it is made.

    Returns:
        The picture, or the sentence why there is none, or None: ask again.
    """
    path = find_path(case)
    if advice is None or path is None:
        return "There is no map: it needs the photo and the network's answer."
    card = read_shelf().models.get(advice.model)
    if card is None:
        return f"There is no map: the network {advice.model} is not on this computer."
    pictures = _pictures()
    key = str(path), advice.model, card.probabilities_sha256, advice.answer
    with pictures.lock:
        making = pictures.maps.get(key)
        if making is None:
            while len(pictures.maps) > 300:
                pictures.maps.pop(next(iter(pictures.maps)))
            folder = read_shelf().folder(advice.model)
            making = pictures.maps[key] = pictures.maker.submit(_make_map, folder, card, path, case, advice.answer)
    return making.result() if making.done() else None


def wait_for_map(case: TeachingCase, advice: Advice | None) -> bytes | str:
    """As `map_jpeg`, for one person alone: waits until it is made."""
    with st.spinner("The network's map is being drawn"):
        end = time.monotonic() + LONGEST_WAIT
        while (made := map_jpeg(case, advice)) is None and time.monotonic() < end:
            time.sleep(0.1)
    return made or "The map takes too long; it is there when you come back."


def prepare_map(case: TeachingCase, advice: Advice | None) -> None:
    """Begins to make a map that will soon be shown."""
    map_jpeg(case, advice)


def to_jpeg(pixels: np.ndarray) -> bytes:
    """A new file: nothing of the photo's own file but its pixels."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=QUALITY)
    return file.getvalue()


def draw_photo(jpeg: bytes | None, alt: str, caption: str) -> None:
    """A photo with its licence, or the sentence that it is missing."""
    if jpeg is None:
        st.info(
            "The photo of this case is not on the computer that runs the class. The teacher can get it or name its folder.",
            icon=":material/hide_image:",
        )
        st.caption(caption)
    else:
        st.image(jpeg, caption=caption, alt=alt, width="stretch", output_format="JPEG")


@st.cache_resource(show_spinner=False)
def _pictures() -> _Pictures:
    return _Pictures()


def _own_photos(folder: str, changed: int, case: TeachingCase) -> Path | None:
    return _own(folder, changed, case.sha256, case)


@st.cache_resource(max_entries=2000, show_spinner=False)
def _own(folder: str, changed: int, sha256: str, _case: TeachingCase) -> Path | None:
    return find_own_photos(CaseSet("One case", (_case,)), folder).get(_case.id)


def _small(pixels: np.ndarray) -> np.ndarray:
    image = Image.fromarray(pixels)
    image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    return np.asarray(image)


def _make_map(folder: Path, card, path: Path, case: TeachingCase, target: str) -> bytes | str:
    """Runs in the thread of maps."""
    from core.reading import read_lesion

    try:
        bundle = await_model(folder, card).network_without(case.id)
        reading = read_lesion(bundle, read_photo(path), case.facts, target=target, opacity=MAP_OPACITY, side=SIDE)
        return to_jpeg(_small(reading.heatmap_overlay))
    except FAILURES as error:
        return f"There is no map. {failure(error)}"
