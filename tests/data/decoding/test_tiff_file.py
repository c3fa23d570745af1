"""TIFFs of every layout: the photo among pages, planes, depths and byte orders; right, or refused by name."""

import io
import struct

import numpy as np
import pytest
import tifffile
from photo_bytes import LESION, encoded, png16
from PIL import Image

from core.data.images import UnreadablePhoto, read_photo

GREY = np.asarray(Image.fromarray(LESION).convert("L"))
DEEP, DEEP_GREY = LESION.astype("uint16") * 257, GREY.astype("uint16") * 257


def tiff(pixels, **options) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, **options)
    return file.getvalue()


def planes(pixels):
    return np.ascontiguousarray(np.moveaxis(pixels, -1, 0))


def far(photo, right=LESION):
    right = right if right.ndim == 3 else np.repeat(right[..., None], 3, axis=2)
    return float(np.abs(photo.astype("int16") - right).max())


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("tile", [None, (32, 48)])
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("pixels", [LESION, DEEP], ids=["8 bits", "16 bits"])
@pytest.mark.parametrize("apart", [False, True], ids=["together", "planes"])
def test_colours_of_every_layout(order, compression, tile, big, pixels, apart):
    layout = {"photometric": "rgb", "planarconfig": "separate" if apart else "contig"}
    data = tiff(
        planes(pixels) if apart else pixels, byteorder=order, compression=compression, tile=tile, bigtiff=big, **layout
    )
    assert far(read_photo(data)) <= 1


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("white", ["minisblack", "miniswhite"])
@pytest.mark.parametrize("pixels", [GREY, DEEP_GREY], ids=["8 bits", "16 bits"])
def test_grey_of_every_layout_is_no_negative(order, compression, white, pixels):
    stored = pixels if white == "minisblack" else np.iinfo(pixels.dtype).max - pixels
    data = tiff(stored, byteorder=order, compression=compression, photometric=white)
    assert far(read_photo(data), GREY) <= 1


@pytest.mark.parametrize("alpha", ["unassalpha", None])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_four_planes_with_and_without_transparency(alpha, dtype):
    scale = 1 if dtype == "uint8" else 257
    four = np.dstack([LESION, np.full(GREY.shape, 255, "uint8")]).astype(dtype) * scale
    data = tiff(
        planes(four.astype(dtype)),
        photometric="rgb",
        planarconfig="separate",
        extrasamples=[alpha] if alpha else ["unassalpha"],
    )
    assert far(read_photo(data)) <= 1


@pytest.mark.parametrize("predictor", [False, True])
def test_16_bits_with_a_predictor(predictor):
    assert far(read_photo(tiff(DEEP, photometric="rgb", compression="zlib", predictor=predictor))) <= 1


def pages(*written) -> bytes:
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as out:
        for pixels, options in written:
            out.write(pixels, photometric="rgb", **options)
    return file.getvalue()


SMALL = LESION[::2, ::2]


@pytest.mark.parametrize(
    "written",
    [
        [(SMALL, {"subfiletype": 1}), (LESION, {})],
        [(SMALL, {}), (LESION, {})],
        [(LESION, {}), (SMALL, {"subfiletype": 1})],
        [(LESION, {}), (LESION[::-1], {})],
        [(SMALL, {"subifds": 1}), (LESION, {})],
        [(SMALL, {"subifds": 1, "subfiletype": 1}), (LESION, {"subfiletype": 0}), (SMALL, {"subfiletype": 1})],
        # A preview that is larger than the photo is still a preview.
        [(np.repeat(np.repeat(LESION, 2, 0), 2, 1)[:, :, ::-1], {"subfiletype": 1}), (LESION, {})],
    ],
)
def test_the_photo_is_found_among_the_pages(written):
    assert np.array_equal(read_photo(pages(*written)), LESION)


def test_pages_that_point_at_one_another_come_to_an_end():
    data = bytearray(tiff(LESION, photometric="rgb"))
    first = struct.unpack_from("<I", data, 4)[0]
    count = struct.unpack_from("<H", data, first)[0]
    struct.pack_into("<I", data, first + 2 + 12 * count, first)
    assert np.array_equal(read_photo(bytes(data)), LESION)


def with_meaning(pixels, meaning: int) -> bytes:
    data = bytearray(tiff(pixels, photometric="minisblack"))
    file = tifffile.TiffFile(io.BytesIO(bytes(data)))
    place = file.pages[0].tags[262].valueoffset
    struct.pack_into("<H", data, place, meaning)
    return bytes(data)


def raw_below(preview) -> bytes:
    """As a DNG is laid out: a preview first, what the sensor saw in a directory below it."""
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as out:
        out.write(preview, photometric="rgb", subifds=1, subfiletype=1)
        out.write(DEEP_GREY, photometric="cfa", subfiletype=0)
    return file.getvalue()


REFUSED = {
    "float colours": (lambda: tiff(LESION.astype("float32") / 255, photometric="rgb"), "32-bit floating-point pixels in 3"),
    "half-float grey": (lambda: tiff(GREY.astype("float16"), photometric="minisblack"), "16-bit floating-point"),
    "double": (lambda: tiff(GREY.astype("float64"), photometric="minisblack"), "64-bit floating-point"),
    "signed": (lambda: tiff(GREY.astype("int16"), photometric="minisblack"), "16-bit signed whole-number"),
    "32-bit whole numbers": (lambda: tiff(LESION.astype("uint32"), photometric="rgb"), "32-bit pixels"),
    "12 bits in 16, colours": (lambda: tiff(LESION.astype("uint16") * 16, photometric="rgb"), "more than 12 bits"),
    "12 bits in 16, grey": (lambda: tiff(GREY.astype("uint16") * 16, photometric="minisblack"), "more than 12 bits"),
    "10 bits in 16, planes": (
        lambda: tiff(planes(LESION.astype("uint16") * 4), photometric="rgb", planarconfig="separate"), "more than 10 bits"
    ),
    "14 bits in 16, PNG": (lambda: png16(LESION.astype("uint16") * 64), "more than 14 bits"),
    "a camera's raw": (lambda: with_meaning(DEEP_GREY, 32803), "a camera's raw photo"),
    "linear raw": (lambda: with_meaning(DEEP_GREY, 34892), "a camera's raw photo"),
    "a raw below its preview": (lambda: raw_below(SMALL), "a camera's raw photo"),
    "a rare meaning": (lambda: with_meaning(GREY, 32845), "photometric interpretation 32845"),
    "five planes": (
        lambda: tiff(planes(np.dstack([LESION, GREY, GREY])), photometric="rgb", planarconfig="separate", extrasamples=[0, 0]),
        "5 channels of RGB in separate planes",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_read_right_is_refused_by_name(kind):
    make, words = REFUSED[kind]
    with pytest.raises(UnreadablePhoto, match=words) as caught:
        read_photo(make(), "mole.tif")
    assert "damaged" not in str(caught.value) and "xpected" in str(caught.value)


def test_12_bits_in_16_are_right_where_the_file_says_so():
    data = tiff(GREY.astype("uint16") * 16, photometric="minisblack", extratags=[(281, 3, 1, 4095, True)])
    assert far(read_photo(data), GREY) <= 1


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"])
@pytest.mark.parametrize("kept", [0.3, 0.9])
def test_a_cut_tiff_is_told(compression, kept):
    options = {} if compression == "raw" else {"compression": compression}
    data = encoded(LESION, "TIFF", **options)
    with pytest.raises(UnreadablePhoto, match="damaged or incomplete"):
        read_photo(data[: int(len(data) * kept)])


@pytest.mark.parametrize("tile", [None, (32, 48)])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_damage_within_packed_pixels_is_told_by_their_checksum(tile, share):
    data = bytearray(tiff(LESION, photometric="rgb", compression="zlib", tile=tile))
    place = int(len(data) * share)
    data[place] ^= 16
    with pytest.raises(UnreadablePhoto, match="damaged or incomplete: its checksums do not match its pixels"):
        read_photo(bytes(data))


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_damage_within_jpeg_pixels_is_told(mode):
    # Several strips, each a JPEG of its own, with the tables that they share beside them.
    picture = Image.fromarray(np.tile(LESION, (4, 4, 1))).convert(mode)
    data = encoded(picture, "TIFF", compression="jpeg", quality=90)
    assert read_photo(data).shape == np.tile(LESION, (4, 4, 1)).shape
    place = len(data) // 2
    with pytest.raises(UnreadablePhoto, match="damaged or incomplete"):
        read_photo(data[:place] + bytes(64) + data[place + 64 :])


def test_orientation_is_kept_by_the_plain_file():
    stored = np.ascontiguousarray(np.rot90(LESION, -1))
    exif = Image.Exif()
    exif[274] = 8
    assert np.array_equal(read_photo(encoded(stored, "TIFF", exif=exif)), np.rot90(stored))
