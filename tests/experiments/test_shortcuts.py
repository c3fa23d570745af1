"""Shortcuts: what is hidden is hidden, and the audit of a drawn bundle has the promised schema."""

import numpy as np
import pytest

from core.bundle import load_bundle
from core.data.drawn import draw_lesion
from core.data.ham10000 import read_table
from core.data.image_cache import cache_images
from experiments import shortcuts, spoiled


@pytest.fixture(scope="module")
def drawn():
    return draw_lesion("mel", (96, 96), seed=1)


def test_masks_hide_the_lesion(drawn):
    photo, mask = drawn
    hidden = spoiled.hide_lesion(photo, mask)
    assert len(np.unique(hidden[mask], axis=0)) == 1, "one colour where the lesion was"
    far = ~spoiled.grow(mask)
    np.testing.assert_array_equal(hidden[far], photo[far])
    # The colour is the skin's: nearer to it than the lesion was.
    skin = photo[far].mean(axis=0)
    assert np.abs(hidden[mask][0] - skin).max() <= 1 < np.abs(photo[mask].mean(axis=0) - skin).max()
    turned = spoiled.hide_surroundings(photo, mask)
    np.testing.assert_array_equal(turned[mask], photo[mask])
    assert len(np.unique(turned[far], axis=0)) == 1


def test_a_mask_over_the_whole_photo_takes_the_borders_colour(drawn):
    photo, mask = drawn
    hidden = spoiled.hide_lesion(photo, np.ones_like(mask))
    assert len(np.unique(hidden.reshape(-1, 3), axis=0)) == 1


def test_the_border_holds_nothing_of_the_middle(drawn):
    photo, _ = drawn
    other = photo.copy()
    other[20:-20, 20:-20] = 0
    np.testing.assert_array_equal(spoiled.border_only(photo), spoiled.border_only(other))


@pytest.mark.parametrize("name", [n for n, c in spoiled.CONDITIONS.items() if c.change])
def test_every_change_keeps_the_images_shape_and_the_original(drawn, name):
    photo, mask = drawn
    before = photo.copy()
    changed = spoiled.CONDITIONS[name].change(photo, mask)
    assert changed.shape == photo.shape and changed.dtype == np.uint8
    assert not np.array_equal(changed, photo)
    np.testing.assert_array_equal(photo, before)


def test_grey_world_takes_a_colour_cast_away(drawn):
    photo, _ = drawn
    cast = np.clip(photo * np.array([1.0, 0.8, 0.6]), 0, 255).astype("uint8")
    for change in (spoiled.grey_world, spoiled.shades_of_grey):
        assert np.ptp(change(cast).mean(axis=(0, 1))) < np.ptp(cast.mean(axis=(0, 1))) / 5
    assert np.ptp(spoiled.no_colour(photo), axis=2).max() == 0


def test_masks_are_read_in_the_frame_of_the_image(drawn_folder):
    table = read_table(drawn_folder)
    mask = spoiled.read_mask(table["mask"].iloc[0], 64)
    assert mask.shape == (64, 64) and mask.dtype == bool and 0 < mask.mean() < 1


def test_audit_of_a_drawn_bundle(tmp_path, drawn_folder, drawn_bundle_folder, monkeypatch):
    chosen = ["as is", "lesion hidden", "facts shuffled"]
    monkeypatch.setattr(shortcuts, "usable", lambda *_: chosen)
    bundle = load_bundle(drawn_bundle_folder)
    rows = shortcuts.sample(read_table(drawn_folder), 40)
    images = cache_images(rows, bundle.card.image_size)
    record = shortcuts.audit(bundle, rows, images, tmp_path, resamples=20)
    assert [row["condition"] for row in record["conditions"]] == chosen
    assert record["weights_sha256"] == bundle.card.weights["sha256"]
    for entry in record["comparisons"]:
        assert {"name", "metric", "value", "low", "high", "n_photos", "n_lesions", "seeds", "unit"} <= set(entry)
    groups = {entry["group"] for entry in record["comparisons"]}
    assert "dataset=drawn" in groups and "dx_type=histo" not in groups, "small groups say nothing"

    def fail(*_):
        raise AssertionError("answered again")

    monkeypatch.setattr(shortcuts, "answer", fail)
    assert shortcuts.audit(bundle, rows, images, tmp_path, resamples=20) == record


def test_conditions_need_what_the_model_and_the_photos_have(drawn_folder, drawn_bundle_folder):
    bundle = load_bundle(drawn_bundle_folder)
    rows = read_table(drawn_folder)
    without = shortcuts.usable(bundle, rows.assign(mask=""))
    assert "lesion hidden" not in without and "border only" in without and "facts only" in without
    assert shortcuts.usable(bundle, rows) == list(spoiled.CONDITIONS)
