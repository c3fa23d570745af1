"""Photos that a gate must catch, by family, and dermoscopic photos from other cameras that it must let through."""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from core.trust.measures import drawings

# Photographs that ship inside installed packages, in the public domain or under free licences (see the packages' own notes).
# Where a package is not installed, its pictures are left out, and the measure says so.
PACKAGE_PICTURES: dict[str, tuple[tuple[str, str], ...]] = {
    "faces": (("skimage", "data/astronaut.png"), ("skimage", "data/camera.png"), ("skimage", "data/lfw_subset.npy")),
    "cats": (("skimage", "data/chelsea.png"),),
    "things": (
        ("skimage", "data/coffee.png"),
        ("skimage", "data/motorcycle_left.png"),
        ("skimage", "data/rocket.jpg"),
        ("skimage", "data/coins.png"),
        ("skimage", "data/hubble_deep_field.jpg"),
        ("skimage", "data/color.png"),
        ("sklearn", "datasets/images/china.jpg"),
        ("sklearn", "datasets/images/flower.jpg"),
    ),
    "surfaces": (
        ("skimage", "data/brick.png"),
        ("skimage", "data/grass.png"),
        ("skimage", "data/gravel.png"),
        ("skimage", "data/moon.png"),
    ),
    "pages": (
        ("skimage", "data/page.png"),
        ("skimage", "data/text.png"),
        ("skimage", "data/logo.png"),
        ("skimage", "data/horse.png"),
    ),
    "tissue photos": (("skimage", "data/ihc.png"), ("skimage", "data/cell.png")),
    "eye grounds": (("skimage", "data/retina.jpg"), ("skimage", "data/microaneurysms.png")),
}
DRAWN: dict[str, Callable[[np.random.Generator], np.ndarray]] = {
    "documents": drawings.draw_document,
    "screens": drawings.draw_screen,
    "charts": drawings.draw_chart,
    "patterns": drawings.draw_pattern,
    "line art": drawings.draw_line_art,
    "drawn faces": drawings.draw_face,
    "drawn animals": drawings.draw_animal,
    "scenes": drawings.draw_scene,
    "drawn tissue": drawings.draw_tissue,
}
# Not another kind of picture, but of no use for a diagnosis: a warning is enough.
DEGRADED = ("plain skin", "phone photos", "blurred", "dark", "bright")
FAMILIES = (*DRAWN, *PACKAGE_PICTURES, *DEGRADED)


@dataclass(frozen=True, eq=False)
class Stranger:
    """A picture that is no usable dermoscopic photo.

    Args:
        family: one of `FAMILIES`.
        photo: (H, W, 3) uint8 RGB.
    """

    family: str
    photo: np.ndarray


def draw_strangers(count: int, seed: int = 0, donors: np.ndarray | None = None) -> list[Stranger]:
    """`count` drawings of each drawn family.

    Args:
        donors: (N, S, S, 3), dermoscopic images; a third of the drawings borrows their colours, so that colours alone cannot tell.
    """
    strangers = []
    for number, (family, draw) in enumerate(DRAWN.items()):
        for i in range(count):
            rng = np.random.default_rng([seed, number, i])
            strangers.append(Stranger(family, _perhaps_recoloured(draw(rng), donors, rng, 1 / 3)))
    return strangers


def package_strangers(count: int, seed: int = 0, donors: np.ndarray | None = None) -> list[Stranger]:
    """`count` crops of each family's pictures, at several scales and in varied light; those of installed packages only.

    Args:
        donors: as for `draw_strangers`; half of the crops borrows.
    """
    strangers = []
    for number, (family, sources) in enumerate(PACKAGE_PICTURES.items()):
        pictures = [picture for source in sources for picture in _read(*source)]
        for i in range(count if pictures else 0):
            rng = np.random.default_rng([seed, 100 + number, i])
            crop = _varied_crop(pictures[i % len(pictures)], rng)
            strangers.append(Stranger(family, _perhaps_recoloured(crop, donors, rng, 1 / 2)))
    return strangers


def borrow_colours(photo: np.ndarray, donor: np.ndarray) -> np.ndarray:
    """A photo with the mean and spread of another's lightness and colours.

    Reference: E. Reinhard et al., "Color transfer between images", IEEE Computer Graphics and Applications 2001.
    """
    own, other = (cv2.cvtColor(np.ascontiguousarray(p), cv2.COLOR_RGB2LAB).astype("float32") for p in (photo, donor))
    axes = (0, 1)
    ratio = other.std(axis=axes) / np.maximum(own.std(axis=axes), 1.0)
    moved = (own - own.mean(axis=axes)) * np.minimum(ratio, 3.0) + other.mean(axis=axes)
    return cv2.cvtColor(np.clip(moved, 0, 255).astype("uint8"), cv2.COLOR_LAB2RGB)


def _perhaps_recoloured(
    photo: np.ndarray, donors: np.ndarray | None, rng: np.random.Generator, chance: float
) -> np.ndarray:
    if donors is None or rng.random() > chance:
        return photo
    return borrow_colours(photo, np.asarray(donors[rng.integers(len(donors))]))


def degraded_strangers(images: np.ndarray, masks: list[np.ndarray | None], seed: int = 0) -> list[Stranger]:
    """Dermoscopic photos spoilt in each way of `DEGRADED`.

    Args:
        images: (N, S, S, 3) uint8, sharp and well exposed.
        masks: of the lesions, (S, S) bool, or None; without a mask no plain skin is cut out.
    """
    strangers = []
    for i, (image, mask) in enumerate(zip(images, masks, strict=True)):
        rng = np.random.default_rng([seed, 200, i])
        image = np.asarray(image)
        skin = cut_plain_skin(image, mask, rng) if mask is not None else None
        if skin is not None:
            strangers.append(Stranger("plain skin", skin))
        strangers.append(Stranger("phone photos", imitate_phone_photo(image, rng)))
        strangers.append(Stranger("blurred", cv2.GaussianBlur(image, (0, 0), rng.uniform(0.03, 0.07) * len(image))))
        strangers.append(Stranger("dark", (image * rng.uniform(0.04, 0.14)).astype("uint8")))
        strangers.append(Stranger("bright", np.clip(image * rng.uniform(2.2, 3.5) + 40, 0, 255).astype("uint8")))
    return strangers


def cut_plain_skin(image: np.ndarray, mask: np.ndarray, rng: np.random.Generator) -> np.ndarray | None:
    """The largest square beside the lesion, enlarged; None where the lesion leaves less than a quarter of the side."""
    size = len(image)
    # Largest all-skin square with its lower right corner at each pixel, by the usual recurrence on a coarse grid.
    coarse = cv2.dilate(mask.astype("uint8"), np.ones((15, 15), "uint8"))[::4, ::4] == 0
    squares = coarse.astype("int32")
    for r in range(1, len(coarse)):
        for c in range(1, len(coarse)):
            if coarse[r, c]:
                squares[r, c] = 1 + min(squares[r - 1, c], squares[r, c - 1], squares[r - 1, c - 1])
    side = int(squares.max())
    if side * 4 < size / 4:
        return None
    row, column = np.unravel_index(squares.argmax(), squares.shape)
    piece = image[4 * (row - side + 1) : 4 * (row + 1), 4 * (column - side + 1) : 4 * (column + 1)]
    return cv2.resize(np.rot90(piece, int(rng.integers(4))).copy(), (size, size), interpolation=cv2.INTER_CUBIC)


def imitate_phone_photo(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A lesion photographed from afar: small on a curved, unevenly lit piece of skin, often with cloth or a wall behind."""
    size, side = 448, int(rng.integers(36, 110))
    border = np.concatenate([image[:8].reshape(-1, 3), image[-8:].reshape(-1, 3), image[:, :8].reshape(-1, 3)])
    skin = np.median(border, axis=0)
    scene = np.tile(skin, (size, size, 1)) + 25 * (drawings._clouds(rng, (size, size), 7) - 0.5)[..., None]
    scene += 10 * (drawings._clouds(rng, (size, size), 80) - 0.5)[..., None]
    small = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA).astype("float32")
    blend = cv2.GaussianBlur(
        cv2.circle(np.zeros((side, side), "float32"), (side // 2, side // 2), int(side * 0.36), 1.0, -1),
        (0, 0),
        side * 0.07,
    )
    top, left = rng.integers(size // 5, size * 4 // 5 - side, 2)
    place = scene[top : top + side, left : left + side]
    place += blend[..., None] * (small - place)
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    angle = rng.uniform(0, 2 * np.pi)
    across = np.cos(angle) * x + np.sin(angle) * y
    scene *= (1 - rng.uniform(0.1, 0.5) * across**2 + rng.uniform(-0.25, 0.25) * across)[..., None]
    if rng.random() < 0.65:
        outside = across > rng.uniform(0.45, 0.8) + 0.1 * x * y
        scene[outside] = rng.uniform(15, 235, 3) + 20 * (drawings._clouds(rng, (size, size), 30)[outside, None] - 0.5)
    corners = np.float32([[0, 0], [size, 0], [size, size], [0, size]])
    moved = corners + rng.uniform(-0.08, 0.08, (4, 2)).astype("float32") * size
    turned = cv2.warpPerspective(
        scene.astype("float32"),
        cv2.getPerspectiveTransform(corners, moved),  # pyright: ignore[reportCallIssue]
        (size, size),
        borderMode=cv2.BORDER_REFLECT,
    )
    return np.clip(turned * rng.uniform(0.9, 1.1, 3) + rng.normal(0, 3, turned.shape), 0, 255).astype("uint8")


def imitate_other_clinic(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The same lesion as another dermatoscope would show it: turned, other white balance, tone, darker skin, vignette, ruler, hair, gel."""
    size = len(image)
    angle, zoom = rng.uniform(0, 360), rng.uniform(1.0, 1.45)
    turn = cv2.getRotationMatrix2D((size / 2, size / 2), angle, zoom)
    photo = cv2.warpAffine(image, turn, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101).astype(
        "float32"
    )
    # White balance, exposure and contrast; one in four with the brown of darker skin.
    photo *= rng.uniform(0.85, 1.15, 3) * rng.uniform(0.75, 1.12)
    if rng.random() < 0.25:
        photo *= np.array((0.78, 0.66, 0.6)) ** rng.uniform(0.4, 1.6)
    photo = (photo - photo.mean()) * rng.uniform(0.8, 1.2) + photo.mean()
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    r = np.hypot(x, y)
    kind = rng.random()
    if kind < 0.3:  # the round field of a contact dermatoscope
        photo *= (1 / (1 + np.exp((r - rng.uniform(0.92, 1.25)) * rng.uniform(15, 60))))[..., None]
    elif kind < 0.6:
        photo *= (1 - rng.uniform(0.05, 0.35) * r**2)[..., None]
    photo = np.clip(photo, 0, 255).astype("uint8")
    if rng.random() < 0.25:
        _add_ruler(photo, rng)
    for _ in range(int(rng.integers(0, 14)) if rng.random() < 0.4 else 0):
        ends = rng.integers(0, size, 4)
        cv2.line(photo, tuple(map(int, ends[:2])), tuple(map(int, ends[2:])), (35, 25, 20), 1, cv2.LINE_AA)
    for _ in range(int(rng.integers(1, 12)) if rng.random() < 0.2 else 0):  # bubbles in the gel
        centre, radius = tuple(map(int, rng.integers(0, size, 2))), int(rng.integers(2, 9))
        cv2.circle(photo, centre, radius, (225, 215, 210), 1, cv2.LINE_AA)
    if rng.random() < 0.5:
        photo = cv2.GaussianBlur(photo, (0, 0), rng.uniform(0.3, 1.0))
    else:  # a sharper lens than HAM10000's small copies have
        photo = cv2.addWeighted(photo, 1.6, cv2.GaussianBlur(photo, (0, 0), 1.2), -0.6, 0)
    return photo


def _add_ruler(photo: np.ndarray, rng: np.random.Generator) -> None:
    size = len(photo)
    edge, step = int(rng.uniform(0.86, 0.97) * size), max(3, int(rng.uniform(0.02, 0.06) * size))
    shade = (20, 20, 20) if rng.random() < 0.7 else (240, 240, 240)
    for number, place in enumerate(range(0, size, step)):
        reach = int(size * (0.05 if number % 5 == 0 else 0.025))
        cv2.line(photo, (place, edge), (place, edge - reach), shade, 1)


def _read(package: str, name: str) -> list[np.ndarray]:
    """A package's pictures as RGB photos; none where the package or the file is not there. The package is not imported."""
    spec = importlib.util.find_spec(package)
    places = [Path(place) / name for place in spec.submodule_search_locations or ()] if spec else []
    for path in (p for p in places if p.is_file()):
        if path.suffix == ".npy":
            stack = np.load(path, allow_pickle=False)[:100]  # the first half are faces
            grey = np.clip(stack * (255 if stack.max() <= 1 else 1), 0, 255).astype("uint8")
            return [
                np.repeat(cv2.resize(g, (200, 200), interpolation=cv2.INTER_CUBIC)[..., None], 3, axis=2)
                for g in grey[::5]
            ]
        return [np.asarray(Image.open(path).convert("RGB"))]
    return []


def _varied_crop(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    height, width = picture.shape[:2]
    side = int(min(height, width) * rng.choice([1.0, rng.uniform(0.35, 1.0)]))
    top, left = rng.integers(0, height - side + 1), rng.integers(0, width - side + 1)
    crop = picture[top : top + side, left : left + side]
    crop = crop[:, ::-1] if rng.random() < 0.5 else crop
    return np.clip(crop * (rng.uniform(0.8, 1.15) * rng.uniform(0.93, 1.07, 3)), 0, 255).astype("uint8")
