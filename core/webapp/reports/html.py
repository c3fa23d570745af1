"""A case as a report: parts that any kind of file can be written from, and the one HTML file that holds them all.

The HTML needs nothing beside itself: pictures are inside it, there is no script, and its own policy forbids it to load
anything. Pictures are made anew from pixels, so nothing of an upload's EXIF or name can be in them.
"""

import base64
import html
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from core.diagnoses import CODES, MALIGNANT, NAMES
from core.wording import percent

NOTICE = "For research and teaching. Not a medical device: nothing here may decide about a patient."
# Pictures in the file are at most this large, pixels.
PICTURE_SIDE = 700
MALIGNANT_COLOR, BENIGN_COLOR = "#c2560b", "#0072b2"


@dataclass(frozen=True)
class Heading:
    """A section's heading."""

    text: str


@dataclass(frozen=True)
class Text:
    """A paragraph; a small one says how to read what stands above it."""

    text: str
    small: bool = False


@dataclass(frozen=True)
class Notice:
    """A sentence that must not be overlooked."""

    text: str


@dataclass(frozen=True)
class Rows:
    """A table: dicts with the same keys."""

    rows: tuple[dict, ...]


@dataclass(frozen=True)
class Bars:
    """The seven probabilities, code -> probability."""

    probabilities: dict[str, float]


@dataclass(frozen=True, eq=False)
class Pictures:
    """Pictures in a row: (H, W, 3) uint8 RGB, each with its caption."""

    pictures: tuple[tuple[np.ndarray, str], ...]


Part = Heading | Text | Notice | Rows | Bars | Pictures


def report_html(title: str, parts: Sequence[Part]) -> str:
    """The report as one HTML file, for a browser or a printer."""
    body = "\n".join(_WRITERS[type(part)](part) for part in parts)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">\n"
        f"<title>{_said(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{_said(title)}</h1>\n"
        f"{body}\n<footer>{_said(NOTICE)}</footer>\n</body>\n</html>\n"
    )


def encode_picture(pixels: np.ndarray) -> bytes:
    """A picture as JPEG: pixels and nothing else, no larger than a report needs."""
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    picture.thumbnail((PICTURE_SIDE, PICTURE_SIDE))
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=90)
    return file.getvalue()


def _said(text: object) -> str:
    return html.escape(str(text))


def _rows(part: Rows) -> str:
    if not part.rows:
        return ""
    head = "".join(f"<th scope=col>{_said(name)}</th>" for name in part.rows[0])
    body = ""
    for row in part.rows:
        cells = (f"<td>{_said('' if value is None else value)}</td>" for value in row.values())
        body += f"<tr>{''.join(cells)}</tr>\n"
    return f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}</tbody></table>"


def _bars(part: Bars) -> str:
    ranked = sorted(CODES, key=part.probabilities.__getitem__, reverse=True)
    lines = []
    for code in ranked:
        p, malignant = part.probabilities[code], MALIGNANT[CODES.index(code)]
        color = MALIGNANT_COLOR if malignant else BENIGN_COLOR
        lines.append(
            f"<tr><th scope=row>{_said(NAMES[code])}<small> {'malignant or pre-malignant' if malignant else 'benign'}</small></th>"
            f'<td class=bar><div style="width:{100 * p:.1f}%;background:{color}"></div></td><td class=number>{_said(percent(p))}</td></tr>'
        )
    return f"<table class=bars><tbody>\n{chr(10).join(lines)}\n</tbody></table>"


def _pictures(part: Pictures) -> str:
    shown = "".join(
        f'<figure><img alt="{_said(caption)}" src="data:image/jpeg;base64,{base64.b64encode(encode_picture(pixels)).decode()}">'
        f"<figcaption>{_said(caption)}</figcaption></figure>"
        for pixels, caption in part.pictures
    )
    return f"<div class=pictures>{shown}</div>"


_WRITERS = {
    Heading: lambda part: f"<h2>{_said(part.text)}</h2>",
    Text: lambda part: f"<p{' class=small' if part.small else ''}>{_said(part.text)}</p>",
    Notice: lambda part: f"<p class=notice>{_said(part.text)}</p>",
    Rows: _rows,
    Bars: _bars,
    Pictures: _pictures,
}
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #18272b; background: #fff; max-width: 52rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.15rem; margin: 1.6rem 0 .4rem; break-after: avoid; }
.small, figcaption, small, footer { color: #46575c; font-size: .85rem; font-weight: 400; }
.notice { background: #f2f6f6; border-left: 4px solid #0b6b72; padding: .6rem .8rem; }
table { border-collapse: collapse; width: 100%; font-size: .88rem; overflow-wrap: anywhere; }
th, td { border: 1px solid #d5dfe0; padding: .3rem .5rem; text-align: left; vertical-align: top; }
.bars th, .bars td { border: 0; padding: .15rem .4rem .15rem 0; } .bars th { width: 46%; font-weight: 600; }
.bar { width: 42%; } .bar div { height: .8rem; min-width: 1px; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
.number { text-align: right; white-space: nowrap; }
.pictures { display: flex; gap: .8rem; flex-wrap: wrap; } figure { margin: 0; flex: 1 1 10rem; max-width: 18rem; break-inside: avoid; }
img { width: 100%; border-radius: .4rem; } footer { border-top: 1px solid #d5dfe0; margin-top: 2rem; padding-top: .6rem; }
"""
