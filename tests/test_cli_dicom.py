"""`read` of DICOM photos, and its readings as DICOM, from end to end."""

import io
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

pydicom = pytest.importorskip("pydicom", reason="needs the extra dicom")
pytest.importorskip("highdicom", reason="needs the extra dicom")

import made_up_dicom as made  # noqa: E402

from core.__main__ import app  # noqa: E402
from core.interchange.maps import enlarge_map  # noqa: E402

FILES = {"attention.dcm", "heatmap.dcm", "reading.dcm", "capture.dcm"}


def run(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)


@pytest.fixture(scope="module")
def marked(tmp_path_factory):
    """A photo whose header names its patient everywhere."""
    ds = made.make_dataset()
    made.mark_everything(ds)
    path = tmp_path_factory.mktemp("marked") / "lesion.dcm"
    path.write_bytes(made.to_bytes(ds))
    return path


def test_a_photo_with_a_patient_end_to_end(marked, drawn_bundle_folder, tmp_path, caplog):
    asked = ("read", marked, "--model", drawn_bundle_folder, "--out", tmp_path / "out", "--dicom", tmp_path / "dicom")
    result = run(*asked, "--no-jury")
    assert result.exit_code == 0, result.stderr
    record = json.loads((tmp_path / "out" / "reading.json").read_text())
    # What the header says is shown, and not used before a person says so.
    assert record["header_facts"] == {"age": 55.0, "sex": "female", "site": "back"}
    assert record["facts"] == {"age": None, "sex": "unknown", "site": "unknown"}
    assert "The DICOM header says: age 55, female, back. Not used" in result.stdout
    assert {p.name for p in (tmp_path / "dicom").iterdir()} == FILES
    report = pydicom.dcmread(tmp_path / "dicom" / "reading.dcm")
    numbers = [i.MeasuredValueSequence[0].FloatingPointValue for i in walk_items(report) if i.ValueType == "NUM"]
    assert numbers == [*record["probabilities"].values(), record["malignancy"]]
    files = [p for folder in ("out", "dicom") for p in (tmp_path / folder).rglob("*") if p.is_file()]
    assert len(files) == 7
    for content in (
        *(p.read_bytes() for p in files),
        result.stdout.encode(),
        result.stderr.encode(),
        caplog.text.encode(),
    ):
        for secret in (made.MARKER, made.BIRTHDAY, "20240607"):
            assert secret.encode() not in content
    check(tmp_path / "dicom")

    kept = run(*asked[:-1], tmp_path / "kept", "--keep-identity", "--header-facts", "--sex", "male", "--no-jury")
    assert kept.exit_code == 0, kept.stderr
    record = json.loads((tmp_path / "out" / "reading.json").read_text())
    assert record["facts"] == {"age": 55.0, "sex": "male", "site": "back"}
    assert str(pydicom.dcmread(tmp_path / "kept" / "capture.dcm").PatientName) == f"{made.MARKER}^X"
    assert made.MARKER not in kept.stdout + kept.stderr + (tmp_path / "out" / "reading.json").read_text()
    check(tmp_path / "kept")


def walk_items(ds):
    for item in ds.get("ContentSequence", ()):
        yield item
        yield from walk_items(item)


def check(folder):
    """Passes what the validator passes, where it is installed."""
    if shutil.which("dciodvfy"):
        for path in folder.rglob("*.dcm"):
            done = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, timeout=60)
            assert not [x for x in (done.stdout + done.stderr).splitlines() if x.startswith(("Error", "Abort"))]


def test_each_frame_is_read_and_a_jpeg_becomes_dicom(drawn_bundle_folder, tmp_path):
    lesion = made.lesion()
    frames = made.make_dataset(np.stack([lesion, lesion[::-1]]), SOPClassUID="1.2.840.10008.5.1.4.1.1.7.4")
    (tmp_path / "two.dcm").write_bytes(made.to_bytes(frames))
    (tmp_path / "mole.jpg").write_bytes(made.jpeg(lesion))
    alone = run("read", tmp_path / "two.dcm", "--model", drawn_bundle_folder, "--json", "--no-jury")
    assert [r["frame"] for r in json.loads(alone.stdout)] == [1, 2]
    both = run(
        "read", tmp_path / "two.dcm", tmp_path / "mole.jpg", "--model", drawn_bundle_folder, "--dicom", tmp_path / "d", "--no-jury"
    )  # fmt: skip
    assert both.exit_code == 0, both.stderr
    found = {str(p.relative_to(tmp_path / "d")) for p in (tmp_path / "d").rglob("*.dcm")}
    places = {"two/frame-1": FILES, "two/frame-2": FILES, "mole": FILES | {"photo.dcm"}}
    assert found == {f"{place}/{name}" for place, names in places.items() for name in names}
    second = pydicom.dcmread(tmp_path / "d" / "two" / "frame-2" / "heatmap.dcm")
    assert second.SourceImageSequence[0].ReferencedFrameNumber == 2
    check(tmp_path / "d")


def test_burned_in_text_needs_force_and_writes_no_picture(drawn_bundle_folder, tmp_path):
    (tmp_path / "text.dcm").write_bytes(made.to_bytes(made.make_dataset(BurnedInAnnotation="YES")))
    asked = ("read", tmp_path / "text.dcm", "--model", drawn_bundle_folder, "--dicom", tmp_path / "d", "--no-jury")
    refused = run(*asked)
    assert refused.exit_code == 1
    assert refused.stderr.startswith("Error: text.dcm says that text is burned into its pixels")
    forced = run(*asked, "--force")
    assert forced.exit_code == 0, forced.stderr
    assert "No picture was written as DICOM" in forced.stdout
    assert {p.name for p in (tmp_path / "d").iterdir()} == FILES - {"capture.dcm"}


def test_the_map_s_values_are_the_network_s(marked, drawn_bundle_folder, tmp_path):
    from core.bundle import load_bundle
    from core.interchange import make_objects, read_photos
    from core.reading import read_lesion

    (photo,) = read_photos(marked)
    reading = read_lesion(load_bundle(drawn_bundle_folder), photo.pixels, photo.facts)
    ds = pydicom.dcmread(io.BytesIO(make_objects(reading, photo)["attention.dcm"]))
    np.testing.assert_array_equal(ds.pixel_array.squeeze(), enlarge_map(reading.attention, photo.source.size))


def test_what_cannot_be_written_is_said_before_anything_is_read(marked, drawn_bundle_folder, tmp_path, monkeypatch):
    alone = run("read", marked, "--model", drawn_bundle_folder, "--json", "--keep-identity")
    assert "--keep-identity is for the files that --dicom writes" in alone.stderr
    shutil.copy(marked, tmp_path / "photo.dcm")
    over = run("read", tmp_path / "photo.dcm", "--model", drawn_bundle_folder, "--dicom", tmp_path)
    assert "would be overwritten by its own reading" in over.stderr
    monkeypatch.setitem(sys.modules, "highdicom", None)
    missing = run("read", marked, "--model", drawn_bundle_folder, "--dicom", tmp_path / "d")
    assert missing.exit_code == 1
    assert 'Install the extra `dicom`: `pip install ".[dicom]"`' in missing.stderr
