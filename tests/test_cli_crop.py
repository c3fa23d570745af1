"""`read --crop`: a square of the photo is read, and the JSON says which."""

import json

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from core.__main__ import app
from core.data.drawn import SKIN, draw_lesion


def run(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    """A drawn lesion, small and off centre."""
    pixels = np.empty((300, 400, 3), "uint8")
    pixels[:] = SKIN
    pixels[20:100, 30:110] = draw_lesion("mel", (80, 80))[0]
    path = tmp_path_factory.mktemp("crop") / "phone.png"
    Image.fromarray(pixels).save(path)
    return path


def read(photo, folder, *more):
    result = run("read", photo, "--model", folder, "--json", *more)
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_without_it_the_framing_is_said_and_nothing_is_cropped(photo, drawn_bundle_folder):
    record = read(photo, drawn_bundle_folder)
    assert record["crop"] is None and record["framing"]["differs"]
    square = ",".join(map(str, record["framing"]["suggested"]))
    assert any(f"--crop auto reads the square {square}" in note for note in record["notes"])


def test_auto_and_the_same_square_by_hand_read_the_same(photo, drawn_bundle_folder):
    whole, auto = read(photo, drawn_bundle_folder), read(photo, drawn_bundle_folder, "--crop", "auto")
    assert auto["crop"] == whole["framing"]["suggested"] and auto["probabilities"] != whole["probabilities"]
    by_hand = read(photo, drawn_bundle_folder, "--crop", ",".join(map(str, auto["crop"])))
    assert by_hand["probabilities"] == auto["probabilities"] and by_hand["crop"] == auto["crop"]


def test_a_cut_out_file_reads_the_same(photo, drawn_bundle_folder, tmp_path):
    with Image.open(photo) as opened:
        pixels = np.asarray(opened)
    Image.fromarray(pixels[10:130, 20:140]).save(tmp_path / "cut.png")
    cut = read(tmp_path / "cut.png", drawn_bundle_folder)
    assert read(photo, drawn_bundle_folder, "--crop", "20,10,120")["probabilities"] == cut["probabilities"]


def test_overlays_are_of_the_square(photo, drawn_bundle_folder, tmp_path):
    run("read", photo, "--model", drawn_bundle_folder, "--crop", "20,10,120", "--out", tmp_path / "out")
    with Image.open(tmp_path / "out" / "heatmap.png") as overlay:
        assert overlay.size == (120, 120)


@pytest.mark.parametrize(
    ("crop", "said"),
    [
        ("middle", "'middle' is no crop. Expected auto, none, or X,Y,SIZE"),
        ("0,0,301", "The square 0,0,301 is not in this photo, which is 400 x 300 pixels"),
        ("0,0,9", "side of 9 pixels"),
    ],
)
def test_a_wrong_one_gets_a_sentence(photo, drawn_bundle_folder, crop, said):
    result = run("read", photo, "--model", drawn_bundle_folder, "--json", "--crop", crop)
    assert result.exit_code == 1 and said in " ".join(result.stderr.split())


def test_of_several_the_photo_that_lacks_the_square_is_reported_and_the_others_read(
    photo, drawn_bundle_folder, tmp_path
):
    Image.fromarray(draw_lesion("nv", (90, 80))[0]).save(tmp_path / "small.png")
    result = run("read", photo, tmp_path / "small.png", "--model", drawn_bundle_folder, "--json", "--crop", "0,0,200")
    assert result.exit_code == 1
    first, second = json.loads(result.stdout)
    assert first["crop"] == [0, 0, 200] and "is not in this photo" in second["error"]


def test_maps_in_dicom_files_lie_over_the_whole_photo(photo, drawn_bundle_folder, tmp_path):
    result = run("read", photo, "--model", drawn_bundle_folder, "--dicom", tmp_path / "d", "--crop", "auto")
    assert result.exit_code == 1 and "cannot go with --dicom" in " ".join(result.stderr.split())
    assert not (tmp_path / "d").exists()
