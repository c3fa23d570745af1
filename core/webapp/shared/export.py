"""Figures and tables as a page shows them: one sentence on how to read it, and a way to take it away."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import plotly.graph_objects as go
import streamlit as st

from core.csv_cells import csv_text
from core.webapp.shared.words import plain
from core.wording import percent

if TYPE_CHECKING:
    import pandas as pd

FORMATS = ("PNG", "SVG")
ROW_HEIGHT = 35  # of a table's row, pixels
SCALE = 3  # of a saved PNG, for print
_NARROW = 3  # columns that a phone shows at once
_WRAPPED = """<style>
.wrapped { border-collapse: collapse; width: 100%; font-size: .875rem; }
.wrapped th, .wrapped td { border-bottom: 1px solid rgba(128,140,150,.35); padding: .4rem .6rem; text-align: left; }
.wrapped th { font-weight: 600; } .wrapped td:first-child { font-weight: 600; }
@media (max-width: 640px) {
  .wrapped thead { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
  .wrapped tr { display: block; border-bottom: 1px solid rgba(128,140,150,.6); padding: .5rem 0; }
  .wrapped td { display: flex; justify-content: space-between; gap: 1rem; border: 0; padding: .15rem 0; text-align: right; }
  .wrapped td:not(:first-child)::before { content: attr(data-name); text-align: left; opacity: .75; }
}
</style>"""


def ask_format() -> str:
    """Asks for the kind of file that a figure's camera button saves."""
    return st.segmented_control(
        "Save figures as",
        FORMATS,
        default=FORMATS[0],
        required=True,
        key="format",
        bind="query-params",
        help="The camera at a figure's top right saves it. PNG for slides, SVG for print.",
    )


def figure_config(name: str, kind: str = "PNG") -> dict:
    """Plotly's settings: no zoom, and a camera that saves the figure in the browser, without a server."""
    options = {"format": kind.lower(), "filename": file_name(name), "scale": SCALE if kind == "PNG" else 1}
    return {
        "displayModeBar": True,
        "displaylogo": False,
        "modeBarButtons": [["toImage"]],
        "toImageButtonOptions": options,
        "scrollZoom": False,
        "doubleClick": False,
        "showAxisDragHandles": False,
    }


def draw_figure(figure: go.Figure, name: str, how: str, alt: str, **settings):
    """Draws a figure with the sentence on how to read it.

    Args:
        name: of the figure; its key, and the saved file's name.
        how: one sentence on how to read it.
        alt: what it shows, for those who do not see it.
        settings: for `st.plotly_chart`, such as on_select.
    """
    kind = st.session_state.get("format") or FORMATS[0]
    drawn = st.plotly_chart(figure, config=figure_config(name, kind), alt=alt, key=f"figure {name}", **settings)
    st.caption(how)
    return drawn


def draw_table(
    rows: list[dict] | pd.DataFrame,
    name: str,
    how: str = "",
    *,
    tallest: int | None = None,
    probabilities: Sequence[str] = (),
    **settings,
) -> None:
    """Draws a table, and offers it as CSV with every digit.

    Args:
        name: of the table; its key, its words for those who do not see it, and the file's name.
        how: one sentence on how to read it.
        tallest: rows that are seen without scrolling; all when None. A shorter table ends with its last row.
        probabilities: columns of probabilities, said in per cent as elsewhere and sorted as the numbers they are.
        settings: for `st.dataframe`.
    """
    import pandas as pd

    table = pd.DataFrame(rows)
    shown = table
    if len(probabilities):
        # A styled table would give every other number six decimals.
        others = [name for name in table.select_dtypes("float").columns if name not in probabilities]
        shown = table.style.format(percent, subset=list(probabilities), na_rep="").format(
            "{:g}", subset=others, na_rep=""
        )
    height = "content" if tallest is None or len(table) <= tallest else ROW_HEIGHT * (tallest + 1)
    st.dataframe(shown, hide_index=True, alt=name, height=height, **settings)
    wide = f"wide {name}" if len(table.columns) > _NARROW else None
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=wide):
        st.download_button(
            "CSV",
            csv_text(table).encode("utf-8-sig"),
            file_name=f"{file_name(name)}.csv",
            mime="text/csv",
            icon=":material/download:",
            type="tertiary",
            on_click="ignore",
            key=f"csv {name}",
            help=plain(name),
        )
        if how:
            st.caption(how, width="stretch")


def draw_wrapped(rows: list[dict], shows: str) -> None:
    """Draws a small table whose cells wrap, so that a phone holds it; each row becomes a block where even that is too wide.

    Args:
        rows: dicts with the same keys; the first column names the row.
        shows: what it shows, for those who do not see it.
    """
    names = [html.escape(str(name)) for name in rows[0]] if rows else []
    head = "".join(f"<th scope='col'>{name}</th>" for name in names)
    body = "".join(
        "<tr>"
        + "".join(
            f"<td data-name='{name}'>{html.escape(str(value))}</td>"
            for name, value in zip(names, row.values(), strict=True)
        )
        + "</tr>"
        for row in rows
    )
    st.html(
        f"{_WRAPPED}<table class='wrapped' aria-label='{html.escape(shows)}'><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def file_name(name: str) -> str:
    """A name that every file system takes."""
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-").lower()
