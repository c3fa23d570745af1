"""Numbers that describe a photo's square without any network: sharpness, exposure, colours, edges, and how a lesion stands out."""

import cv2
import numpy as np

SIDE = 224
# Of the coarse picture on which colours and framing are judged, pixels: hair and rulers are gone there.
COARSE = 28
_RING = np.pad(np.zeros((COARSE - 6, COARSE - 6), bool), 3, constant_values=True)
STATISTICS = (
    "log_sharpness",
    "flat",
    "strong_edges",
    "axis_edges",
    "edge_order",
    "lightness",
    "lightness_spread",
    "black",
    "white",
    "red_green",
    "blue_yellow",
    "chroma",
    "chroma_spread",
    "greenish",
    "bluish",
    "grey",
    "hue_spread",
    "colours",
    "coarse_edges",
    "coarse_colour_order",
    "border_spread",
    "centre_contrast",
    "lesion_contrast",
    "lesion_share",
    "fine_detail",
    "symmetry",
)


def photo_statistics(image: np.ndarray) -> np.ndarray:
    """The numbers of `STATISTICS`, (26,) float32.

    Args:
        image: (224, 224, 3), RGB, 0..255, the photo's square from `fit_image`.
    """
    lab = cv2.cvtColor(np.asarray(image).astype("uint8", copy=False), cv2.COLOR_RGB2LAB)
    # L 0..100; a and b about -100..100, at half the size: colours are broad.
    light = lab[..., 0] * np.float32(100 / 255)
    half = cv2.resize(lab, (SIDE // 2, SIDE // 2), interpolation=cv2.INTER_AREA).astype("float32")
    half -= np.float32((0, 128, 128))
    half[..., 0] *= 100 / 255
    tones, a, b = cv2.split(half)
    gx, gy = cv2.Sobel(light, cv2.CV_32F, 1, 0) / 8, cv2.Sobel(light, cv2.CV_32F, 0, 1) / 8
    steep = cv2.magnitude(gx, gy)
    chroma = cv2.magnitude(a, b)
    laplacian = cv2.Laplacian(cv2.GaussianBlur(light, (0, 0), 0.8), cv2.CV_32F)

    angle = (cv2.phase(gx, gy) * np.float32(18 / np.pi)).astype("int32").ravel() % 18
    directions = np.bincount(angle, steep.ravel(), 18)
    directions = directions / max(directions.sum(), 1e-6)
    axis = directions[[17, 0, 8, 9]].sum()

    weight = np.maximum(chroma - 4, 0) / np.maximum(chroma, 1e-3)
    turned = np.hypot((weight * a).sum(), (weight * b).sum()) / max((weight * chroma).sum(), 1e-6)

    coarse = cv2.resize(half, (COARSE, COARSE), interpolation=cv2.INTER_AREA)
    quantised = (coarse // 8).astype("int32").reshape(-1, 3)
    colours = len(np.unique(quantised @ (1, 64, 4096)))
    flat = coarse.reshape(-1, 3)
    axes = np.linalg.eigvalsh(np.cov(flat.T) + 1e-6 * np.eye(3))
    tone = cv2.GaussianBlur(coarse[..., 0], (0, 0), 0.8)
    border = coarse[_RING]
    skin = np.median(border, axis=0)
    away = np.linalg.norm(coarse - skin, axis=2)
    middle = away[8:20, 8:20]
    # The lesion is what differs from the border by more than the border itself differs.
    limit = max(8.0, 1.5 * float(np.median(np.linalg.norm(border - skin, axis=1))))
    mirrored = np.abs(tone - tone[:, ::-1]).mean() + np.abs(tone - tone[::-1]).mean()
    return np.array(
        [
            np.log10(laplacian.var() + 1e-4),
            (steep < 0.15).mean(),
            (steep > 12).mean(),
            axis,
            -(directions * np.log(directions + 1e-9)).sum(),
            tones.mean(),
            tones.std(),
            (tones < 8).mean(),
            (tones > 97).mean(),
            a.mean(),
            b.mean(),
            chroma.mean(),
            chroma.std(),
            (a < -6).mean(),
            (b < -14).mean(),
            (chroma < 5).mean(),
            1 - turned,
            np.log(colours),
            np.abs(np.diff(tone, axis=0)).mean() + np.abs(np.diff(tone, axis=1)).mean(),
            np.log(axes[-1] / axes.sum() + 1e-6),
            np.log1p(border.std(axis=0).sum()),
            middle.mean(),
            np.log1p(np.quantile(away, 0.95)),
            (away > limit).mean(),
            np.log(steep.mean() + 1e-3) - np.log(np.abs(np.diff(tone, axis=0)).mean() + 0.05),
            mirrored / (tone.std() + 1.0),
        ],
        "float32",
    )
