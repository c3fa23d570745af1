"""Augmentation keeps shape and type, repeats with its seed, and does what it says."""

import dataclasses

import numpy as np
import pytest

from core.data.augment import (
    COLOUR_AUGMENTATION,
    HONEST_AUGMENTATION,
    NO_AUGMENTATION,
    PAPER_AUGMENTATION,
    Augmentation,
    augment_image,
    erase_rectangle,
    jpeg_round_trip,
)
from core.data.drawn import draw_lesion

STILL = NO_AUGMENTATION


@pytest.fixture(scope="module")
def image():
    return draw_lesion("nv", (64, 64))[0]


@pytest.mark.parametrize("how", [NO_AUGMENTATION, PAPER_AUGMENTATION, HONEST_AUGMENTATION, COLOUR_AUGMENTATION])
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
    size = {"rotation": 90, "hue": 20}.get(name, 1.0 if name in ("blur", "jpeg", "rescale", "erase") else 0.5)
    how = dataclasses.replace(STILL, **{name: size})
    assert not np.array_equal(augment_image(image, how, np.random.default_rng(1)), image)


def test_rotation_fills_corners_with_skin_not_black(image):
    how = dataclasses.replace(STILL, rotation=180)
    corners = np.ix_([0, -1], [0, -1])
    for seed in range(8):
        assert augment_image(image, how, np.random.default_rng(seed))[corners].min() > 60


def test_an_erased_rectangle_leaves_most_of_the_photo_as_it_was(image):
    for seed in range(8):
        before, erased = image.copy(), erase_rectangle(image, np.random.default_rng(seed))
        np.testing.assert_array_equal(image, before)
        rows, columns = np.nonzero((erased != image).any(axis=-1))
        area = (np.ptp(rows) + 1) * (np.ptp(columns) + 1) / image.shape[0] ** 2
        assert 0.01 < area < 0.22


def test_a_record_of_before_is_the_record_of_now():
    assert "erase" not in HONEST_AUGMENTATION.to_json()
    assert dataclasses.replace(HONEST_AUGMENTATION, erase=0.5).to_json()["erase"] == 0.5


@pytest.mark.parametrize("quality", [30, 60, 94])
def test_a_jpeg_is_what_any_viewer_would_have_saved(quality):
    import io

    from PIL import Image

    # Sharp edges of saturated colours: what chroma loses differs with the colour.
    image = np.zeros((64, 64, 3), "uint8")
    image[:, :31, 0], image[:, 31:, 2], image[20:40, 10:50, 1] = 200, 220, 90
    saved = io.BytesIO()
    Image.fromarray(image).save(saved, "JPEG", quality=quality, subsampling="4:2:0")
    ours, theirs = jpeg_round_trip(image, quality).astype(int), np.asarray(Image.open(saved)).astype(int)
    exchanged = jpeg_round_trip(image[..., ::-1].copy(), quality)[..., ::-1].astype(int)
    # Decoders differ by rounding; red and blue exchanged are far off.
    assert (
        np.abs(ours - theirs).mean() < 1 and np.abs(exchanged - theirs).mean() > 4 * np.abs(ours - theirs).mean() + 0.5
    )


def test_a_tint_moves_the_channels_apart_and_gamma_keeps_black_and_white():
    grey = np.full((8, 8, 3), 128, "uint8")
    tinted = augment_image(grey, dataclasses.replace(STILL, tint=0.3), np.random.default_rng(2))
    assert len(set(tinted[0, 0].tolist())) == 3 and (tinted == tinted[0, 0]).all()
    ends = np.stack([np.zeros((8, 8)), np.full((8, 8), 255), np.full((8, 8), 128)], axis=-1).astype("uint8")
    changed = augment_image(ends, dataclasses.replace(STILL, gamma=1.0), np.random.default_rng(2))
    assert (changed[..., 0] == 0).all() and (changed[..., 1] == 255).all() and (changed[..., 2] != 128).all()
