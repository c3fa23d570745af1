"""A report as one HTML file that needs nothing beside itself.

Pictures and figures are inside it, there is no script, and its own policy forbids it to load anything. Pictures are made anew
from pixels, so nothing of an upload's EXIF or name can be in them.
"""

import base64
import html
from collections.abc import Sequence

from core.diagnoses import CODES, MALIGNANT, NAMES
from core.webapp.reports import parts as report
from core.webapp.reports.parts import encode_figure, encode_picture, said, with_commands
from core.webapp.shared.frame import NOTICE
from core.webapp.shared.theme import BENIGN_COLOR, GROUPS, MALIGNANT_COLOR
from core.wording import percent


def report_html(title: str, parts: Sequence[report.Part]) -> str:
    """The report as one HTML file, for a browser or a printer."""
    body = "\n".join(_WRITERS[type(part)](part) for part in parts)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">\n"
        f"<title>{_said(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{_said(title)}</h1>\n"
        f"{body}\n<footer>{_said(NOTICE)}</footer>\n</body>\n</html>\n"
    )


def _said(value: object) -> str:
    return html.escape(said(value))


def _rows(part: report.Rows) -> str:
    if not part.printed:
        return ""
    names, *rows = part.printed
    head = "".join(f"<th scope=col>{html.escape(name)}</th>" for name in names)
    body = "".join(f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>\n" for row in rows)
    return f"<div class=table><table><thead><tr>{head}</tr></thead><tbody>\n{body}</tbody></table></div>"


def _bars(part: report.Bars) -> str:
    ranked = sorted(CODES, key=part.probabilities.__getitem__, reverse=True)
    lines = []
    for code in ranked:
        p = part.probabilities[code]
        color = MALIGNANT_COLOR if MALIGNANT[CODES.index(code)] else BENIGN_COLOR
        lines.append(
            f"<tr><th scope=row>{_said(NAMES[code])}<small> {GROUPS[code]}</small></th>"
            f'<td class=bar><div style="width:{100 * p:.1f}%;background:{color}"></div></td><td class=number>{_said(percent(p))}</td></tr>'
        )
    return f"<table class=bars><tbody>\n{chr(10).join(lines)}\n</tbody></table>"


def _pictures(part: report.Pictures) -> str:
    shown = "".join(
        f'<figure><img alt="{_said(caption)}" src="{_data(encode_picture(pixels), "jpeg")}">'
        f"<figcaption>{_said(caption)}</figcaption></figure>"
        for pixels, caption in part.pictures
    )
    return f"<div class=pictures>{shown}</div>"


def _drawing(part: report.Drawing) -> str:
    return f'<img class=drawing alt="{_said(part.shows)}" src="{_data(encode_figure(part, "svg"), "svg+xml")}">'


def _data(content: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


_WRITERS = {
    report.Heading: lambda part: f"<h2>{_said(part.text)}</h2>",
    report.Text: lambda part: (
        f"<p{' class=small' if part.small else ' class=large' if part.large else ''}>{_said(part.text)}</p>"
    ),
    report.Notice: lambda part: f"<p class=notice>{with_commands(part.text, '<code>', '</code>')}</p>",
    report.Rows: _rows,
    report.Bars: _bars,
    report.Pictures: _pictures,
    report.Drawing: _drawing,
}
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #18272b; background: #fff; max-width: 56rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.15rem; margin: 1.6rem 0 .4rem; break-after: avoid; }
.small, figcaption, small, footer { color: #46575c; font-size: .85rem; font-weight: 400; }
.large { font-size: 1.1rem; font-weight: 600; margin: .3rem 0; }
.notice { background: #f2f6f6; border-left: 4px solid #0b6b72; padding: .6rem .8rem; }
.table { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .85rem; }
th, td { border: 1px solid #d5dfe0; padding: .3rem .5rem; text-align: left; vertical-align: top; }
thead th { background: #f2f6f6; vertical-align: bottom; } tr { break-inside: avoid; }
.bars th, .bars td { border: 0; padding: .15rem .4rem .15rem 0; } .bars th { width: 50%; font-weight: 600; }
.bar { width: 38%; } .bar div { height: .8rem; min-width: 1px; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
.number { text-align: right; white-space: nowrap; }
.pictures { display: flex; gap: .8rem; flex-wrap: wrap; } figure { margin: 0; flex: 1 1 10rem; max-width: 18rem; break-inside: avoid; }
img { width: 100%; border-radius: .4rem; } .drawing { width: auto; max-width: 100%; display: block; margin: .6rem 0; break-inside: avoid; }
footer { border-top: 1px solid #d5dfe0; margin-top: 2rem; padding-top: .6rem; }
@media print { body { max-width: none; margin: 0; padding: 0; } .table { overflow: visible; } table { font-size: .7rem; } }
"""
