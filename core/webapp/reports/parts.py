"""What a report is made of. Whatever it says is said here once, so that its HTML and its PDF never differ by a digit."""

import html
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from core.webapp.shared.words import COMMAND, unbroken

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Pictures in a report are at most this large, pixels: sharp in print, and a report stays small.
PICTURE_SIDE = 900


@dataclass(frozen=True)
class Heading:
    """A section's heading; stays with what follows it."""

    text: str


@dataclass(frozen=True)
class Text:
    """A paragraph; a small one says how to read what stands above it, a large one is what the report is read for."""

    text: str
    small: bool = False
    large: bool = False


@dataclass(frozen=True)
class Notice:
    """A sentence that must not be overlooked."""

    text: str


@dataclass(frozen=True)
class Rows:
    """A table: dicts, whose keys are its columns; a row may lack some."""

    rows: Sequence[dict]

    @property
    def printed(self) -> list[list[str]]:
        """The head, then each row's cells, as a report prints them; empty where there is no row."""
        names = list(dict.fromkeys(name for row in self.rows for name in row))
        cells = [[said(row.get(name)) for name in names] for row in self.rows]
        return [[said(name) for name in names], *cells] if names else []


@dataclass(frozen=True)
class Bars:
    """The seven probabilities, code -> probability."""

    probabilities: dict[str, float]


@dataclass(frozen=True, eq=False)
class Pictures:
    """Pictures in a row: (H, W, 3) uint8 RGB, each with its caption."""

    pictures: tuple[tuple[np.ndarray, str], ...]


@dataclass(frozen=True, eq=False)
class Drawing:
    """A figure that Matplotlib drew, of the size it has on paper.

    Args:
        shows: what it shows, for those who do not see it.
    """

    figure: "Figure"
    shows: str


Part = Heading | Text | Notice | Rows | Bars | Pictures | Drawing


def said(value: object) -> str:
    """A cell or a sentence as a report prints it: nothing for None and NaN, numbers to three decimals, no number torn in two."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    text = f"{value:.3f}" if isinstance(value, float) else str(value)
    return unbroken(text)


def with_commands(text: str, begin: str, end: str) -> str:
    """A sentence, escaped, whose commands stand between these marks instead of backticks."""
    return COMMAND.sub(lambda command: f"{begin}{command.group()[1:-1]}{end}", html.escape(said(text)))


def encode_picture(pixels: np.ndarray) -> bytes:
    """A picture as JPEG: pixels and nothing else (no EXIF, no name), no larger than a report needs."""
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    picture.thumbnail((PICTURE_SIDE, PICTURE_SIDE))
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=90)
    return file.getvalue()


def encode_figure(drawing: Drawing, kind: str) -> bytes:
    """A figure as vectors; kind is "svg" or "pdf"."""
    file = io.BytesIO()
    drawing.figure.savefig(file, format=kind, transparent=True, metadata={"Date": None} if kind == "svg" else None)
    return file.getvalue()
