"""Profiles are followed in every mode by what they do, and other ways of telling colours as browsers follow them."""

import io
import struct
import zlib

import numpy as np
import pytest
from photo_bytes import LESION, encoded, exif_block, png16, png_with
from PIL import Image, ImageCms

from core.data.decoding.colour_profile import BROKEN
from core.data.decoding.colour_space import _PRIMARIES, _SRGB_CURVE, ADOBE_RGB, SRGB, ColourSpace
from core.data.images import UnreadablePhoto, read_photo, read_photo_file

P3 = ColourSpace(_PRIMARIES[12], _SRGB_CURVE)
LINEAR = ColourSpace(SRGB.primaries, (1.0,))
LCMS_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def stored_in(space: ColourSpace, pixels=LESION) -> np.ndarray:
    """The values with which a space stores pixels that are sRGB, by lcms."""
    target = ImageCms.ImageCmsProfile(io.BytesIO(space.profile()))
    source = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    return np.asarray(ImageCms.profileToProfile(Image.fromarray(pixels), source, target))


def grey_profile(gamma: float) -> bytes:
    """A grey ICC profile of one gamma, under a name that says sRGB."""
    curve = b"curv" + struct.pack(">IIH", 0, 1, round(gamma * 256)) + b"\0\0"
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)
    name = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"sRGB\0" + bytes(78 + 3)
    tags, place = {b"wtpt": white, b"kTRC": curve, b"desc": name}, 128 + 4 + 36
    table, body = struct.pack(">I", 3), b""
    for tag, content in tags.items():
        table += tag + struct.pack(">II", place + len(body), len(content))
        body += content
    head = struct.pack(">I4sI4s4s4s", place + len(body), b"\0" * 4, 0x02200000, b"mntr", b"GRAY", b"XYZ ")
    head += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + table + body


def far(photo, right=LESION) -> float:
    return float(np.abs(photo.astype("int16") - np.asarray(right, "int16")).mean())


def chunk_icc(profile: bytes):
    return b"iCCP", b"sRGB\0\0" + zlib.compress(profile)


@pytest.mark.parametrize("space", [P3, LINEAR, ADOBE_RGB], ids=["P3", "linear", "Adobe RGB"])
@pytest.mark.parametrize(
    "form", ["RGB PNG", "RGBA PNG", "palette PNG", "16-bit PNG", "TIFF", "JPEG", "WebP", "AVIF", "HEIC"]
)
def test_a_profile_counts_in_every_mode_and_format(space, form):
    stored, profile = Image.fromarray(stored_in(space)), space.profile()
    if form == "16-bit PNG":
        data = png16(np.asarray(stored).astype("uint16") * 257)
        data = data[:33] + png_with(LESION, chunk_icc(profile))[33 : -len(encoded(LESION)) + 33] + data[33:]
    elif form == "HEIC":
        pillow_heif = pytest.importorskip("pillow_heif")
        file = io.BytesIO()
        pillow_heif.from_pillow(stored).save(file, quality=-1, chroma=444, icc_profile=profile, matrix_coefficients=0)
        data = file.getvalue()
    else:
        mode, kind, options = {
            "RGB PNG": ("RGB", "PNG", {}),
            "RGBA PNG": ("RGBA", "PNG", {}),
            "palette PNG": ("P", "PNG", {}),
            "TIFF": ("RGB", "TIFF", {"compression": "tiff_lzw"}),
            "JPEG": ("RGB", "JPEG", {"quality": 100, "subsampling": 0}),
            "WebP": ("RGB", "WEBP", {"lossless": True}),
            "AVIF": ("RGB", "AVIF", {"quality": 100, "subsampling": "4:4:4"}),
        }[form]
        picture = stored.quantize(256) if mode == "P" else stored.convert(mode)
        data = encoded(picture, kind, icc_profile=profile, **options)
    photo = read_photo_file(data)
    # Eight bits of linear light hold few dark shades, and a palette few colours.
    off = (2 if form == "palette PNG" else 1.5) * (2 if space == LINEAR else 1)
    assert far(photo.pixels) < off < far(np.asarray(stored)) and photo.notes == ()


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_a_grey_profile_counts_whatever_it_calls_itself(mode):
    grey = Image.fromarray(LESION).convert("L")
    light = ((np.asarray(grey) / 255.0 + 0.055) / 1.055) ** 2.4
    linear = Image.fromarray(np.rint(255 * light).astype("uint8"))
    photo = read_photo_file(encoded(linear.convert(mode), "PNG", icc_profile=grey_profile(1.0)))
    assert far(photo.pixels, np.repeat(np.asarray(grey)[..., None], 3, axis=2)) < 3 and photo.notes == ()


def test_16_bit_grey_has_its_profile_followed_too():
    deep = Image.fromarray(np.tile(np.linspace(0, 65535, 64).astype("uint16"), (48, 1)))
    plain, followed = read_photo(encoded(deep)), read_photo(encoded(deep, icc_profile=grey_profile(1.0)))
    assert followed[5, 20, 0] > plain[5, 20, 0] + 30 and followed.max() == 255


def test_a_grey_photo_with_the_screens_profile_stays_as_it_is():
    grey = Image.fromarray(LESION).convert("L")
    photo = read_photo_file(encoded(grey, "JPEG", quality=95, icc_profile=LCMS_SRGB))
    assert np.array_equal(photo.pixels, read_photo(encoded(grey, "JPEG", quality=95))) and photo.notes == ()


def test_what_a_profile_does_counts_and_not_its_name():
    renamed = LINEAR.profile() + b"sRGB IEC61966-2.1"
    renamed = struct.pack(">I", len(renamed)) + renamed[4:]
    assert far(read_photo(encoded(stored_in(LINEAR), icc_profile=renamed))) < 3
    for same in (LCMS_SRGB, SRGB.profile()):
        assert np.array_equal(read_photo(encoded(LESION, icc_profile=same)), LESION)


@pytest.mark.parametrize("profile", [b"nonsense" * 30, P3.profile()[:200], P3.profile().replace(b"acsp", b"abcd")])
@pytest.mark.parametrize("format", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_a_broken_profile_is_said(profile, format):
    photo = read_photo_file(encoded(LESION, format, icc_profile=profile), "mole.jpg")
    assert photo.notes == (f"mole.jpg: {BROKEN}",)
    assert photo.pixels.shape == LESION.shape


def test_a_profile_that_cannot_be_unpacked_or_is_of_another_kind_is_said():
    broken = read_photo_file(png_with(LESION, (b"iCCP", b"x\0\0" + b"\xff" * 50)), "mole.png")
    assert "is damaged and was not followed" in broken.notes[0]
    other = read_photo_file(encoded(LESION, icc_profile=grey_profile(2.2)), "mole.png")
    assert "of another kind (GRAY)" in other.notes[0] and np.array_equal(other.pixels, LESION)
    assert (
        "CMYK photo without a colour profile"
        in read_photo_file(encoded(Image.fromarray(LESION).convert("CMYK"), "TIFF")).notes[0]
    )


def test_lab_is_turned_into_colours():
    lab = ImageCms.profileToProfile(
        Image.fromarray(LESION), ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
    )
    assert far(read_photo(encoded(lab, "TIFF"))) < 3


def gamma_chunk(gamma):
    return b"gAMA", struct.pack(">I", gamma)


def points_chunk(primaries):
    red, green, blue, white = primaries
    return b"cHRM", struct.pack(">8I", *(round(1e5 * n) for point in (white, red, green, blue) for n in point))


def code_chunk(primaries, transfer, full=1):
    return b"cICP", bytes((primaries, transfer, 0, full))


# Each stores the lesion in one space; what else it says must not count.
TOLD = {
    "cICP": (P3, [code_chunk(12, 13)]),
    "cICP before iCCP": (P3, [code_chunk(12, 13), chunk_icc(LCMS_SRGB)]),
    "cICP before sRGB": (P3, [code_chunk(12, 13), (b"sRGB", b"\0")]),
    "iCCP before sRGB": (P3, [chunk_icc(P3.profile()), (b"sRGB", b"\0")]),
    "sRGB before gAMA and cHRM": (SRGB, [(b"sRGB", b"\0"), gamma_chunk(100_000), points_chunk(ADOBE_RGB.primaries)]),
    "gAMA and cHRM": (ADOBE_RGB, [gamma_chunk(45_470), points_chunk(ADOBE_RGB.primaries)]),
    "gAMA": (LINEAR, [gamma_chunk(100_000)]),
    "gAMA that is a screen's": (SRGB, [gamma_chunk(45_455)]),
    "cHRM without gAMA": (SRGB, [points_chunk(ADOBE_RGB.primaries)]),
    "cICP, linear BT.2020": (ColourSpace(_PRIMARIES[9], (1.0,)), [code_chunk(9, 8)]),
    "cICP that leaves it open": (SRGB, [code_chunk(2, 2)]),
    "cICP of a narrow range, which PNG does not have": (SRGB, [code_chunk(12, 13, full=0)]),
}


@pytest.mark.parametrize("how", TOLD)
def test_png_chunks_count_as_in_a_browser(how):
    space, chunks = TOLD[how]
    stored = LESION if space == SRGB else stored_in(space)
    photo = read_photo_file(png_with(stored, *chunks))
    assert photo.notes == () and (np.array_equal(photo.pixels, LESION) if space == SRGB else far(photo.pixels) < 3)


@pytest.mark.parametrize(("primaries", "transfer", "shown"), [
    # What Chromium 156 draws for (200, 120, 100).
    (12, 13, (213, 115, 95)), (9, 8, (255, 176, 165)), (1, 1, (197, 113, 91)), (9, 14, (234, 95, 85)),
    (1, 4, (201, 121, 100)), (1, 7, (206, 134, 115)), (6, 6, (193, 115, 91)), (11, 13, (209, 115, 95)),
])  # fmt: skip
def test_code_points_give_what_a_browser_draws(primaries, transfer, shown):
    flat = np.full((40, 40, 3), (200, 120, 100), "uint8")
    found = read_photo(png_with(flat, code_chunk(primaries, transfer)))[5, 5]
    assert np.abs(found.astype(int) - shown).max() <= 1


@pytest.mark.parametrize(("transfer", "word"), [(16, "PQ"), (18, "HLG")])
def test_high_dynamic_range_is_named(transfer, word):
    with pytest.raises(UnreadablePhoto, match=rf"mole.png has a high dynamic range \({word}\)"):
        read_photo(png_with(LESION, code_chunk(9, transfer)), "mole.png")


def test_numbers_that_are_no_colours_are_said():
    photo = read_photo_file(png_with(LESION, gamma_chunk(0)), "mole.png")
    assert "gamma 0" in photo.notes[0] and np.array_equal(photo.pixels, LESION)
    line = ((0.3, 0.3), (0.4, 0.4), (0.5, 0.5), (0.3127, 0.329))
    assert (
        "primaries on one line" in read_photo_file(png_with(LESION, gamma_chunk(45_455), points_chunk(line))).notes[0]
    )


@pytest.mark.parametrize(("told", "adobe"), [
    ({"space": 65535, "interop": "R03"}, True), ({"space": 2}, True), ({"interop": "R03"}, True),
    ({"space": 1, "interop": "R98"}, False), ({"space": 65535}, False), ({"space": 65535, "interop": "R98"}, False),
    ({"space": 1, "interop": "R03"}, False), ({}, False),
])  # fmt: skip
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_adobe_rgb_that_only_exif_tells_is_converted(told, adobe, format):
    options = {"JPEG": {"quality": 100, "subsampling": 0}, "WEBP": {"lossless": True}}.get(format, {})
    stored = stored_in(ADOBE_RGB)
    photo = read_photo(encoded(stored, format, exif=exif_block(**told), **options))
    assert far(photo, LESION if adobe else stored) < 2.5


def test_a_profile_counts_more_than_exif():
    data = encoded(LESION, icc_profile=LCMS_SRGB, exif=exif_block(space=2))
    assert np.array_equal(read_photo(data), LESION)


def test_a_profile_within_a_bmp_is_followed():
    """The fifth version of BMP's header may hold a profile, after the pixels."""
    stored, profile = encoded(stored_in(LINEAR), "BMP"), LINEAR.profile()
    pixels = stored[54:]
    head = bytearray(124)
    head[:40] = stored[14:54]
    struct.pack_into("<I", head, 0, 124)
    head[56:60] = b"DEBM"
    struct.pack_into("<II", head, 112, 124 + len(pixels), len(profile))
    data = b"BM" + struct.pack("<IHHI", 138 + len(pixels) + len(profile), 0, 0, 138) + bytes(head) + pixels + profile
    assert far(read_photo(data)) < 3
