"""Augmentation keeps shape and type, repeats with its seed, and does what it says."""

import dataclasses

import numpy as np
import pytest

from core.data.augment import HONEST_AUGMENTATION, NO_AUGMENTATION, PAPER_AUGMENTATION, Augmentation, augment_image
from core.data.drawn import draw_lesion

STILL = NO_AUGMENTATION


@pytest.fixture(scope="module")
def image():
    return draw_lesion("nv", (64, 64))[0]


@pytest.mark.parametrize("how", [NO_AUGMENTATION, PAPER_AUGMENTATION, HONEST_AUGMENTATION])
def test_shape_type_and_repeatability(image, how):
    first, again = (augment_image(image, how, np.random.default_rng(5)) for _ in range(2))
    assert first.shape == image.shape and first.dtype == np.uint8
    np.testing.assert_array_equal(first, again)


def test_nothing_means_nothing(image):
    np.testing.assert_array_equal(augment_image(image, NO_AUGMENTATION, np.random.default_rng(0)), image)


def test_flips_are_exact_mirrors(image):
    mirrors = {image[::a, ::b].tobytes() for a in (1, -1) for b in (1, -1)}
    how = dataclasses.replace(STILL, flips=True)
    seen = {augment_image(image, how, np.random.default_rng(s)).tobytes() for s in range(20)}
    assert seen == mirrors


@pytest.mark.parametrize("name", [f.name for f in dataclasses.fields(Augmentation) if f.name != "flips"])
def test_each_change_changes_the_picture(image, name):
    size = {"rotation": 90, "hue": 20}.get(name, 1.0 if name in ("blur", "jpeg", "rescale") else 0.5)
    how = dataclasses.replace(STILL, **{name: size})
    assert not np.array_equal(augment_image(image, how, np.random.default_rng(1)), image)


def test_rotation_fills_corners_with_skin_not_black(image):
    how = dataclasses.replace(STILL, rotation=180)
    corners = np.ix_([0, -1], [0, -1])
    for seed in range(8):
        assert augment_image(image, how, np.random.default_rng(seed))[corners].min() > 60
