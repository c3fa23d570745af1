"""A folder in the layout of the official HAM10000 download, read into a table with one row an image."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from core.data.images import UnreadablePhoto, read_photo
from core.data.patient import MAX_AGE, SEXES, SITES
from core.diagnoses import CODES

METADATA_FILE = "HAM10000_metadata.csv"
# The Harvard Dataverse serves the same table without a suffix; Kaggle's copy has seven columns (no `dataset`).
METADATA_NAMES = (METADATA_FILE, "HAM10000_metadata", "HAM10000_metadata.tab")
MASK_FOLDER = "HAM10000_segmentations_lesion_tschandl"
PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp")
COLUMNS = ("lesion_id", "image_id", "dx", "dx_type", "age", "sex", "localization", "dataset")


class InvalidDataset(ValueError):
    """A folder that is not in HAM10000's layout, or whose metadata cannot be used."""


@dataclass(frozen=True)
class FolderCheck:
    """What `data check` reports about a HAM10000 folder."""

    folder: str
    photos: int
    lesions: int
    per_class: dict[str, int]
    lesions_per_class: dict[str, int]
    masks: int
    missing_photos: tuple[str, ...]
    unreadable: tuple[str, ...]
    missing_facts: dict[str, int]
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """True when every row has a readable photo and the table has no contradiction."""
        return not (self.missing_photos or self.unreadable or self.problems)


def _find_metadata(folder: Path) -> Path:
    if not folder.is_dir():
        raise InvalidDataset(
            f"{folder} is not a folder. Expected the unpacked HAM10000 download. See README, 'Get the data'."
        )
    for name in METADATA_NAMES:
        if (folder / name).is_file():
            return folder / name
    found = ", ".join(sorted(p.name for p in folder.iterdir())[:5]) or "nothing"
    raise InvalidDataset(
        f"{folder} has no {METADATA_FILE}. Expected the unpacked HAM10000 download; found: {found}. See README, 'Get the data'."
    )


def _index_photos(folder: Path) -> dict[str, str]:
    """image_id -> path, over the folder itself and its image folders (`_part_1`, `_part_2`, or any single one)."""
    places = [folder, *sorted(p for p in folder.iterdir() if p.is_dir() and p.name != MASK_FOLDER)]
    index: dict[str, str] = {}
    for place in places:
        for path in sorted(place.iterdir()):
            if path.suffix.lower() in PHOTO_SUFFIXES:
                index.setdefault(path.stem, str(path))
    return index


def read_table(folder: str | Path) -> pd.DataFrame:
    """Reads a HAM10000 folder's metadata and finds each row's photo and mask.

    Unknown age, sex and site stay: age NaN, sex and localization "unknown". Nothing is dropped.

    Args:
        folder: holds the metadata CSV (7 or 8 columns; only `image_id` and `dx` are required) and the photos, in
            `HAM10000_images_part_1` and `_part_2`, in one folder of any name, or beside the CSV.

    Returns:
        One row an image, in the file's order: lesion_id, image_id, dx, dx_type, age (years or NaN), sex,
        localization, dataset, path and mask ("" where there is none). Without a lesion_id each photo is its own lesion.

    Raises:
        InvalidDataset: no metadata, required columns missing, an unknown diagnosis, a doubled image_id or an
            impossible age; the message names the first rows.
    """
    folder = Path(folder)
    source = _find_metadata(folder)
    try:
        table = pd.read_csv(source, sep=None, engine="python", dtype=str, keep_default_na=False)
    except (ValueError, OSError) as error:
        raise InvalidDataset(f"{source} cannot be read as CSV ({error}). Download it again.") from None
    table.columns = [c.strip() for c in table.columns]
    lacking = [c for c in ("image_id", "dx") if c not in table.columns]
    if lacking:
        raise InvalidDataset(
            f"{source} lacks the columns {lacking}; it has {list(table.columns)}. Expected {list(COLUMNS)}."
        )
    if table.empty:
        raise InvalidDataset(f"{source} has a header but no rows. Download it again.")
    for column in COLUMNS:
        if column not in table.columns:
            table[column] = ""
        table[column] = table[column].str.strip()
    doubled = table.image_id[table.image_id.duplicated()].tolist()
    if doubled:
        raise InvalidDataset(
            f"{source} lists {len(doubled)} image_id more than once: {', '.join(doubled[:5])}. Keep one row each."
        )
    table["dx"] = table.dx.str.lower()
    strange = table[~table.dx.isin(CODES)]
    if len(strange):
        shown = ", ".join(f"{r.image_id}={r.dx!r}" for r in strange.head(5).itertuples())
        raise InvalidDataset(
            f"{source} has {len(strange)} rows with an unknown dx: {shown}. Expected one of {', '.join(CODES)}."
        )
    ages = pd.to_numeric(table.age.replace({"": None, "unknown": None}), errors="coerce").astype("float64")
    wrong = table[
        (ages.isna() & ~table.age.str.lower().isin(["", "unknown", "nan", "na"])) | (ages < 0) | (ages > MAX_AGE)
    ]
    if len(wrong):
        shown = ", ".join(f"{r.image_id}={r.age!r}" for r in wrong.head(5).itertuples())
        raise InvalidDataset(
            f"{source} has {len(wrong)} impossible ages: {shown}. Expected years from 0 to {MAX_AGE:.0f}, or empty."
        )
    table["age"] = ages
    for column in ("sex", "localization"):
        table[column] = table[column].str.lower().replace({"": "unknown", "nan": "unknown", "na": "unknown"})
    for column in ("dx_type", "dataset"):
        table[column] = table[column].replace({"": "unknown"})
    table["lesion_id"] = table.lesion_id.where(table.lesion_id != "", table.image_id)
    photos = _index_photos(folder)
    table["path"] = [photos.get(i, "") for i in table.image_id]
    masks = folder / MASK_FOLDER
    names = {p.name for p in masks.iterdir()} if masks.is_dir() else set()
    table["mask"] = [
        str(masks / f"{i}_segmentation.png") if f"{i}_segmentation.png" in names else "" for i in table.image_id
    ]
    return table[[*COLUMNS, "path", "mask"]].reset_index(drop=True)


def check_folder(folder: str | Path, progress: Callable[[int, int], None] | None = None) -> FolderCheck:
    """Checks a HAM10000 folder by decoding every photo.

    Args:
        folder: as for `read_table`.
        progress: called with (photos done, photos in all).

    Raises:
        InvalidDataset: the metadata itself cannot be used.
    """
    table = read_table(folder)
    missing = tuple(table.image_id[table.path == ""])
    there = table[table.path != ""]

    def fault(row) -> str | None:
        try:
            read_photo(row.path)
        except UnreadablePhoto as error:
            return f"{row.image_id}: {error}"
        return None

    unreadable = []
    with ThreadPoolExecutor(2) as pool:
        for done, message in enumerate(pool.map(fault, there.itertuples()), start=1):
            if message:
                unreadable.append(message)
            if progress:
                progress(done, len(there))
    problems = []
    torn = table.groupby("lesion_id").dx.nunique()
    torn = torn[torn > 1]
    if len(torn):
        problems.append(f"{len(torn)} lesions have photos with different diagnoses: {', '.join(torn.index[:5])}.")
    sexes = sorted(set(table.sex) - set(SEXES))
    if sexes:
        problems.append(f"sex has values outside {', '.join(SEXES)}: {', '.join(sexes[:5])} (encoded as unknown).")
    sites = sorted(set(table.localization) - set(SITES))
    if sites:
        problems.append(f"localization has values outside the known sites: {', '.join(sites[:5])} (encoded as other).")
    lesions = table.drop_duplicates("lesion_id")
    return FolderCheck(
        folder=str(folder),
        photos=len(table),
        lesions=len(lesions),
        per_class={c: int((table.dx == c).sum()) for c in CODES},
        lesions_per_class={c: int((lesions.dx == c).sum()) for c in CODES},
        masks=int((table["mask"] != "").sum()),
        missing_photos=missing,
        unreadable=tuple(unreadable),
        missing_facts={
            "age": int(table.age.isna().sum()),
            "sex": int((table.sex == "unknown").sum()),
            "localization": int((table.localization == "unknown").sum()),
        },
        problems=tuple(problems),
    )


def class_indices(table: pd.DataFrame) -> np.ndarray:
    """Diagnoses as output indices, shape (N,), int32."""
    return table.dx.map({c: i for i, c in enumerate(CODES)}).to_numpy("int32")
