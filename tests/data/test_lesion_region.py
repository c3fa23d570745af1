"""Lesions in plain numbers, against patches whose colours are known."""

import numpy as np
import pandas as pd
import pytest

from core.data.drawn import draw_lesion
from core.data.ham10000 import read_table
from core.data.lesion_region import (
    COLOURS,
    InvalidLesions,
    from_lab,
    measure_lesion,
    measure_table,
    name_colours,
    read_lesions,
    to_lab,
    write_lesions,
)


def patch(lesion, skin=(70.0, 15.0, 10.0), side=100, radius=25):
    """A disc of one CIELAB colour on skin of another, and its mask."""
    y, x = np.mgrid[:side, :side] - side // 2
    mask = np.hypot(x, y) <= radius
    lab = np.where(mask[..., None], np.array(lesion, "float32"), np.array(skin, "float32"))
    return from_lab(lab), mask


def test_a_patch_gives_its_own_colours_back():
    photo, mask = patch((45.0, 20.0, 25.0))
    look = measure_lesion(photo, mask)
    assert (look.lightness, look.a, look.b) == pytest.approx((45, 20, 25), abs=1)
    assert (look.skin_lightness, look.skin_a, look.skin_b) == pytest.approx((70, 15, 10), abs=1)
    assert look.contrast == pytest.approx(25, abs=1) and look.darkest == pytest.approx(45, abs=1)
    assert look.area == pytest.approx(np.pi * 25**2 / 100**2, rel=0.02)
    assert look.black == look.blue == 0


@pytest.mark.parametrize(
    "lab, name",
    [
        ((20, 5, 5), "black"),
        ((40, 5, -15), "blue-grey"),
        ((35, 25, 25), "dark brown"),
        ((48, 20, 25), "brown"),
        ((60, 15, 20), "light"),
    ],
)
def test_colours_have_names(lab, name):
    assert name in COLOURS
    assert name_colours(pd.DataFrame([vars(measure_lesion(*patch(lab)))])).tolist() == [name]


def test_dark_but_colourful_is_not_black():
    assert measure_lesion(*patch((28, 30, 25))).black == 0


def test_a_lesion_that_fills_the_photo_has_no_contrast():
    look = measure_lesion(patch((45, 20, 25))[0], np.ones((100, 100), bool))
    assert np.isnan(look.contrast) and look.area == 1


def test_dark_corners_are_not_skin():
    photo, mask = patch((45, 20, 25), radius=45)
    photo[:8] = photo[-8:] = 0
    assert measure_lesion(photo, mask).skin_lightness == pytest.approx(70, abs=1.5)


def test_lab_there_and_back():
    photo, _ = draw_lesion("mel", (60, 40))
    assert np.abs(from_lab(to_lab(photo)).astype(int) - photo).max() <= 1


def test_masks_that_do_not_fit_are_refused():
    photo, mask = patch((45, 20, 25))
    with pytest.raises(ValueError, match="photo's own size"):
        measure_lesion(photo, mask[1:])
    with pytest.raises(ValueError, match="empty"):
        measure_lesion(photo, np.zeros_like(mask))


def test_the_table_of_a_folder_is_written_and_read(drawn_folder, tmp_path):
    table = read_table(drawn_folder).head(9)
    looks = measure_table(table)
    assert list(looks.image_id) == list(table.image_id)
    found = read_lesions(write_lesions(looks, tmp_path / "lesions.csv"))
    assert found.lightness.to_numpy() == pytest.approx(looks.lightness.to_numpy(), abs=0.006)
    by_dx = found.lightness.groupby(table.dx.to_numpy()).mean()
    assert by_dx["mel"] == by_dx.min(), "drawn melanomas are the darkest"
    assert set(found.colour) <= set(COLOURS)


def test_missing_and_damaged_tables_name_the_command(tmp_path, drawn_folder):
    with pytest.raises(InvalidLesions, match="is missing.*core data lesions"):
        read_lesions(tmp_path / "lesions.csv")
    (tmp_path / "lesions.csv").write_text("image_id,colour\nISIC_1,red\n")
    with pytest.raises(InvalidLesions, match="has the columns"):
        read_lesions(tmp_path / "lesions.csv")
    with pytest.raises(InvalidLesions, match="lesion mask"):
        measure_table(read_table(drawn_folder).assign(mask=""))


def test_the_command_measures_what_models_were_tested_on(drawn_folder, drawn_bundle_folder, tmp_path, monkeypatch):
    from typer.testing import CliRunner

    from core.cli.data import app

    out = tmp_path / "lesions.csv"
    run = CliRunner().invoke(app, ["lesions", str(drawn_folder), "--out", str(out), "--all"])
    assert run.exit_code == 0, run.output
    assert len(read_lesions(out)) == 75 and "75 lesion photos measured" in run.output.replace("\n", " ")
    monkeypatch.setenv("MELASCOPE_WEIGHTS", str(drawn_bundle_folder.parent))
    run = CliRunner().invoke(app, ["lesions", str(drawn_folder), "--out", str(out)])
    assert run.exit_code and "--all" in run.output
