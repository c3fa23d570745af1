"""How a lesion looks in plain numbers, from photo and mask: lightness, colour, size, contrast; and the table of them."""

from dataclasses import asdict, dataclass, fields
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from core.csv_cells import csv_text
from core.data.ham10000 import MASK_FOLDER
from core.data.images import read_photo
from core.files import write_text
from core.threads import Progress

LESIONS_FILE = "lesions.csv"
# Surrounding skin: a ring around the lesion, this far out in shares of the photo's short side; the first part, where lesion fades
# into skin, belongs to neither.
RING = (0.02, 0.10)
# Fewer pixels of skin than this share of the ring's place say nothing about contrast: the lesion fills the photo.
FEW_PIXELS = 50
# Dark corners (vignette, the tube's rim) are no skin.
RIM_LIGHTNESS = 12.0
# Black: nearly no light and nearly no colour. In CIELAB, L* 30 is where dark brown begins, and brown has more chroma than 20.
BLACK_LIGHTNESS, BLACK_CHROMA = 30.0, 20.0
# A lesion is called black where at least this share of it is. Both numbers were settled by looking at photos, not at errors.
BLACK_SHARE = 0.20
BLUE_SHARE = 0.25
# Below the first mean L* a lesion that is neither black nor blue is dark brown, from the second on light.
DARK, LIGHT = 42.0, 54.0


@dataclass(frozen=True)
class LesionLook:
    """One lesion's region in one photo; colours are CIELAB (D65), means over pixels.

    Args:
        lightness: mean L* of the lesion, 0 (black) to 100 (white).
        a, b: mean a* (green to red) and b* (blue to yellow).
        darkest: L* below which its darkest tenth lies.
        black: share of its pixels that are black: L* below 30 and chroma below 20.
        blue: share of its pixels that are blue or blue-grey: b* below 0.
        area: share of the photo that it covers.
        contrast: mean L* of the skin around it minus its own; NaN where no skin is left to see.
        skin_lightness, skin_a, skin_b: the same means of that skin; NaN likewise.
    """

    lightness: float
    a: float
    b: float
    darkest: float
    black: float
    blue: float
    area: float
    contrast: float
    skin_lightness: float
    skin_a: float
    skin_b: float


# Names of a lesion's colour: title -> what it means, the first that fits. "Black" is what the paper calls a black nevus.
COLOURS: dict[str, str] = {
    "black": f"at least {BLACK_SHARE * 100:.0f} % of the lesion has L* below {BLACK_LIGHTNESS:.0f} and chroma below {BLACK_CHROMA:.0f}",
    "blue-grey": f"at least {BLUE_SHARE * 100:.0f} % of the lesion has b* below 0",
    "dark brown": f"mean L* below {DARK:.0f}",
    "brown": f"mean L* from {DARK:.0f} to {LIGHT:.0f}",
    "light": f"mean L* of {LIGHT:.0f} and more",
}
UNMEASURED = "not measured"


COLUMNS = ("image_id", *(f.name for f in fields(LesionLook)))


class InvalidLesions(ValueError):
    """A table of lesions that is missing or damaged."""


def to_lab(photo: np.ndarray) -> np.ndarray:
    """CIELAB of a photo (H, W, 3) uint8 RGB: L* 0..100, a* and b*, float32."""
    return cv2.cvtColor(photo.astype("float32") / 255, cv2.COLOR_RGB2LAB)


def from_lab(lab: np.ndarray) -> np.ndarray:
    """The photo, uint8 RGB, of a CIELAB picture; colours that no screen shows are cut."""
    rgb = cv2.cvtColor(lab.astype("float32"), cv2.COLOR_LAB2RGB)
    return np.rint(np.clip(rgb, 0, 1) * 255).astype("uint8")


def measure_lesion(photo: np.ndarray, mask: np.ndarray) -> LesionLook:
    """Measures a lesion's region.

    Args:
        photo: (H, W, 3) uint8 RGB.
        mask: (H, W) bool, True on the lesion.

    Raises:
        ValueError: a mask of another size than the photo, or an empty one.
    """
    if mask.shape != photo.shape[:2]:
        raise ValueError(
            f"The mask is {mask.shape}, the photo {photo.shape[:2]}. Expected a mask of the photo's own size."
        )
    if not mask.any():
        raise ValueError("The mask is empty: no lesion was outlined. Expected at least one pixel.")
    lab = to_lab(photo)
    lesion = lab[mask]
    skin = lab[_ring(mask)]
    skin = skin[skin[:, 0] > RIM_LIGHTNESS]
    chroma = np.hypot(lesion[:, 1], lesion[:, 2])
    mean = lesion.mean(axis=0)
    around = skin.mean(axis=0) if len(skin) >= FEW_PIXELS else np.full(3, np.nan)
    return LesionLook(
        lightness=float(mean[0]),
        a=float(mean[1]),
        b=float(mean[2]),
        darkest=float(np.quantile(lesion[:, 0], 0.1)),
        black=float(((lesion[:, 0] < BLACK_LIGHTNESS) & (chroma < BLACK_CHROMA)).mean()),
        blue=float((lesion[:, 2] < 0).mean()),
        area=float(mask.mean()),
        contrast=float(around[0] - mean[0]),
        skin_lightness=float(around[0]),
        skin_a=float(around[1]),
        skin_b=float(around[2]),
    )


def name_colours(looks: pd.DataFrame) -> pd.Series:
    """The colour's name of each row, a key of `COLOURS`; "not measured" where there are no numbers."""
    chosen = np.select(
        [
            looks.lightness.isna(),
            looks.black >= BLACK_SHARE,
            looks.blue >= BLUE_SHARE,
            looks.lightness < DARK,
            looks.lightness < LIGHT,
        ],
        [UNMEASURED, "black", "blue-grey", "dark brown", "brown"],
        "light",
    )
    return pd.Series(chosen, index=looks.index, dtype=object)


def measure_table(table: pd.DataFrame, progress: Progress | None = None) -> pd.DataFrame:
    """Measures every lesion of a table that has a photo and a mask.

    Args:
        table: from `read_table`.
        progress: called with (photos done, photos in all).

    Returns:
        One row a lesion photo: image_id and the fields of `LesionLook`. Photos without a mask, and empty masks, have no row.

    Raises:
        InvalidLesions: no photo has a mask.
    """
    there = table[(table.path != "") & (table["mask"] != "")]
    if there.empty:
        raise InvalidLesions(
            f"None of the {len(table):,} photos has a lesion mask. Expected {MASK_FOLDER} beside the photos, from the HAM10000 download."
        )
    rows = []
    for done, row in enumerate(there.itertuples(), start=1):
        mask = read_mask(row.mask)
        if mask.any():
            rows.append({"image_id": row.image_id} | asdict(measure_lesion(read_photo(row.path), mask)))
        if progress:
            progress(done, len(there))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def write_lesions(looks: pd.DataFrame, path: str | Path) -> Path:
    """Writes the table of lesions; returns its path."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    rounded = looks[list(COLUMNS)].round(dict.fromkeys(COLUMNS[1:], 2) | dict.fromkeys(("black", "blue", "area"), 4))
    return write_text(path, csv_text(rounded))


def read_lesions(path: str | Path) -> pd.DataFrame:
    """The table of lesions by image_id, with what follows from it: chroma, hue (degrees, 0 red, 90 yellow) and colour.

    Raises:
        InvalidLesions: the file is missing or damaged; the sentence ends with the command that makes it.
    """
    again = "Run `python -m core data lesions HAM10000_FOLDER`."
    try:
        looks = pd.read_csv(path, dtype={"image_id": str})
    except FileNotFoundError:
        raise InvalidLesions(f"{path} is missing. {again}") from None
    except (OSError, ValueError) as error:
        raise InvalidLesions(f"{path} cannot be read as a table ({error}). {again}") from None
    if tuple(looks.columns) != COLUMNS:
        raise InvalidLesions(
            f"{path} has the columns {', '.join(map(str, looks.columns))}. Expected {', '.join(COLUMNS)}. {again}"
        )
    if not looks.image_id.is_unique or not all(pd.api.types.is_numeric_dtype(looks[c]) for c in COLUMNS[1:]):
        raise InvalidLesions(f"{path} has doubled photos, or text where numbers belong. {again}")
    looks["chroma"] = np.hypot(looks.a, looks.b)
    looks["hue"] = np.degrees(np.arctan2(looks.b, looks.a))
    looks["colour"] = name_colours(looks)
    return looks.set_index("image_id")


def _ring(mask: np.ndarray) -> np.ndarray:
    near, far = (max(1, round(share * min(mask.shape))) for share in RING)
    away = cv2.distanceTransform((~mask).astype("uint8"), cv2.DIST_L2, 5)
    return (away > near) & (away <= far)


def read_mask(path: str | Path) -> np.ndarray:
    """A lesion mask as (H, W) bool."""
    mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if mask is None:
        raise ValueError(f"{path} cannot be read as a mask. Expected a black and white PNG.")
    return mask > 127
