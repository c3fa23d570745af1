"""Readings as DICOM: objects that a validator passes, that are read back equal, refer to their photo and tell nobody's name."""

import io
import re
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

pydicom = pytest.importorskip("pydicom", reason="needs the extra dicom")
pytest.importorskip("highdicom", reason="needs the extra dicom")

import made_up_dicom as made  # noqa: E402

from core.data.patient import Facts  # noqa: E402
from core.diagnoses import CODES, NAMES  # noqa: E402
from core.explain import overlay  # noqa: E402
from core.interchange import make_objects, read_identity, read_photos  # noqa: E402
from core.interchange.maps import MAX_MAP_SIDE, UNSEEN, enlarge_map, map_size  # noqa: E402
from core.interchange.report import P_MALIGNANT, SCHEME, probability_code  # noqa: E402
from core.interchange.write import ATTENTION, CAPTURE, HEATMAP, PHOTO, REPORT, InvalidIdentity, MissingWriter  # noqa: E402
from core.reading import READING_NOTICE, LesionReading  # noqa: E402

FACTS = Facts(55, "female", "back")
WEIGHTS = "0123456789abcdef" * 4


def make_reading(photo: np.ndarray, facts: Facts = FACTS) -> LesionReading:
    random = np.random.default_rng(1)
    probabilities = random.dirichlet(np.ones(7)).tolist()
    attention, heatmap = random.random((7, 7)).astype("float32"), random.random((7, 7)).astype("float32")
    return LesionReading(
        model="Drawn",
        facts=facts,
        probabilities=dict(zip(CODES, probabilities, strict=True)),
        top=CODES[int(np.argmax(probabilities))],
        malignancy=probabilities[0] + probabilities[1] + probabilities[4],
        target="mel",
        method="grad-cam",
        attention=attention,
        heatmap=heatmap,
        attention_overlay=overlay(photo, attention),
        heatmap_overlay=overlay(photo, heatmap),
        notes=("A note.",),
        seconds={},
        versions={},
        card={"sha256": WEIGHTS},
        engine="onnxruntime",
    )


def captures(count: int = 3):
    """A multi-frame True Color Secondary Capture, which is the class whose frames can be referred to."""
    return made.make_dataset(np.stack([made.lesion()] * count), SOPClassUID="1.2.840.10008.5.1.4.1.1.7.4")


# Every kind of source: its bytes, the facts that the reader gave, whether the identity is kept.
SOURCES = {
    "photograph": lambda: (made.to_bytes(made.make_dataset()), FACTS, False),
    "photograph with its patient": lambda: (made.to_bytes(made.make_dataset()), FACTS, True),
    "dermoscopy, nothing known": lambda: (made.to_bytes(made.make_dataset(SOPClassUID=made.DERMOSCOPY)), Facts(), False),
    "infant": lambda: (made.to_bytes(made.make_dataset()), Facts(0.5, "male", "acral"), False),
    "frames of a capture": lambda: (made.to_bytes(captures()), FACTS, False),
    "grey capture": lambda: (made.to_bytes(made.make_dataset(made.lesion()[..., 0], SOPClassUID=made.CAPTURE)), FACTS, False),
    "without study and series": lambda: (
        made.to_bytes(made.make_dataset(StudyInstanceUID=None, SeriesInstanceUID=None, PatientID=None)), FACTS, True
    ),
    "JPEG file": lambda: (made.jpeg(made.lesion()), FACTS, False),
    "JPEG file, nothing known": lambda: (made.jpeg(made.lesion()), Facts(), False),
}  # fmt: skip


@pytest.fixture(scope="module", params=SOURCES)
def written(request):
    """Source bytes, the photo (its last frame), the reading, whether identity is kept, and the written files."""
    data, facts, keep = SOURCES[request.param]()
    photo = read_photos(data, "source")[-1]
    reading = make_reading(photo.pixels, facts)
    identity = read_identity(data) if keep else None
    return data, photo, reading, keep, make_objects(reading, photo, identity=identity, remarks=["A remark."])


def read_back(files: dict[str, bytes]) -> dict:
    return {name: pydicom.dcmread(io.BytesIO(content)) for name, content in files.items()}


def test_the_validator_finds_no_error(written, tmp_path):
    if not shutil.which("dciodvfy"):
        pytest.skip("needs dciodvfy (Debian's dicom3tools)")
    for name, content in written[4].items():
        (tmp_path / name).write_bytes(content)
        done = subprocess.run(["dciodvfy", str(tmp_path / name)], capture_output=True, text=True, timeout=60)
        errors = [line for line in (done.stdout + done.stderr).splitlines() if line.startswith(("Error", "Abort"))]
        assert not errors, f"{name}: {errors}"


def test_maps_are_read_back_equal(written):
    _, photo, reading, _, files = written
    objects = read_back(files)
    size = photo.source.size if photo.source else photo.pixels.shape[1::-1]
    for name, values in ((ATTENTION, reading.attention), (HEATMAP, reading.heatmap)):
        ds = objects[name]
        stored = np.frombuffer(ds.FloatPixelData, "<f4").reshape(ds.Rows, ds.Columns)
        assert (ds.Columns, ds.Rows) == size
        np.testing.assert_array_equal(stored, enlarge_map(values, size))
        np.testing.assert_array_equal(ds.pixel_array.squeeze(), stored)
        assert ds.FloatPixelPaddingValue == UNSEEN
        assert ds.ContentQualification == "RESEARCH"


def test_maps_open_in_highdicom(written):
    import highdicom

    for name in (ATTENTION, HEATMAP):
        assert highdicom.imread(io.BytesIO(written[4][name])).number_of_frames == 1


def content(ds):
    """All content items of a report."""
    for item in ds.ContentSequence:
        yield item
        if "ContentSequence" in item:
            yield from content(item)


def test_the_report_holds_the_reading_to_the_digit(written):
    _, photo, reading, _, files = written
    report = read_back(files)[REPORT]
    assert report.SOPClassUID.name == "Comprehensive SR Storage"
    assert report.ContentTemplateSequence[0].TemplateIdentifier == "1500"
    assert (report.VerificationFlag, report.PreliminaryFlag) == ("UNVERIFIED", "PRELIMINARY")
    numbers, texts = {}, []
    for item in content(report):
        name = item.ConceptNameCodeSequence[0]
        if item.ValueType == "NUM":
            assert name.CodingSchemeDesignator == SCHEME
            numbers[name.CodeValue, name.CodeMeaning] = item.MeasuredValueSequence[0].FloatingPointValue
        elif item.ValueType == "TEXT":
            texts.append((name.CodeMeaning, item.TextValue))
    right = {probability_code(code): value for code, value in reading.probabilities.items()}
    assert numbers == right | {P_MALIGNANT: reading.malignancy}
    assert ("Algorithm Name", "Drawn") in texts
    assert ("Algorithm Version", our_version()) in texts
    assert ("Algorithm Parameters", f"Weights SHA-256: {WEIGHTS}") in texts
    comments = [text for meaning, text in texts if meaning == "Comment"]
    assert comments[0] == READING_NOTICE
    assert {"A note.", "A remark."} <= set(comments)
    if photo.source and photo.source.frames > 1:
        assert "Frame 3 of 3." in comments


def our_version() -> str:
    from core import __version__

    return __version__


def test_highdicom_reads_the_report(written):
    import highdicom as hd

    report = hd.sr.srread(io.BytesIO(written[4][REPORT]))
    (group,) = report.content.get_image_measurement_groups()
    assert len(group.get_measurements()) == 8
    assert group.finding_type.meaning == "Skin lesion"


def references(ds):
    """Pairs of class and instance that an object refers to, anywhere in it, with their frames."""
    for element in ds:
        if element.VR == "SQ":
            for item in element.value:
                if "ReferencedSOPInstanceUID" in item:
                    frame = item.get("ReferencedFrameNumber")
                    yield item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID, frame
                yield from references(item)


def test_each_object_refers_to_its_photo_and_lies_in_its_study(written):
    data, photo, _, _, files = written
    objects = read_back(files)
    source = objects.pop(PHOTO, None)
    assert (source is None) == (photo.source is not None)
    source = source if source is not None else pydicom.dcmread(io.BytesIO(data))
    assert set(files) - {PHOTO} == {ATTENTION, HEATMAP, REPORT, CAPTURE}
    for ds in objects.values():
        found = list(references(ds))
        assert {(c, i) for c, i, _ in found} == {(source.SOPClassUID, source.SOPInstanceUID)}
        if "StudyInstanceUID" in source:
            assert ds.StudyInstanceUID == source.StudyInstanceUID
        if "NumberOfFrames" in source:
            assert 3 in {frame for _, _, frame in found}
    assert len({ds.StudyInstanceUID for ds in objects.values()}) == 1
    assert len({ds.SOPInstanceUID for ds in objects.values()}) == len(objects)
    assert len({ds.SeriesInstanceUID for ds in objects.values()}) == len(objects)


def test_the_notice_is_in_the_capture_s_pixels(written):
    _, _, reading, _, files = written
    ds = read_back(files)[CAPTURE]
    pixels = ds.pixel_array
    strip = pixels[10:45, :600]
    assert (strip.min(axis=2) < 60).mean() > 0.02  # red letters on white, and no picture
    assert (pixels[-60:-10].min(axis=2) < 60).mean() > 0.005
    assert pixels.dtype == np.uint8
    assert READING_NOTICE in ds.DerivationDescription


def test_a_photo_that_was_no_object_becomes_one_whole_and_one_that_was_is_not_written_again(written):
    _, photo, _, _, files = written
    assert (PHOTO in files) == (photo.source is None)
    if PHOTO in files:
        (again,) = read_photos(files[PHOTO])
        np.testing.assert_array_equal(again.pixels, photo.pixels)


def test_identity_is_removed_by_the_basic_profile_or_kept(written):
    data, _, reading, keep, files = written
    for ds in read_back(files).values():
        if keep:
            original = pydicom.dcmread(io.BytesIO(data))
            assert ds.PatientName == original.PatientName
            assert ds.PatientID == original.get("PatientID", "")
            assert ds.StudyDate == original.StudyDate
            assert "PatientIdentityRemoved" not in ds
            continue
        assert (ds.PatientName, ds.PatientID, ds.PatientBirthDate, ds.StudyDate) == ("", "", "", "")
        assert ds.PatientIdentityRemoved == "YES"
        codes = [item.CodeValue for item in ds.DeidentificationMethodCodeSequence]
        known = reading.facts.age is not None or reading.facts.sex != "unknown"
        assert codes == (["113100", "113108", "113110"] if known else ["113100", "113110"])
        assert ds.LongitudinalTemporalInformationModified == "REMOVED"
        dates = {str(e.value) for e in walk(ds) if e.VR in ("DA", "DT") and e.value}
        assert dates <= {"19700101"}


def walk(ds):
    for element in ds:
        yield element
        if element.VR == "SQ":
            for item in element.value:
                yield from walk(item)


def test_nothing_of_the_patient_is_in_any_file():
    ds = made.make_dataset()
    made.mark_everything(ds)
    data = made.to_bytes(ds)
    (photo,) = read_photos(data)
    files = make_objects(make_reading(photo.pixels), photo)
    for content in files.values():
        for secret in (made.MARKER, made.BIRTHDAY, "20240607", "101500"):
            assert secret.encode() not in content
    # By choice the identity is there, and even then nothing but it.
    kept = make_objects(make_reading(photo.pixels), photo, identity=read_identity(data))
    for content in kept.values():
        found = pydicom.dcmread(io.BytesIO(content))
        marked = {e.keyword for e in walk(found) if made.MARKER in str(e.value) and e.VR != "SQ"}
        assert marked == {
            "PatientName",
            "PatientID",
            "IssuerOfPatientID",
            "StudyID",
            "AccessionNumber",
            "ReferringPhysicianName",
        }


def test_names_in_other_alphabets_are_kept_whole():
    ds = made.make_dataset(
        SpecificCharacterSet=["", "ISO 2022 IR 87"], PatientName="Yamada^Tarou=山田^太郎=やまだ^たろう"
    )
    data = made.to_bytes(ds)
    (photo,) = read_photos(data)
    files = make_objects(make_reading(photo.pixels), photo, identity=read_identity(data))
    assert {str(ds.PatientName) for ds in read_back(files).values()} == {"Yamada^Tarou=山田^太郎=やまだ^たろう"}


@pytest.mark.parametrize(
    "elements",
    [{"PatientBirthDate": "ZZMARK19"}, {"PatientAge": "ZZMA"}, {"PatientName": "ZZMARK" * 40}, {"StudyDate": "ZZMARK"}],
)
def test_an_identity_that_cannot_be_written_is_one_sentence_without_it(elements):
    ds = made.make_dataset()
    data = made.to_bytes(ds)
    (keyword, value), *_ = elements.items()
    # pydicom itself would not write these.
    tag = ds[keyword].tag
    place = data.index(tag.group.to_bytes(2, "little") + tag.elem.to_bytes(2, "little") + ds[keyword].VR.encode())
    length = int.from_bytes(data[place + 6 : place + 8], "little")
    value = value.encode() + b" " * (len(value) % 2)
    data = data[: place + 6] + len(value).to_bytes(2, "little") + value + data[place + 8 + length :]
    (photo,) = read_photos(data)
    try:
        files = make_objects(make_reading(photo.pixels), photo, identity=read_identity(data))
    except InvalidIdentity as error:
        said, chain = "", error
        while chain is not None:
            said, chain = f"{said} {chain!r} {chain}", chain.__context__ or chain.__cause__
        assert "Leave out --keep-identity" in said and "ZZMA" not in said
    else:
        # A long name is written as it is, an impossible age is not.
        assert len(files) == 4 and keyword in ("PatientName", "PatientAge")
        assert keyword == "PatientName" or b"ZZMA" not in b"".join(files.values()).replace(made.MARKER.encode(), b"")


def test_a_reading_re_weighted_for_a_place_has_a_group_of_its_own():
    import highdicom as hd

    from core.prevalence import MIXTURES
    from core.reading import Elsewhere

    (photo,) = read_photos(made.to_bytes(made.make_dataset()))
    shares = dict(zip(CODES, (0.1, 0.2, 0.1, 0.1, 0.3, 0.1, 0.1), strict=True))
    there = Elsewhere(MIXTURES["referral"], shares)
    reading = replace(make_reading(photo.pixels), elsewhere=there)
    files = make_objects(reading, photo)
    groups = hd.sr.srread(io.BytesIO(files[REPORT])).content.get_image_measurement_groups()
    assert [group.tracking_identifier.split(", ")[1] for group in groups] == [
        "probabilities as calibrated",
        "probabilities re-weighted by Bayes' rule for: A referral clinic",
    ]
    values = [[float(m.value) for m in group.get_measurements()] for group in groups]
    np.testing.assert_allclose(values[0], [*reading.probabilities.values(), reading.malignancy], atol=1e-12)
    np.testing.assert_allclose(values[1], [*shares.values(), there.malignancy], atol=1e-12)


def test_burned_in_text_is_not_passed_on_unless_identity_is_kept():
    data = made.to_bytes(made.make_dataset(BurnedInAnnotation="YES"))
    (photo,) = read_photos(data, force=True)
    reading = make_reading(photo.pixels)
    assert CAPTURE not in make_objects(reading, photo)
    kept = read_back(make_objects(reading, photo, identity=read_identity(data)))
    assert kept[CAPTURE].BurnedInAnnotation == "YES"


def test_large_sources_get_maps_of_a_whole_fraction():
    assert map_size((600, 450)) == (600, 450)
    assert map_size((MAX_MAP_SIDE, 100)) == (MAX_MAP_SIDE, 100)
    assert map_size((6000, 4000)) == (2000, 1334)


def test_a_map_is_enlarged_between_the_centres_of_its_cells():
    values = np.arange(9, dtype="float32").reshape(3, 3) / 8
    large = enlarge_map(values, (15, 9))
    np.testing.assert_allclose(large[1::3, 4:12:3], values, atol=1e-6)
    assert (large[:, :3] == UNSEEN).all() and (large[:, 12:] == UNSEEN).all()


def test_codes_are_as_the_standard_wants_them():
    for code in CODES:
        value, meaning = probability_code(code)
        assert len(value) <= 16 and len(meaning) <= 64 and NAMES[code][:20] in meaning


def test_without_the_extra_a_sentence_says_what_to_install(monkeypatch):
    (photo,) = read_photos(made.to_bytes(made.make_dataset()))
    monkeypatch.setitem(sys.modules, "highdicom", None)
    with pytest.raises(MissingWriter, match=re.escape('Install the extra `dicom`: `pip install ".[dicom]"`')):
        make_objects(make_reading(photo.pixels), photo)
