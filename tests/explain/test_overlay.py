"""The overlay lies where the network looked, and on nothing else."""

import io

import numpy as np
import pytest
from PIL import Image

from core.explain import COLORMAPS, contour_picture, encode_png, legend_colors, map_picture, overlay
from core.explain.overlay import color_table


@pytest.fixture
def photo():
    return np.random.default_rng(0).integers(0, 256, (60, 100, 3), dtype="uint8")


def corner_map(row, column):
    values = np.zeros((7, 7), "float32")
    values[row, column] = 1
    return values


@pytest.mark.parametrize("shape", [(60, 100), (100, 60), (61, 61), (450, 600)])
def test_overlay_has_the_photos_resolution_and_touches_the_centre_square_only(shape):
    photo = np.full((*shape, 3), 90, "uint8")
    before = photo.copy()
    out = overlay(photo, np.full((7, 7), 0.5), opacity=1)
    assert out.shape == photo.shape and out.dtype == np.uint8 and np.array_equal(photo, before)
    side, long = min(shape), max(shape)
    changed = (out != photo).any(axis=2)
    assert changed.sum() == side * side
    start = (long - side) // 2
    assert (changed if shape[1] >= shape[0] else changed.T)[:, start : start + side].all()


@pytest.mark.parametrize(("row", "column"), [(0, 0), (0, 6), (6, 0), (6, 6), (3, 3)])
def test_a_cell_lies_over_its_own_part_of_the_photo(row, column):
    photo = np.zeros((70, 110, 3), "uint8")
    out = overlay(photo, corner_map(row, column), opacity=1)[:, 20:90]
    centres = out[5::10, 5::10]
    hot = color_table("viridis")[255, 0]
    distance = np.abs(centres.astype(int) - hot.astype(int)).sum(axis=2)
    assert np.unravel_index(distance.argmin(), (7, 7)) == (row, column) and distance.min() < 120


def test_opacity_blends(photo):
    values = np.full((7, 7), 1.0)
    square = (slice(2, 58), slice(22, 78))
    color = color_table("viridis")[255, 0].astype(float)
    assert np.array_equal(overlay(photo, values, 0), photo)
    half = overlay(photo, values, 0.5)[square]
    assert np.abs(half - (photo[square] * 0.5 + color * 0.5)).max() <= 1
    assert (overlay(photo, values, 1)[square] == color).all()


def test_frame_only_where_the_photo_goes_on(photo):
    assert (overlay(photo, np.zeros((7, 7)), 0.5)[:, 20] == 255).all()
    whole = photo[:, :60]
    assert np.array_equal(overlay(whole, np.zeros((7, 7)), 1), whole), (
        "where nothing mattered the photo keeps its colours"
    )


def test_colours_are_as_strong_as_the_value(photo):
    square = photo[:, :60]
    color = color_table("viridis")[51, 0].astype(float)
    faint = overlay(square, np.full((7, 7), 0.2), 0.5)
    # Three roundings to whole numbers.
    assert np.abs(faint - (square * 0.9 + color * 0.1)).max() <= 1.5


def test_a_map_by_itself_is_clear_where_nothing_mattered():
    colours, lines = map_picture(corner_map(3, 3)), contour_picture(corner_map(3, 3))
    assert colours.shape[2] == lines.shape[2] == 4
    middle, edge = len(colours) // 2, 4
    assert colours[middle, middle, 3] > 200 and colours[edge, edge, 3] == 0
    assert 0 < (lines[..., 3] > 0).mean() < 0.1 and lines[len(lines) // 2, len(lines) // 2, 3] == 0
    assert Image.open(io.BytesIO(encode_png(colours))).mode == "RGBA"
    assert not contour_picture(np.zeros((7, 7))).any(), "a map that says nothing has no lines"


def test_one_cell_and_values_outside_the_range(photo):
    assert np.array_equal(overlay(photo, np.array([[7.0]]), 1), overlay(photo, np.array([[1.0]]), 1))


@pytest.mark.parametrize("opacity", [-0.1, 1.1, float("nan")])
def test_impossible_opacity(photo, opacity):
    with pytest.raises(ValueError, match="Opacity"):
        overlay(photo, np.zeros((7, 7)), opacity)


def test_unknown_colormap(photo):
    with pytest.raises(ValueError, match="jet.*viridis"):
        overlay(photo, np.zeros((7, 7)), colormap="jet")


@pytest.mark.parametrize("colormap", COLORMAPS)
def test_colormaps_grow_lighter_all_the_way(colormap):
    """What makes a scale readable in grey and with any colour blindness."""
    lightness = color_table(colormap)[:, 0].astype(float) @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(lightness[::8]) > 0).all()


def test_viridis_is_rgb():
    assert legend_colors("viridis", 2) == ["#440154", "#fde725"]
    assert len(legend_colors()) == 9


def test_png_holds_pixels_and_nothing_else(photo):
    data = encode_png(photo)
    picture = Image.open(io.BytesIO(data))
    assert picture.format == "PNG" and picture.info == {} and not picture.getexif()
    assert np.array_equal(np.asarray(picture), photo)
    kinds = set()
    place = 8
    while place < len(data):
        kinds.add(data[place + 4 : place + 8])
        place += 12 + int.from_bytes(data[place : place + 4], "big")
    assert kinds == {b"IHDR", b"IDAT", b"IEND"}
