import io
import json
import re
import shutil
import zipfile

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from core.__main__ import app
from core.data.drawn import draw_lesion
from core.data.patient import Facts
from core.diagnoses import CODES
from core.trust.replay import CASE_FILE, MAX_PHOTO, PHOTO_FILE, InvalidCase, read_case, replay, write_case

FACTS = Facts(62, "female", "scalp")


@pytest.fixture(scope="module")
def bundle(drawn_bundle_folder):
    from core.bundle import load_bundle

    return load_bundle(drawn_bundle_folder)


@pytest.fixture(scope="module")
def photo():
    return draw_lesion("mel", (120, 90))[0]


@pytest.fixture(scope="module")
def case(bundle, photo) -> bytes:
    from core.reading import read_lesion

    return write_case(photo, read_lesion(bundle, photo, FACTS, explain=False), {"set": ["mel", "nv"]})


def repacked(case: bytes, /, **changes: bytes | None) -> bytes:
    """The bundle with members exchanged, by the name before the dot, or left out."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(case)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = changes.get(name.split(".")[0], old.read(name))
            if content is not None:
                new.writestr(name, content)
    return file.getvalue()


def changed(case: bytes, /, **values) -> bytes:
    record = json.loads(zipfile.ZipFile(io.BytesIO(case)).read(CASE_FILE))
    for path, value in values.items():
        *parents, last = path.split("__")
        place = record
        for parent in parents:
            place = place[parent]
        place[last] = value
    return repacked(case, case=json.dumps(record).encode())


def test_a_case_replays_to_the_same_digits(case, bundle, photo, drawn_bundle_folder):
    kept = read_case(case)
    assert np.array_equal(kept.photo, photo) and kept.facts == FACTS and kept.record["more"] == {"set": ["mel", "nv"]}
    found = replay(kept, lambda folder: bundle, drawn_bundle_folder.parent)
    assert found.verdict == "identical" and found.same and not found.differences
    assert found.probabilities == kept.probabilities


def test_a_bundle_holds_pixels_and_no_more(case):
    archive = zipfile.ZipFile(io.BytesIO(case))
    assert sorted(archive.namelist()) == [CASE_FILE, PHOTO_FILE]
    assert all(member.date_time == (1980, 1, 1, 0, 0, 0) for member in archive.infolist())
    picture = Image.open(io.BytesIO(archive.read(PHOTO_FILE)))
    assert not picture.info and not picture.getexif()


def test_other_weights_versions_and_digits_are_named(case, bundle, drawn_bundle_folder):
    other = changed(case, reading__card__sha256="f" * 64, reading__versions={"onnxruntime": "0.9"})
    found = replay(read_case(other), lambda folder: bundle, drawn_bundle_folder.parent)
    assert found.same and "The weights differ: Drawn was ffffffffffff" in found.differences[0]
    assert found.differences[1].startswith("onnxruntime was 0.9 when the case was read; here it is 1.")
    shifted = dict.fromkeys(CODES, 1 / 7)
    found = replay(
        read_case(changed(case, reading__probabilities=shifted)), lambda folder: bundle, drawn_bundle_folder.parent
    )
    assert not found.same and "different result" in found.words


def test_another_engine_says_how_far_it_differs(case, bundle, drawn_bundle_folder):
    from core.bundle import load_bundle

    kept = read_case(case)
    found = replay(kept, lambda folder: load_bundle(folder, "tensorflow"), drawn_bundle_folder.parent)
    assert found.same and len(found.differences) == 1
    assert re.search(
        r"read by onnxruntime, and here by tensorflow: a probability differs by \d\.\de[+-]\d\d", found.differences[0]
    )
    # Cases of earlier versions name no engine.
    old = json.loads(zipfile.ZipFile(io.BytesIO(case)).read(CASE_FILE))
    assert old["reading"]["engine"] == "onnxruntime"
    older = changed(case, reading__engine="tensorflow", reading__versions={"keras": "3.0", "melascope": "0"})
    (first, second) = replay(read_case(older), lambda folder: bundle, drawn_bundle_folder.parent).differences
    assert "read by tensorflow, and here by onnxruntime" in first and "melascope was 0" in second
    former = changed(case, reading__engine="openvino", reading__versions={"openvino": "2026.4.0"})
    found = replay(read_case(former), lambda folder: bundle, drawn_bundle_folder.parent)
    assert found.same and "until ONNX Runtime took its place" in found.differences[0]
    assert "read by openvino, and here by onnxruntime" in found.differences[1]


def test_rounding_is_no_difference(case, bundle, drawn_bundle_folder):
    nearly = {c: min(1.0, p + 1e-7) for c, p in read_case(case).probabilities.items()}
    found = replay(
        read_case(changed(case, reading__probabilities=nearly)), lambda folder: bundle, drawn_bundle_folder.parent
    )
    assert found.verdict == "same digits"


def test_a_model_that_is_not_here_is_named(case, tmp_path):
    found = replay(read_case(case), root=tmp_path)
    assert (
        found.verdict == "not replayed" and "The model Drawn" in found.differences[0] and "none" in found.differences[0]
    )


def test_the_same_weights_under_another_name_are_found(case, bundle, drawn_bundle_folder, tmp_path):
    shutil.copytree(drawn_bundle_folder, tmp_path / "Renamed")
    assert replay(read_case(case), lambda folder: bundle, tmp_path).verdict == "identical"


def test_bad_bundles_get_a_sentence(case, photo):
    other = io.BytesIO()
    Image.fromarray(255 - photo).save(other, "PNG")
    jpeg = io.BytesIO()
    Image.fromarray(photo).save(jpeg, "JPEG")
    bomb = repacked(case, photo=bytes(MAX_PHOTO + 1))
    traversal = io.BytesIO()
    with zipfile.ZipFile(traversal, "w") as archive:
        archive.writestr(f"../{CASE_FILE}", b"{}")
        archive.writestr(f"/{PHOTO_FILE}", b"")
    many = io.BytesIO()
    with zipfile.ZipFile(many, "w") as archive:
        for number in range(30):
            archive.writestr(f"{number}", b"")
    for content, said in (
        (b"", "is empty"),
        (b"not a zip", "not a whole zip"),
        (case[: len(case) // 2], "not a whole zip"),
        (case.replace(b"IDAT", b"IDXT", 1), "damaged"),
        (repacked(case, photo=None), f"no {PHOTO_FILE}"),
        (repacked(case, case=None), f"no {CASE_FILE}"),
        (repacked(case, case=b"{"), "cannot be read as JSON"),
        (repacked(case, case=b"[" * 200_000), "cannot be read as JSON"),
        (repacked(case, case=b"[]"), "case format"),
        (repacked(case, case=b'{"format": 1}'), "not a complete case"),
        (repacked(case, photo=other.getvalue()), "not the one that was read"),
        (repacked(case, photo=jpeg.getvalue()), "not a PNG"),
        (bomb, "unpacks to more than"),
        (traversal.getvalue(), f"no {CASE_FILE}"),
        (many.getvalue(), "30 files"),
        (changed(case, format=99), "case format 99; .* a newer Melascope wrote it. Update Melascope"),
        (changed(case, format=0), "case format 0; .* an older Melascope wrote it. Save the case again"),
        (changed(case, reading__facts={"age": 900, "sex": "male", "site": "back"}), "facts that cannot be"),
        (changed(case, reading__probabilities={"mel": 1}), "not a complete case"),
        (changed(case, reading__card=None), "not a complete case .*: reading.card is None; expected an object"),
    ):
        with pytest.raises(InvalidCase, match=said):
            read_case(content)


def test_a_member_that_lies_about_its_size_is_stopped(case):
    bomb = bytearray(repacked(case, photo=bytes(MAX_PHOTO + 1)))
    true_size = (MAX_PHOTO + 1).to_bytes(4, "little")
    assert true_size in bomb
    with pytest.raises(InvalidCase):
        read_case(bytes(bomb.replace(true_size, (1000).to_bytes(4, "little"))))


def test_paths_that_are_none_are_said(tmp_path):
    for path in (tmp_path, tmp_path / "missing.zip"):
        with pytest.raises(InvalidCase, match="is a folder|does not exist"):
            read_case(path)


@pytest.mark.parametrize("step", ["is_file", "read_bytes"])
def test_a_case_that_may_not_be_read_is_a_sentence(tmp_path, monkeypatch, step):
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    (tmp_path / "case.zip").write_bytes(b"PK")
    monkeypatch.setattr(f"pathlib.Path.{step}", refuse)
    with pytest.raises(InvalidCase, match=r"case.zip cannot be read \(Permission denied\)"):
        read_case(tmp_path / "case.zip")


def test_the_command(case, tmp_path, monkeypatch, drawn_bundle_folder):
    monkeypatch.setenv("MELASCOPE_WEIGHTS", str(drawn_bundle_folder.parent))
    path = tmp_path / "case.zip"
    path.write_bytes(case)
    done = CliRunner().invoke(app, ["replay", str(path)])
    assert done.exit_code == 0 and "identical" in done.output and "Melanoma" in done.output
    path.write_bytes(changed(case, reading__probabilities=dict.fromkeys(CODES, 1 / 7)))
    assert CliRunner().invoke(app, ["replay", str(path)]).exit_code == 1
    path.write_bytes(b"nothing")
    done = CliRunner().invoke(app, ["replay", str(path)])
    assert done.exit_code == 1 and "not a whole zip" in done.output and "Traceback" not in done.output


def outcome(content: bytes) -> str:
    """A case, or one sentence; anything else fails the test."""
    said = "a case"
    try:
        read_case(content)
    except InvalidCase as error:
        said = str(error)
    assert said.strip() and "\n" not in said
    return said


def test_the_case_with_flipped_bits_is_one_sentence(cases):
    assert "case_" not in outcome((cases / "case_NotImplementedError.zip").read_bytes())


@pytest.mark.parametrize("seed", range(4))
def test_every_damage_of_a_case_ends_in_a_case_or_one_sentence(case, seed):
    rng = np.random.default_rng(seed)
    # The zip's own words stand at its ends; most flips go there, where every field of every header is met.
    packed = repacked(case)
    headers = [i for i in range(len(packed)) if i < 64 or i > len(packed) - 260]
    for source in (case, packed):
        for _ in range(150):
            broken = bytearray(source)
            for at in rng.choice(headers if rng.random() < 0.8 else len(source), rng.integers(1, 4)):
                broken[min(at, len(broken) - 1)] ^= 1 << rng.integers(8)
            outcome(bytes(broken))
        for _ in range(30):
            start, length = rng.integers(len(source)), rng.integers(1, 200)
            outcome(source[:start] + source[start + length :])
            outcome(source[:start] + bytes(length) + source[start + length :])


@pytest.mark.parametrize("method", range(256))
def test_every_way_of_packing_that_a_member_may_name_is_a_sentence(case, method):
    broken = bytearray(case)
    for signature, place in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        at = broken.find(signature)
        broken[at + place] = method
    assert outcome(bytes(broken))


def test_a_model_whose_weights_are_gone_is_a_sentence(case, drawn_bundle_folder, tmp_path, monkeypatch):
    folder = shutil.copytree(drawn_bundle_folder, tmp_path / "Drawn")
    (folder / "model.weights.h5").unlink()
    found = replay(read_case(case), root=tmp_path)
    assert found.verdict == "not replayed" and "is missing" in found.differences[-1] and not found.same
    monkeypatch.setenv("MELASCOPE_WEIGHTS", str(tmp_path))
    (tmp_path / "case.zip").write_bytes(case)
    done = CliRunner().invoke(app, ["replay", str(tmp_path / "case.zip")])
    assert done.exit_code == 1 and "is missing" in done.output and "KeyError" not in done.output
