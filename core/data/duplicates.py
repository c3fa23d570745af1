"""Near-duplicate photos under different lesion ids, found by a perceptual hash."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    import pandas as pd

# The hash: signs of the SIDE x SIDE lowest cosine coefficients of a GREY x GREY grey image, against their median.
GREY = 64
SIDE = 16
BITS = SIDE * SIDE
# Side of the squares to seek at, whatever a backbone's: 299 pixels made of a photo of 224 blur it, and pairs would come and go.
SEEK_SIZE = 224
# What a near-duplicate is: hashes that differ by few bits, then fine detail that correlates. Two dark spots in the middle of
# bare skin may agree in one of them (24 bits; 0.84 at 42 bits), but in HAM10000 no two lesions that look different agree in both.
MAX_BITS = 40
MIN_DETAIL = 0.85
TURNS = 8
_COARSE = 3  # sd of the blur that is taken off to leave the detail, and the border left out, grey pixels
# (SIDE, GREY): the first rows of the cosine transform's matrix. A whole transform, as libraries have it, makes sixteen times as much.
_COSINES = 2 * np.cos(np.pi * np.outer(np.arange(SIDE), 2 * np.arange(GREY) + 1) / (2 * GREY))
_ROWS = 1000  # compared at a time: 80 MB


def perceptual_hashes(images: np.ndarray, turn: int = 0) -> np.ndarray:
    """Perceptual hashes (pHash, 256 bits) of images.

    Args:
        images: (N, S, S, 3) uint8 RGB, the squares that networks see.
        turn: 0..7: quarter turns (turn % 4), then mirrored (from 4 on), before hashing.

    Returns:
        (N, 256) bool.

    Reference: Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions, 2010, section 3.2.1.
    """
    return _bits(_turned(_grey(images), turn))


def turned_hashes(image: np.ndarray) -> np.ndarray:
    """The perceptual hashes of one image in all eight positions, (8, 256) bool: `perceptual_hashes` of each turn, from one transform.

    A mirrored image's cosine coefficients are its own with every other sign changed, a turned one's are those transposed too.

    Args:
        image: (S, S, 3) uint8 RGB.
    """
    low = _low(_grey(image[None]))[0]
    along, across = np.meshgrid((-1) ** np.arange(SIDE), (-1) ** np.arange(SIDE), indexing="ij")
    quarters = low, low.T * along, low * along * across, low.T * across
    turned = np.stack([*quarters, *(quarter * across for quarter in quarters)]).reshape(TURNS, BITS)
    return turned > np.median(turned, axis=1, keepdims=True)


def near_duplicates(
    images: np.ndarray, lesions: pd.Series | np.ndarray, max_bits: int = MAX_BITS, min_detail: float = MIN_DETAIL
) -> pd.DataFrame:
    """Pairs of photos that are nearly the same, also turned or mirrored, but carry different lesion ids.

    Args:
        images: (N, S, S, 3) uint8 RGB; for a split, of side `SEEK_SIZE`.
        lesions: lesion id of each, (N,).
        max_bits: bits by which two hashes may differ.
        min_detail: least correlation of the two grey images without their coarse forms.

    Returns:
        One row a pair: first, second (rows of `images`, first < second), bits, detail; the nearest pair first.
    """
    import pandas as pd

    lesions = pd.factorize(np.asarray(lesions))[0]
    grey = _grey(images)
    plain = _signs(_bits(grey))
    pairs: dict[tuple[int, int], tuple[int, float]] = {}
    for turn in range(TURNS):
        turned = _turned(grey, turn)
        for a, b, bits in _alike(plain, _signs(_bits(turned)), lesions, max_bits):
            detail = float(np.corrcoef(_detail(grey[a]), _detail(turned[b]))[0, 1])
            if detail >= min_detail:
                pairs[a, b] = min((bits, detail), pairs.get((a, b), (BITS, 0.0)))
    rows = sorted((bits, *pair, detail) for pair, (bits, detail) in pairs.items())
    return pd.DataFrame([(a, b, bits, d) for bits, a, b, d in rows], columns=["first", "second", "bits", "detail"])


def _alike(plain: np.ndarray, turned: np.ndarray, lesions: np.ndarray, max_bits: int) -> Iterator[tuple[int, int, int]]:
    """Rows (first < second) of different lesions whose hashes differ by few bits, and by how many.

    Args:
        plain, turned: hashes as signs, (N, 256); of the second photo the turned one counts.
    """
    for start in range(0, len(plain), _ROWS):
        bits = (BITS - plain[start : start + _ROWS] @ turned.T) / 2
        first, second = np.nonzero(bits <= max_bits)
        for a, b, distance in zip(first + start, second, bits[first, second], strict=True):
            if a < b and lesions[a] != lesions[b]:
                yield int(a), int(b), int(distance)


def linked_lesions(table: pd.DataFrame, pairs: pd.DataFrame) -> tuple[tuple[str, ...], ...]:
    """Groups of lesion ids that near-duplicate photos link, each sorted; for `split_table`."""
    # Imported here: a reading looks for near-duplicates and links none.
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    names = sorted(set(table.lesion_id.iloc[pairs["first"]]) | set(table.lesion_id.iloc[pairs["second"]]))
    place = {name: i for i, name in enumerate(names)}
    rows, columns = ([place[table.lesion_id.iloc[i]] for i in pairs[side]] for side in ("first", "second"))
    links = coo_array((np.ones(len(rows)), (rows, columns)), shape=(len(names), len(names)))
    count, group = connected_components(links, directed=False) if names else (0, np.array([]))
    return tuple(tuple(name for name, g in zip(names, group, strict=True) if g == i) for i in range(count))


def _grey(images: np.ndarray) -> np.ndarray:
    out = np.empty((len(images), GREY, GREY), "float32")
    for i, image in enumerate(images):
        grey = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY)
        out[i] = cv2.resize(grey, (GREY, GREY), interpolation=cv2.INTER_AREA)
    return out


def _turned(grey: np.ndarray, turn: int) -> np.ndarray:
    turned = np.rot90(grey, turn % 4, axes=(1, 2))
    return turned[:, :, ::-1] if turn >= 4 else turned


def _bits(grey: np.ndarray) -> np.ndarray:
    low = _low(grey).reshape(len(grey), BITS)
    return low > np.median(low, axis=1, keepdims=True)


def _low(grey: np.ndarray) -> np.ndarray:
    """The lowest coefficients of the cosine transform (DCT-II, not normalised) along both sides, (N, SIDE, SIDE)."""
    return _COSINES @ grey @ _COSINES.T


def _detail(grey: np.ndarray) -> np.ndarray:
    grey = np.ascontiguousarray(grey)
    fine = grey - cv2.GaussianBlur(grey, (0, 0), _COARSE)
    return fine[_COARSE:-_COARSE, _COARSE:-_COARSE].ravel()


def _signs(bits: np.ndarray) -> np.ndarray:
    return np.where(bits, 1, -1).astype("float32")
