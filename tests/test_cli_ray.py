"""`--ray` on the command line: what it takes for its address, and what it refuses before anything starts."""

import sys

import pytest
from typer.testing import CliRunner

from core.__main__ import app
from core.cli.on_ray.ray_option import RayCommand


def run(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


@pytest.mark.parametrize(
    "given, address, photos",
    [
        (["--ray", "photos"], "local", ["photos"]),
        (["photos", "--ray"], "local", ["photos"]),
        (["--ray", "auto", "photos"], "auto", ["photos"]),
        (["--ray", "head:6379", "photos"], "head:6379", ["photos"]),
        (["--ray", "ray://head:10001", "photos"], "ray://head:10001", ["photos"]),
        (["--ray", "s3://clinic/photos"], "local", ["s3://clinic/photos"]),
        (["--ray=auto", "photos"], "auto", ["photos"]),
        (["photos"], None, ["photos"]),
    ],
)
def test_what_follows_is_an_address_only_if_it_looks_like_one(given, address, photos):
    from typer.main import get_command

    command = get_command(app).commands["read"]
    assert isinstance(command, RayCommand)
    told = command.make_context("read", [*given, "--model", "M"]).params
    assert (told["ray"], list(told["photos"])) == (address, photos)


@pytest.mark.parametrize("more", [(), ("--out", "x", "--json"), ("--out", "x", "--dicom", "y")])
def test_readings_on_ray_go_into_a_folder_and_nowhere_else(more, drawn_bundle_folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run("read", "--ray", "photos", "--model", drawn_bundle_folder, *more)
    assert result.exit_code and "Give --out FOLDER" in result.output
    assert not list(tmp_path.iterdir())


def test_an_address_without_ray_names_the_option(drawn_bundle_folder, tmp_path):
    result = run("read", "s3://clinic/a.jpg", "--model", drawn_bundle_folder, "--out", tmp_path / "out")
    assert result.exit_code == 1 and "Give --ray" in result.output


@pytest.mark.parametrize("command", ["read", "evaluate", "train", "sweep"])
def test_without_ray_installed_the_extra_is_named(command, drawn_bundle_folder, drawn_folder, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    tail = {
        "read": [drawn_folder, "--model", drawn_bundle_folder],
        "evaluate": [drawn_bundle_folder, "--data", drawn_folder],
        "train": ["frozen", "--backbone", "MobileNetV2", "--data", drawn_folder],
        "sweep": [tmp_path / "space.toml", "--data", drawn_folder],
    }
    result = run(command, "--ray", *tail[command], "--out", tmp_path / "out")
    assert result.exit_code == 1 and "extra `scale`" in result.output
    assert not (tmp_path / "out").exists()


def test_a_sweep_without_its_file_says_what_is_expected(drawn_folder, tmp_path):
    pytest.importorskip("ray", reason="needs the extra `scale`")
    result = run("sweep", tmp_path / "space.toml", "--data", drawn_folder, "--out", tmp_path / "out")
    assert result.exit_code == 1 and "Expected a TOML file" in result.output
    assert not (tmp_path / "out").exists()
