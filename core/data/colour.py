"""Changes of a photo's colour, each with one strength: colour constancy, lightness, gamma, grey, saturation, hue, hair removal."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from core.choices import find_choice
from core.data.lesion_region import from_lab, to_lab

# Shades of gray above this power is the brightest pixel alone (white patch): the mean no longer changes.
LARGEST_POWER = 50.0
# Hairs: the closing's size as a share of the photo's short side, and how far it must lie above the photo to be one.
HAIR_WIDTH, HAIR_DEPTH = 0.04, 10.0


@dataclass(frozen=True)
class Transformation:
    """One way to change a photo's colour.

    Args:
        title: its name on a page.
        about: one sentence: what it does, and why one would.
        apply: (photo uint8 RGB, strength) -> photo uint8 RGB.
        unit: what the strength is called.
        low, high, step: of the slider.
        neutral: the strength that changes nothing.
        shown: the strength that a page begins with.
        decimals: of the strength.
    """

    title: str
    about: str
    apply: Callable[[np.ndarray, float], np.ndarray]
    unit: str
    low: float
    high: float
    step: float
    neutral: float
    shown: float
    decimals: int = 0

    def __call__(self, photo: np.ndarray, strength: float) -> np.ndarray:
        """The changed photo, (H, W, 3) uint8 RGB; an untouched copy at the neutral strength.

        Raises:
            ValueError: a strength outside the slider, or something that is no photo.
        """
        if photo.dtype != np.uint8 or photo.ndim != 3 or photo.shape[2] != 3:
            raise ValueError(f"Expected a photo (H, W, 3) of uint8; got {photo.shape} of {photo.dtype}.")
        if not self.low <= strength <= self.high:
            raise ValueError(
                f"{self.title}: strength {strength!r} is not possible. Expected {self.low:g} to {self.high:g}."
            )
        return photo.copy() if strength == self.neutral else self.apply(photo, strength)

    def steps(self, count: int = 13) -> list[float]:
        """Strengths from end to end, the neutral one among them."""
        places = np.linspace(self.low, self.high, count)
        snapped = {round(round((p - self.low) / self.step) * self.step + self.low, 6) for p in places}
        return sorted(snapped | {self.neutral})


def shades_of_gray(photo: np.ndarray, power: float) -> np.ndarray:
    """Takes the light's colour out: divides each channel by its Minkowski mean, keeping the photo's overall brightness.

    Power 1 is grey world, high powers the brightest spot (white patch), 6 is what works best on photos; 0 leaves it as it is.

    Reference: Finlayson and Trezzi 2004, "Shades of gray and colour constancy".
    """
    values = photo.astype("float64")
    peaks = values.max(axis=(0, 1))
    if power >= LARGEST_POWER:
        light = peaks
    else:
        # Divided by the peak first: 255 to the 20th would lose all digits.
        scaled = values / np.maximum(peaks, 1)
        light = np.maximum(peaks, 1) * (scaled**power).mean(axis=(0, 1)) ** (1 / power)
    light = np.maximum(light, 1e-6)
    gains = np.sqrt((light**2).mean()) / light
    return np.rint(np.clip(values * gains, 0, 255)).astype("uint8")


def shift_lightness(photo: np.ndarray, by: float) -> np.ndarray:
    """Adds to L* of every pixel; the colours' a* and b* stay."""
    lab = to_lab(photo)
    lab[..., 0] = np.clip(lab[..., 0] + by, 0, 100)
    return from_lab(lab)


def change_gamma(photo: np.ndarray, gamma: float) -> np.ndarray:
    """Raises each value's share of white to a power: below 1 shadows open, above 1 they deepen."""
    table = np.rint((np.arange(256) / 255.0) ** gamma * 255).astype("uint8")
    return table[photo]


def scale_chroma(photo: np.ndarray, factor: float) -> np.ndarray:
    """Multiplies a* and b*: 0 leaves grey of the same lightness, above 1 colours glow."""
    lab = to_lab(photo)
    lab[..., 1:] *= factor
    return from_lab(lab)


def turn_hue(photo: np.ndarray, degrees: float) -> np.ndarray:
    """Turns the hue in HSV; positive from red towards yellow."""
    hsv = cv2.cvtColor(photo.astype("float32") / 255, cv2.COLOR_RGB2HSV)
    hsv[..., 0] = (hsv[..., 0] + degrees) % 360
    return np.rint(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB).clip(0, 1) * 255).astype("uint8")


def scale_saturation(photo: np.ndarray, factor: float) -> np.ndarray:
    """Multiplies HSV's saturation: unlike chroma in Lab, this changes the lightness too."""
    hsv = cv2.cvtColor(photo.astype("float32") / 255, cv2.COLOR_RGB2HSV)
    hsv[..., 1] = np.clip(hsv[..., 1] * factor, 0, 1)
    return np.rint(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB).clip(0, 1) * 255).astype("uint8")


def remove_hair(photo: np.ndarray, share: float) -> np.ndarray:
    """Finds thin dark lines and paints them over from their surroundings, blended with the photo by `share`.

    Reference: Lee et al. 1997, "DullRazor", Comput Biol Med 27:533: closing by lines; here with OpenCV's inpainting (Telea 2004).
    """
    grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
    width = max(5, round(HAIR_WIDTH * min(photo.shape[:2])) | 1)
    # A hair is dark across and long: lines of one pixel, in four directions, each closes what crosses it.
    line = np.zeros((width, width), "uint8")
    line[width // 2] = 1
    diagonal = np.eye(width, dtype="uint8")
    closed = [
        cv2.morphologyEx(grey, cv2.MORPH_CLOSE, kernel) for kernel in (line, line.T, diagonal, diagonal[::-1].copy())
    ]
    depth = np.maximum.reduce(closed).astype("float32") - grey
    # A speck of pigment is closed by every line, a hair not by the one along it.
    along = np.minimum.reduce(closed).astype("float32") - grey
    hair = ((depth > HAIR_DEPTH) & (along < depth / 2)).astype("uint8")
    if not hair.any():
        return photo.copy()
    hair = cv2.dilate(hair, np.ones((3, 3), "uint8"))
    painted = cv2.inpaint(photo, hair, 3, cv2.INPAINT_TELEA)
    return cv2.addWeighted(photo, 1 - share, painted, share, 0)


TRANSFORMATIONS: dict[str, Transformation] = {
    "shades-of-gray": Transformation(
        "Shades of gray",
        "Colour constancy: takes out the light's colour as the photo's own Minkowski mean gives it. Power 1 is grey world, 6 the usual "
        "choice, high powers trust the brightest spot; 0 is off.",
        shades_of_gray,
        "power p",
        0,
        20,
        1,
        0,
        6,
    ),
    "lightness": Transformation(
        "Lightness", "Adds to L* of every pixel: a brighter or darker photo of the same colours.", shift_lightness,
        "L* added", -40, 40, 5, 0, 20,
    ),
    "gamma": Transformation(
        "Gamma", "Bends the tone curve: below 1 opens the dark parts of a lesion, above 1 deepens them.", change_gamma,
        "gamma", 0.4, 2.5, 0.1, 1.0, 0.7, 1,
    ),
    "chroma": Transformation(
        "Chroma (Lab)", "Scales a* and b* and leaves the lightness: 0 is a grey photo, above 1 colours glow.", scale_chroma,
        "times", 0, 2, 0.1, 1.0, 0.0, 1,
    ),
    "saturation": Transformation(
        "Saturation (HSV)", "Scales the saturation, as a photo editor does.", scale_saturation, "times", 0, 2, 0.1, 1.0, 1.5, 1,
    ),
    "hue": Transformation(
        "Hue (HSV)", "Turns every colour on the wheel: negative towards violet, positive towards yellow.", turn_hue,
        "degrees", -40, 40, 5, 0, 15,
    ),
    "hair": Transformation(
        "Hair removal", "Finds thin dark lines and paints them over from the skin beside them (after DullRazor).", remove_hair,
        "share", 0, 1, 0.25, 0, 1, 2,
    ),
}  # fmt: skip


def find_transformation(name: str) -> Transformation:
    """Looks a transformation up.

    Raises:
        ValueError: no such transformation; the message lists those there are.
    """
    return find_choice("transformation", name, TRANSFORMATIONS)


@dataclass(frozen=True)
class Setting:
    """A transformation at one strength, as it is measured over a test part.

    Args:
        transformation: key of `TRANSFORMATIONS`.
        strength: of it.
        title: in words.
    """

    transformation: str
    strength: float
    title: str

    def __call__(self, photo: np.ndarray) -> np.ndarray:
        return TRANSFORMATIONS[self.transformation](photo, self.strength)


# What is measured over a whole test part; "plain" comes beside them.
SETTINGS: dict[str, Setting] = {
    "gray-world": Setting("shades-of-gray", 1, "Grey world (shades of gray, p = 1)"),
    "shades-6": Setting("shades-of-gray", 6, "Shades of gray, p = 6"),
    "lighter": Setting("lightness", 15, "Lightness +15 L*"),
    "darker": Setting("lightness", -15, "Lightness -15 L*"),
    "gamma-0.7": Setting("gamma", 0.7, "Gamma 0.7 (shadows opened)"),
    "gamma-1.5": Setting("gamma", 1.5, "Gamma 1.5 (shadows deepened)"),
    "grey": Setting("chroma", 0, "Grey (no colour at all)"),
    "chroma-1.4": Setting("chroma", 1.4, "Chroma x 1.4 (Lab)"),
    "saturation-0.6": Setting("saturation", 0.6, "Saturation x 0.6 (HSV)"),
    "hue-minus": Setting("hue", -10, "Hue -10 degrees (towards violet)"),
    "hue-plus": Setting("hue", 10, "Hue +10 degrees (towards yellow)"),
    "hair": Setting("hair", 1, "Hair removed"),
}
