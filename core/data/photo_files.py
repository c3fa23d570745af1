"""Where a data set's photos, masks and tables lie in its folder, and which file is the photo where several share its name."""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.data.decoding.photo_formats import SUFFIXES
from core.data.images import UnreadablePhoto, fit_image, read_photo
from core.data.tables.table_file import InvalidDataset

MASK_FOLDER = "HAM10000_segmentations_lesion_tschandl"
# The official test of ISIC 2018 task 3: a data set of its own, though `data get` puts it below HAM10000's folder.
TEST_FOLDER = "ISIC2018_Task3_Test"
PHOTO_SUFFIXES = tuple(f".{suffix}" for suffix in SUFFIXES)
TABLE_SUFFIXES = (".csv", ".tsv", ".tab", ".txt")
ARCHIVE_SUFFIXES = (".zip", ".7z", ".rar", ".tar", ".gz", ".tgz", ".bz2", ".xz")
MASK_ENDING = "_segmentation"
# An archive that was unpacked into a folder of its own name, within another folder.
DEPTH = 3
# Of many files that share a name, so many are compared by content: they come from one copying or from none.
COMPARED = 50
# So many clashing names of a folder are looked at before it is said to hold other pictures.
LOOKED_AT = 5
# Two pictures, made this small, are the same photo (resized, or saved again) where their colours differ by less on average.
SMALL, SAME_COLOURS = 32, 6.0
_CLUTTER = ("__MACOSX", "$RECYCLE.BIN", "System Volume Information")
_OF_PHOTOS = re.compile(r"^(ham10000_images.*|isic.*_input|images?|photos?|jpe?g)$", re.IGNORECASE)
# Names of folders and files that hold what was made of photos: maps, masks, smaller copies.
_MADE = re.compile(
    r"grad.?cam|heat.?map|salien|attention|attribution|overlay|mask|segment|superpixel|augment|resiz|thumb|crop|preview|"
    r"ground.?truth|annotat|lime|shap|occlusion|hair|inpaint|enhanc|normali[sz]|result|output|predict|figure|plot|expla",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Clash:
    """Several files that have one photo's name and other content.

    Args:
        image_id: of the photo.
        used: the file that counts as the photo.
        others: the other files.
    """

    image_id: str
    used: str
    others: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class FoundFiles:
    """What lies in a folder.

    Args:
        photos: name without suffix -> files of this name, the likeliest photo first.
        masks: image_id -> its lesion mask.
        archives: packed files.
        deeper: folders with photos that lie in another folder below the data set's own.
    """

    folder: Path
    photos: dict[str, tuple[str, ...]]
    masks: dict[str, str]
    archives: tuple[str, ...]
    deeper: tuple[str, ...]


def walk(folder: Path, depth: int = DEPTH) -> Iterator[tuple[Path, list[str]]]:
    """A folder and those below it, each with its files' names in order; without hidden ones, what systems scatter, and `TEST_FOLDER`."""
    seen: set[str] = set()

    def enter(place: Path, left: int) -> Iterator[tuple[Path, list[str]]]:
        real = os.path.realpath(place)
        if real in seen:  # a link that leads back
            return
        seen.add(real)
        files, folders = [], []
        try:
            with os.scandir(place) as entries:
                for entry in entries:
                    if entry.name.startswith(".") or entry.name in _CLUTTER or entry.name == TEST_FOLDER:
                        continue
                    (folders if entry.is_dir() else files).append(entry.name)
        except OSError as error:
            if place != folder:  # such as lost+found
                return
            raise InvalidDataset(
                f"{place} cannot be read ({error.strerror}). Check the folder's permissions."
            ) from None
        yield place, sorted(files)
        if left:
            for name in sorted(folders):
                yield from enter(place / name, left - 1)

    yield from enter(folder, depth)


def find_files(folder: Path) -> FoundFiles:
    """Looks through a data set's folder; opens no file."""
    photos: dict[str, list[tuple[int, str]]] = {}
    masks, archives, deeper = {}, [], []
    for place, names in walk(folder):
        parts = place.relative_to(folder).parts
        if MASK_FOLDER in parts:
            for name in names:
                stem, suffix = os.path.splitext(name)
                if stem.endswith(MASK_ENDING) and suffix == ".png":
                    masks.setdefault(stem.removesuffix(MASK_ENDING), os.path.join(place, name))
            continue
        rank = _rank(parts)
        has_photos = False
        for name in names:
            stem, suffix = os.path.splitext(name)
            if suffix.lower() in PHOTO_SUFFIXES:
                photos.setdefault(stem, []).append((rank, os.path.join(place, name)))
                has_photos = True
            elif suffix.lower() in ARCHIVE_SUFFIXES and len(parts) < DEPTH:
                archives.append(str(Path(*parts, name)))
        if has_photos and len(parts) > 1 and rank < 2:
            deeper.append(str(Path(*parts)))
    return FoundFiles(
        folder,
        {stem: tuple(path for _, path in sorted(ranked, key=lambda one: one[0])) for stem, ranked in photos.items()},
        masks,
        tuple(archives),
        tuple(deeper),
    )


def _rank(parts: tuple[str, ...]) -> int:
    """0 for folders whose name says photos, 2 for those whose name says what was made of them, 1 between."""
    if any(_MADE.search(part) for part in parts):
        return 2
    return 0 if any(_OF_PHOTOS.match(part) for part in parts) else 1


def is_made(folder: Path, path: str) -> bool:
    """Whether a picture's name or folder says that it was made of a photo."""
    return any(_MADE.search(part) for part in Path(path).relative_to(folder).parts)


def choose_photos(files: FoundFiles, image_ids: Iterable[str]) -> tuple[dict[str, str], tuple[Clash, ...]]:
    """The photo of each image_id, and where files of its name have other content.

    Returns:
        image_id -> path, without those that have none; and the clashes.

    Raises:
        InvalidDataset: files of one name and other pictures, and nothing tells which of them is the photo.
    """
    lower = {stem.casefold(): stem for stem in files.photos}
    paths, doubled = {}, []
    for image_id in image_ids:
        candidates = files.photos.get(image_id) or files.photos.get(lower.get(image_id.casefold(), ""))
        if candidates:
            paths[image_id] = candidates[0]
            if len(candidates) > 1:
                doubled.append((image_id, candidates))
    clashes = [
        Clash(image_id, candidates[0], others)
        for image_id, candidates in doubled
        if (others := tuple(path for path in candidates[1:] if os.path.getsize(path) != os.path.getsize(candidates[0])))
    ]
    clashes += [
        Clash(image_id, candidates[0], others)
        for image_id, candidates in _some([d for d in doubled if d[0] not in {c.image_id for c in clashes}])
        if (
            others := tuple(
                path for path in candidates[1:] if Path(path).read_bytes() != Path(candidates[0]).read_bytes()
            )
        )
    ]
    open_questions = []
    for clash in clashes:
        first = _rank(Path(clash.used).relative_to(files.folder).parent.parts)
        rivals = [p for p in clash.others if _rank(Path(p).relative_to(files.folder).parent.parts) == first]
        if rivals:
            open_questions.append((clash, rivals[0]))
    unsure = [(clash, rival) for clash, rival in _some(open_questions) if not same_picture(clash.used, rival)]
    if unsure:
        clash, rival = unsure[0]
        raise InvalidDataset(
            f"{clash.image_id} is the name of two pictures, {clash.used} and {rival}, and nothing tells which is the photo "
            f"({len(open_questions):,} names are doubled so). Move the folder that does not hold the photos out of {files.folder}."
        )
    no_photos = _not_of_photos(files, paths, clashes)
    return {i: path for i, path in paths.items() if os.path.dirname(path) not in no_photos}, tuple(clashes)


def _not_of_photos(files: FoundFiles, paths: dict[str, str], clashes: Iterable[Clash]) -> set[str]:
    """Folders that hold other pictures than the photos under the photos' names.

    Where a photo is missing, the heatmap of its name in such a folder is the only file of that name, and is not the photo.
    """
    ranks = {
        place: _rank(Path(place).relative_to(files.folder).parts)
        for place in {os.path.dirname(p) for p in paths.values()}
    }
    # Made of photos, by its name, where others lie in a folder that is not.
    spare = {place for place, rank in ranks.items() if rank == 2 and min(ranks.values()) < 2}
    others: dict[str, list[tuple[str, str]]] = {}
    for clash in clashes:
        for other in clash.others:
            others.setdefault(os.path.dirname(other), []).append((clash.used, other))
    for place, pairs in others.items():
        if place in ranks and place not in spare and not any(same_picture(*pair) for pair in _some(pairs)[:LOOKED_AT]):
            spare.add(place)
    return spare


def same_picture(first: str, second: str) -> bool:
    """Whether two files show one photo, though resized or saved again."""
    try:
        one, other = (fit_image(read_photo(path), SMALL) for path in (first, second))
    except UnreadablePhoto:
        return False
    return float(np.abs(one - other).mean()) < SAME_COLOURS


def _some(items: list) -> list:
    """At most `COMPARED` of them, evenly spread."""
    step = max(1, len(items) // COMPARED)
    return items[::step]
