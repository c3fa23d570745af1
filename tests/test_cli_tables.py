"""`data check`, `train` and `evaluate` say the same of a folder, before anything long begins."""

import json
import shutil

import pytest
from typer.testing import CliRunner

from core.__main__ import app


def run(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)


@pytest.fixture
def train(monkeypatch, tmp_path):
    """Runs `train` up to the first long step: the decoding of photos."""
    from core.training import training_data

    def stop(*_, **__):
        raise ValueError("photos would be decoded now")

    monkeypatch.setattr(training_data, "cache_images", stop)

    def begin(folder, *options):
        where = ["--backbone", "MobileNetV3Small", "--data", folder, "--out", tmp_path / "Mine"]
        return run("train", "frozen", *where, *options)

    return begin


@pytest.fixture
def evaluate(monkeypatch, drawn_bundle_folder, tmp_path):
    """Runs `evaluate` up to the first long step: the reading of photos."""
    from core.evaluation import evaluator

    def stop(*_, **__):
        raise ValueError("photos would be read now")

    monkeypatch.setattr(evaluator, "predict_table", stop)

    def begin(folder):
        result = run("evaluate", drawn_bundle_folder, "--data", folder, "--split", "all", "--out", tmp_path / "scores")
        assert result.exit_code == 1 and "photos would be read now" in result.stderr
        return result

    return begin


def test_train_refuses_one_diagnosis_and_unknown_lesions_before_it_starts(cases, train):
    result = train(cases / "only_nevi")
    assert result.exit_code == 1 and "one diagnosis, nv" in result.stderr and "decoded" not in result.stderr
    result = train(cases / "lesion_id_NA")
    assert result.exit_code == 1 and "--split paper" in result.stderr and "decoded" not in result.stderr
    assert "decoded now" in train(cases / "lesion_id_NA", "--split", "paper").stderr


def test_evaluate_with_unknown_lesions_says_so_and_has_real_intervals(cases, drawn_bundle_folder, tmp_path):
    folder = cases / "lesion_id_NA"
    result = run("evaluate", drawn_bundle_folder, "--data", folder, "--split", "all", "--out", tmp_path)
    scores = json.loads((tmp_path / "evaluation.json").read_text())
    assert result.exit_code == 0 and "none of 28 photos has a lesion_id" in result.stderr
    assert scores["photos"] == scores["lesions"] == 28 and any("names no lesions" in w for w in scores["warnings"])
    # With "NA" as the one lesion of all, every resample was the whole table.
    assert all(scores[name]["low"] < scores[name]["high"] for name in ("brier", "log_loss"))


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("photos_without_row", "18 photos without a row"),
        ("same_stem_heatmaps", "Move GradCAM out"),
        ("doubled_folder", "one folder deeper"),
        ("only_nevi", "one diagnosis, nv"),
    ],
)
def test_the_three_commands_say_the_same(cases, train, evaluate, case, words):
    check = run("data", "check", cases / case)
    assert words in check.stdout and check.exit_code == (case != "doubled_folder")
    assert words in train(cases / case).stderr
    assert words in evaluate(cases / case).stderr


def test_words_that_cannot_be_read_are_listed_by_the_three_commands(cases, train, evaluate, tmp_path):
    folder = shutil.copytree(cases / "sex_MF", tmp_path / "ham")
    table = folder / "HAM10000_metadata.csv"
    assert "cannot be read" not in run("data", "check", folder).stdout
    table.write_text(table.read_text().replace(",M,", ",Q,").replace(",back,", ",tail,"))
    for said in (run("data", "check", folder).stdout, train(folder).stderr, evaluate(folder).stderr):
        assert "sex has" in said and "Q " in said and "localization has" in said and "tail " in said


def test_check_says_that_lesions_are_unknown_in_its_title(cases):
    result = run("data", "check", cases / "lesion_id_NA")
    assert result.exit_code == 1 and "28 photos of unknown lesions (28 without a lesion_id)" in result.stdout
    assert "28 photos of 21 lesions" in run("data", "check", cases / "bom").stdout
