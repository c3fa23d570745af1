"""The figures of a report draw the numbers that they are given."""

import numpy as np
import pytest
from matplotlib.collections import QuadMesh

from core.diagnoses import CODES, NAMES
from core.estimates import Estimate
from core.evaluation.curves import BandedCurve, CalibrationBin
from core.webapp.evaluation.drawings import (
    plot_confusion,
    plot_curves,
    plot_distribution,
    plot_reliability,
    plot_sensitivities,
)
from core.webapp.shared.theme import COLORS, SHORT_NAMES


def test_sensitivities_stand_at_their_values_with_their_intervals_first_on_top():
    (axes,) = plot_sensitivities(
        {"Melanoma": Estimate(0.6, 0.5, 0.7), "Absent": Estimate(None), "Nevus": Estimate(0.9)}
    ).axes
    drawn = [tuple(map(tuple, line.get_data())) for line in axes.lines]
    assert ((0.5, 0.7), (0, 0)) in drawn and ((0.6,), (0,)) in drawn and ((0.9,), (1,)) in drawn
    assert [label.get_text() for label in axes.get_yticklabels()] == ["Melanoma", "Nevus"]
    assert axes.yaxis_inverted()


def test_the_matrix_prints_its_counts_colours_rows_and_frames_the_two_confusions():
    counts = np.arange(49).reshape(7, 7).tolist()
    (axes,) = plot_confusion(counts).axes
    printed = {(int(text.get_position()[1]), int(text.get_position()[0])): text.get_text() for text in axes.texts}
    assert all(
        printed[row, column] == (str(counts[row][column]) if counts[row][column] else "·") for row, column in printed
    )
    assert len(printed) == 49
    (mesh,) = [one for one in axes.collections if isinstance(one, QuadMesh)]
    assert np.asarray(mesh.get_array()).reshape(7, 7).sum(axis=1) == pytest.approx(np.ones(7))
    mel, nv = CODES.index("mel"), CODES.index("nv")
    assert {frame.get_xy() for frame in axes.patches} == {(nv, mel), (mel, nv)}


@pytest.mark.parametrize("kind", ["roc", "pr"])
def test_curves_are_drawn_point_by_point_with_melanomas_band_beside(kind):
    grid = np.linspace(0, 1, 5)
    curve = BandedCurve(grid, grid**2, grid, grid * 0.5, grid, (0.2, 0.5), 0.1)
    every, melanoma = plot_curves([("Mel", "mel", curve), ("Nv", "nv", curve)], kind).axes
    for axes, colors in ((every, {"mel", "nv"}), (melanoma, {"mel"})):
        found = [line for line in axes.lines if len(line.get_xdata()) == 5]
        assert {line.get_color() for line in found} == {COLORS[code] for code in colors}
        assert all((line.get_ydata() == grid**2).all() for line in found)
    band = melanoma.collections[0].get_paths()[0].vertices
    assert {(1.0, 0.5), (1.0, 1.0)} <= {tuple(point) for point in band}
    assert not every.collections


def test_reliability_has_a_panel_for_the_answer_and_each_diagnosis_dots_by_their_photos():
    bins = [CalibrationBin(0.0, 0.1, 10, 0.05, 0.1), CalibrationBin(0.1, 0.2, 40, 0.15, 0.2)]
    axes = plot_reliability(bins, {code: bins if code == "mel" else [] for code in CODES}).axes
    assert [one.get_title(loc="left") for one in axes] == ["The answer", *(SHORT_NAMES[code] for code in CODES)]
    few, many = axes[0].collections[0].get_sizes()
    assert many > few and axes[0].collections[0].get_offsets().tolist() == [[0.05, 0.1], [0.15, 0.2]]


def test_a_distribution_goes_up_for_the_diagnosis_and_down_for_the_others():
    (axes,) = plot_distribution(np.linspace(0, 1, 3), np.array([0.25, 0.75]), np.array([0.9, 0.1]), "mel").axes
    assert [bar.get_height() for bar in axes.patches] == [0.25, 0.75, -0.9, -0.1]
    assert NAMES["mel"] in {text.get_text() for text in axes.get_legend().get_texts()}
