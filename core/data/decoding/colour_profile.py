"""Follows a photo's colour profile to sRGB, in which every network here was trained and every page draws."""

import io
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

from core.data.decoding.decode_limits import MAX_PROFILE

_SRGB = "RGB"
# A profile that moves no colour by more than this is sRGB whatever its name; programs round its numbers differently.
_ROUNDING = 2
# Values of each channel at which a profile is compared with sRGB.
_PROBES = (0, 8, 16, 32, 64, 96, 128, 160, 192, 224, 255)
# Longer profiles, which are printers', are judged anew each time, bytes.
_REMEMBERED = 64_000
_SPACES = {"L": "GRAY", "RGB": "RGB ", "CMYK": "CMYK", "LAB": "Lab "}
BROKEN = "Its colour profile is damaged and was not followed: the colours may be off."


def to_srgb(picture: Image.Image, profile: bytes) -> tuple[Image.Image, str]:
    """Turns a photo into sRGB.

    Args:
        picture: from `plain_mode`.
        profile: ICC; empty without one.

    Returns:
        The photo, "RGB" or "RGBA", and a sentence if its colours could not be followed.
    """
    alpha = picture.getchannel("A") if picture.mode in ("RGBA", "LA") else None
    if alpha is not None and profile:
        picture = picture.convert(picture.mode[:-1])
    colours, note = _colours(picture, profile)
    if alpha is None or colours.mode == "RGBA":
        return colours, note
    colours.putalpha(alpha)
    return colours, note


def plain_mode(picture: Image.Image) -> Image.Image:
    """A photo of any mode with 8 bits a channel in one of L, LA, RGB, RGBA, CMYK and LAB."""
    if picture.mode in ("L", "LA", "RGB", "RGBA", "CMYK", "LAB"):
        return picture.convert("RGBA" if picture.mode == "RGB" else "LA") if _has_clear_colour(picture) else picture
    if picture.mode == "1":
        return picture.convert("L")
    return picture.convert("RGBA" if picture.has_transparency_data else "RGB")


def _has_clear_colour(picture: Image.Image) -> bool:
    return picture.mode in ("L", "RGB") and picture.has_transparency_data


def _colours(picture: Image.Image, profile: bytes) -> tuple[Image.Image, str]:
    if picture.mode == "LAB":
        return _transformed(picture, ImageCms.createProfile("LAB"), _SRGB), ""
    if not profile:
        note = (
            "It is a CMYK photo without a colour profile: its colours are approximate."
            if picture.mode == "CMYK"
            else ""
        )
        return picture.convert("RGBA" if picture.mode in ("RGBA", "LA") else "RGB"), note
    if len(profile) > MAX_PROFILE:
        return picture.convert(
            "RGB"
        ), f"Its colour profile has more than {MAX_PROFILE / 1e6:.0f} MB and was not followed."
    space = profile[16:20].decode("ascii", "replace")
    if space == "RGB " and picture.mode == "L":
        picture = picture.convert("RGB")  # programs save grey photos with the screen's profile
    if space != _SPACES[picture.mode]:
        if space not in _SPACES.values():
            return picture.convert("RGB"), BROKEN
        return picture.convert("RGB"), f"Its colour profile is of another kind ({space.strip()}) and was not followed."
    try:
        judge = _is_srgb if len(profile) <= _REMEMBERED else _is_srgb.__wrapped__
        if judge(profile):
            return picture.convert("RGB"), ""
        return _transformed(picture, ImageCms.ImageCmsProfile(io.BytesIO(profile)), _SRGB), ""
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture.convert("RGB"), BROKEN


@lru_cache(maxsize=64)
def _is_srgb(profile: bytes) -> bool:
    """Whether following a profile changes no colour; judged by what it does and not by its name."""
    if profile[16:20] == b"GRAY":
        probes = Image.fromarray(np.arange(256, dtype="uint8")[None])
    elif profile[16:20] == b"RGB ":
        steps = np.array(_PROBES, "uint8")
        probes = Image.fromarray(np.stack(np.meshgrid(steps, steps, steps), -1).reshape(1, -1, 3))
    else:
        return False
    moved = _transformed(probes, ImageCms.ImageCmsProfile(io.BytesIO(profile)), _SRGB)
    return bool(np.abs(np.asarray(moved, "int16") - np.asarray(probes.convert("RGB"), "int16")).max() <= _ROUNDING)


def _transformed(picture: Image.Image, source: ImageCms.ImageCmsProfile, mode: str) -> Image.Image:
    target = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    transform = ImageCms.buildTransform(source, target, picture.mode, mode)
    return transform.apply(picture)
