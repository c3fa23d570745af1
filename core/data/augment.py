"""Augmentation of training images, on the fly, after the split: geometry, colour, blur, resolution and JPEG quality."""

from dataclasses import asdict, dataclass, replace

import cv2
import numpy as np


@dataclass(frozen=True)
class Augmentation:
    """How far a training image may be changed; zero switches a change off.

    Reference: paper, section 3.1 (rotation 180, shift 0.1, zoom 0.1, both flips); docs/reproduction.md, section 6. Blur, JPEG quality and
    down-and-up scaling break the link between a diagnosis and the sharpness of the copy its photo came from.

    Args:
        rotation: degrees, either way.
        shift: share of the side, each axis.
        zoom: share, in and out.
        flips: mirror on both axes, each with probability 0.5.
        brightness, contrast, saturation: share, either way.
        hue: degrees on OpenCV's half circle (0..180), either way.
        tint: share by which each colour channel's gain moves, either way: another lamp or white balance.
        gamma: exponent of the tone curve, 1 / (1 + gamma) to 1 + gamma.
        blur, jpeg, rescale: probabilities of a Gaussian blur, a JPEG re-encoding, a down-and-up scaling.
        erase: probability that a rectangle of 2 to 20 % of the photo becomes noise, so that the rest must tell the diagnosis. Reference:
            Zhong et al. 2017, Random Erasing, section 3.
    """

    rotation: float = 180.0
    shift: float = 0.1
    zoom: float = 0.1
    flips: bool = True
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    hue: float = 0.0
    tint: float = 0.0
    gamma: float = 0.0
    blur: float = 0.0
    jpeg: float = 0.0
    rescale: float = 0.0
    erase: float = 0.0

    def to_json(self) -> dict:
        """The record that goes into a card. `erase` came late: it stands in it only where it is set."""
        record = asdict(self)
        return record if self.erase else {name: value for name, value in record.items() if name != "erase"}


NO_AUGMENTATION = Augmentation(rotation=0, shift=0, zoom=0, flips=False)
PAPER_AUGMENTATION = Augmentation()
HONEST_AUGMENTATION = Augmentation(
    zoom=0.2, brightness=0.15, contrast=0.15, saturation=0.2, hue=4.0, blur=0.2, jpeg=0.2, rescale=0.25
)
# What another clinic's lamp, camera and white balance change.
COLOUR_AUGMENTATION = replace(
    HONEST_AUGMENTATION, brightness=0.2, contrast=0.2, saturation=0.3, hue=6.0, tint=0.1, gamma=0.25
)


def augment_image(image: np.ndarray, how: Augmentation, rng: np.random.Generator) -> np.ndarray:
    """Changes one image at random.

    Args:
        image: (S, S, 3) uint8 RGB.

    Returns:
        The same shape and type.
    """
    if how == NO_AUGMENTATION:
        return image
    size = image.shape[0]
    # One affine warp does rotation, zoom, shift and flips, so pixels are interpolated once.
    angle = np.deg2rad(rng.uniform(-how.rotation, how.rotation)) if how.rotation else 0.0
    scale = 1 + (rng.uniform(-how.zoom, how.zoom) if how.zoom else 0.0)
    flip = np.where(rng.random(2) < 0.5, -1.0, 1.0) if how.flips else np.ones(2)
    move = rng.uniform(-how.shift, how.shift, 2) * size if how.shift else np.zeros(2)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * scale @ np.diag(flip)
    centre = np.full(2, (size - 1) / 2)
    matrix = np.column_stack([turn, centre - turn @ centre + move])
    out = cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    if how.rescale and rng.random() < how.rescale:
        small = int(size * rng.uniform(0.35, 0.9))
        out = cv2.resize(out, (small, small), interpolation=cv2.INTER_AREA)
        out = cv2.resize(out, (size, size), interpolation=cv2.INTER_LINEAR)
    if how.blur and rng.random() < how.blur:
        out = cv2.GaussianBlur(out, (0, 0), rng.uniform(0.4, 1.8))
    if how.hue or how.saturation:
        hsv = cv2.cvtColor(out, cv2.COLOR_RGB2HSV)
        hue = (hsv[..., 0].astype("int16") + round(rng.uniform(-how.hue, how.hue))) % 180
        hsv[..., 0] = hue.astype("uint8")
        hsv[..., 1] = cv2.convertScaleAbs(hsv[..., 1], alpha=1 + rng.uniform(-how.saturation, how.saturation))
        out = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)
    if how.tint or how.gamma:
        gains = 1 + rng.uniform(-how.tint, how.tint, 3)
        power = np.exp(rng.uniform(-1, 1) * np.log1p(how.gamma))
        tones = 255 * (np.arange(256)[:, None] / 255) ** power * gains
        out = cv2.LUT(out, np.clip(tones, 0, 255).astype("uint8")[:, None])
    if how.brightness or how.contrast:
        gain = 1 + rng.uniform(-how.contrast, how.contrast)
        middle = float(out.mean())
        table = (np.arange(256) - middle) * gain + middle * (1 + rng.uniform(-how.brightness, how.brightness))
        out = cv2.LUT(out, np.clip(table, 0, 255).astype("uint8"))
    if how.jpeg and rng.random() < how.jpeg:
        out = jpeg_round_trip(out, int(rng.integers(30, 95)))
    if how.erase and rng.random() < how.erase:
        out = erase_rectangle(out, rng)
    return out


def erase_rectangle(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The image with noise in a rectangle of 2 to 20 % of its area, one side up to 3.3 times the other.

    Args:
        image: (S, S, 3) uint8.
    """
    side, area = image.shape[0], rng.uniform(0.02, 0.2)
    stretch = np.exp(rng.uniform(-1, 1) * np.log(3.3) / 2)
    height, width = (max(1, round(side * area**0.5 * by)) for by in (stretch, 1 / stretch))
    top, left = rng.integers(side - height + 1), rng.integers(side - width + 1)
    erased = image.copy()
    erased[top : top + height, left : left + width] = rng.integers(0, 256, (height, width, 3), "uint8")
    return erased


def jpeg_round_trip(image: np.ndarray, quality: int) -> np.ndarray:
    """The image after a JPEG of this quality.

    OpenCV encodes blue, green, red. Given the three the other way round it would keep blue's brightness for red's: luma weighs red
    2.6 times as much as blue, and what little weight chroma keeps would go to the wrong colour.

    Args:
        image: (h, w, 3) uint8 RGB.
        quality: 1..100.
    """
    _, encoded = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cv2.cvtColor(cv2.imdecode(encoded, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)  # pyright: ignore[reportCallIssue]
