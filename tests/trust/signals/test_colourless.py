"""Grey photos and tinted ones are told; colour photos are not."""

import io

import numpy as np
import pytest
from PIL import Image

from core.data.drawn import LOOKS, draw_lesion
from core.data.images import fit_image, read_photo
from core.trust.signals.colourless import GREY, TINTED, colour_fault
from core.trust.signals.gate import FAULTS, OK, REFUSE, WARN, judge
from core.trust.signals.photo_statistics import SIDE, photo_statistics

DRAWN = {code: draw_lesion(code, (SIDE, SIDE), seed=3)[0] for code in LOOKS}


def grey_of(photo):
    return np.asarray(Image.fromarray(photo).convert("L")).astype("float32")


def as_jpeg(pixels, quality):
    file = io.BytesIO()
    Image.fromarray(np.clip(pixels, 0, 255).astype("uint8")).save(file, "JPEG", quality=quality)
    return read_photo(file.getvalue())


def duotone(dark, bright):
    def tint(grey):
        share = grey[..., None] / 255
        return np.array(dark) * (1 - share) + np.array(bright) * share

    return tint


TINTS = {
    "sepia": lambda grey: grey[..., None] * np.array([1.07, 0.86, 0.66]),
    "pink, as skin is": lambda grey: grey[..., None] * np.array([1.0, 0.8, 0.78]),
    "dark blue to cream": duotone((20, 20, 60), (255, 245, 220)),
    "by a curve": lambda grey: 255 * np.stack([(grey / 255) ** power for power in (0.7, 1, 1.4)], axis=-1),
    "red channel alone": lambda grey: np.stack([grey, grey * 0, grey * 0], axis=-1),
    "green channel alone": lambda grey: np.stack([grey * 0, grey, grey * 0], axis=-1),
}


@pytest.mark.parametrize("quality", [75, 95])
@pytest.mark.parametrize("code", DRAWN)
def test_a_grey_photo_is_told(code, quality):
    grey = grey_of(DRAWN[code])
    assert colour_fault(as_jpeg(np.repeat(grey[..., None], 3, axis=2), quality)) == GREY
    nearly = grey[..., None] + 0.1 * (DRAWN[code] - grey[..., None])
    assert colour_fault(as_jpeg(nearly, quality)) in (GREY, TINTED)


def test_colours_that_differ_at_one_lightness_are_no_tint():
    for code in ("akiec", "bcc", "vasc"):  # the other drawings are mixtures of two colours, which is a tint
        assert colour_fault(DRAWN[code]) == ""


@pytest.mark.parametrize("tint", TINTS)
@pytest.mark.parametrize("code", DRAWN)
def test_a_tinted_grey_photo_is_told(code, tint):
    assert colour_fault(as_jpeg(TINTS[tint](grey_of(DRAWN[code])), 92)) in (TINTED, GREY)


def test_the_gate_warns_of_it_and_says_why():
    open_limits = {f"{name} {side}": -1e9 if side == "low" else 1e9 for name, side, _ in FAULTS}
    record = {"thresholds": {REFUSE: 2.0, WARN: 1.0}, "limits": open_limits}
    numbers = photo_statistics(DRAWN["mel"])
    assert judge(record, numbers, 0.0, 450).verdict == OK
    assert judge(record, numbers, 0.0, 450, GREY).to_json() == {"verdict": WARN, "reasons": [GREY]}
    assert judge(record, numbers, 3.0, 450, TINTED).reasons[1:] == (TINTED,)


@pytest.mark.photos
def test_no_photo_of_ham10000_is_said_to_be_grey_and_grey_ones_are(ham10000):
    photos = sorted(ham10000.glob("HAM10000_images_part_*/*.jpg"))[::60]
    images = [fit_image(read_photo(path), SIDE).astype("uint8") for path in photos]
    assert [p.name for p, image in zip(photos, images, strict=True) if colour_fault(image)] == []
    assert all(
        colour_fault(np.repeat(grey_of(image)[..., None], 3, axis=2).astype("uint8")) == GREY for image in images
    )
    sepia = [colour_fault(as_jpeg(TINTS["sepia"](grey_of(image)), 92)) for image in images]
    assert np.mean([fault != "" for fault in sepia]) > 0.95
