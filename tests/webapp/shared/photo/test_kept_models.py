"""Models stay ready between a page's runs."""

import subprocess
import sys

import pytest


def test_a_model_is_loaded_without_keras_and_what_streamlit_does_after_a_run_leaves_it_ready(drawn_bundle_folder):
    code = f"""
import sys
import numpy as np
from streamlit.runtime.scriptrunner import script_runner
from core.webapp.shared.photo.models import _load
from core.reading import encode_photo
bundle = _load({str(drawn_bundle_folder)!r})
script_runner._clean_problem_modules()
assert np.isfinite(encode_photo(bundle, np.full((40, 40, 3), 90, "uint8")).feature_map).all()
sys.exit([m for m in ("keras", "tensorflow") if m in sys.modules] or None)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("fault", [KeyError("sha256"), RuntimeError("no"), ValueError("bad"), AttributeError("x")])
def test_a_load_that_failed_of_anything_is_tried_anew(monkeypatch, fault, drawn_bundle_folder):
    from core.card import read_card
    from core.webapp.shared.photo import models as cached

    outcomes = [fault, fault, "a bundle"]
    monkeypatch.setattr(cached, "PRELOAD_AFTER", 0.01)

    def load(folder):
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(cached, "_load", load)
    card, folder = read_card(drawn_bundle_folder), f"/nowhere/{type(fault).__name__}"
    cached.preload(folder, card, "json")  # fails where nobody waits
    assert cached._loading(folder, card.probabilities_sha256).bundle.exception() is fault
    said = "bad" if isinstance(fault, ValueError) else f"cannot be loaded.*{type(fault).__name__}"
    with pytest.raises(ValueError, match=said):
        cached.load_model(folder, card)
    assert cached.load_model(folder, card) == "a bundle" and not outcomes
