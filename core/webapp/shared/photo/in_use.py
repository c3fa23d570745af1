"""The photo that a session has in use: where it came from, what its file said, and its pixels as long as there is room."""

from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from core.data.drawn import draw_lesion
from core.data.framing.crop import Crop
from core.data.images import UnreadablePhoto, photo_hash, read_photo, read_photo_file
from core.data.patient import Facts
from core.interchange import read_header_facts
from core.webapp.shared.photo.kept import keep

UPLOAD, CAMERA, EXAMPLE, CASE = "Upload", "Camera", "Drawn example", "Opened case"
SOURCE = "source"
# Where a photo comes from -> the slot that holds it.
SLOTS: dict[str, str] = {UPLOAD: "uploader", CAMERA: "camera", CASE: "case"}
# Hash of a photo -> the square of it that is read.
_CROPS = "crops by photo"
_PHOTO, _PROBLEM = "photo from {}", "problem with {}"


@dataclass(frozen=True, eq=False)
class Photo:
    """A photo of this session; in memory only.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        hash: see `core.data.images.photo_hash`.
        notes: what could not be followed when it was read, such as a broken colour profile.
        about: what is known of it, in a sentence, such as a case's diagnosis; "" of an upload.
        crop: the square of the whole photo that these pixels are; None where they are all of it.
        of: hash of the whole photo; "" where these pixels are all of it.
    """

    pixels: np.ndarray
    hash: str
    notes: tuple[str, ...] = ()
    about: str = ""
    crop: Crop | None = None
    of: str = ""

    @property
    def whole_hash(self) -> str:
        """What the photo is known by however it is cropped, such as its patient's facts."""
        return self.of or self.hash

    @property
    def size(self) -> str:
        height, width = self.pixels.shape[:2]
        return f"{width} x {height} pixels"


@dataclass(frozen=True, eq=False)
class HeldFile:
    """A photo's file as it came: a session keeps the file, which is small, and its pixels are kept as long as there is room.

    Args:
        told: by a DICOM header.
        about: see `Photo`.
    """

    content: bytes
    name: str
    hash: str
    notes: tuple[str, ...]
    told: Facts = Facts()
    about: str = ""

    def photo(self) -> Photo:
        pixels = keep(("pixels", self.hash), lambda: read_only(read_photo(self.content, self.name)), lambda p: p.nbytes)
        return Photo(pixels, self.hash, self.notes, self.about)


def hold(slot: str, content: bytes, name: str, about: str = "") -> bool:
    """Reads a file into a slot. What the slot held before is gone in any case, so that no answer to another photo stays.

    Returns:
        Whether it is a photo; if not, `problem_of` has the sentence why.
    """
    drop(slot)
    try:
        read = read_photo_file(content, name)
        pixels = read_only(read.pixels)
        held = HeldFile(content, name, photo_hash(pixels), read.notes, read_header_facts(content, name), about)
        keep(("pixels", held.hash), lambda: pixels, lambda p: p.nbytes)
    except UnreadablePhoto as error:
        refuse(slot, str(error))
        return False
    except MemoryError:
        refuse(slot, f"{name} is too large for this computer's memory. Make the photo smaller.")
        return False
    st.session_state[_PHOTO.format(slot)] = held
    return True


def refuse(slot: str, problem: str) -> None:
    """Leaves a slot empty, with the sentence why."""
    drop(slot)
    st.session_state[_PROBLEM.format(slot)] = problem


def drop(slot: str) -> None:
    """Forgets what a slot holds, and what was wrong with it."""
    for state in (_PHOTO, _PROBLEM):
        st.session_state.pop(state.format(slot), None)


def held_in(slot: str) -> HeldFile | None:
    """What a slot holds."""
    return st.session_state.get(_PHOTO.format(slot))


def problem_of(slot: str) -> str:
    """What was wrong with the file that came last into a slot; "" if nothing was."""
    return st.session_state.get(_PROBLEM.format(slot), "")


def source_in_use() -> str:
    """Where this session takes its photo from: a key of `SLOTS`, or `EXAMPLE`."""
    return st.session_state.get(SOURCE) or UPLOAD


def held_in_use() -> HeldFile | None:
    """The file of the photo in use; None of the drawn example, and while there is none."""
    slot = SLOTS.get(source_in_use())
    return held_in(slot) if slot else None


def photo_in_use() -> Photo | None:
    """What is read of the photo in use, before or after the page has asked for one."""
    whole = whole_in_use()
    return cropped(whole) if whole else None


def whole_in_use() -> Photo | None:
    """The photo in use as it came, whatever square of it is read."""
    if is_example():
        return example_photo()
    held = held_in_use()
    return held.photo() if held else None


def set_crop(photo_hash: str, crop: Crop | None) -> None:
    """Which square of a photo is read from now on, on every page; None for the whole photo."""
    st.session_state.setdefault(_CROPS, {})[photo_hash] = crop


def cropped(whole: Photo) -> Photo:
    """What is read of a photo: the square that a person chose, or all of it."""
    crop = st.session_state.get(_CROPS, {}).get(whole.hash)
    if crop is None:
        return whole

    def cut() -> tuple[np.ndarray, str]:
        pixels = read_only(crop.cut(whole.pixels))
        return pixels, photo_hash(pixels)

    pixels, hashed = keep(("crop", whole.hash, crop), cut, lambda made: made[0].nbytes)
    return replace(whole, pixels=pixels, hash=hashed, crop=crop, of=whole.hash)


def is_example() -> bool:
    """Whether the drawn example is in use."""
    return source_in_use() == EXAMPLE


@st.cache_resource(show_spinner=False)
def example_photo() -> Photo:
    pixels, _ = draw_lesion("nv", seed=4)
    return Photo(read_only(pixels), photo_hash(pixels))


def read_only(pixels: np.ndarray) -> np.ndarray:
    """Sessions may share it."""
    pixels.flags.writeable = False
    return pixels
