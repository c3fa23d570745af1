"""The engines' answers over every shipped model: the same for a person who reads them, photo by photo."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from core.bundle import load_bundle
from core.card import list_cards, read_card
from core.data.drawn import draw_lesion
from core.data.images import read_photo
from core.data.patient import Facts
from core.diagnoses import CODES
from core.reading import encode_photo, gradients_of, read_encoded
from core.serving.graph_file import GRAPH_FILE
from core.trust.signals import eye
from core.trust.signals.opinion import form_gate, form_opinion, read_signals

WEIGHTS = Path(__file__).resolve().parents[2] / "weights"
SHIPPED = [card.name for card in list_cards(WEIGHTS)]
FACTS = (Facts(), Facts(71, "male", "back"), Facts(4, "female", "unknown"))
METHODS = ("soft-attention", "grad-cam", "grad-cam++")
REPOSITORY = WEIGHTS.parent


def photos(folder: Path | None) -> list[np.ndarray]:
    drawn = [draw_lesion(code, (300, 225), seed=i)[0] for i, code in enumerate(("mel", "nv", "vasc"))]
    drawn.append(np.full((240, 320, 3), (205, 160, 140), "uint8"))  # one colour: every cell alike
    if folder is None:
        return drawn
    files = sorted(folder.glob("HAM10000_images_part_*/*.jpg"))
    return drawn + [read_photo(files[i]) for i in np.linspace(0, len(files) - 1, 8).astype(int)]


def compare(name: str, pictures: list[np.ndarray], monkeypatch) -> None:
    """Each photo read by both engines, with every fact, and looked at by the gate."""
    bundles = {}
    for engine in ("onnxruntime", "tensorflow"):
        bundles[engine] = load_bundle(WEIGHTS / name, engine)
        assert engine in bundles[engine].engine.name and not bundles[engine].engine_notes
    signals = read_signals(WEIGHTS / name, bundles["onnxruntime"].card)
    for number, photo in enumerate(pictures):
        found = {}
        for engine, bundle in bundles.items():
            monkeypatch.setenv("MELASCOPE_ENGINE", engine)
            encoded = encode_photo(bundle, photo)
            readings = [
                read_encoded(encoded, facts, method=method, target=target)
                for facts in FACTS
                for method, target in ((METHODS[1], None), (METHODS[1], "mel"), (METHODS[2], "bcc"))
            ]
            gate = form_gate(signals, encoded)
            sets = [form_opinion(signals, encoded, reading, gate=gate).set for reading in readings[::3]]
            found[engine] = readings, gate, sets, gradients_of(encoded, FACTS[1])
        (ours, gate, sets, gradients), (theirs, other_gate, other_sets, others) = found.values()
        for one, other in zip(ours, theirs, strict=True):
            gap = max(abs(one.probabilities[code] - other.probabilities[code]) for code in CODES)
            assert gap < 1e-3, (name, number, gap)
            assert one.top == other.top or abs(one.probabilities[one.top] - one.probabilities[other.top]) < 1e-3
            if one.target == other.target:
                same_map(one.heatmap, other.heatmap)
            same_map(one.attention, other.attention)
        assert (gate is None) == (other_gate is None) and (gate is None or gate.verdict == other_gate.verdict)
        assert [s and s.codes for s in sets] == [s and s.codes for s in other_sets]
        same_map(gradients, others)


def same_map(one: np.ndarray, other: np.ndarray) -> None:
    if not np.ptp(one) and not np.ptp(other):
        np.testing.assert_allclose(one, other, atol=1e-3)
        return
    assert np.corrcoef(one.ravel(), other.ravel())[0, 1] >= 0.999


# TensorFlow takes long to build several networks: one of the smallest model is at hand for every run.
ONE = min(
    WEIGHTS.glob("*/**/model.weights.h5"), key=lambda weights: (weights.stat().st_size, weights)
).parent.relative_to(WEIGHTS)


@pytest.mark.parametrize("name", [str(ONE), *(pytest.param(name, marks=pytest.mark.slow) for name in SHIPPED)])
def test_both_engines_read_drawn_photos_alike(name, monkeypatch):
    compare(name, photos(None)[:2] + photos(None)[3:], monkeypatch)


@pytest.mark.slow
@pytest.mark.photos
@pytest.mark.parametrize("name", SHIPPED)
def test_both_engines_read_real_photos_alike(name, ham10000, monkeypatch):
    compare(name, photos(ham10000), monkeypatch)


@pytest.mark.parametrize("folder", sorted(path.parent for path in WEIGHTS.glob("**/card.json")), ids=str)
def test_every_shipped_network_has_its_serving_file(folder):
    card = read_card(folder)
    if card.members:
        assert not (folder / GRAPH_FILE).exists(), "its members' serve it"
    else:
        assert card.files[GRAPH_FILE]
        # The graph holds no weights, so it costs next to nothing.
        assert (folder / GRAPH_FILE).stat().st_size < 0.1 * card.weights["bytes"]


def test_the_eye_sees_alike(monkeypatch):
    squares = np.stack([draw_lesion("nv", (224, 224), seed=i)[0] for i in range(3)])
    seen = {}
    for engine in ("onnxruntime", "tensorflow"):
        monkeypatch.setenv("MELASCOPE_ENGINE", engine)
        seen[engine] = eye.see(squares)
    np.testing.assert_allclose(*seen.values(), atol=1e-3)


LIGHT = """
import contextlib, os, runpy, sys
os.environ["MELASCOPE_ENGINE"] = "onnxruntime"
sys.argv = ["core", *{arguments!r}]
with contextlib.suppress(SystemExit):
    runpy.run_module("core", run_name="__main__")
heavy = [m for m in ("tensorflow", "keras", "openvino", "onnx") if sys.modules.get(m)]
sys.exit(f"loaded: {{heavy}}" if heavy else None)
"""


def run_light(*arguments: str) -> subprocess.CompletedProcess:
    """Runs a command on ONNX Runtime; its exit code is 1 if that loaded TensorFlow, Keras or another runtime."""
    code = LIGHT.format(arguments=[str(a) for a in arguments])
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done


def test_reading_with_jury_and_gate_loads_neither_tensorflow_nor_keras(tmp_path):
    from PIL import Image

    Image.fromarray(draw_lesion("mel", (300, 225), seed=3)[0]).save(tmp_path / "photo.png")
    done = run_light("read", tmp_path / "photo.png", "--model", "Ensemble", "--json", "--force")
    record = json.loads(done.stdout)
    assert record["engine"] == "onnxruntime" and "tensorflow" not in record["versions"]
    assert record["jury"] and record["gate"]


@pytest.mark.slow
def test_evaluate_and_measure_load_neither_tensorflow_nor_keras(tmp_path, drawn_folder, measured_bundle_folder):
    import shutil

    folder = shutil.copytree(measured_bundle_folder, tmp_path / "Drawn")
    run_light("evaluate", folder, "--data", drawn_folder)
    assert (folder / "evaluation.json").is_file()
    run_light("measure", folder, "--data", drawn_folder, "--only", "set", "--only", "lookalikes", "--only", "gate")


def test_importing_openvino_here_tells_nobody(tmp_path):
    code = (
        "import sys, socket\n"
        "def refuse(*a, **k): raise AssertionError('the network was asked')\n"
        "socket.socket.connect = refuse; socket.create_connection = refuse; socket.getaddrinfo = refuse\n"
        "from core.serving.openvino_converter import import_openvino, import_converter\n"
        "import_openvino(); import_converter()\n"
        "sys.exit(sys.modules.get('openvino_telemetry') is not None)"
    )
    home = {**os.environ, "HOME": str(tmp_path), "KERAS_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, env=home, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "intel").exists(), "no client's id was made"
