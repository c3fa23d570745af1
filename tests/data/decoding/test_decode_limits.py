"""Files that announce work for minutes or memory without end, each refused by its structure before anything is decoded."""

import io
import struct

import numpy as np
import pytest
from photo_bytes import LESION, encoded, png_chunk, png_of
from PIL import Image, ImageFile

from core.data import images
from core.data.decoding import jpeg_file
from core.data.decoding.decode_limits import MAX_PIXELS, MAX_RUN_BYTES, MAX_SCANS, MAX_SEGMENTS, MAX_STRIPS
from core.data.images import UnreadablePhoto, read_photo

SOS = b"\xff\xda"


def with_scans(scans: int, width=96, height=80) -> bytes:
    """A progressive JPEG whose last pass over the pixels is repeated."""
    data = encoded(Image.fromarray(LESION).resize((width, height)), "JPEG", progressive=True)
    last = data[data.rfind(SOS) : -2]
    return data[:-2] + last * (scans - data.count(SOS)) + b"\xff\xd9"


def announcing(data: bytes, width: int, height: int) -> bytes:
    """A JPEG whose frame header says another size."""
    place = max(data.find(b"\xff\xc0"), data.find(b"\xff\xc2"))
    return data[: place + 5] + struct.pack(">HH", height, width) + data[place + 9 :]


def exif_segments(count: int) -> bytes:
    data = encoded(LESION, "JPEG")
    segment = b"\xff\xe1" + struct.pack(">H", 65533) + b"Exif\0\0II*\0\x08\0\0\0" + bytes(65517)
    return data[:2] + segment * count + data[2:]


def tiff(width: int, height: int, strips: int, compression=1, more=()) -> bytes:
    """Grey, one row a strip, all strips at one place."""
    tags = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, compression), (262, 3, 1, 1)]
    tags += [(273, 4, strips, 0), (277, 3, 1, 1), (278, 4, 1, 1), (279, 4, strips, 0), *more]
    after = 8 + 2 + 12 * len(tags) + 4
    places = {273: after, 279: after + 4 * strips}
    rows = b"".join(struct.pack("<HHII", t, kind, n, places.get(t, value)) for t, kind, n, value in sorted(tags))
    start = after + 8 * strips
    lists = np.full(strips, start, "<u4").tobytes() + np.full(strips, width, "<u4").tobytes()
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + rows + bytes(4) + lists + bytes(width)


def rle_bmp(runs: int) -> bytes:
    head = struct.pack("<IiiHHIIiiII", 40, 9000, 9000, 1, 8, 1, 0, 0, 0, 256, 256)
    return b"BM" + struct.pack("<IHHI", 0, 0, 0, 54 + 1024) + head + bytes(1024) + b"\x01\x05" * runs + b"\0\1"


def gif_with_comments(blocks: int) -> bytes:
    data = encoded(LESION, "GIF")
    place = data.find(b"\x2c", 13 + 3 * 256)
    return data[:place] + b"\x21\xfe" + (b"\xff" + bytes(255)) * blocks + b"\0" + data[place:]


def exif_of_huge_tags() -> bytes:
    """EXIF in which 900 tags each claim the same 60,000 bytes."""
    entries = b"".join(struct.pack("<HHII", 1000 + n, 7, 60_000, 12_000) for n in range(900))
    return b"Exif\0\0II*\0" + struct.pack("<IH", 8, 900) + entries + bytes(61_400)


BOMBS = {
    "200 scans": (lambda: with_scans(200), "more than 100 passes over its pixels"),
    "few scans, many pixels": (lambda: announcing(with_scans(60), 7000, 7000), "60 passes over 7,000 x 7,000 pixels"),
    "scans behind a false end": (
        lambda: with_scans(4)[:-2] + b"\xff\xfe\0\6\xff\xd9\0\0" + with_scans(200)[with_scans(200).find(SOS) :],
        "more than 100 passes",
    ),
    "coefficients of a large progressive JPEG": (
        lambda: announcing(encoded(LESION, "JPEG", progressive=True, subsampling=0), 9400, 9400), "million pixels in such"
    ),
    "empty segments": (lambda: b"\xff\xd8" + b"\xff\xfe\0\2" * 1_000_000, "more than 20,000 segments"),
    "JPEG of 4 thousand million pixels": (lambda: announcing(encoded(LESION, "JPEG"), 65500, 65500), "million pixels"),
    "transparent PNG of 89 megapixels": (lambda: png_of(9459, 9459, 8, 6, b""), "90 million pixels"),
    "PNG of 16-bit colours": (lambda: png_of(9459, 9459, 16, 2, b""), "at most 56 million pixels in a PNG"),
    "PNG of empty chunks": (
        lambda: encoded(LESION)[:33] + png_chunk(b"tEXt", b"") * 30_000 + encoded(LESION)[33:],
        "more than 20,000 chunks",
    ),
    "a million strips": (lambda: tiff(9000, 1_000_000, 1_000_000), "9,000 million pixels.*at most 56 million pixels in a TIFF"),
    "strips beyond any row": (lambda: tiff(60, 60, 1_000_000), "more than 100,000 strips"),
    "a tile of 4 thousand million pixels": (
        lambda: tiff(60, 60, 1, more=[(322, 4, 1, 65536), (323, 4, 1, 65536), (324, 4, 1, 8), (325, 4, 1, 60)]),
        "in a tile of a TIFF",
    ),
    "scans within a TIFF": (lambda: tiff(600, 600, 600, 7) + SOS * 9000, "progressive JPEG in a TIFF"),
    "run lengths": (lambda: rle_bmp(3_000_000), "BMP of 6 MB with run-length coding"),
    "BMP of 81 megapixels": (lambda: rle_bmp(10), "million pixels in a BMP"),
    "comments of a GIF": (lambda: gif_with_comments(40_000), "bytes of comments"),
    "WebP of 70 megapixels": (
        lambda: encoded(Image.new("L", (8400, 8400), 128), "WEBP", quality=1, method=0), "million pixels in a WebP"
    ),
    "AVIF whose EXIF claims too much": (
        lambda: b"\0\0\0\x1cftypavif" + bytes(16) + exif_of_huge_tags(), "bytes of EXIF"
    ),
}  # fmt: skip


@pytest.fixture
def nothing_decodes(monkeypatch):
    """Decoding a picture fails the test: what is refused is refused before."""

    def decode(*args, **kwargs):
        pytest.fail("decoded before it was refused")

    monkeypatch.setattr(ImageFile.ImageFile, "load", decode)
    monkeypatch.setattr(images, "check_whole", decode)


@pytest.mark.parametrize("kind", BOMBS)
def test_it_is_refused_undecoded_and_the_bound_is_named(kind, nothing_decodes, request):
    make, words = BOMBS[kind]
    with pytest.MonkeyPatch.context() as patch:
        patch.undo()
        data = make()
    with pytest.raises(UnreadablePhoto, match=words) as caught:
        read_photo(data, "bomb")
    assert str(caught.value).startswith("bomb ") and "which was not tried. Expected at most" in str(caught.value)


def test_what_cameras_write_stays_below_every_bound():
    # The largest progressive photo of a phone, 48 megapixels in Pillow's ten scans of 4:2:0.
    file = jpeg_file.inspect_jpeg(
        announcing(encoded(LESION, "JPEG", progressive=True, subsampling="4:2:0"), 8064, 6048), "x"
    )
    assert file.size == (8064, 6048) and file.whole_first and file.scans >= 8
    assert jpeg_file.inspect_jpeg(announcing(encoded(LESION, "JPEG"), 9400, 9400), "x").size == (9400, 9400)
    assert jpeg_file.inspect_jpeg(announcing(with_scans(MAX_SCANS), 1000, 1000), "x").scans == MAX_SCANS
    assert read_photo(tiff(60, 60, 60)).shape == (60, 60, 3)
    assert MAX_STRIPS > 3 * 30_000 and MAX_SEGMENTS > 12_000 and MAX_RUN_BYTES > 1_000_000 and MAX_PIXELS > 48e6


def test_ten_megabytes_of_exif_are_left_aside():
    data = exif_segments(160)
    file = jpeg_file.inspect_jpeg(data, "x")
    assert len(file.data) < 20_000 and len(file.exif) < 70_000
    assert np.array_equal(read_photo(data), read_photo(encoded(LESION, "JPEG")))


def test_the_decoder_is_given_no_tag_that_it_does_not_need():
    # 800 private tags, each claiming the whole file: Pillow would copy it for each.
    more = [(40000 + n, 7, 60, 8) for n in range(800)]
    assert read_photo(tiff(60, 60, 60, more=more)).shape == (60, 60, 3)


@pytest.mark.parametrize("size", [(65500, 33), (33, 65500), (8000, 40)])
def test_a_strip_is_called_a_strip(size):
    with pytest.raises(
        UnreadablePhoto, match=rf"{size[0]:,} x {size[1]:,} pixels: [\d,]+ times as long as wide"
    ) as caught:
        read_photo(announcing(encoded(LESION, "JPEG"), *size), "mole.jpg")
    assert "at least 32" not in str(caught.value)


def test_a_photo_of_two_shapes_beside_the_bound():
    assert read_photo(encoded(Image.new("RGB", (4096, 32)))).shape == (32, 4096, 3)
    with pytest.raises(UnreadablePhoto, match="too small to read"):
        read_photo(encoded(Image.new("RGB", (4096, 31))))


def test_the_bounds_are_below_the_memory_they_promise():
    """What the decoders hold at once, of the largest that passes, in a process of its own would be 500 MB at most."""
    from core.data.decoding.decode_limits import MAX_BYTES, MEMORY
    from core.data.decoding.other_files import BYTES_A_PIXEL

    assert all((MEMORY - MAX_BYTES) / cost >= 22e6 for cost in BYTES_A_PIXEL.values())
    buffer = io.BytesIO(png_of(6400, 6400, 8, 6, b""))
    assert Image.open(buffer).size == (6400, 6400)
    with pytest.raises(UnreadablePhoto, match="41 million pixels"):
        read_photo(buffer.getvalue(), "x")
