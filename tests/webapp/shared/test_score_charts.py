"""The dashboards' charts hold the numbers that they are given."""

import numpy as np
import pytest

from core.diagnoses import CODES
from core.evaluation.curves import BandedCurve, CalibrationBin
from core.webapp.shared.score_charts import (
    bars_chart,
    confusion_chart,
    curve_chart,
    distribution_chart,
    reliability_chart,
)
from core.webapp.shared.theme import COLORS

GRID = np.linspace(0, 1, 5)
CURVE = BandedCurve(GRID, GRID**2, GRID, GRID * 0.5, GRID, (0.2, 0.5), 0.1)


@pytest.mark.parametrize("shares", [False, True])
def test_every_cell_of_the_matrix_prints_its_own_count_or_share(shares):
    counts = (np.eye(7, dtype=int) * 3 + np.arange(49).reshape(7, 7) % 5).tolist()
    figure = confusion_chart(counts, shares)
    for note in figure.layout.annotations:
        count, total = counts[note.y][note.x], sum(counts[note.y])
        expected = "·" if not count else f"{100 * count / total:.0f}" if shares else str(count)
        assert note.text == expected
    assert len(figure.layout.annotations) == 49
    # A click opens the cell that was clicked: its marker stands where its count does and names both diagnoses.
    marks = figure.data[1]
    assert [counts[y][x] for x, y in zip(marks.x, marks.y, strict=True)] == [row[2] for row in marks.customdata]


@pytest.mark.parametrize("kind", ["roc", "pr"])
def test_a_curve_its_band_and_its_point_are_those_given(kind):
    figure = curve_chart([("Melanoma", "mel", CURVE)], kind)
    by_name = {trace.name: trace for trace in figure.data if trace.name}
    assert by_name["Melanoma"].y == pytest.approx(GRID**2) and by_name["Melanoma"].line.color == COLORS["mel"]
    (band,) = [trace for trace in figure.data if trace.fill == "toself"]
    assert band.y == pytest.approx(np.r_[GRID, (GRID * 0.5)[::-1]])
    (ring,) = [trace for trace in figure.data if trace.mode == "markers"]
    assert (ring.x, ring.y) == ((0.2,), (0.5,))


def test_two_models_of_one_diagnosis_are_told_apart_by_their_lines():
    lines = [t.line.dash for t in curve_chart([("A", "mel", CURVE), ("B", "mel", CURVE)], "roc").data if t.name]
    assert len(set(lines)) == 2


def test_reliability_dots_grow_with_their_photos():
    bins = [CalibrationBin(0.0, 0.1, 10, 0.05, 0.1), CalibrationBin(0.1, 0.2, 40, 0.15, 0.2)]
    dots = reliability_chart([("A", bins)]).data[1]
    assert (dots.x, dots.y) == ((0.05, 0.15), (0.1, 0.2)) and dots.marker.size[1] > dots.marker.size[0]


def test_a_distribution_goes_up_for_the_diagnosis_and_down_for_the_others():
    up, down = distribution_chart(np.linspace(0, 1, 3), np.array([0.25, 0.75]), np.array([0.9, 0.1]), "mel").data
    assert up.y == pytest.approx([0.25, 0.75]) and down.y == pytest.approx([-0.9, -0.1])


def test_bars_without_a_value_have_no_whisker_and_the_others_end_at_their_interval():
    (bar,) = bars_chart(list(CODES[:2]), [("A", [0.5, None], [0.4, None], [0.7, None], "#123456", "")], "score").data
    assert bar.error_y.array == pytest.approx([0.2, 0]) and bar.error_y.arrayminus == pytest.approx([0.1, 0])
