"""DICOM photos in every encoding: right colours, facts from the header, bounds, and nothing of the patient anywhere."""

import io
import logging
import re
import sys
import traceback
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

pydicom = pytest.importorskip("pydicom", reason="needs the extra dicom")

import made_up_dicom as made  # noqa: E402

from core.data.decoding.dicom_file import MAX_FRAMES, PHOTO_CLASSES  # noqa: E402
from core.data.images import UnreadablePhoto, read_photo, read_photo_file  # noqa: E402
from core.data.patient import SITES, Facts  # noqa: E402
from core.interchange import describe_facts, read_photos  # noqa: E402
from core.interchange.body_sites import REGIONS, SITE_CODES, site_of_code, site_of_part  # noqa: E402


@pytest.fixture(scope="module")
def lesion():
    return made.lesion()


def one(data: bytes, **options) -> np.ndarray:
    (photo,) = read_photos(data, "lesion.dcm", **options)
    return photo.pixels


def difference(found: np.ndarray, right: np.ndarray) -> int:
    assert found.shape == right.shape
    return int(np.abs(found.astype("int16") - right).max())


# ---- encodings ----


@pytest.mark.parametrize("preamble", [True, False])
@pytest.mark.parametrize("syntax", [made.IMPLICIT, made.EXPLICIT, made.BIG, made.DEFLATED])
@pytest.mark.parametrize("deep", [False, True], ids=["8 bits", "16 bits"])
def test_plain_pixels_are_read_to_the_digit(lesion, syntax, preamble, deep):
    ds = made.make_dataset(lesion.astype("uint16") * 257 if deep else lesion)
    assert difference(one(made.to_bytes(ds, syntax, preamble=preamble)), lesion) == 0


@pytest.mark.parametrize("syntax", [made.RLE, made.JPEG_LS, made.J2K_LOSSLESS])
@pytest.mark.parametrize("deep", [False, True], ids=["8 bits", "16 bits"])
def test_lossless_compression_is_read_to_the_digit(lesion, syntax, deep):
    ds = made.make_dataset(lesion.astype("uint16") * 257 if deep else lesion)
    assert difference(one(made.compressed(ds, syntax)), lesion) == 0


def test_reversible_colour_transform(lesion):
    ds = made.make_dataset(lesion, PhotometricInterpretation="YBR_RCT")
    assert difference(one(made.compressed(ds, made.J2K_LOSSLESS)), lesion) == 0


def test_lossy_compression_is_near(lesion):
    near = made.compressed(made.make_dataset(lesion), made.NEAR_LS, jls_error=2)
    wavelets = made.compressed(made.make_dataset(lesion, PhotometricInterpretation="YBR_ICT"), made.J2K, j2k_cr=[3])
    assert difference(one(near), lesion) <= 2
    assert difference(one(wavelets), lesion) <= 8


@pytest.mark.parametrize("colours", ["RGB", "YBR_FULL", "MONOCHROME2", "MONOCHROME1"])
def test_jpeg_lossless(lesion, colours):
    picture = Image.fromarray(lesion).convert("RGB" if colours == "RGB" else "YCbCr" if colours[0] == "Y" else "L")
    stored = np.asarray(picture) if colours != "MONOCHROME1" else 255 - np.asarray(picture)
    right = np.asarray(picture.convert("RGB"))
    for syntax in (made.LOSSLESS_JPEG, "1.2.840.10008.1.2.4.57"):
        ds = made.make_dataset(stored, PhotometricInterpretation=colours)
        assert difference(one(made.encapsulated(ds, [made.lossless_jpeg(stored)], syntax)), right) == 0


JPEGS = {
    "as YBR_FULL_422": ("YBR_FULL_422", {}),
    "as YBR_FULL": ("YBR_FULL", {"subsampling": 0}),
    "said to be RGB, its markers say YCbCr": ("RGB", {}),
    "RGB by its Adobe marker": ("RGB", {"keep_rgb": True, "subsampling": 0}),
    "RGB by its Adobe marker, said to be YBR": ("YBR_FULL_422", {"keep_rgb": True, "subsampling": 0}),
    "progressive": ("YBR_FULL_422", {"progressive": True}),
}


@pytest.mark.parametrize("name", JPEGS)
def test_jpeg_has_the_colours_that_its_markers_tell(lesion, name):
    colours, options = JPEGS[name]
    ds = made.make_dataset(lesion, PhotometricInterpretation=colours)
    found = one(made.encapsulated(ds, [made.jpeg(lesion, **options)], made.BASELINE))
    assert np.abs(found.astype("int16") - lesion).mean() < 2


def test_jpeg_without_markers_has_the_colours_that_the_header_tells(lesion):
    # RGB channels as they are, in a JPEG with neither JFIF nor Adobe marker.
    as_is = Image.merge("YCbCr", Image.fromarray(lesion).split())
    out = io.BytesIO()
    as_is.save(out, "JPEG", quality=95, subsampling=0)
    bare = out.getvalue()
    bare = bare[:2] + bare[4 + int.from_bytes(bare[4:6], "big") :]  # without APP0
    assert b"JFIF" not in bare
    ds = made.make_dataset(lesion)
    assert np.abs(one(made.encapsulated(ds, [bare], made.BASELINE)).astype("int16") - lesion).mean() < 2
    ds = made.make_dataset(lesion, PhotometricInterpretation="YBR_FULL")
    ycc = np.asarray(Image.merge("YCbCr", Image.fromarray(lesion).split()).convert("RGB"))
    assert np.abs(one(made.encapsulated(ds, [bare], made.BASELINE)).astype("int16") - ycc).mean() < 2


# ---- pixels ----


def test_twelve_bits_are_scaled_by_bits_stored(lesion):
    deep = np.rint(lesion / 255 * 4095).astype("uint16")
    assert difference(one(made.to_bytes(made.make_dataset(deep, BitsStored=12, HighBit=11))), lesion) == 0
    assert difference(one(made.to_bytes(made.make_dataset(deep << 4, BitsStored=12, HighBit=15))), lesion) == 0


def test_twelve_bits_said_to_be_16_are_refused(lesion):
    with pytest.raises(UnreadablePhoto, match="nowhere uses more than"):
        one(made.to_bytes(made.make_dataset(lesion.astype("uint16") * 2)))


def test_colour_by_plane(lesion):
    planes = np.ascontiguousarray(lesion.transpose(2, 0, 1))
    ds = made.make_dataset(lesion, PlanarConfiguration=1, PixelData=planes.tobytes())
    assert difference(one(made.to_bytes(ds)), lesion) == 0


def test_plain_ybr(lesion):
    ycc = np.asarray(Image.fromarray(lesion).convert("YCbCr"))
    full = made.make_dataset(ycc, PhotometricInterpretation="YBR_FULL")
    assert difference(one(made.to_bytes(full)), lesion) <= 3  # of rounding
    # Every other pixel's colour: Y Y Cb Cr.
    half = np.concatenate([ycc[:, ::2, :1], ycc[:, 1::2, :1], ycc[:, ::2, 1:]], axis=2)
    halved = made.make_dataset(ycc, PhotometricInterpretation="YBR_FULL_422", PixelData=half.tobytes())
    assert np.abs(one(made.to_bytes(halved)).astype("int16") - lesion).mean() < 3


def test_rle_of_ybr(lesion):
    ycc = np.asarray(Image.fromarray(lesion).convert("YCbCr"))
    ds = made.make_dataset(ycc, PhotometricInterpretation="YBR_FULL")
    assert difference(one(made.compressed(ds, made.RLE)), lesion) <= 3  # of rounding


@pytest.mark.parametrize("negative", [False, True])
def test_grey_is_no_negative(lesion, negative):
    grey = np.asarray(Image.fromarray(lesion).convert("L"))
    stored = 255 - grey if negative else grey
    colours = "MONOCHROME1" if negative else "MONOCHROME2"
    ds = made.make_dataset(stored, PhotometricInterpretation=colours)
    right = np.repeat(grey[..., None], 3, axis=2)
    assert difference(one(made.to_bytes(ds)), right) == 0
    ds = made.make_dataset(stored, PhotometricInterpretation=colours)
    assert np.abs(one(made.encapsulated(ds, [made.jpeg(stored)], made.BASELINE)).astype("int16") - right).mean() < 2


def test_grey_follows_the_window_and_its_sign(lesion):
    grey = np.asarray(Image.fromarray(lesion).convert("L")).astype("int16")
    # 100..610 stand for black to white.
    windowed = (grey * 2 + 100).astype("uint16")
    ds = made.make_dataset(windowed, BitsStored=12, HighBit=11, WindowCenter=355.5, WindowWidth=511)
    assert difference(one(made.to_bytes(ds)), np.repeat(grey[..., None], 3, axis=2)) <= 1
    signed = (grey * 2 - 600).astype("int16")
    ds = made.make_dataset(
        signed.view("uint16"),
        PixelRepresentation=1,
        WindowCenter=-344.5,
        WindowWidth=511,
        RescaleSlope=1,
        RescaleIntercept=0,
    )
    assert difference(one(made.to_bytes(ds)), np.repeat(grey[..., None], 3, axis=2)) <= 1


@pytest.mark.parametrize("bits", [8, 16])
def test_palette(lesion, bits):
    picture = Image.fromarray(lesion).quantize(64)
    table = np.array(picture.getpalette()[: 3 * 64], "uint16").reshape(64, 3)
    right = table.astype("uint8")[np.asarray(picture)]
    elements = {}
    for place, colour in enumerate(("Red", "Green", "Blue")):
        values = table[:, place] * (257 if bits == 16 else 1)
        elements[f"{colour}PaletteColorLookupTableDescriptor"] = [64, 0, bits]
        elements[f"{colour}PaletteColorLookupTableData"] = values.astype("<u2" if bits == 16 else "u1").tobytes()
    ds = made.make_dataset(np.asarray(picture), PhotometricInterpretation="PALETTE COLOR", **elements)
    assert difference(one(made.to_bytes(ds)), right) == 0


def test_segmented_palette():
    ramp = np.tile(np.arange(64, dtype="uint8"), (40, 1))
    # One discrete entry, then one line to the end: 0 to 252 in 63 steps.
    segments = np.array([0, 1, 0, 1, 63, 252 << 8], "<u2").tobytes()
    elements = {}
    for colour in ("Red", "Green", "Blue"):
        elements[f"{colour}PaletteColorLookupTableDescriptor"] = [64, 0, 16]
        elements[f"Segmented{colour}PaletteColorLookupTableData"] = segments
    found = one(made.to_bytes(made.make_dataset(ramp, PhotometricInterpretation="PALETTE COLOR", **elements)))
    np.testing.assert_allclose(found[0, :, 0], np.arange(64) * 4, atol=2)


def test_the_header_s_profile_is_followed(lesion):
    linear = linear_profile()
    followed = one(made.to_bytes(made.make_dataset(lesion, ICCProfile=linear)))
    assert followed.mean() > lesion.mean() + 20
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert difference(one(made.to_bytes(made.make_dataset(lesion, ICCProfile=srgb))), lesion) == 0
    (broken,) = read_photos(made.to_bytes(made.make_dataset(lesion, ICCProfile=b"no profile at all.")), "a.dcm")
    assert "colour profile" in " ".join(broken.notes)


def linear_profile() -> bytes:
    """An RGB profile of linear light with sRGB's colours."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    tags = int.from_bytes(profile[128:132], "big")
    for i in range(tags):
        name, place = profile[132 + 12 * i : 136 + 12 * i], int.from_bytes(profile[136 + 12 * i : 140 + 12 * i], "big")
        if name in (b"rTRC", b"gTRC", b"bTRC"):
            # A curve without entries is the identity.
            profile[place : place + 12] = b"curv" + bytes(8)
    return bytes(profile)


def test_adobe_rgb_by_its_name(lesion):
    from core.data.decoding.colour_space import ADOBE_RGB

    named = one(made.to_bytes(made.make_dataset(lesion, ColorSpace="ADOBERGB")))
    np.testing.assert_array_equal(named, one(made.to_bytes(made.make_dataset(lesion, ICCProfile=ADOBE_RGB.profile()))))
    assert difference(named, lesion) > 5


# ---- frames ----


def test_each_frame_is_a_photo(lesion):
    frames = np.stack([lesion, 255 - lesion, lesion[::-1]])
    photos = read_photos(made.to_bytes(made.make_dataset(frames)), "three.dcm")
    for number, (photo, right) in enumerate(zip(photos, frames, strict=True), 1):
        assert difference(photo.pixels, right) == 0
        assert (photo.source.frame, photo.source.frames) == (number, 3)
    ds = made.make_dataset(frames, PhotometricInterpretation="YBR_FULL_422")
    photos = read_photos(made.encapsulated(ds, [made.jpeg(frame) for frame in frames], made.BASELINE))
    assert [np.abs(p.pixels.astype("int16") - r).mean() < 2 for p, r in zip(photos, frames, strict=True)] == [True] * 3
    whole = read_photo_file(made.to_bytes(made.make_dataset(frames)), "three.dcm")
    assert difference(whole.pixels, lesion) == 0
    assert whole.notes == ("three.dcm: It holds 3 frames; this is the first.",)


def test_frames_and_pixels_are_bounded(lesion):
    tiny = np.zeros((MAX_FRAMES + 1, 32, 32), "uint8")
    with pytest.raises(UnreadablePhoto, match="more than 256 frames"):
        one(made.to_bytes(made.make_dataset(tiny)))
    with pytest.raises(UnreadablePhoto, match="million pixels"):
        one(made.encapsulated(made.make_dataset(lesion, Rows=65535, Columns=65535), [b"ab"], made.RLE))
    with pytest.raises(UnreadablePhoto, match="too small"):
        one(made.to_bytes(made.make_dataset(lesion[:20])))


def test_a_deflated_bomb_is_stopped(lesion):
    data = made.to_bytes(made.make_dataset(lesion), made.DEFLATED)
    packer = zlib.compressobj(9, wbits=-15)
    bomb = packer.compress(bytes(400_000_000)) + packer.flush()
    assert len(bomb) < 500_000
    start = 132 + 12 + int.from_bytes(data[140:144], "little")
    with pytest.raises(UnreadablePhoto, match="unpacks to very many bytes"):
        one(data[:start] + bomb)


def test_a_header_of_millions_of_elements_is_stopped(lesion):
    ds = made.make_dataset(lesion)
    data = made.to_bytes(ds)
    element = b"\x09\0\x01\x10LO\0\0"
    place = data.index(b"\x10\0\x10\0PN")
    with pytest.raises(UnreadablePhoto, match="very many elements"):
        one(data[:place] + element * 1_000_000 + data[place:])


# ---- refusals ----


def test_each_class_of_the_table_is_read(lesion):
    for row in PHOTO_CLASSES:
        (photo,) = read_photos(made.to_bytes(made.make_dataset(lesion, SOPClassUID=row.uid)))
        assert photo.source.kind == row.name


def test_other_objects_are_named(lesion):
    with pytest.raises(UnreadablePhoto, match="another kind \\(CT Image\\)"):
        one(made.to_bytes(made.make_dataset(lesion, SOPClassUID="1.2.840.10008.5.1.4.1.1.2")))
    with pytest.raises(UnreadablePhoto, match="does not say what it holds") as caught:
        one(made.to_bytes(made.make_dataset(lesion, SOPClassUID="1.2.3.4.5")))
    assert "1.2.3.4.5" not in str(caught.value)


def test_videos_and_unknown_syntaxes_are_named(lesion):
    video = made.encapsulated(made.make_dataset(lesion), [b"0" * 100], "1.2.840.10008.1.2.4.102")
    with pytest.raises(UnreadablePhoto, match="MPEG-4 AVC/H.264"):
        one(video)
    with pytest.raises(UnreadablePhoto, match="in no transfer syntax of the standard"):
        one(made.encapsulated(made.make_dataset(lesion), [b"0" * 100], "1.2.3.4"))


def test_burned_in_text_is_refused_unless_forced(lesion):
    data = made.to_bytes(made.make_dataset(lesion, BurnedInAnnotation="YES"))
    for read in (read_photo, read_photos):
        with pytest.raises(UnreadablePhoto, match="BurnedInAnnotation is YES"):
            read(data, "x.dcm")
    (photo,) = read_photos(data, "x.dcm", force=True)
    assert difference(photo.pixels, lesion) == 0
    assert photo.source.burned_in
    assert difference(one(made.to_bytes(made.make_dataset(lesion, BurnedInAnnotation="NO"))), lesion) == 0


def test_truncated_and_damaged_frames_are_a_sentence(lesion):
    plain = made.to_bytes(made.make_dataset(lesion))
    picture = made.jpeg(lesion)
    ybr = {"PhotometricInterpretation": "YBR_FULL_422"}
    files = [
        plain[:-500],
        made.encapsulated(made.make_dataset(lesion, **ybr), [picture[: len(picture) // 2]], made.BASELINE),
        made.encapsulated(made.make_dataset(lesion, **ybr), [b"\xff\xd8" + bytes(50)], made.BASELINE),
        made.encapsulated(made.make_dataset(lesion, **ybr), [made.jpeg(lesion[:80])], made.BASELINE),
        made.encapsulated(made.make_dataset(lesion, NumberOfFrames=3, **ybr), [picture], made.BASELINE),
        made.encapsulated(made.make_dataset(lesion, **ybr), [picture], made.BASELINE)[:-1000],
        made.encapsulated(made.make_dataset(lesion), [made.lossless_jpeg(lesion)[:9000]], made.LOSSLESS_JPEG),
        *(made.compressed(made.make_dataset(lesion), s)[:-800] for s in (made.RLE, made.JPEG_LS, made.J2K_LOSSLESS)),
        made.to_bytes(made.make_dataset(lesion, PixelData=None)),
    ]
    for data in files:
        with pytest.raises(UnreadablePhoto, match="damaged or incomplete"):
            one(data)


def test_without_the_extra_a_sentence_says_what_to_install(lesion, monkeypatch):
    data = made.to_bytes(made.make_dataset(lesion))
    for name in [m for m in sys.modules if m == "pydicom" or m.startswith("pydicom.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pydicom", None)
    for read in (read_photo, read_photos):
        with pytest.raises(UnreadablePhoto, match=re.escape('Install the extra `dicom`: `pip install ".[dicom]"`')):
            read(data, "lesion.dcm")


# ---- facts ----


@pytest.mark.parametrize(
    ("elements", "facts"),
    [
        ({}, Facts(55, "female", "back")),
        ({"PatientAge": "018M"}, Facts(1.5, "female", "back")),
        ({"PatientAge": "100W", "PatientSex": "M"}, Facts(1.9, "male", "back")),
        ({"PatientAge": "200Y", "PatientSex": "O"}, Facts(None, "unknown", "back")),
        ({"PatientAge": None}, Facts(63, "female", "back")),  # from the birth date at the study's
        ({"PatientAge": None, "StudyDate": "20240306"}, Facts(62, "female", "back")),
        ({"PatientAge": None, "PatientBirthDate": ""}, Facts(None, "female", "back")),
        ({"AnatomicRegionSequence": None, "BodyPartExamined": "UPPERARM"}, Facts(55, "female", "upper extremity")),
        ({"AnatomicRegionSequence": None, "BodyPartExamined": "SCALP"}, Facts(55, "female", "scalp")),
        ({"AnatomicRegionSequence": None, "BodyPartExamined": "ZZZ"}, Facts(55, "female", "unknown")),
        ({"AnatomicRegionSequence": None}, Facts(55, "female", "unknown")),
    ],
)
def test_facts_come_from_the_header(lesion, elements, facts):
    (photo,) = read_photos(made.to_bytes(made.make_dataset(lesion, **elements)))
    assert photo.facts == facts


def test_body_sites():
    assert site_of_code("SCT", "73897004") == "face"
    assert site_of_code("SRT", "T-D1200") == "face"
    assert site_of_code("DCM", "130317") == "acral"
    assert site_of_code("SCT", "39937001") == "unknown"  # Skin
    assert site_of_part("lower_extremity") == "lower extremity"
    assert {site for codes in REGIONS.values() for site in codes.values()} <= set(SITES)
    for site, (code, _) in SITE_CODES.items():
        assert site_of_code("SCT", code) == site


def test_facts_in_words():
    assert describe_facts(Facts(55, "female", "back")) == "age 55, female, back"
    assert describe_facts(Facts()) == ""


# ---- identity ----


def test_nothing_of_the_patient_comes_out(lesion, caplog, capfd, recwarn):
    """Markers in every element of person and place, private and nested; reading and failing in many ways."""
    caplog.set_level(logging.DEBUG)
    ds = made.make_dataset(lesion)
    made.mark_everything(ds)
    data = made.to_bytes(ds)
    assert data.count(made.MARKER.encode()) > 200
    said = []
    for whole in (data, made.compressed(ds, made.RLE)):
        photos = read_photos(whole, "lesion.dcm")
        said += [repr(photos), repr([(p.notes, p.facts, p.source) for p in photos])]
    spoilt = [data[:n] for n in range(300, len(data) - 50, len(data) // 40)]
    # The markers themselves in the places of numbers, codes and UIDs.
    for tag in (b"\x08\0\x16\0UI", b"\x08\0\x18\0UI", b"\x28\0\x04\0CS", b"\x10\0\x10\x10AS", b"\x08\0\x20\0DA"):
        place = data.index(tag)
        length = int.from_bytes(data[place + 6 : place + 8], "little")
        marked = (made.MARKER * 20).encode()[:length]
        spoilt.append(data[: place + 8] + marked + data[place + 8 + length :])
    for bad in spoilt:
        try:
            said.append(repr(read_photos(bad, "lesion.dcm")))
        except UnreadablePhoto as error:
            said.append("".join(traceback.format_exception(error)))
            chain = error
            while chain is not None:
                said.append(f"{chain!r} {chain.args}")
                chain = chain.__context__ or chain.__cause__
    said += [caplog.text, *capfd.readouterr(), *(str(w.message) for w in recwarn)]
    for text in said:
        for secret in (made.MARKER, made.BIRTHDAY, "1961"):
            assert secret not in text


# ---- cases and the fuzzer ----


@pytest.mark.parametrize("name", ["lesion_nopreamble.dcm", "mixed_folder/lesion.dcm"])
def test_the_handed_cases(cases, name):
    right = read_photo(cases / "right_colours.png")
    (photo,) = read_photos(cases / name)
    assert difference(photo.pixels, right) <= 1
    assert photo.source.kind == "VL Photographic Image"


def test_mutated_files_give_photos_or_one_sentence(lesion):
    """A seeded fuzzer: bits, bytes, cuts, and numbers of the header at their extremes."""
    random = np.random.default_rng(16)
    small = lesion[:40, :48]
    ybr = {"PhotometricInterpretation": "YBR_FULL_422"}
    seeds = [
        made.to_bytes(made.make_dataset(small)),
        made.to_bytes(made.make_dataset(small), made.IMPLICIT, preamble=False),
        made.to_bytes(made.make_dataset(small), made.DEFLATED),
        made.encapsulated(made.make_dataset(small, **ybr), [made.jpeg(small)], made.BASELINE),
        made.encapsulated(made.make_dataset(small), [made.lossless_jpeg(small)], made.LOSSLESS_JPEG),
        *(made.compressed(made.make_dataset(small), s) for s in (made.RLE, made.JPEG_LS, made.J2K_LOSSLESS)),
    ]
    outcomes = {"read": 0, "refused": 0}
    for turn in range(480):
        data = bytearray(seeds[turn % len(seeds)])
        # Mostly the header and the codestream's start, where a byte decides much.
        reach = len(data) if turn % 3 == 0 else min(len(data), 1600)
        for place in random.integers(0, reach, random.integers(1, 12)):
            data[place] = random.choice([0, 1, 0x7F, 0x80, 0xFF, int(random.integers(256))])
        if turn % 5 == 0:
            del data[random.integers(100, len(data)) :]
        if turn % 7 == 0:
            place = int(random.integers(0, len(data)))
            data[place:place] = data[place : place + 64]
        said, photos = "", ()
        try:
            photos = read_photos(bytes(data), "fuzzed.dcm")
        except UnreadablePhoto as error:
            said = str(error)
        assert photos or (said.startswith("fuzzed.dcm ") and "\n" not in said)
        assert all(p.pixels.dtype == np.uint8 and p.pixels.shape[2] == 3 for p in photos)
        outcomes["refused" if said else "read"] += 1
    assert min(outcomes.values()) > 50, outcomes
