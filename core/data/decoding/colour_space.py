"""Colour spaces that files name by numbers instead of a profile, written as profiles so that one engine converts them all.

Reference: ITU-T H.273 (coding-independent code points); IEC 61966-2-1 (sRGB); Adobe RGB (1998); ICC.1:2022 (profile format v4).
"""

import struct
from dataclasses import dataclass

import numpy as np

from core.data.decoding.unreadable import UnreadablePhoto

_D65, _DCI_WHITE = (0.3127, 0.3290), (0.314, 0.351)
# Of ITU-T H.273: code -> chromaticities of red, green, blue and white.
_PRIMARIES = {
    1: ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06), _D65),
    4: ((0.67, 0.33), (0.21, 0.71), (0.14, 0.08), (0.310, 0.316)),
    5: ((0.64, 0.33), (0.29, 0.60), (0.15, 0.06), _D65),
    6: ((0.63, 0.34), (0.31, 0.595), (0.155, 0.07), _D65),
    7: ((0.63, 0.34), (0.31, 0.595), (0.155, 0.07), _D65),
    9: ((0.708, 0.292), (0.17, 0.797), (0.131, 0.046), _D65),
    11: ((0.68, 0.32), (0.265, 0.69), (0.15, 0.06), _DCI_WHITE),
    12: ((0.68, 0.32), (0.265, 0.69), (0.15, 0.06), _D65),
}
# A curve: gamma, or the five numbers g, a, b, c, d of ICC's parametric curve of type 3.
_SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
# Video's curves describe the camera; a screen shows what they give with gamma 2.4 (ITU-R BT.1886), and so do browsers.
_VIDEO_CURVE = (2.4,)
_SMPTE_240M_CURVE = (1 / 0.45, 1 / 1.1115, 0.1115 / 1.1115, 1 / 4, 0.0913)
# Code -> curve.
_TRANSFERS = {
    1: _VIDEO_CURVE,
    4: (2.2,),
    5: (2.8,),
    6: _VIDEO_CURVE,
    7: _SMPTE_240M_CURVE,
    8: (1.0,),
    13: _SRGB_CURVE,
    14: _VIDEO_CURVE,
    15: _VIDEO_CURVE,
}
_UNSPECIFIED, _PRIMARIES_OF_SRGB, _TRANSFER_OF_SRGB, _VIDEO = 2, 1, 13, (1, 6, 14, 15)
_HDR = {16: "PQ", 18: "HLG"}
_D50 = np.array((0.9642, 1.0, 0.8249))
_BRADFORD = np.array(((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296)))


# A gamma so near that of screens, in parts, is taken for sRGB, as libpng and browsers do.
_SAME_GAMMA = 0.05


class InvalidColours(ValueError):
    """Numbers that describe no colour space."""


@dataclass(frozen=True)
class ColourSpace:
    """A space of red, green and blue light.

    Args:
        primaries: chromaticities (x, y) of red, green, blue and white.
        curve: from stored values to light; see `_SRGB_CURVE`.
    """

    primaries: tuple[tuple[float, float], ...]
    curve: tuple[float, ...]

    def profile(self) -> bytes:
        """The space as an ICC profile.

        Raises:
            InvalidColours: the primaries span no colours.
        """
        columns = _to_d50(self.primaries).T
        kind = 3 if len(self.curve) == 5 else 0
        curve = b"para" + struct.pack(">IHH", 0, kind, 0) + b"".join(_fixed(n) for n in self.curve)
        tags = {b"wtpt": b"XYZ \0\0\0\0" + b"".join(map(_fixed, _D50))}
        for letter, column in zip(b"rgb", columns, strict=True):
            tags[bytes((letter,)) + b"XYZ"] = b"XYZ \0\0\0\0" + b"".join(map(_fixed, column))
            tags[bytes((letter,)) + b"TRC"] = curve
        place, table, body = 128 + 4 + 12 * len(tags), struct.pack(">I", len(tags)), b""
        for tag, content in tags.items():
            content += bytes(-len(content) % 4)
            table += tag + struct.pack(">II", place + len(body), len(content))
            body += content
        head = struct.pack(">I4sI4s4s4s", place + len(body), b"\0" * 4, 0x04300000, b"mntr", b"RGB ", b"XYZ ")
        head += bytes(12) + b"acsp" + bytes(28) + b"".join(map(_fixed, _D50))
        return head.ljust(128, b"\0") + table + body


SRGB = ColourSpace(_PRIMARIES[1], _SRGB_CURVE)
ADOBE_RGB = ColourSpace(((0.64, 0.33), (0.21, 0.71), (0.15, 0.06), _D65), (563 / 256,))


def coded_space(primaries: int, transfer: int, name: str, loose: bool = False) -> ColourSpace | None:
    """The space of two code points of ITU-T H.273, or None where they leave it open.

    Args:
        loose: as AVIF and HEIC mean them, and browsers read them: a video curve, or none, stands for sRGB's.

    Raises:
        UnreadablePhoto: a high dynamic range, of which no screen colours follow without a choice of exposure.
    """
    if transfer in _HDR:
        raise UnreadablePhoto(
            f"{name} has a high dynamic range ({_HDR[transfer]}), which is not read. Expected usual colours (SDR); "
            "switch HDR off in the camera, or export it as JPEG."
        )
    if loose:
        primaries = _PRIMARIES_OF_SRGB if primaries == _UNSPECIFIED else primaries
        transfer = _TRANSFER_OF_SRGB if transfer in (_UNSPECIFIED, *_VIDEO) else transfer
    if primaries not in _PRIMARIES or transfer not in _TRANSFERS:
        return None
    return ColourSpace(_PRIMARIES[primaries], _TRANSFERS[transfer])


def gamma_space(gamma: int, points: tuple[int, ...]) -> ColourSpace:
    """The space of PNG's gAMA and cHRM chunks.

    Args:
        gamma: of encoding, times 100,000.
        points: white, red, green and blue, x and y each, times 100,000; empty without cHRM.

    Raises:
        InvalidColours: a gamma that cannot be.
    """
    if not 1_000 <= gamma <= 1_000_000:
        raise InvalidColours(f"gamma {gamma / 1e5:g}")
    if not points:
        if abs(gamma / 1e5 * 2.2 - 1) < _SAME_GAMMA:
            return SRGB
        return ColourSpace(SRGB.primaries, (1e5 / gamma,))
    white, *colours = [(points[i] / 1e5, points[i + 1] / 1e5) for i in range(0, 8, 2)]
    space = ColourSpace((*colours, white), (1e5 / gamma,))
    _to_d50(space.primaries)
    return space


def _to_d50(primaries: tuple[tuple[float, float], ...]) -> np.ndarray:
    """Matrix from linear red, green and blue to XYZ under D50, (3, 3)."""
    if any(not 0 < y <= 1 or not 0 <= x <= 1 for x, y in primaries):
        raise InvalidColours("primaries outside the diagram")
    xyz = np.array([(x / y, 1.0, (1 - x - y) / y) for x, y in primaries])
    white = xyz[3]
    try:
        matrix = xyz[:3].T * np.linalg.solve(xyz[:3].T, white)
        cones = _BRADFORD @ white
        adapted = np.linalg.solve(_BRADFORD, np.diag(_BRADFORD @ _D50 / cones) @ _BRADFORD) @ matrix
    except np.linalg.LinAlgError:
        raise InvalidColours("primaries on one line") from None
    if not np.isfinite(adapted).all() or np.abs(adapted).max() > 100:
        raise InvalidColours("primaries on one line")
    return adapted


def _fixed(number: float) -> bytes:
    """S15Fixed16, as profiles write numbers."""
    return struct.pack(">i", round(float(number) * 65536))
