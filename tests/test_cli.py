"""The command line: what each command writes and prints, and one sentence for everything that goes wrong."""

import io
import json
import os
import shutil
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from core.__main__ import app
from core.card import CARD_FILE, WEIGHTS_FILE
from core.data.drawn import draw_lesion
from core.diagnoses import CODES
from core.estimates import Estimate
from core.explain import EXPLAINERS

REPOSITORY = Path(__file__).resolve().parent.parent
COMMANDS = ("", "data", "data check", "train", "evaluate", "read", "models")


def run(*arguments):
    """Runs a command in this process."""
    return CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)


def run_apart(*arguments, timeout=120):
    """Runs a command as a person does, in a process of its own."""
    command = [sys.executable, "-m", "core", *map(str, arguments)]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=timeout)


def assert_one_sentence(result, *words):
    """An error as it must be: a non-zero exit, one line on standard error, nothing else anywhere."""
    said = result.stderr
    assert result.exit_code != 0
    assert result.stdout == ""
    assert said.startswith("Error: ")
    assert len(said.splitlines()) == 1
    assert "Traceback" not in said
    for word in words:
        assert word in said, said


def write_photo(path, code="mel", seed=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(draw_lesion(code, (120, 90), seed)[0]).save(path)
    return path


@pytest.fixture
def photo(tmp_path):
    return write_photo(tmp_path / "photos" / "mole.jpg")


@pytest.fixture
def bundle(drawn_bundle_folder, tmp_path):
    """A copy of the drawn bundle, to be damaged."""
    return Path(shutil.copytree(drawn_bundle_folder, tmp_path / "models" / "Drawn"))


def edit_card(bundle, **changes):
    card = json.loads((bundle / CARD_FILE).read_text())
    (bundle / CARD_FILE).write_text(json.dumps(card | changes))


# ---- help ----


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_an_example(command):
    result = run(*command.split(), "--help")
    assert result.exit_code == 0
    if command != "data":
        assert f"Example: python -m core {command}".strip() in result.stdout


def test_help_names_every_choice():
    import small_backbone

    from core.networks import BACKBONES
    from core.training.recipes import RECIPES

    said = run("train", "--help").stdout
    assert all(name in said for name in {*BACKBONES, *RECIPES} - {small_backbone.NAME})
    said = run("read", "--help").stdout
    assert all(name in said for name in (*EXPLAINERS, *CODES))


# ---- data check ----


def test_check_counts_a_whole_folder(drawn_folder):
    result = run("data", "check", drawn_folder)
    assert result.exit_code == 0
    assert "75 photos of 56 lesions" in result.stdout
    assert "Melanoma" in result.stdout
    assert "Nothing is wrong" in result.stdout


def test_check_lists_what_is_wrong_and_fails(drawn_folder, tmp_path):
    folder = Path(shutil.copytree(drawn_folder, tmp_path / "ham10000"))
    (folder / "HAM10000_images_part_1" / "ISIC_9000000.jpg").unlink()
    (folder / "HAM10000_images_part_2" / "ISIC_9000001.jpg").write_bytes(b"")
    result = run("data", "check", folder)
    assert result.exit_code == 1
    assert "1 missing photos" in result.stdout
    assert "ISIC_9000000" in result.stdout
    assert "1 unreadable photos" in result.stdout
    assert "ISIC_9000001" in result.stdout


def test_check_shortens_a_long_list_unless_asked_for_all(drawn_folder, tmp_path):
    folder = Path(shutil.copytree(drawn_folder, tmp_path / "ham10000"))
    shutil.rmtree(folder / "HAM10000_images_part_1")
    short, whole = run("data", "check", folder), run("data", "check", folder, "--all")
    assert "38 missing photos" in short.stdout
    assert "and 18 more" in short.stdout
    assert whole.stdout.count("ISIC_") == 38


@pytest.mark.parametrize("make", [lambda p: None, lambda p: p.mkdir()], ids=["no folder", "empty folder"])
def test_check_refuses_what_is_no_ham10000(make, tmp_path):
    make(tmp_path / "data")
    assert_one_sentence(run("data", "check", tmp_path / "data"), "HAM10000")


# ---- train ----


def test_train_hands_its_options_on(monkeypatch, drawn_bundle_folder, tmp_path):
    from core.card import read_card
    from core.training import trainer

    asked = {}

    def fake(recipe, **options):
        asked.update(options, recipe=recipe)
        options["report"].say("Encoding [photos].")
        options["report"].batch(0, 0, "encoding", 1, 2, float("nan"))
        options["report"].epoch(
            dict.fromkeys(("epoch", "loss", "val_loss", "val_accuracy", "val_balanced_accuracy", "seconds"), 1)
            | {"phase": "frozen"}
        )
        card = read_card(drawn_bundle_folder)
        card.scores["validation"] = {"balanced_accuracy": Estimate(0.5)}
        return card

    monkeypatch.setattr(trainer, "train", fake)
    options = [
        "--backbone",
        "MobileNetV2",
        "--data",
        tmp_path,
        "--init",
        "random",
        "--epochs",
        3,
        "--seed",
        7,
        "--split",
        "paper",
    ]
    result = run("train", "frozen", *options, "--batch-size", 4, "--resume", "--out", tmp_path / "Mine")
    assert result.exit_code == 0, result.stderr
    expected = {
        "recipe": "frozen",
        "backbone": "MobileNetV2",
        "init": "random",
        "epochs": 3,
        "seed": 7,
        "split": "paper",
        "batch_size": 4,
    }
    assert {key: asked[key] for key in expected} == expected
    assert asked["resume"]
    assert asked["out"] == tmp_path / "Mine"
    assert "Encoding [photos]." in result.stderr
    assert "0.500" in result.stdout
    assert f"evaluate {tmp_path / 'Mine'}" in result.stdout


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"recipe": "magic"}, ["'magic'", "honest"]),
        ({"--backbone": "VGG99"}, ["'VGG99'", "MobileNetV2"]),
        ({"--split": "none"}, ["'none'", "lesion"]),
        ({"--init": "nowhere.weights.h5"}, ["nowhere.weights.h5", "--init", "random"]),
        ({"--data": "nowhere"}, ["nowhere", "not a folder"]),
    ],
)
def test_train_refuses_a_bad_choice(changes, words, drawn_folder, tmp_path):
    options = {
        "recipe": "frozen",
        "--backbone": "MobileNetV3Small",
        "--data": drawn_folder,
        "--out": tmp_path / "Mine",
    } | changes
    recipe = options.pop("recipe")
    result = run("train", recipe, *[word for pair in options.items() for word in pair])
    assert result.exit_code == 1
    last = result.stderr.splitlines()[-1]
    assert last.startswith("Error: ")
    assert all(word in last for word in words), last
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


# ---- read ----


def test_read_writes_a_reading_and_two_overlays(photo, drawn_bundle_folder, tmp_path):
    out = tmp_path / "new" / "reading"
    facts = ["--age", 55, "--sex", "Female", "--site", "lower_extremity"]
    result = run("read", photo, "--model", drawn_bundle_folder, *facts, "--class", "mel", "--out", out)
    assert result.exit_code == 0, result.stderr
    assert sorted(p.name for p in out.iterdir()) == ["attention.png", "heatmap.png", "reading.json"]
    reading = json.loads((out / "reading.json").read_text())
    assert reading["model"] == "Drawn"
    assert list(reading["probabilities"]) == list(CODES)
    assert sum(reading["probabilities"].values()) == pytest.approx(1)
    assert reading["top"] == max(reading["probabilities"], key=reading["probabilities"].get)
    assert reading["target"] == "mel"
    assert reading["facts"] == {"age": 55.0, "sex": "female", "site": "lower extremity"}
    assert reading["seconds"]["total"] > 0
    for name in ("attention.png", "heatmap.png"):
        with Image.open(out / name) as overlay:
            assert overlay.size == (120, 90)
            assert not overlay.getexif()
            assert not overlay.text
    assert "Melanoma" in result.stdout
    assert "not a medical device" in result.stdout


@pytest.mark.parametrize("method", EXPLAINERS)
def test_read_explains_by_each_method(method, photo, drawn_bundle_folder):
    result = run("read", photo, "--model", drawn_bundle_folder, "--explain", method, "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["method"] == method


def test_read_json_is_the_file_and_nothing_else(photo, drawn_bundle_folder, tmp_path):
    result = run("read", photo, "--model", drawn_bundle_folder, "--json", "--out", tmp_path / "out")
    assert result.stderr == ""
    assert json.loads(result.stdout) == json.loads((tmp_path / "out" / "reading.json").read_text())


def test_read_takes_folders_and_loses_no_photo(drawn_bundle_folder, tmp_path):
    folder = tmp_path / "photos"
    write_photo(folder / "a.JPG", seed=1)
    write_photo(folder / "A.png", "nv", seed=2)
    (folder / "broken.jpeg").write_bytes(b"\xff\xd8\xff")
    (folder / "._a.jpg").write_bytes(b"")
    (folder / "notes.txt").write_text("not a photo, and not listed as one")
    other = write_photo(tmp_path / "other" / "a.bmp", "df", seed=3)
    result = run("read", folder, other, "--model", drawn_bundle_folder, "--json", "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "broken.jpeg" in result.stderr
    assert "1 of 4 photos could not be read" in result.stderr
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["A", "a-2", "a-3", "readings.jsonl"]
    readings = json.loads(result.stdout)
    lines = (tmp_path / "out" / "readings.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == readings
    assert [Path(r["photo"]).name for r in readings] == ["A.png", "a.JPG", "broken.jpeg", "a.bmp"]
    assert [("error" in r) for r in readings] == [False, False, True, False]
    for reading, name in zip([readings[0], readings[1], readings[3]], ["A", "a-2", "a-3"], strict=True):
        written = json.loads((tmp_path / "out" / name / "reading.json").read_text())
        assert {"photo": reading["photo"], **written} == reading
    shown = run("read", folder, other, "--model", drawn_bundle_folder, "--out", tmp_path / "again")
    assert "not read" in shown.stdout
    assert "A.png" in shown.stdout


SIGNALS = ("gate", "set", "seen_before", "lookalikes", "jury", "maps")


def test_read_says_what_was_never_measured(photo, drawn_bundle_folder):
    record = json.loads(run("read", photo, "--model", drawn_bundle_folder, "--json").stdout)
    assert {name: record[name] for name in SIGNALS} == dict.fromkeys(SIGNALS)
    for name in ("gate", "set", "lookalikes"):
        assert any(f"core measure Drawn --data HAM10000_FOLDER --only {name}" in note for note in record["trust_notes"])


def test_read_refuses_no_dermoscopic_photo_but_keeps_its_line(measured_bundle_folder, drawn_folder, tmp_path):
    from core.card import read_card
    from core.trust.measures.drawings import draw_document

    known = read_card(measured_bundle_folder).split["train"][0]
    folder = tmp_path / "photos"
    folder.mkdir()
    shutil.copy(next(drawn_folder.glob(f"*/{known}.jpg")), folder / "known.jpg")
    Image.fromarray(draw_document(np.random.default_rng(5))).save(folder / "letter.png")
    ask = ["read", folder, "--model", measured_bundle_folder]
    result = run(*ask, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.stderr
    lines = [json.loads(line) for line in (tmp_path / "out" / "readings.jsonl").read_text().splitlines()]
    read, refused = lines
    assert set(SIGNALS) <= set(read) and set(SIGNALS) <= set(refused)
    # A photo's own lesion is recognised, and is then no look-alike.
    assert read["seen_before"]["image_id"] == known
    assert read["lookalikes"] and read["seen_before"]["lesion_id"] not in [x["lesion_id"] for x in read["lookalikes"]]
    assert read["gate"]["verdict"] != "refuse" and "probabilities" in read
    assert refused["gate"]["verdict"] == "refuse" and "dermoscopic" in refused["gate"]["reasons"][0]
    assert "probabilities" not in refused and any("--force" in note for note in refused["notes"])
    assert sorted(p.name for p in (tmp_path / "out" / "letter").iterdir()) == ["reading.json"]
    assert "refused" in result.stdout
    forced = run(
        "read", folder / "letter.png", "--model", measured_bundle_folder, "--force", "--out", tmp_path / "forced"
    )
    assert (
        forced.exit_code == 0 and "Refused: " in forced.stdout and "Probability that it is malignant" in forced.stdout
    )
    record = json.loads((tmp_path / "forced" / "reading.json").read_text())
    assert record["gate"]["verdict"] == "refuse" and sum(record["probabilities"].values()) == pytest.approx(1)


@pytest.mark.parametrize("damage", ["half a gate", "no gate", "half an index", "another set"])
def test_what_is_damaged_is_told_and_a_damaged_gate_gives_no_answer(measured_bundle_folder, tmp_path, damage):
    model = shutil.copytree(measured_bundle_folder, tmp_path / "models" / "Drawn")
    file = model / {"another set": "set.json", "half an index": "lookalikes.npz"}.get(damage, "gate.json")
    if damage == "no gate":
        file.unlink()
    elif damage == "another set":
        file.write_text("{}")
    else:
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    noise = tmp_path / "noise.png"
    Image.fromarray(np.random.default_rng(1).integers(0, 256, (300, 300, 3), "uint8")).save(noise)
    shown = run("read", noise, "--model", model, "--json")
    record = json.loads(shown.stdout)
    assert shown.exit_code == 1 and "probabilities" not in record, "noise is read as no diagnosis, whatever is damaged"
    assert file.name in " ".join(record["faults"]) and "core measure Drawn" in shown.stderr
    assert record["gate"]["verdict"] == ("refuse" if damage == "another set" else "unusable")
    forced = run("read", noise, "--model", model, "--force", "--out", tmp_path / "forced")
    record = json.loads((tmp_path / "forced" / "reading.json").read_text())
    assert forced.exit_code == 1 and "probabilities" in record and record["faults"] and file.name in forced.stderr


@pytest.mark.parametrize(
    "command",
    [
        ("read", "{photo}", "--model", "{model}", "--out", "{out}"),
        ("evaluate", "{model}", "--data", "{data}", "--split", "all", "--out", "{out}"),
        ("train", "frozen", "--backbone", "MobileNetV3Small", "--data", "{data}", "--out", "{out}", "--init", "random"),
    ],
    ids=lambda c: c[0],
)
def test_a_folder_that_takes_nothing_is_known_before_the_work(command, photo, bundle, drawn_folder, tmp_path):
    (tmp_path / "file").write_text("x")
    given = {"photo": photo, "model": bundle, "data": drawn_folder, "out": tmp_path / "file" / "out"}
    done = run(*(word.format(**given) for word in command))
    assert done.exit_code == 1 and "cannot be written" in done.stderr and "choose another" in done.stderr


def test_read_asks_the_networks_beside_the_model(bundle, photo):
    from small_backbone import small_bundle

    small_bundle(bundle.parent / "Other", name="Other")
    (bundle.parent / "Broken").mkdir()
    (bundle.parent / "Broken" / CARD_FILE).write_text("{")
    asked = run("read", photo, "--model", bundle, "--json")
    record = json.loads(asked.stdout)
    assert set(record["jury"]["votes"]) == {"Drawn", "Other"} and record["jury"]["agreement"] == 1
    assert any("Broken" in fault for fault in record["faults"]) and asked.exit_code == 1 and "Broken" in asked.stderr
    alone = json.loads(run("read", photo, "--model", bundle, "--json", "--no-jury").stdout)
    assert alone["jury"] is None and alone["probabilities"] == pytest.approx(record["probabilities"], abs=1e-6)


def test_read_gives_the_same_answer_alone_and_among_others(drawn_bundle_folder, photo, tmp_path):
    other = write_photo(tmp_path / "other.png", "vasc", seed=5)
    alone = json.loads(run("read", photo, "--model", drawn_bundle_folder, "--json").stdout)
    among = json.loads(run("read", other, photo, "--model", drawn_bundle_folder, "--json").stdout)[1]
    assert among["probabilities"] == pytest.approx(alone["probabilities"], abs=1e-6)


def bomb() -> bytes:
    """A PNG that says 30,000 x 30,000 and would unpack to 2.7 GB."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 30000, 30000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(10**6)))
        + chunk(b"IEND", b"")
    )


def whole(size=(120, 90), kind="JPEG") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (*size[::-1], 3), "uint8")).save(buffer, kind)
    return buffer.getvalue()


BAD_PHOTOS = {
    "empty": (b"", "empty"),
    "text": (b"Dear doctor, the photo follows.", "text"),
    "truncated": (whole()[:1500], "damaged"),
    "bomb": (bomb(), "million pixels"),
    "one pixel": (whole((1, 1), "PNG"), "1 x 1"),
    "PDF": (b"%PDF-1.7 ...", "PDF"),
}


@pytest.mark.parametrize("name", BAD_PHOTOS)
def test_read_refuses_a_bad_photo(name, drawn_bundle_folder, tmp_path):
    content, word = BAD_PHOTOS[name]
    (tmp_path / "photo.jpg").write_bytes(content)
    result = run("read", tmp_path / "photo.jpg", "--model", drawn_bundle_folder, "--out", tmp_path / "out", "--json")
    assert_one_sentence(result, "photo.jpg", word)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--age", "-3"], ["Age", "0 to 120"]),
        (["--age", "121"], ["Age", "0 to 120"]),
        (["--age", "nan"], ["Age", "0 to 120"]),
        (["--age", "old"], ["Age", "'old'"]),
        (["--sex", "robot"], ["'robot'", "female"]),
        (["--site", "tail"], ["'tail'", "upper extremity"]),
        (["--class", "cancer"], ["'cancer'", "mel"]),
        (["--explain", "tea-leaves"], ["'tea-leaves'", "grad-cam"]),
        (["--model", "Nothing"], ["'Nothing'", "Shipped models"]),
    ],
)
def test_read_refuses_a_bad_choice(options, words, photo, drawn_bundle_folder):
    assert_one_sentence(run("read", photo, "--model", drawn_bundle_folder, "--json", *options), *words)


def test_a_machine_without_a_folder_for_temporary_files_reads_and_says_what_export_lacks(
    no_temporary_folder, photo, drawn_bundle_folder, tmp_path
):
    """As a container that is read only."""
    ask = ("read", photo, "--model", drawn_bundle_folder, "--json", "--force")
    assert json.loads(run(*ask).stdout)["model"] == "Drawn"
    refused = run("export", drawn_bundle_folder, "--format", "litert", "--out", tmp_path / "out")
    assert_one_sentence(refused, "temporary", "TMPDIR=")
    assert not (tmp_path / "out").exists()


def test_read_refuses_what_is_not_there(tmp_path, drawn_bundle_folder, photo):
    (tmp_path / "none").mkdir()
    (tmp_path / "file").write_text("in the way")
    ask = ["--model", drawn_bundle_folder]
    assert_one_sentence(run("read", tmp_path / "gone.jpg", *ask, "--json"), "gone.jpg", "does not exist")
    assert_one_sentence(run("read", tmp_path / "none", *ask, "--json"), "holds no photos")
    assert_one_sentence(run("read", photo, *ask), "--out", "--json")
    assert_one_sentence(run("read", photo, *ask, "--out", tmp_path / "file"), "file")


def test_read_never_overwrites_the_photo(drawn_bundle_folder, tmp_path):
    photo = write_photo(tmp_path / "heatmap.png")
    before = photo.read_bytes()
    assert_one_sentence(run("read", photo, "--model", drawn_bundle_folder, "--out", tmp_path), "overwritten")
    assert photo.read_bytes() == before


# ---- models that are damaged ----


def flip_bytes(bundle):
    weights = bundle / WEIGHTS_FILE
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 0xFF
    weights.write_bytes(content)


DAMAGES = {
    "weights with flipped bytes": (flip_bytes, ["SHA-256", "damaged"]),
    "no weights": (lambda bundle: (bundle / WEIGHTS_FILE).unlink(), [WEIGHTS_FILE, "missing"]),
    "classes in another order": (lambda bundle: edit_card(bundle, classes=list(CODES[::-1])), ["classes"]),
    "card of another network": (lambda bundle: edit_card(bundle, backbone="MobileNetV2"), ["was edited", "card"]),
    "card of another version": (lambda bundle: edit_card(bundle, format=99), ["format 99"]),
    "card that is no JSON": (lambda bundle: (bundle / CARD_FILE).write_text("{"), ["JSON"]),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_model_is_one_sentence(name, bundle, photo):
    damage, words = DAMAGES[name]
    damage(bundle)
    assert_one_sentence(run("read", photo, "--model", bundle, "--json"), *words)


def test_a_damaged_model_ends_a_run_of_many_photos_at_once(bundle, photo):
    flip_bytes(bundle)
    assert_one_sentence(run("read", photo, photo, photo, "--model", bundle, "--json"), "SHA-256")


# ---- models ----


def test_models_lists_the_drawn_one(drawn_bundle_folder, monkeypatch):
    monkeypatch.setenv("MELASCOPE_WEIGHTS", str(drawn_bundle_folder.parent))
    (record,) = json.loads(run("models", "--json").stdout)
    assert record["name"] == "Drawn"
    assert record["split"] == "lesion"
    assert record["balanced_accuracy"] is None
    assert "ThreeLayers" in run("models").stdout
    header, _, row = run("models", "--markdown").stdout.splitlines()
    assert header.count("|") == row.count("|")


def test_models_names_a_broken_card_and_lists_the_others(drawn_bundle_folder, bundle, monkeypatch):
    shutil.copytree(drawn_bundle_folder, bundle.parent / "Other")
    (bundle / CARD_FILE).write_text("{")
    monkeypatch.setenv("MELASCOPE_WEIGHTS", str(bundle.parent))
    result = run("models", "--json")
    assert result.exit_code == 1
    assert len(json.loads(result.stdout)) == 1
    assert CARD_FILE in result.stderr


def test_models_without_any_says_how_to_get_one(tmp_path, monkeypatch):
    monkeypatch.setenv("MELASCOPE_WEIGHTS", str(tmp_path))
    assert "Train one" in run("models").stdout
    assert json.loads(run("models", "--json").stdout) == []


def test_the_readme_shows_what_the_cards_say(monkeypatch):
    monkeypatch.delenv("MELASCOPE_WEIGHTS", raising=False)
    # weights/ may hold more than what ships: a model trained here.
    rows = run("models", "--markdown").stdout.splitlines()
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    shown = readme.split("<!-- models: begin -->\n")[1].split("<!-- models: end -->")[0].splitlines()
    missing = [row for row in shown if row not in rows]
    assert not missing, "Paste what `python -m core models --markdown` prints between README's two marks."


# ---- evaluate ----


def test_evaluate_scores_any_folder_and_writes_two_files(bundle, drawn_folder, tmp_path):
    result = run("evaluate", bundle, "--data", drawn_folder, "--split", "all", "--out", tmp_path / "scores")
    assert result.exit_code == 0, result.stderr
    assert "Balanced accuracy" in result.stdout
    scores = json.loads((tmp_path / "scores" / "evaluation.json").read_text())
    assert scores["photos"] == 75
    assert set(scores["balanced_accuracy"]) == {"value", "low", "high", "rule"}
    lines = (tmp_path / "scores" / "predictions.csv").read_text().splitlines()
    assert lines[0] == "image_id,dx,akiec,bcc,bkl,df,mel,nv,vasc"
    assert len(lines) == 76
    assert json.loads((bundle / CARD_FILE).read_text())["scores"] == {}


def test_evaluate_puts_test_scores_into_the_card(bundle, drawn_folder, monkeypatch):
    edit_card(
        bundle,
        split={
            "kind": "lesion",
            "leaky": False,
            "seed": 0,
            "hash": "0",
            "test": [f"ISIC_{9000000 + i}" for i in range(75)],
        },
    )
    result = run("evaluate", bundle, "--data", drawn_folder)
    assert result.exit_code == 0, result.stderr
    monkeypatch.setenv("MELASCOPE_WEIGHTS", str(bundle.parent))
    (record,) = json.loads(run("models", "--json").stdout)
    assert record["photos"] == 75
    for score in ("balanced_accuracy", "melanoma_sensitivity"):
        assert record[score]["low"] <= record[score]["value"] <= record[score]["high"]
        assert f"{record[score]['value']:.3f} ({record[score]['low']:.3f} to" in run("models", "--markdown").stdout


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--data", "nowhere"], ["nowhere", "not a folder"]),
        (["--split", "best"], ["'best'", "test"]),
        (["--split", "test"], ["--split all"]),
    ],
)
def test_evaluate_refuses_a_bad_choice(options, words, drawn_bundle_folder, drawn_folder):
    assert_one_sentence(run("evaluate", drawn_bundle_folder, "--data", drawn_folder, *options), *words)


def test_evaluate_refuses_a_damaged_model(bundle, drawn_folder):
    flip_bytes(bundle)
    assert_one_sentence(run("evaluate", bundle, "--data", drawn_folder, "--split", "all"), "SHA-256")


# ---- as a person runs it ----


def test_a_bad_photo_in_a_process_of_its_own(drawn_bundle_folder, tmp_path):
    (tmp_path / "letter.jpg").write_text("Dear doctor")
    done = run_apart("read", tmp_path / "letter.jpg", "--model", drawn_bundle_folder, "--json")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("Error: letter.jpg is text")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.slow
def test_train_in_a_process_of_its_own_says_nothing_of_its_libraries(tmp_path):
    ask = ("--backbone", "MobileNetV3Small", "--init", "random", "--out", tmp_path / "out")
    done = run_apart("train", "frozen", "--data", tmp_path, *ask)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith("Error: ") and len(done.stderr.splitlines()) == 1


def test_json_in_a_process_of_its_own(photo, drawn_bundle_folder):
    done = run_apart("read", photo, "--model", drawn_bundle_folder, "--json")
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)["probabilities"]) == set(CODES)
    assert done.stderr == ""


def test_a_missing_option_is_no_traceback():
    done = run_apart("read", "mole.jpg")
    assert done.returncode == 2
    assert "--model" in done.stderr
    assert "Traceback" not in done.stderr


def test_debug_lets_a_fault_through(monkeypatch, tmp_path):
    monkeypatch.setenv("MELASCOPE_DEBUG", "1")
    with pytest.raises(ValueError, match="not a folder"):
        run("data", "check", tmp_path / "nowhere")


def test_an_unforeseen_fault_is_one_sentence_too(monkeypatch, tmp_path):
    from core.data.tables import folder_check

    def fault(*_, **__):
        raise ZeroDivisionError("a [fault]\nof ours")

    monkeypatch.setattr(folder_check, "check_folder", fault)
    assert_one_sentence(run("data", "check", tmp_path), "ZeroDivisionError", "a [fault]", "MELASCOPE_DEBUG")


def test_ctrl_c_is_no_traceback(monkeypatch, tmp_path):
    from core.data.tables import folder_check

    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(folder_check, "check_folder", stop)
    result = run("data", "check", tmp_path)
    assert result.exit_code == 130
    assert result.stderr == "Stopped.\n"


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_whole_way_from_photos_to_a_reading(drawn_folder, photo, tmp_path):
    model = tmp_path / "Mine"
    options = f"--backbone MobileNetV3Small --data {drawn_folder} --init random --epochs 2 --image-size 64"
    trained = run_apart("train", "frozen", *options.split(), "--out", model, timeout=600)
    assert trained.returncode == 0, trained.stderr
    assert "Epoch 2 (frozen)" in trained.stderr
    assert "Epoch 3" not in trained.stderr
    measured = run_apart("evaluate", model, "--data", drawn_folder, timeout=600)
    assert measured.returncode == 0, measured.stderr
    read = run_apart("read", photo, "--model", model, "--out", tmp_path / "out", timeout=600)
    assert read.returncode == 0, read.stderr
    assert os.listdir(tmp_path / "out")


def test_read_re_weights_to_where_the_photo_comes_from(photo, drawn_bundle_folder):
    ask = ("read", photo, "--model", drawn_bundle_folder, "--no-jury", "--json")
    plain, there = (json.loads(run(*ask, *more).stdout) for more in ((), ("--prevalence", "0.3")))
    assert plain["prevalence"] is None and there["probabilities"] == plain["probabilities"]
    assert there["prevalence"]["shares"]["mel"] == pytest.approx(0.3)
    assert there["prevalence"]["probabilities"]["mel"] > plain["probabilities"]["mel"]
    assert_one_sentence(run(*ask, "--prevalence", "somewhere"), "Unknown prevalence", "screening")


def test_the_readers_threshold_decides_at_the_readers_place(photo, drawn_bundle_folder):
    ask = ("read", photo, "--model", drawn_bundle_folder, "--json", "--prevalence", "0.3")
    melanoma = json.loads(run(*ask).stdout)["prevalence"]["probabilities"]["mel"]
    for threshold in (melanoma / 2, (1 + melanoma) / 2):
        decision = json.loads(run(*ask, "--threshold", threshold).stdout)["decision"]
        assert (decision["rule"], decision["melanoma"]) == ("costs", melanoma)
        assert decision["above"] == (threshold < melanoma) == (decision["diagnosis"] == "mel")
    assert_one_sentence(run(*ask, "--threshold", "1"), "threshold of 1", "between 0 and 1")
    assert_one_sentence(run(*ask, "--threshold", "nan"), "threshold of nan")


def test_a_card_of_an_earlier_version_names_its_renewal_and_calibrate_does_it(bundle, drawn_folder, photo):
    """Earlier versions baked an offset into the biases and calibrated by one temperature."""
    from core.bundle import load_bundle, save_bundle
    from core.card import read_card
    from core.data.ham10000 import read_table
    from core.data.split import split_table

    kept = load_bundle(bundle)
    kernel, trained = kept.classifier.head.get_layer("logits").get_weights()
    counts = [5, 5, 10, 1, 10, 60, 9]
    kept.classifier.head.get_layer("logits").set_weights(
        [kernel, trained - 0.6 * np.log(np.array(counts) / 100).astype("float32")]
    )
    save_bundle(kept.classifier, kept.card, bundle)
    card = json.loads((bundle / "card.json").read_text())
    for name in ("calibration", "terms"):
        del card[name]
    card |= {"format": 1, "temperature": 1.5, "split": split_table(read_table(drawn_folder)).to_json()}
    card["training"]["prior_shift"] = 0.6
    card["data"]["photos_per_class"] = {"train": counts}
    (bundle / "card.json").write_text(json.dumps(card))
    refused = run("read", photo, "--model", bundle, "--json")
    assert_one_sentence(refused, "format 1", f"python -m core calibrate {bundle.name}")
    done = run("calibrate", bundle, "--data", drawn_folder)
    assert done.exit_code == 0, done.output
    renewed = load_bundle(bundle)
    np.testing.assert_allclose(renewed.classifier.head.get_layer("logits").get_weights()[1], trained, atol=1e-6)
    assert renewed.card.calibration.photos == len(card["split"]["validation"])
    assert (
        "prior_shift" not in renewed.card.training
        and read_card(bundle).scores["validation"]["accuracy"].rule == "likeliest"
    )
    biases = renewed.classifier.head.get_layer("logits").get_weights()[1]
    assert run("calibrate", bundle, "--data", drawn_folder).exit_code == 0, "again changes no weight"
    assert (load_bundle(bundle).classifier.head.get_layer("logits").get_weights()[1] == biases).all()


def test_quiet_libraries_keep_no_crash_to_themselves():
    """What they write is kept off the terminal; what Python writes is not, nor where it was when one of them ended the process."""
    program = (
        "import os, sys\nfrom core.cli.terminal import quiet_libraries\nwith quiet_libraries():\n"
        "    os.write(2, b'a greeting')\n    print('a remark', file=sys.stderr)\n    os.abort()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=REPOSITORY)
    assert "a greeting" not in done.stderr and "a remark" in done.stderr
    assert "Fatal Python error: Aborted" in done.stderr and done.returncode < 0
