"""The one error of reading photos, and the sentences that several formats share."""

import math


class UnreadablePhoto(ValueError):
    """Bytes that cannot be read as a photo; the message says what came, what was expected and how to fix it."""


def damaged(name: str, what: str = "its pixels end too early or cannot be decoded") -> UnreadablePhoto:
    """A photo that is there in part."""
    return UnreadablePhoto(
        f"{name} is damaged or incomplete: {what}. Expected a whole photo; copy or download it again."
    )


def other_kind(name: str, what: str, why: str = "which is not read") -> UnreadablePhoto:
    """A photo of a kind that no part of Melascope reads right."""
    return UnreadablePhoto(f"{name} is {what}, {why}. Expected 8 or 16 bits a channel; save it as JPEG or PNG.")


def too_much(name: str, what: str, most: str) -> UnreadablePhoto:
    """A photo whose reading would take longer or more memory than any dermoscopic photo does."""
    return UnreadablePhoto(
        f"{name} {what}, which was not tried. Expected at most {most}; save it again as JPEG or PNG, or make it smaller."
    )


def too_many_pixels(name: str, width: int, height: int, most: float, kind: str) -> UnreadablePhoto:
    """A photo that would fill the memory."""
    return too_much(
        name,
        f"would unpack to {width:,} x {height:,} pixels ({math.ceil(width * height / 1e6):,} million pixels)",
        f"{most / 1e6:.0f} million pixels in {kind}",
    )
