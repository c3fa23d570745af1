"""What does framing cost, and does the suggested square give it back? Validation photos pasted small and off centre into larger ones.

    python -m experiments.framing --data HAM10000 [--models NAME ...] [--photos N]

Of each photo two scenes are made: a dermatoscope's image (a bright circle in black, 3 : 4) and a phone's photo (skin to the edges). The
photo takes 30 to 60 % of the scene's height and lies anywhere in it; skin around it has the colour of the photo's own border, with slow
and fine noise, and the seam is faded. Nothing is enlarged, so the exact square is the photo itself but for its faded seam: that is the
most that a crop can give. A scene is simpler than a real one: no hair, no scale, no second lesion.

Each scene is read as it is, by `--crop auto`, in the square around the lesion (also where nothing is told) and in the exact square; the
photo itself as it is and by `--crop auto`. Facts count as known. "told": share of photos of which the framing is said to differ. "same":
share with the likeliest diagnosis of the whole photo. "balanced_accuracy": by the rule "likeliest", with a 95 % bootstrap over lesions.
"mel_moves": mean change of p(melanoma).

The limits in `core.data.framing.look` were set on training photos and their masks alone; "training" says how often those are told now.
Nothing here looks at test photos. Writes framing.json. 1,034 photos and four models take ten minutes on one core.
"""

import cv2
import numpy as np
import pandas as pd

from core.bundle import load_bundle
from core.card import list_cards
from core.data.framing.crop import AUTO, NONE, Crop
from core.data.framing.framed import frame_photo
from core.data.framing.look import look_at_framing
from core.data.ham10000 import class_indices, read_table
from core.data.images import read_photo
from core.data.patient import Facts
from core.data.split import split_from_json
from core.diagnoses import CODES
from core.estimates import Estimate
from core.estimates.in_files import to_text
from core.evaluation.statistics.bootstrap import resample_lesions
from core.files import write_text
from core.folders import weights_root
from core.reading import encode_photo, read_encoded
from experiments.shortcuts import sample
from experiments.terminal import arguments, say

CIRCLE, PHONE, PHOTO = "circle", "phone", "photo"
SHARE = (0.30, 0.60)  # of the scene's height that the photo takes
RATIO = 4 / 3
_SEAM = 0.08  # of the photo's side, over which it fades into the scene
_EDGE = 6  # pixels of the photo's border that tell the colour of skin
_SLOW, _FINE = 5.0, 2.5  # standard deviations of the noise, grey levels
_TUBE, _RADIUS = 8, 0.485  # grey level of the black, and the circle's radius in heights
TRAINING_PHOTOS = 1500
RESAMPLES = 1000
SEED = 0


def make_scene(photo: np.ndarray, rng: np.random.Generator, kind: str) -> tuple[np.ndarray, Crop]:
    """A photo within a larger one.

    Args:
        photo: (S, S, 3) uint8 RGB.
        kind: `CIRCLE` or `PHONE`.

    Returns:
        The scene, uint8 RGB, and the square of it that is the photo.
    """
    side = len(photo)
    height = round(side / rng.uniform(*SHARE))
    width = round(height * RATIO)
    scene = _skin_colour(photo) + _noise(height, width, rng)
    left, top = _place(side, height, width, rng)
    steps = np.minimum(np.arange(side) + 1, np.arange(side)[::-1] + 1)
    seam = np.clip(np.minimum.outer(steps, steps) / (side * _SEAM), 0, 1)[..., None]
    there = scene[top : top + side, left : left + side]
    there[:] = seam * photo + (1 - seam) * there
    if kind == CIRCLE:
        y, x = np.mgrid[:height, :width]
        inside = np.clip((height * _RADIUS - np.hypot(y - height / 2, x - width / 2)) / 3, 0, 1)[..., None]
        scene = scene * inside + (1 - inside) * _TUBE
    return np.clip(np.rint(scene), 0, 255).astype("uint8"), Crop(left, top, side)


def _skin_colour(photo: np.ndarray) -> np.ndarray:
    """Median of the lighter half of the border, (3,)."""
    border = np.ones(photo.shape[:2], bool)
    border[_EDGE:-_EDGE, _EDGE:-_EDGE] = False
    pixels = photo[border].astype("float32")
    light = pixels.mean(axis=1)
    return np.median(pixels[light >= np.median(light)], axis=0)


def _noise(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    slow = cv2.GaussianBlur(rng.normal(0, 1, (height, width)).astype("float32"), (0, 0), height / 12)
    fine = rng.normal(0, _FINE, (height, width, 3)).astype("float32")
    return fine + (slow * _SLOW / (slow.std() + 1e-9))[..., None]


def _place(side: int, height: int, width: int, rng: np.random.Generator) -> tuple[int, int]:
    """Left and top of the photo, its middle anywhere in a circle that keeps most of it within the dermatoscope's."""
    reach = max(0.0, height / 2 - side * 0.6) * np.sqrt(rng.uniform(0.1, 1))
    angle = rng.uniform(0, 2 * np.pi)
    left = round(width / 2 + reach * np.cos(angle) - side / 2)
    top = round(height / 2 + reach * np.sin(angle) - side / 2)
    return int(np.clip(left, 0, width - side)), int(np.clip(top, 0, height - side))


def read_all(bundle, rows: pd.DataFrame) -> tuple[dict[str, np.ndarray], dict[str, list[bool]]]:
    """Probabilities of every photo in every way of reading, (N, 7), and whether its framing was told in each scene."""
    ways: dict[str, list] = {}
    told: dict[str, list[bool]] = {kind: [] for kind in (PHOTO, CIRCLE, PHONE)}
    for number, row in enumerate(rows.itertuples()):
        photo = read_photo(row.path)
        facts = Facts(None if row.age != row.age else row.age, row.sex, row.localization)
        pictures = {f"{PHOTO} as it is": photo, f"{PHOTO} auto": frame_photo(photo, AUTO).pixels}
        told[PHOTO].append(look_at_framing(photo).differs)
        for kind in (CIRCLE, PHONE):
            scene, exact = make_scene(photo, np.random.default_rng([SEED, number, kind == CIRCLE]), kind)
            framed = frame_photo(scene, AUTO)
            told[kind].append(framed.framing.differs)
            pictures[f"{kind} as it is"] = frame_photo(scene, NONE).pixels
            pictures[f"{kind} auto"] = framed.pixels
            pictures[f"{kind} around"] = framed.framing.around.cut(scene)
            pictures[f"{kind} exact"] = exact.cut(scene)
        for way, pixels in pictures.items():
            reading = read_encoded(encode_photo(bundle, pixels, explain=False), facts, explain=False)
            ways.setdefault(way, []).append([reading.probabilities[code] for code in CODES])
    return {way: np.array(values) for way, values in ways.items()}, told


def summarise(ways: dict[str, np.ndarray], told: dict[str, list[bool]], rows: pd.DataFrame) -> dict:
    """Way of reading -> "balanced_accuracy" (`Estimate`), "same", "mel_moves"; and "told" by scene."""
    truth = class_indices(rows)
    weights = resample_lesions(rows.lesion_id, RESAMPLES, SEED)
    whole, mel = ways[f"{PHOTO} as it is"], CODES.index("mel")
    found: dict = {"told": {kind: float(np.mean(values)) for kind, values in told.items()}, "ways": {}}
    for way, said in ways.items():
        answer = said.argmax(axis=1)
        value = _balanced(truth, answer, np.ones((1, len(truth))))[0]
        low, high = np.quantile(_balanced(truth, answer, weights), (0.025, 0.975))
        found["ways"][way] = {
            "balanced_accuracy": Estimate(float(value), float(low), float(high)),
            "same": float((answer == whole.argmax(axis=1)).mean()),
            "mel_moves": float(np.abs(said[:, mel] - whole[:, mel]).mean()),
        }
    return found


def _balanced(truth: np.ndarray, answer: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Balanced accuracy under each row of weights."""
    sensitivities = []
    for code in range(len(CODES)):
        of = truth == code
        counted = weights[:, of].sum(axis=1)
        right = weights[:, of & (answer == code)].sum(axis=1)
        sensitivities.append(np.divide(right, counted, out=np.full(len(weights), np.nan), where=counted > 0))
    return np.nanmean(sensitivities, axis=0)


def told_in_training(rows: pd.DataFrame) -> dict:
    """Share of training photos whose framing is said to differ."""
    told = [look_at_framing(read_photo(path)).differs for path in sample(rows, TRAINING_PHOTOS).path]
    return {"photos": len(told), "told": float(np.mean(told))}


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument("--models", nargs="*", help="models' names; all if left out")
    parser.add_argument("--photos", type=int, help="so many at random; all if left out")
    asked = parser.parse_args()
    table = read_table(asked.data)
    record: dict = {"part": "validation", "models": {}}
    for folder in (card.name for card in list_cards()) if not asked.models else asked.models:
        bundle = load_bundle(weights_root() / folder)
        split = split_from_json(bundle.card.split)
        rows = sample(split.rows(table, "validation"), asked.photos)
        if "training" not in record:
            record |= {"split": split.hash, "training": told_in_training(split.rows(table, "train"))}
            record |= {"photos": len(rows), "lesions": int(rows.lesion_id.nunique())}
        record["models"][folder] = summarise(*read_all(bundle, rows), rows)
        say(f"{folder}: {to_text(record['models'][folder], indent=None)}")
    write_text(asked.results / "framing.json", to_text(record) + "\n")


if __name__ == "__main__":
    main()
