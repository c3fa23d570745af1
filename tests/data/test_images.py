"""Photos of every kind, and everything that only pretends to be one."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from core.data.images import (
    MAX_SIDE,
    MIN_SIDE,
    UnreadablePhoto,
    centre_square,
    fit_image,
    photo_hash,
    read_photo,
)

RED, BLUE = (200, 30, 40), (20, 60, 210)


def two_halves(width=80, height=60, left=RED, right=BLUE):
    """Left half one colour, right half another: which way up it is can be seen."""
    pixels = np.empty((height, width, 3), "uint8")
    pixels[:, : width // 2], pixels[:, width // 2 :] = left, right
    return Image.fromarray(pixels)


def encoded(picture, format="PNG", **options):
    buffer = io.BytesIO()
    picture.save(buffer, format, **options)
    return buffer.getvalue()


def close(a, b, by=6):
    return np.abs(np.asarray(a, "int32") - np.asarray(b, "int32")).max() <= by


def png(width, height, depth, colour_type, rows: bytes):
    """A PNG written by hand, for what Pillow does not write (16-bit colour, a bomb)."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "BMP"])
def test_every_format_gives_the_same_photo(format):
    options = {"quality": 95, "subsampling": 0} if format == "JPEG" else {"lossless": True} if format == "WEBP" else {}
    photo = read_photo(encoded(two_halves(), format, **options))
    assert photo.shape == (60, 80, 3) and photo.dtype == np.uint8
    assert close(photo, two_halves())


def test_a_path_and_its_bytes_give_the_same_photo_and_leave_no_file_open(tmp_path, recwarn):
    path = tmp_path / "a.jpg"
    path.write_bytes(encoded(two_halves(), "JPEG"))
    assert np.array_equal(read_photo(path), read_photo(path.read_bytes()))
    assert np.array_equal(read_photo(str(path)), read_photo(path))
    path.unlink()
    assert not recwarn.list


def test_photo_is_writable_and_its_own():
    photo = read_photo(encoded(two_halves()))
    photo[0, 0] = 1


@pytest.mark.parametrize("mode", ["L", "1", "P", "LA", "RGBA", "CMYK"])
def test_every_mode_becomes_rgb(mode):
    grey = two_halves(left=(0, 0, 0), right=(255, 255, 255))
    source = grey.convert(mode)
    photo = read_photo(encoded(source, "TIFF" if mode == "CMYK" else "PNG"))
    assert photo.shape == (60, 80, 3)
    assert close(photo, grey)


def test_cmyk_jpeg_keeps_its_colours():
    photo = read_photo(encoded(two_halves().convert("CMYK"), "JPEG", quality=95, subsampling=0))
    assert close(photo, two_halves(), by=12)


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_16_bit_grey_is_scaled_not_cut(format):
    deep = np.tile(np.linspace(0, 65535, 64).astype("uint16"), (48, 1))
    photo = read_photo(encoded(Image.fromarray(deep), format))
    assert close(photo, np.repeat(np.rint(deep / 257)[..., None], 3, axis=2), by=0)
    assert photo.max() == 255 and photo.min() == 0


def test_big_endian_16_bit_tiff():
    deep = np.tile(np.linspace(0, 65535, 64).astype("uint16"), (48, 1))
    picture = Image.frombytes("I;16B", (64, 48), deep.astype(">u2").tobytes())
    photo = read_photo(encoded(picture, "TIFF"))
    assert close(photo[..., 0], np.rint(deep / 257), by=0)


def test_12_bit_tiff_is_scaled_by_its_own_depth():
    # Two 12-bit pixels in three bytes: 0xFFF, 0x800.
    width = height = 32
    strip = bytes([0xFF, 0xF8, 0x00]) * (width * height // 2)
    tags = [
        (256, 4, width),
        (257, 4, height),
        (258, 3, 12),
        (259, 3, 1),
        (262, 3, 1),
        (273, 4, 8 + 2 + 8 * 12 + 4),
        (277, 3, 1),
        (279, 4, len(strip)),
    ]
    directory = struct.pack("<H", len(tags)) + b"".join(
        struct.pack("<HHII", t, kind, 1, value) for t, kind, value in tags
    )
    photo = read_photo(b"II*\0" + struct.pack("<I", 8) + directory + struct.pack("<I", 0) + strip)
    assert photo[0, 0, 0] == 255 and photo[0, 1, 0] == 128


def test_16_bit_colour_png():
    row = b"\0" + struct.pack(">HHH", 65535, 32896, 0) * 40
    photo = read_photo(png(40, 40, 16, 2, row * 40))
    assert photo[5, 5].tolist() == [255, 128, 0]


@pytest.mark.parametrize("format", ["PNG", "WEBP", "TIFF"])
def test_alpha_lies_over_white(format):
    picture = two_halves().convert("RGBA")
    alpha = np.full((60, 80), 255, "uint8")
    alpha[:30] = 0
    alpha[50:] = 128
    picture.putalpha(Image.fromarray(alpha))
    photo = read_photo(encoded(picture, format, **({"lossless": True} if format == "WEBP" else {})))
    assert (photo[:30] == 255).all()
    assert close(photo[30:50], np.asarray(two_halves())[30:50], by=0)
    assert close(photo[55, 5], [(255 + c) / 2 for c in RED], by=1)


def test_transparent_palette_colour_is_white():
    picture = two_halves().quantize(2)
    transparent = picture.getpixel((0, 0))
    photo = read_photo(encoded(picture, "PNG", transparency=transparent))
    assert (photo[:, :40] == 255).all() and close(photo[:, 41:], np.asarray(two_halves())[:, 41:])


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG"])
def test_animation_gives_its_first_frame(format):
    frames = [two_halves(), two_halves(left=(0, 255, 0), right=(0, 255, 0))]
    options = {"lossless": True} if format == "WEBP" else {}
    photo = read_photo(encoded(frames[0], format, save_all=True, append_images=frames[1:], duration=100, **options))
    assert close(photo, frames[0])


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize(("orientation", "turn"), [(3, Image.Transpose.ROTATE_180), (6, Image.Transpose.ROTATE_90)])
def test_exif_rotation_is_applied(format, orientation, turn):
    stored = two_halves().transpose(turn)
    exif = Image.Exif()
    exif[0x0112] = orientation
    photo = read_photo(encoded(stored, format, exif=exif.tobytes(), **({"lossless": True} if format == "WEBP" else {})))
    assert photo.shape == (60, 80, 3)
    assert close(photo[:, :36], np.asarray(two_halves())[:, :36], by=8)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_damaged_exif_is_ignored():
    photo = read_photo(encoded(two_halves(), "JPEG", exif=b"Exif\0\0" + b"MM\0*\xff\xff\xff\xff" + b"\xff" * 40))
    assert photo.shape == (60, 80, 3)


def srgb_with_red_and_blue_swapped():
    """An RGB profile whose first channel is blue light: following it swaps the channels, ignoring it does not."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for place in range(132, 132 + 12 * int.from_bytes(profile[128:132], "big"), 12):
        swap = {b"rXYZ": b"bXYZ", b"bXYZ": b"rXYZ"}
        tag = bytes(profile[place : place + 4])
        profile[place : place + 4] = swap.get(tag, tag)
    for text in ("sRGB".encode("utf-16-be"), b"sRGB"):
        profile = profile.replace(text, text.replace(b"s", b"b"))
    return bytes(profile)


def test_colour_profile_is_followed():
    plain = two_halves()
    photo = read_photo(encoded(plain, icc_profile=srgb_with_red_and_blue_swapped()))
    assert close(photo, np.asarray(plain)[..., ::-1], by=3)


@pytest.mark.parametrize("profile", ["sRGB", "LAB", b"nonsense" * 30])
def test_a_profile_that_says_nothing_new_leaves_the_pixels(profile):
    if isinstance(profile, str):
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile(profile)).tobytes()
    assert np.array_equal(read_photo(encoded(two_halves(), icc_profile=profile)), np.asarray(two_halves()))


def test_large_photo_is_bounded():
    photo = read_photo(encoded(Image.new("RGB", (MAX_SIDE * 2, 1000), RED), "JPEG"))
    assert photo.shape[1] == MAX_SIDE and photo.shape[0] == 500
    assert close(photo[10, 10], RED)


def test_smallest_photo():
    assert read_photo(encoded(Image.new("RGB", (MIN_SIDE, MIN_SIDE), RED))).shape == (MIN_SIDE, MIN_SIDE, 3)


def bomb():
    """30,000 x 30,000 pixels in the header; the data would not even have to be there."""
    return png(30_000, 30_000, 8, 2, b"")


JPEG = encoded(two_halves(400, 300), "JPEG", quality=95)
BAD = {
    "empty": (b"", "empty"),
    "text renamed .jpg": (b"dear colleague, please find attached\n", "text"),
    "html": (b"<!doctype html><html>sign in</html>", "text"),
    "random bytes": (bytes(np.random.default_rng(0).integers(0, 256, 4000, dtype="uint8")), "not a photo"),
    "pdf": (b"%PDF-1.7\n%\xe2\xe3", "PDF"),
    "cut HEIC": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "incomplete"),
    "dicom": (b"\0" * 128 + b"DICM" + b"\2\0\0\0", "DICOM"),
    "truncated JPEG": (JPEG[: len(JPEG) // 2], "incomplete"),
    "JPEG without its last bytes": (JPEG[:-20], "incomplete"),
    "JPEG header only": (JPEG[:10], "incomplete"),
    "JPEG padded with zeros": (JPEG[: len(JPEG) // 2] + bytes(len(JPEG) // 2), "incomplete"),
    "truncated PNG": (encoded(two_halves())[:80], "incomplete"),
    "PNG with a flipped byte": (bytearray(encoded(two_halves())), "incomplete"),
    "truncated WebP": (encoded(two_halves(), "WEBP")[:-30], "incomplete"),
    "truncated TIFF": (encoded(two_halves(), "TIFF")[:3000], "incomplete"),
    "truncated BMP": (encoded(two_halves(), "BMP")[:3000], "incomplete"),
    "truncated GIF": (encoded(two_halves(), "GIF")[:40], "incomplete"),
    "bomb": (bomb(), "900 million pixels"),
    "almost a bomb": (png(10_000, 10_000, 8, 2, b""), "million pixels"),
    "1 x 1": (encoded(Image.new("RGB", (1, 1))), "1 x 1 pixels"),
    "a thin line": (encoded(Image.new("RGB", (4000, 8))), "4000 x 8 pixels"),
    "32-bit float TIFF": (encoded(Image.fromarray(np.ones((40, 40), "float32")), "TIFF"), "32-bit"),
    "32-bit integer TIFF": (encoded(Image.fromarray(np.ones((40, 40), "int32")), "TIFF"), "32-bit"),
}
BAD["PNG with a flipped byte"][0][60] ^= 0xFF


@pytest.mark.parametrize("kind", BAD)
def test_bad_input_is_refused_in_a_sentence(kind, recwarn):
    data, word = BAD[kind]
    with pytest.raises(UnreadablePhoto) as caught:
        read_photo(bytes(data), name="mole.jpg")
    message = str(caught.value)
    assert word in message and "mole.jpg" in message and "xpected" in message
    assert message.endswith(".") and "\n" not in message
    assert not any(leak in message for leak in ("Traceback", "PIL", "BytesIO", "object at", "0x"))
    assert caught.value.__cause__ is None and caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_huge_file_is_refused_unread(tmp_path):
    path = tmp_path / "huge.png"
    with path.open("wb") as file:
        file.truncate(60_000_000)
    with pytest.raises(UnreadablePhoto, match=r"huge.png has 60 MB. Expected at most 50 MB"):
        read_photo(path)
    with pytest.raises(UnreadablePhoto, match="at most 50 MB"):
        read_photo(bytes(60_000_000))


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(UnreadablePhoto, match="nowhere.jpg does not exist"):
        read_photo(tmp_path / "nowhere.jpg")
    with pytest.raises(UnreadablePhoto, match="is a folder"):
        read_photo(tmp_path)


@pytest.mark.parametrize("shape", [(60, 80), (80, 60), (61, 61)])
def test_fit_image_takes_the_centre_square(shape):
    photo = np.zeros((*shape, 3), "uint8")
    top, left, side = centre_square(*shape)
    photo[top : top + side, left : left + side] = 200
    image = fit_image(photo, 32)
    assert image.shape == (32, 32, 3) and image.dtype == np.float32
    assert (image == 200).all()


def test_fit_image_gives_whole_numbers_in_range_and_antialiases():
    stripes = np.zeros((450, 600, 3), "uint8")
    stripes[:, ::2] = 255
    image = fit_image(stripes, 100)
    assert np.array_equal(image, np.rint(image)) and image.min() >= 0 and image.max() <= 255
    assert close(image[:, 5:-5], 127, by=8)  # one-pixel stripes average out; sampling would keep black or white


def test_fit_image_keeps_a_photo_of_the_right_size():
    photo = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype="uint8")
    assert np.array_equal(fit_image(photo, 64), photo)


@pytest.mark.parametrize(
    "photo", [np.zeros((9, 9), "uint8"), np.zeros((9, 9, 4), "uint8"), np.zeros((9, 9, 3), "float32")]
)
def test_fit_image_refuses_what_is_not_a_photo(photo):
    with pytest.raises(ValueError, match="uint8"):
        fit_image(photo, 8)


def test_photo_hash_knows_pixels_and_shape():
    photo = np.arange(48 * 48 * 3, dtype="uint8").reshape(48, 48, 3)
    other = photo.copy()
    other[3, 4, 1] ^= 1
    assert photo_hash(photo) == photo_hash(photo.copy())
    assert len({photo_hash(photo), photo_hash(other), photo_hash(photo.reshape(24, 96, 3))}) == 3
    assert photo_hash(photo[:, ::-1]) == photo_hash(np.ascontiguousarray(photo[:, ::-1]))


def chunks_of(data):
    """A PNG's chunks, (kind, body)."""
    place = 8
    while place < len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        yield data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        place += 12 + length


@pytest.mark.parametrize("depth", [1, 8, 16])
@pytest.mark.parametrize("rows", [0, 1, 30, 59])
def test_a_png_whose_last_rows_were_never_written_is_told(depth, rows):
    # All checksums are right; a decoder leaves the missing rows black.
    row = b"\0" + bytes([170]) * (80 * depth // 8)
    with pytest.raises(UnreadablePhoto, match="damaged or incomplete"):
        read_photo(png(80, 60, depth, 0, row * rows))
    assert read_photo(png(80, 60, depth, 0, row * 60)).shape == (60, 80, 3)


def test_a_png_that_goes_on_after_its_last_row_is_whole():
    row = b"\0" + bytes([170]) * 80
    assert (read_photo(png(80, 60, 8, 0, row * 61)) == 170).all()


def test_a_palette_photo_without_its_palette_is_told():
    with pytest.raises(UnreadablePhoto, match="mole.png is damaged or incomplete: its palette is missing"):
        read_photo(png(80, 60, 8, 3, (b"\0" + bytes(80)) * 60), "mole.png")


def test_colours_told_behind_the_pixels_do_not_count():
    whole = encoded(two_halves())
    late = list(chunks_of(whole))
    late.insert(-1, (b"gAMA", (100_000).to_bytes(4, "big")))
    data = whole[:8] + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in late
    )
    assert np.array_equal(read_photo(data), read_photo(whole))


def test_no_error_of_a_later_step_gets_out(monkeypatch):
    def fails(picture):
        raise AssertionError

    monkeypatch.setattr("core.data.images.plain_mode", fails)
    with pytest.raises(UnreadablePhoto, match="damaged or incomplete"):
        read_photo(encoded(two_halves()))


@pytest.mark.parametrize("step", ["is_file", "read_bytes"])
def test_a_file_that_may_not_be_read_is_a_sentence(tmp_path, monkeypatch, step):
    # Whoever runs the tests may be allowed to read everything.
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    path = tmp_path / "mole.png"
    path.write_bytes(encoded(two_halves()))
    monkeypatch.setattr(f"pathlib.Path.{step}", refuse)
    with pytest.raises(UnreadablePhoto, match=r"mole.png cannot be read \(Permission denied\)"):
        read_photo(path)
