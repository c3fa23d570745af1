"""The table of formats: every row is recognised by content, read or named, on the page and the command line alike."""

from pathlib import Path

import numpy as np
import pytest
from photo_bytes import LESION, encoded

from core.data.decoding.photo_formats import (
    FORMATS,
    SUFFIXES,
    UPLOADS,
    formats_markdown,
    holds_photo,
    recognise_format,
    sniff_format,
)
from core.data.images import UnreadablePhoto, read_photo

REPOSITORY = Path(__file__).resolve().parents[3]


def heic(**options):
    import pillow_heif
    from PIL import Image

    return _heif(pillow_heif.from_pillow(Image.fromarray(LESION)), **options)


def _heif(file, **options):
    import io

    out = io.BytesIO()
    file.save(out, quality=95, **options)
    return out.getvalue()


# A member of each row's kind: one that is read, or the beginning of one that is not.
MEMBERS = {
    "JPEG photo": lambda: encoded(LESION, "JPEG", quality=95),
    "PNG photo": lambda: encoded(LESION),
    "WebP photo": lambda: encoded(LESION, "WEBP", quality=95),
    "TIFF photo": lambda: encoded(LESION, "TIFF", compression="tiff_lzw"),
    "BMP photo": lambda: encoded(LESION, "BMP"),
    "GIF photo": lambda: encoded(LESION, "GIF"),
    "AVIF photo": lambda: encoded(LESION, "AVIF", quality=95),
    "HEIC photo": heic,
    "JPEG-LS photo": lambda: b"\xff\xd8\xff\xf7\0\x0b\x08",
    "raw photo of a Canon camera": lambda: b"II*\0\x10\0\0\0CR\2\0" + bytes(60),
    "JPEG XL photo": lambda: b"\xff\x0a\xfa\x1f" + bytes(60),
    "JPEG 2000 photo": lambda: encoded(LESION, "JPEG2000"),
    "raw photo of an Olympus, Panasonic, Fujifilm or Sigma camera": lambda: b"FUJIFILMCCD-RAW 0201" + bytes(60),
    "DICOM file": lambda: bytes(128) + b"DICM\2\0\0\0UL\4\0" + bytes(60),  # whole ones: tests of interchange
    "Photoshop file": lambda: b"8BPS\0\1" + bytes(60),
    "PDF document": lambda: b"%PDF-1.7\n" + bytes(60),
    "video": lambda: b"\0\0\0\x18ftypqt  \0\0\0\0qt  mp42" + bytes(60),
    "ZIP archive": lambda: b"PK\x03\x04" + bytes(60),
    "SVG drawing": lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>",
}


@pytest.mark.parametrize("row", FORMATS, ids=lambda row: f"{row.short} .{row.suffixes[0]}")
def test_each_row_is_recognised_and_read_or_named(row):
    data = MEMBERS[row.short]()
    found = recognise_format(data)
    assert found.short == row.short
    if row.decoder == "DICOM":
        with pytest.raises(UnreadablePhoto, match=r"mole\.xyz.* DICOM"):
            read_photo(data, "mole.xyz")
        return
    if row.read:
        photo = read_photo(data, "mole.xyz")
        assert photo.shape == LESION.shape and np.abs(photo.astype(int) - LESION).mean() < 6
        return
    with pytest.raises(UnreadablePhoto) as caught:
        read_photo(data, "mole.jpg")
    assert f"mole.jpg is {row.name}, which is not read. Expected a JPEG" in str(caught.value)
    assert str(caught.value).endswith(row.advice) and row.advice.endswith(".")


@pytest.mark.parametrize(
    ("start", "name"),
    [
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(40), "JPEG XL photo"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom" + bytes(40), "raw photo of a Canon camera"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1heicmiaf" + bytes(40), "HEIC photo"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0avifmif1miaf" + bytes(40), "AVIF photo"),
        (b"\2\0\0\0UL\4\0\xd2\0\0\0\2\0\1\0OB" + bytes(40), "DICOM file"),
        (b"\x08\0\5\0CS\x0a\0ISO_IR 100" + bytes(40), "DICOM file"),
        (b"\x08\0\0\0\4\0\0\0\x10\1\0\0" + bytes(40), "DICOM file"),
        (b"IIRO\x08\0\0\0" + bytes(40), "raw photo of an Olympus, Panasonic, Fujifilm or Sigma camera"),
        (b"RIFF\0\0\0\0AVI LIST" + bytes(40), "video"),
    ],
)
def test_other_beginnings_of_the_same_kinds(start, name):
    assert recognise_format(start).short == name


def test_what_no_row_knows_is_not_taken_for_one():
    for data in (b"", b"\xff", b"dear colleague", bytes(200), b"RIFF\0\0\0\0WAVEfmt "):
        assert recognise_format(data) is None


@pytest.mark.parametrize("suffix", ["jfif", "HEIC", "dat", "png", "JPG"])
def test_a_photo_under_another_suffix_is_read(tmp_path, suffix):
    path = tmp_path / f"photo.{suffix}"
    path.write_bytes(encoded(LESION, "JPEG", quality=95))
    assert np.array_equal(read_photo(path), read_photo(path.read_bytes()))
    assert holds_photo(path) and sniff_format(path).short == "JPEG photo"


def test_a_folder_is_looked_through_by_content(tmp_path):
    from core.data.photo_list import list_photos

    for name, content in (("a.heic", MEMBERS["HEIC photo"]()), ("b", MEMBERS["PNG photo"]()), ("c.csv", b"x,y\n")):
        (tmp_path / name).write_bytes(content)
    assert [p.name for p in list_photos([tmp_path]).paths] == ["a.heic", "b"]


def test_the_uploader_takes_all_that_is_read_and_what_can_be_named():
    assert set(SUFFIXES) < set(UPLOADS) and {"heic", "avif", "jfif", "dcm", "jxl", "dng"} <= set(UPLOADS)
    assert all(suffix == suffix.lower() and not suffix.startswith(".") for suffix in UPLOADS)


def test_the_documentation_holds_the_table():
    assert formats_markdown() in (REPOSITORY / "docs" / "photo-formats.md").read_text(encoding="utf-8")
