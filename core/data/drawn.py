"""A small drawn (synthetic) HAM10000 in the official layout, for tests and demonstrations without real photos."""

import csv
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from core.data.patient import SITES
from core.diagnoses import CODES

# Mean lesion colour (RGB) and radius share of each diagnosis: enough for a network to learn, nothing like a real lesion.
LOOKS = {
    "akiec": ((200, 120, 110), 0.30),
    "bcc": ((215, 140, 150), 0.22),
    "bkl": ((150, 110, 70), 0.34),
    "df": ((170, 120, 100), 0.18),
    "mel": ((50, 35, 40), 0.38),
    "nv": ((110, 70, 50), 0.26),
    "vasc": ((150, 20, 40), 0.20),
}
SKIN = (225, 180, 160)


def draw_lesion(code: str = "mel", size: tuple[int, int] = (600, 450), seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draws one dermoscopy-like picture: skin, an irregular blotch with a darker network, a few hairs.

    Args:
        code: diagnosis whose colour and size are drawn.
        size: (width, height), pixels.

    Returns:
        The photo, (H, W, 3) uint8 RGB, and the lesion's mask, (H, W) bool.
    """
    rng = np.random.default_rng([seed, CODES.index(code)])
    width, height = size
    y, x = np.mgrid[0:height, 0:width].astype("float32")
    colour, share = LOOKS[code]
    short = min(width, height)
    cx, cy = width / 2 + rng.normal(0, 0.03) * short, height / 2 + rng.normal(0, 0.03) * short
    angle = np.arctan2(y - cy, x - cx)
    radius = share * short * (1 + rng.normal(0, 0.05))
    for k in range(2, 7):
        radius = radius * (1 + rng.normal(0, 0.10 / k) * np.cos(k * angle + rng.uniform(0, 6.28)))
    distance = np.hypot(x - cx, y - cy)
    inside = 1 / (1 + np.exp((distance - radius) / (0.02 * short + 0.5)))
    rough = rng.normal(0, 1, (max(4, height // 8), max(4, width // 8)))
    rough = np.asarray(Image.fromarray(rough.astype("float32")).resize(size, Image.Resampling.BICUBIC))
    net = 0.5 + 0.5 * np.cos(x / short * 90 + rough) * np.cos(y / short * 90 + rough)
    skin = np.array(SKIN, "float32") + rng.normal(0, 6, 3) + rough[..., None] * 3
    spot = np.array(colour, "float32") + rng.normal(0, 8, 3) + rough[..., None] * 10 - 25 * net[..., None]
    photo = skin * (1 - inside[..., None]) + spot * inside[..., None]
    for _ in range(rng.integers(0, 4)):
        phase, bend = rng.uniform(0, height), rng.uniform(-0.6, 0.6)
        hair = np.abs(y - phase - bend * x) < max(0.6, 0.003 * short)
        photo[hair] *= 0.45
    vignette = 1 - 0.25 * ((x / width - 0.5) ** 2 + (y / height - 0.5) ** 2)[..., None]
    picture = Image.fromarray(np.clip(photo * vignette + rng.normal(0, 3, photo.shape), 0, 255).astype("uint8"))
    return np.asarray(picture.filter(ImageFilter.GaussianBlur(0.002 * short))), inside > 0.5


def draw_ham10000(folder: str | Path, lesions: int = 56, size: tuple[int, int] = (120, 90), seed: int = 0) -> Path:
    """Draws a HAM10000 folder: all seven diagnoses in turn, every third lesion with two photos, some facts unknown.

    Returns:
        The folder, with metadata, two image parts and masks.
    """
    from core.data.ham10000 import COLUMNS, MASK_FOLDER, METADATA_FILE

    folder = Path(folder)
    rng = np.random.default_rng(seed)
    for name in ("HAM10000_images_part_1", "HAM10000_images_part_2", MASK_FOLDER):
        (folder / name).mkdir(parents=True, exist_ok=True)
    rows = []
    for lesion in range(lesions):
        code = CODES[lesion % len(CODES)]
        age = "" if lesion % 11 == 10 else f"{5 * rng.integers(4, 17):.1f}"
        sex = "unknown" if lesion % 13 == 12 else ("male", "female")[rng.integers(2)]
        site = "unknown" if lesion % 17 == 16 else SITES[rng.integers(len(SITES))]
        for _ in range(2 if lesion % 3 == 0 else 1):
            image_id = f"ISIC_{9000000 + len(rows):07d}"
            photo, mask = draw_lesion(code, size, seed=seed * 100003 + len(rows))
            part = f"HAM10000_images_part_{1 + len(rows) % 2}"
            Image.fromarray(photo).save(folder / part / f"{image_id}.jpg", quality=92)
            Image.fromarray((mask * 255).astype("uint8")).save(folder / MASK_FOLDER / f"{image_id}_segmentation.png")
            kind = "histo" if code in ("mel", "bcc", "akiec") else "follow_up"
            rows.append((f"HAM_{9000 + lesion:07d}", image_id, code, kind, age, sex, site, "drawn"))
    with open(folder / METADATA_FILE, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    return folder
