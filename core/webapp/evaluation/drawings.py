"""The figures of an evaluation's report, drawn by Matplotlib on white, of the size they have on A4."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from core.diagnoses import CODES, NAMES
from core.estimates import Estimate
from core.evaluation.curves import BandedCurve, CalibrationBin, row_shares
from core.webapp.shared.charts import BLUES, DARK_TEXT, LIGHT_TEXT
from core.webapp.shared.theme import COLORS, SHORT_NAMES

WIDTH = 6.85  # of A4 between its margins, inches
INK, GREY_INK, GRID = "#18272b", "#7d8a92", "#e3e9ea"
_SIZE = 7.5
_SHARES = [n / 5 for n in range(6)]


def plot_sensitivities(scores: dict[str, Estimate]) -> Figure:
    """A score of several diagnoses with its 95 % interval: dots and whiskers, the first on top.

    Args:
        scores: name -> the score; those without a value are left out.
    """
    known = {name: score for name, score in scores.items() if score.value is not None}
    figure, axes = _new(0.5 + 0.26 * max(1, len(known)))
    for place, score in enumerate(known.values()):
        if score.low is not None and score.high is not None:
            ends = [score.low, score.high]
            axes.plot(ends, [place, place], color=COLORS["nv"], linewidth=1.4)
            axes.plot(ends, [place, place], "|", color=COLORS["nv"], markersize=6)
        axes.plot(score.known, place, "o", color=COLORS["nv"], markersize=6)
    axes.set(xlim=(0, 1), xticks=_SHARES, ylim=(len(known) - 0.4, -0.6), xlabel="sensitivity")
    axes.set_yticks(range(len(known)), list(known))
    return figure


def plot_confusion(confusion: list) -> Figure:
    """The confusion matrix, rows true, columns predicted; melanoma called nevus, and back, are framed.

    Args:
        confusion: (7, 7) counts.
    """
    part, names = row_shares(confusion), [SHORT_NAMES[code] for code in CODES]
    figure, axes = _new(3.9, width=5.6)
    scale = LinearSegmentedColormap.from_list("blues", [(place, color) for place, color in BLUES])
    axes.pcolormesh(np.nan_to_num(part), cmap=scale, vmin=0, vmax=1, edgecolors="white", linewidth=1.5)
    for row, column in np.ndindex(part.shape):
        count, color = confusion[row][column], LIGHT_TEXT if part[row, column] > 0.5 else DARK_TEXT
        axes.text(column + 0.5, row + 0.5, str(count) if count else "·", color=color, ha="center", va="center")
    for true, predicted in (("mel", "nv"), ("nv", "mel")):
        corner = CODES.index(predicted), CODES.index(true)
        axes.add_patch(Rectangle(corner, 1, 1, fill=False, edgecolor=COLORS["mel"], linewidth=1.6))
    axes.set(xlabel="predicted", ylabel="true", ylim=(len(CODES), 0))
    axes.set_xticks(np.arange(len(CODES)) + 0.5, names, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(np.arange(len(CODES)) + 0.5, names)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    return figure


def plot_curves(curves: Sequence[tuple[str, str, BandedCurve]], kind: str) -> Figure:
    """All diagnoses' curves on the left, melanoma's with its 95 % band on the right.

    Args:
        curves: (label, diagnosis code, curve) each.
        kind: "roc" or "pr".
    """
    figure, (every, melanoma) = _new(3.4, columns=2)
    for axes, shown in ((every, curves), (melanoma, [one for one in curves if one[1] == "mel"])):
        if kind == "roc":
            axes.plot([0, 1], [0, 1], color=GREY_INK, linewidth=0.8, linestyle="dotted")
        for label, code, curve in shown:
            color = COLORS[code]
            if axes is melanoma:
                axes.fill_between(curve.grid, curve.low, curve.high, color=color, alpha=0.16, linewidth=0)
            if kind == "pr":
                axes.axhline(curve.baseline, color=color, alpha=0.6, linewidth=0.7, linestyle="dotted")
            axes.plot(curve.x, curve.y, color=color, linewidth=1.4, label=label)
            if curve.point:
                axes.plot(*curve.point, "o", color=color, markersize=6, markerfacecolor="white", zorder=3)
        titles = (
            ("false-alarm rate (1 - specificity)", "sensitivity") if kind == "roc" else ("sensitivity", "precision")
        )
        _unit_square(axes, *titles)
    every.legend(fontsize=6.5, frameon=False, loc="lower right" if kind == "roc" else "lower left")
    melanoma.set_title("Melanoma, with its 95 % band", fontsize=_SIZE, color=INK, loc="left")
    every.set_title("Each diagnosis against the rest", fontsize=_SIZE, color=INK, loc="left")
    return figure


def plot_reliability(answer: list[CalibrationBin], by_diagnosis: dict[str, list[CalibrationBin]]) -> Figure:
    """What came true against what was said: of the answer, and of each diagnosis; the dot's area is the number of photos."""
    figure, panels = _new(3.6, rows=2, columns=4)
    shown = [("The answer", INK, answer)] + [(SHORT_NAMES[c], COLORS[c], bins) for c, bins in by_diagnosis.items()]
    for axes, (name, color, bins) in zip(np.ravel(panels), shown, strict=True):
        most = max((one.photos for one in bins), default=1)
        x, y = [one.confidence for one in bins], [one.accuracy for one in bins]
        axes.plot([0, 1], [0, 1], color=GREY_INK, linewidth=0.8, linestyle="dotted")
        axes.plot(x, y, color=color, linewidth=1)
        axes.scatter(x, y, s=[6 + 50 * one.photos / most for one in bins], color=color, alpha=0.85, zorder=3)
        _unit_square(axes, "probability", "came true")
        axes.set(xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
        axes.set_title(name, fontsize=_SIZE, color=INK, loc="left")
        axes.label_outer()
    return figure


def plot_distribution(edges: np.ndarray, of_class: np.ndarray, others: np.ndarray, code: str) -> Figure:
    """A diagnosis' probability on the photos that have it (up) and on the others (down)."""
    figure, axes = _new(2.3)
    middle, width = (edges[:-1] + edges[1:]) / 2, np.diff(edges) * 0.92
    axes.bar(middle, of_class, width, color=COLORS[code], label=NAMES[code])
    axes.bar(middle, -others, width, color=GREY_INK, label="all other photos")
    top = max(0.05, float(max(of_class.max(), others.max()))) * 1.05
    axes.axhline(0, color=INK, linewidth=0.6)
    axes.set(xlim=(0, 1), xticks=_SHARES, ylim=(-top, top))
    axes.set(xlabel=f"probability of {NAMES[code].lower()}", ylabel="share of these photos")
    axes.yaxis.set_major_formatter(lambda share, _: f"{abs(share) * 100:.0f} %")
    axes.legend(fontsize=6.5, frameon=False, loc="upper right")
    return figure


def _new(height: float, *, width: float = WIDTH, rows: int = 1, columns: int = 1):
    """A figure and its axes, in the report's look; without pyplot, which keeps state that sessions would share."""
    figure = Figure(figsize=(width, height), layout="constrained")
    panels = figure.subplots(rows, columns)
    for axes in np.ravel(panels):
        axes.grid(color=GRID, linewidth=0.6)
        axes.set_axisbelow(True)
        axes.tick_params(labelsize=_SIZE, colors=INK, length=0)
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(GREY_INK)
        axes.xaxis.label.set(size=_SIZE, color=INK)
        axes.yaxis.label.set(size=_SIZE, color=INK)
    return figure, panels


def _unit_square(axes: Axes, x: str, y: str) -> None:
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xticks=_SHARES, yticks=_SHARES, xlabel=x, ylabel=y)
    axes.set_aspect("equal")
