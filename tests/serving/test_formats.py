"""Exported models: each run in its own runtime, by the very lines that its README gives."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from small_backbone import small_bundle

from core.bundle import load_bundle
from core.data.drawn import draw_lesion
from core.data.patient import FEATURES, Facts
from core.reading import read_lesion
from core.serving import formats
from core.serving.formats import ABOUT_FILE, FORMATS, README_FILE, MissingConverter, export_model

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def bundle(drawn_bundle_folder):
    return load_bundle(drawn_bundle_folder)


@pytest.fixture(
    scope="module",
    params=[*(name for name in FORMATS if name != "savedmodel"), pytest.param("savedmodel", marks=pytest.mark.slow)],
)
def exported(request, bundle, tmp_path_factory):
    out = tmp_path_factory.mktemp("exported") / request.param
    return export_model(bundle.card, bundle.classifier, request.param, out), request.param


def run_readme(folder, more=""):
    """The README's Python, in a process of its own, in the exported folder."""
    code = re.search(r"```python\n(.*?)```", (folder / README_FILE).read_text(encoding="utf-8"), re.S)[1]
    done = subprocess.run([sys.executable, "-c", code + more], cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_the_readme_s_lines_run_in_the_format_s_own_runtime_and_give_the_reading_s_probabilities(exported, bundle):
    folder, name = exported
    told = run_readme(folder, "\nprint(probabilities.tolist(), attention.shape)")
    probabilities, shape = np.array(eval(told.rsplit(" (", 1)[0]))[0], eval("(" + told.rsplit(" (", 1)[1])
    photo = draw_lesion("mel", (600, 450), seed=formats.EXAMPLE_SEED)[0]
    reading = read_lesion(bundle, photo, Facts(55, "female", "back"), explain=False)
    np.testing.assert_allclose(probabilities, list(reading.probabilities.values()), atol=1e-3)
    assert shape == (1, *bundle.engine.feature_shape[:2])


def test_several_photos_at_once_where_the_format_takes_them(exported, bundle):
    folder, name = exported
    if not FORMATS[name].batch:
        return
    text = (folder / README_FILE).read_text(encoding="utf-8")
    lines = re.search(r"```python\n(.*?)```", text, re.S)[1].replace("]\n", "]\n", 1)
    doubled = re.sub(r'= example\["(image|metadata)"\]', r'= np.repeat(example["\1"], 3, axis=0)', lines)
    done = subprocess.run(
        [sys.executable, "-c", doubled + "\nprint(probabilities.shape)"], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0 and done.stdout.strip() == "(3, 7)", done.stderr[-3000:]


def test_what_it_needs_to_be_called_is_written_beside_it(exported, bundle):
    import json

    folder, name = exported
    about = json.loads((folder / ABOUT_FILE).read_text(encoding="utf-8"))
    assert about["weights_sha256"] == bundle.card.weights["sha256"] and (folder / about["file"]).exists()
    assert about["metadata"]["columns"] == list(FEATURES) and about["limits"]
    text = (folder / README_FILE).read_text(encoding="utf-8")
    assert "not a medical device" in text and "RGB" in text and all(column in text for column in FEATURES)


def test_a_network_of_the_photo_alone(tmp_path):
    bundle = load_bundle(small_bundle(tmp_path / "Plain", metadata=False))
    folder = export_model(bundle.card, bundle.classifier, "onnx", tmp_path / "out")
    assert "metadata" not in (folder / README_FILE).read_text(encoding="utf-8")
    run_readme(folder)


def test_an_export_replaces_an_export_and_nothing_else(bundle, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    with pytest.raises(ValueError, match="holds something else"):
        export_model(bundle.card, bundle.classifier, "openvino", out)
    assert (out / "mine.txt").read_text() == "mine"
    again = tmp_path / "again"
    for _ in range(2):
        export_model(bundle.card, bundle.classifier, "openvino", again)
    assert (again / "model.xml").is_file()


def test_unknown_formats_and_missing_converters_are_a_sentence(bundle, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="'gguf'.*openvino, onnx"):
        export_model(bundle.card, bundle.classifier, "gguf", tmp_path / "out")
    monkeypatch.setattr(formats, "find_spec", lambda name: None)
    with pytest.raises(MissingConverter, match=r"tf2onnx.*pip install"):
        export_model(bundle.card, bundle.classifier, "onnx", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "format_"),
    # Eight networks take a minute a format.
    [*(("EfficientNetB0/fold-1", one) for one in FORMATS), ("Ensemble", "openvino"), ("Ensemble", "litert")],
)
def test_shipped_networks_in_every_format(name, format_, tmp_path):
    """EfficientNetB0 normalises with numbers that are no weights, and its activation brings its own gradient; both trouble converters."""
    bundle = load_bundle(REPOSITORY / "weights" / name)
    run_readme(export_model(bundle.card, bundle.classifier, format_, tmp_path / "out"))
