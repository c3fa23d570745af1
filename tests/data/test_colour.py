"""Every change of colour in the table, and each piece of its maths by hand."""

import numpy as np
import pytest

from core.data.colour import SETTINGS, TRANSFORMATIONS, find_transformation, shades_of_gray
from core.data.drawn import draw_lesion
from core.data.lesion_region import to_lab

PHOTO = draw_lesion("mel", (60, 48))[0]


def flat(*colour):
    return np.full((12, 12, 3), colour, "uint8")


@pytest.mark.parametrize("name", TRANSFORMATIONS)
def test_a_transformation_keeps_its_contract(name):
    change = find_transformation(name)
    assert change.low <= change.shown <= change.high and change.shown != change.neutral
    same = change(PHOTO, change.neutral)
    assert (same == PHOTO).all() and same is not PHOTO
    for strength in (change.low, change.shown, change.high):
        before = PHOTO.copy()
        changed = change(PHOTO, strength)
        assert changed.shape == PHOTO.shape and changed.dtype == np.uint8 and (before == PHOTO).all()
    assert name == "hair" or (change(PHOTO, change.shown) != PHOTO).any()
    steps = change.steps()
    assert change.neutral in steps and steps[0] == change.low and steps[-1] == change.high and len(steps) <= 14
    with pytest.raises(ValueError, match="is not possible"):
        change(PHOTO, change.high + 1)
    with pytest.raises(ValueError, match="Expected a photo"):
        change(PHOTO.astype("float32"), change.shown)


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_is_a_transformation_at_a_strength_that_changes_something(name):
    setting = SETTINGS[name]
    change = find_transformation(setting.transformation)
    assert setting.strength != change.neutral and setting(PHOTO).shape == PHOTO.shape


def test_unknown_transformations_are_refused():
    with pytest.raises(ValueError, match="Unknown transformation 'sepia'"):
        find_transformation("sepia")


def test_shades_of_gray_takes_the_light_out():
    # A reddish light on grey: grey world gives grey back, of the same root mean square.
    grey = shades_of_gray(flat(200, 100, 100), 1)
    assert len(set(grey[0, 0])) == 1 and grey[0, 0, 0] == round(np.sqrt((200**2 + 100**2 + 100**2) / 3))
    # Power 1: the mean of each channel is the same afterwards.
    half = np.concatenate([flat(100, 60, 40), flat(60, 50, 20)])
    means = shades_of_gray(half, 1).mean(axis=(0, 1))
    assert np.ptp(means) < 1
    # Infinite power: the brightest value of each channel is the same afterwards.
    peaks = shades_of_gray(half, 50).max(axis=(0, 1))
    assert np.ptp(peaks) <= 1
    assert (shades_of_gray(flat(0, 0, 0), 6) == 0).all()


def test_lightness_moves_l_alone():
    before, after = to_lab(flat(150, 110, 90)), to_lab(TRANSFORMATIONS["lightness"](flat(150, 110, 90), 10))
    assert (after - before)[0, 0] == pytest.approx([10, 0, 0], abs=0.6)


def test_gamma_by_hand():
    changed = TRANSFORMATIONS["gamma"](flat(0, 64, 255), 0.5)
    assert changed[0, 0].tolist() == [0, round((64 / 255) ** 0.5 * 255), 255]


def test_no_chroma_is_grey_of_the_same_lightness():
    grey = TRANSFORMATIONS["chroma"](flat(150, 110, 90), 0)
    assert np.ptp(grey[0, 0].astype(int)) <= 1
    assert to_lab(grey)[0, 0, 0] == pytest.approx(to_lab(flat(150, 110, 90))[0, 0, 0], abs=0.5)


def test_hue_and_saturation_by_hand():
    assert TRANSFORMATIONS["hue"](flat(200, 0, 0), 30)[0, 0].tolist() == [200, 100, 0]
    assert TRANSFORMATIONS["hue"](flat(200, 0, 0), -30)[0, 0].tolist() == [200, 0, 100]
    assert TRANSFORMATIONS["saturation"](flat(200, 100, 100), 0)[0, 0].tolist() == [200, 200, 200]
    assert TRANSFORMATIONS["saturation"](flat(200, 150, 150), 2)[0, 0].tolist() == [200, 100, 100]


def test_hairs_go_and_lesions_stay():
    photo = np.full((120, 120, 3), (220, 180, 160), "uint8")
    photo[50:90, 50:90] = (90, 60, 40)
    clean = photo.copy()
    photo[20:22] = (60, 40, 30)  # hairs: across and slanting
    for i in range(100):
        photo[i, i + 15 : i + 17] = (60, 40, 30)
    removed = TRANSFORMATIONS["hair"](photo, 1)
    assert (removed[20:22, 60:].min() > 140) and np.abs(removed.astype(int) - clean)[55:85, 60:65].max() <= 60
    assert np.abs(removed.astype(int) - clean).mean() < np.abs(photo.astype(int) - clean).mean() / 2
    assert (TRANSFORMATIONS["hair"](clean, 1) == clean).mean() > 0.98, "a lesion is no hair"
