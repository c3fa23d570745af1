"""Keras' settings file, which another program may have written, and homes that are missing or cannot be written."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.keras_home import find_fault

REPOSITORY = Path(__file__).resolve().parent.parent
BUILD = """
import numpy as np
from core.designs import NetworkDesign
from core.networks import build_classifier
made = build_classifier("MobileNetV3Small", NetworkDesign(head="pooled", metadata_units=16), image_size=64)
print(made.head.inputs[0].shape[1:], made.model.dtype, np.asarray(made.model.weights[0]).dtype)
"""


def run(code: str, **environment: str) -> subprocess.CompletedProcess:
    env = {k: v for k, v in os.environ.items() if k not in ("KERAS_HOME", "KERAS_BACKEND")} | environment
    return subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, env=env, capture_output=True, text=True, timeout=300
    )


@pytest.mark.slow
def test_an_old_settings_file_changes_nothing(cases):
    done = run(BUILD, KERAS_HOME=str(cases / "keras_home"))
    assert "float32 float32" in done.stdout, done.stderr[-2000:]
    assert done.stdout.startswith(("(2, 2,", "(4, 4,")), "the colours stand last"


@pytest.mark.parametrize(
    "text, word",
    [
        ('{"image_data_format": "channels_first", "backend": "theano", "floatx": "float16", "epsilon": 0.1}', ""),
        ("{half", ""),
        ("{}", ""),
        ('{"image_data_format": "th"}', "image_data_format is 'th'"),
        ('{"floatx": ["float32"]}', "floatx is"),
        ('{"floatx": "float128"}', "floatx is 'float128'"),
        ('{"epsilon": 1}', "epsilon is 1"),
        ("[]", "holds list"),
    ],
)
def test_what_keeps_keras_from_starting_is_named_with_its_file(tmp_path, monkeypatch, text, word):
    (tmp_path / "keras.json").write_text(text)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    found = find_fault()
    assert (not word and not found) or (word in found and str(tmp_path / "keras.json") in found and "Remove" in found)


def test_the_command_line_names_the_file(tmp_path, drawn_bundle_folder):
    (tmp_path / "keras.json").write_text(json.dumps({"floatx": "float128"}))
    # The engine without Keras does not mind the file.
    words = ["core", "evaluate", str(drawn_bundle_folder), "--data", str(tmp_path), "--engine", "tensorflow"]
    code = f"import sys, runpy; sys.argv = {words}\n"
    done = run(code + "runpy.run_module('core', run_name='__main__')", KERAS_HOME=str(tmp_path))
    assert done.returncode == 1 and f"{tmp_path}/keras.json" in done.stderr and "Traceback" not in done.stderr
