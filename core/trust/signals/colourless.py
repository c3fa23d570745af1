"""Whether a photo has the colours of a colour photo: a grey one, or a grey one that was tinted, is answered wrongly without a word.

In a colour photo of skin, places of the same lightness differ in hue and chroma: pigment, blood and light do. In a grey photo no
place has chroma, and in a tinted one (sepia, one channel, any duotone) the colour follows from the lightness alone.
"""

import cv2
import numpy as np

# Side of the picture on which tints are judged, pixels: small enough that JPEG's own noise of colour averages out.
SIDE = 28
# 95 % of the places have less chroma (CIELAB) than this: grey. Of HAM10000's 10,015 photos the greyest has 8.1.
GREYEST = 6.0
# Colours of places of one lightness differ by less than this (CIELAB, root mean square): one tint. In HAM10000 at least 1.12.
ONE_TINT = 1.1
# Two of the three channels stay below this, of 255: one channel alone.
DARK_CHANNEL = 12
# Places that are compared as having one lightness.
TOGETHER = 28
GREY = "The photo has no colours: it is grey, and the networks learnt from colour photos."
TINTED = "The photo has one tint instead of colours, as a grey photo that was tinted, and the networks learnt from colour photos."


def colour_fault(image: np.ndarray) -> str:
    """What is wrong with a photo's colours, as a sentence; empty if nothing is.

    Args:
        image: (S, S, 3), RGB, 0..255, the photo's square from `fit_image`.
    """
    small = cv2.resize(np.asarray(image).astype("float32") / 255, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    lightness, a, b = cv2.split(cv2.cvtColor(small, cv2.COLOR_RGB2LAB))
    if np.quantile(np.hypot(a, b), 0.95) < GREYEST:
        return GREY
    highest = np.sort(np.quantile(small.reshape(-1, 3), 0.99, axis=0))
    return TINTED if highest[1] * 255 < DARK_CHANNEL or _spread(lightness, a, b) < ONE_TINT else ""


def _spread(lightness: np.ndarray, a: np.ndarray, b: np.ndarray) -> float:
    """How far the colours of places of one lightness lie from their mean, root mean square."""
    order = np.argsort(lightness.ravel(), kind="stable")
    alike = np.stack([a.ravel()[order], b.ravel()[order]], axis=1).reshape(-1, TOGETHER, 2)
    return float(np.sqrt(((alike - alike.mean(axis=1, keepdims=True)) ** 2).sum(axis=2).mean()))
