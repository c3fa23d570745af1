"""A sweep as a page of its own: what mattered, and each thing that varied against the figure."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from core.cluster.search_space import Space
from core.cluster.sweep import FIGURE
from core.files import write_text

PLOT_FILE = "sweep.html"


def draw_sweep(space: Space, table: pd.DataFrame, effects: pd.DataFrame) -> go.Figure:
    """One bar a name, then one panel a name with a dot a trial; trials that were stopped early are hollow."""
    names = list(space.space)
    titles = ["From the worst group to the best, points of balanced accuracy", *names]
    figure = make_subplots(rows=len(titles), cols=1, subplot_titles=titles)
    figure.add_bar(x=effects.difference, y=effects.name, orientation="h", row=1, col=1)
    symbols = ["circle" if ended else "circle-open" for ended in table.epochs >= table.planned]
    for row, name in enumerate(names, 2):
        numbers = pd.api.types.is_numeric_dtype(table[name]) and table[name].dtype != bool
        figure.add_scatter(
            x=table[name] if numbers else table[name].astype(str),
            y=table[FIGURE],
            mode="markers",
            marker={"symbol": symbols, "size": 9},
            text=table.trial,
            row=row,
            col=1,
        )
        if isinstance(space.space[name], dict) and "log" in space.space[name]:
            figure.update_xaxes(type="log", row=row, col=1)
        figure.update_yaxes(title_text="balanced accuracy", row=row, col=1)
    return figure.update_layout(showlegend=False, height=280 * len(titles), title="Sweep; validation photos chose")


def write_plot(space: Space, table: pd.DataFrame, effects: pd.DataFrame, out: Path) -> Path:
    """Writes the page, which asks the network for nothing."""
    return write_text(out / PLOT_FILE, draw_sweep(space, table, effects).to_html(include_plotlyjs=True))
