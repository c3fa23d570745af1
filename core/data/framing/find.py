"""Where in a photo the lesion lies, and what of the photo is a dermatoscope's black rim: guesses from plain colours, no outlines."""

import cv2
import numpy as np

# Mean of R, G and B below which a pixel may be the tube's black, and the share of the photo from which its black counts.
_BLACK, _BLACK_SHARE = 40, 0.02
# A photo that is black all over has no rim.
_ALL_BLACK = 0.95
# A lesion covers at least this share of what is skin; less is a hair or a speck.
_SMALLEST = 0.002
# The skin is looked for in the outermost part of what is no rim, in shares of the short side.
_BORDER = 0.08
# How strongly a lesion must stand out from its skin, as the share of the variance that the split into two explains (Otsu's measure).
_STANDS_OUT = 0.45
# How fast a region counts for less away from the middle of what is skin, in shares of its sides.
_REACH = 0.35


def find_field(photo: np.ndarray) -> np.ndarray:
    """What of a photo is no black rim: (H, W) bool, True on skin. Black is the tube's only where it touches a corner."""
    dark = (photo.mean(axis=2) < _BLACK).astype("uint8")
    count, labels = cv2.connectedComponents(dark)
    height, width = dark.shape
    rim = np.zeros(dark.shape, bool)
    for y, x in ((0, 0), (0, width - 1), (height - 1, 0), (height - 1, width - 1)):
        if labels[y, x]:
            rim |= labels == labels[y, x]
    if rim.mean() < _BLACK_SHARE or rim.mean() > _ALL_BLACK:
        return np.ones(dark.shape, bool)
    # The rim fades into the skin over a few pixels.
    return ~cv2.dilate(rim.astype("uint8"), np.ones((7, 7), "uint8")).astype(bool)


def find_lesion(photo: np.ndarray, field: np.ndarray) -> np.ndarray | None:
    """Where the lesion lies, by its darkness against the skin: (H, W) bool; None where nothing stands out. A guess, not an outline.

    Args:
        photo: small, (H, W, 3) uint8 RGB.
        field: from `find_field`.
    """
    lab = cv2.cvtColor(cv2.GaussianBlur(photo, (0, 0), 2), cv2.COLOR_RGB2LAB).astype("float32")
    skin = _skin(lab, field)
    # Darker than the skin, or of another colour; hairs are thin and go with the blur and the opening.
    apart = np.clip(skin[0] - lab[..., 0], 0, None) + np.hypot(lab[..., 1] - skin[1], lab[..., 2] - skin[2])
    values = np.clip(apart, 0, 255).astype("uint8")
    inside = values[field]
    level, _ = cv2.threshold(inside.reshape(-1, 1), 0, 255, cv2.THRESH_OTSU)
    over = inside > level
    if not over.any() or over.all():
        return None
    share, spread = over.mean(), float(inside.var())
    between = share * (1 - share) * (float(inside[over].mean()) - float(inside[~over].mean())) ** 2
    if not spread or between / spread < _STANDS_OUT:
        return None
    mask = ((values > level) & field).astype("uint8")
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    mask = cv2.morphologyEx(cv2.morphologyEx(mask, cv2.MORPH_OPEN, kernel), cv2.MORPH_CLOSE, kernel)
    count, labels, stats, middles = cv2.connectedComponentsWithStats(mask)
    if count < 2:
        return None
    height, width = mask.shape
    away = np.hypot(middles[1:, 0] / width - 0.5, middles[1:, 1] / height - 0.5)
    # The largest, and among those alike in size the one nearest to the middle.
    weight = stats[1:, cv2.CC_STAT_AREA] * np.exp(-((away / _REACH) ** 2))
    best = int(weight.argmax()) + 1
    if stats[best, cv2.CC_STAT_AREA] < _SMALLEST * field.sum():
        return None
    return labels == best


def _skin(lab: np.ndarray, field: np.ndarray) -> np.ndarray:
    """The skin's colour, (3,): of the lighter half of the field's border, since a large lesion may fill all else."""
    height, width = field.shape
    reach = 2 * max(3, round(_BORDER * min(height, width))) + 1
    inner = cv2.erode(np.pad(field, 1).astype("uint8"), np.ones((reach, reach), "uint8"))[1:-1, 1:-1] > 0
    border = lab[field & ~inner]
    return np.median(border[border[:, 0] >= np.median(border[:, 0])], axis=0)
