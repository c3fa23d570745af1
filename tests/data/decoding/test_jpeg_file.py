"""JPEGs: of which kinds, whole or damaged, and what of them is handed to the decoder."""

import io

import numpy as np
import pytest
from photo_bytes import LESION, encoded, exif_block
from PIL import Image

from core.data.decoding.jpeg_file import check_whole, inspect_jpeg
from core.data.images import UnreadablePhoto, read_photo

SOS, EOI = b"\xff\xda", b"\xff\xd9"
NOISE = np.clip(LESION + np.random.default_rng(0).normal(0, 12, LESION.shape), 0, 255).astype("uint8")
KINDS = {
    "baseline": {},
    "4:4:4": {"subsampling": 0},
    "4:2:2": {"subsampling": "4:2:2"},
    "4:1:1": {"subsampling": "4:1:1"},
    "progressive": {"progressive": True},
    "optimised": {"optimize": True},
    "restarts": {"restart_marker_blocks": 4},
    "quality 30": {"quality": 30},
    "with EXIF": {"exif": exif_block()},
    "with comment": {"comment": b"taken with \xff\xda and \xff\xd9"},
}
MODES = ("RGB", "L", "CMYK")


def plain(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", KINDS)
def test_whole_photos_pass_with_the_pixels_that_pillow_gives(kind, mode):
    data = encoded(Image.fromarray(NOISE).convert(mode), "JPEG", **KINDS[kind])
    assert np.array_equal(read_photo(data), plain(data))


@pytest.mark.parametrize("after", [b"\0" * 5000, b"a video after the photo", EOI, b"\xff\xd8\xff\xe0 another photo"])
def test_what_stands_after_the_photo_does_not_matter(after):
    data = encoded(NOISE, "JPEG")
    assert np.array_equal(read_photo(data + after), plain(data))


@pytest.mark.parametrize("fill", [b"\xff" * 40, b"\0\0\0", b"\0" * 6])
def test_filling_before_the_end_is_no_damage(fill):
    data = encoded(NOISE, "JPEG")
    assert np.array_equal(read_photo(data[:-2] + fill + EOI), plain(data))


def test_a_rare_sampling_that_the_strict_decoder_does_not_read_is_read():
    data = bytearray(encoded(NOISE, "JPEG", subsampling=0))
    place = data.find(b"\xff\xc0") + 11
    data[place] = 0x31
    file = inspect_jpeg(bytes(data), "x")
    assert abs(file.samples - 5 / 3) < 1e-6
    check_whole(file, "x")


@pytest.mark.parametrize("kind", ["baseline", "4:4:4", "progressive", "quality 30"])
@pytest.mark.parametrize("mode", MODES)
def test_lost_bytes_are_told(kind, mode):
    data = encoded(Image.fromarray(NOISE).convert(mode), "JPEG", **KINDS[kind])
    start = data.find(SOS) + 14
    refused = 0
    for share in np.linspace(0.05, 0.8, 20):
        at = start + int(share * (len(data) - start))
        try:
            read_photo(data[:at] + data[at + 256 :], "mole.jpg")
        except UnreadablePhoto as error:
            refused += "mole.jpg is damaged or incomplete" in str(error)
    assert refused >= 18


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("ending", [b"", EOI, bytes(400) + EOI])
def test_a_cut_photo_is_told_even_where_an_end_was_put_on_it(share, ending):
    data = encoded(NOISE, "JPEG")
    with pytest.raises(UnreadablePhoto, match="damaged or incomplete"):
        read_photo(data[: int(share * len(data))] + ending)


def frame(marker: int, precision=8) -> bytes:
    data = encoded(NOISE, "JPEG")
    place = data.find(b"\xff\xc0")
    return data[: place + 1] + bytes((marker,)) + data[place + 2 : place + 4] + bytes((precision,)) + data[place + 5 :]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (frame(0xC1, precision=12), "is a 12-bit JPEG, which is not read"),
        (frame(0xC2, precision=12), "is a 12-bit JPEG, which is not read"),
        (frame(0xC3), "is a lossless or hierarchical JPEG"),
        (frame(0xC7), "is a lossless or hierarchical JPEG"),
        (b"\xff\xd8\xff\xf7\0\x0b\x08\0\x40\0\x40\3", "is a JPEG-LS photo"),
    ],
)
def test_kinds_that_are_not_read_are_named(data, words):
    with pytest.raises(UnreadablePhoto, match=words) as caught:
        read_photo(data, "mole.jpg")
    assert "damaged" not in str(caught.value)


@pytest.mark.photos
def test_real_photos_pass_unchanged_and_their_damage_is_told(ham10000):
    """Over a thousand whole photos none may be refused, and none may change: all shipped numbers rest on their pixels."""
    photos = [path.read_bytes() for path in sorted(ham10000.glob("HAM10000_images_part_*/*.jpg"))[::9]]
    assert len(photos) > 1000 and all(np.array_equal(read_photo(data), plain(data)) for data in photos)
    rng, wrong, told = np.random.default_rng(0), 0, 0
    for number, data in enumerate(photos[:300]):
        at = int(rng.integers(data.find(SOS) + 14, len(data) - 260))
        damaged = (
            data[:at] + bytes((data[at] ^ 1 << int(rng.integers(8)),)) + data[at + 1 :],
            data[:at] + bytes(64) + data[at + 64 :],
            data[:at] + data[at + 256 :],
        )[number % 3]
        off = np.abs(plain(damaged).astype("int16") - plain(data)).max(axis=2) > 24
        if off.mean() > 0.005:
            wrong += 1
            try:
                read_photo(damaged)
            except UnreadablePhoto:
                told += 1
    assert wrong > 150 and told / wrong > 0.8
