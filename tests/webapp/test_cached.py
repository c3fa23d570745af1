"""Models stay ready between a page's runs."""

import keras
import numpy as np
import pytest
from small_backbone import small_bundle
from streamlit.runtime.scriptrunner import script_runner
from tensorflow.python.eager import context

from core.reading import encode_photo
from core.webapp.cached import _load


@pytest.fixture
def own_clear_session(monkeypatch):
    """Puts Keras' own function back when the test is over."""
    monkeypatch.setattr(keras.backend, "clear_session", keras.backend.clear_session)


def test_what_streamlit_does_after_a_run_leaves_a_model_warm(tmp_path, monkeypatch, own_clear_session):
    bundle = _load(str(small_bundle(tmp_path / "Drawn")))
    cleared = []
    monkeypatch.setattr(context.context(), "clear_kernel_cache", lambda: cleared.append(1))
    script_runner._clean_problem_modules()
    assert not cleared
    assert np.isfinite(encode_photo(bundle, np.full((40, 40, 3), 90, "uint8")).feature_map).all()


@pytest.mark.parametrize("fault", [KeyError("sha256"), RuntimeError("no"), ValueError("bad"), AttributeError("x")])
def test_a_load_that_failed_of_anything_is_tried_anew(monkeypatch, fault, drawn_bundle_folder):
    from core.card import read_card
    from core.webapp import cached

    outcomes = [fault, fault, "a bundle"]
    monkeypatch.setattr(cached, "PRELOAD_AFTER", 0.01)

    def load(folder):
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(cached, "_load", load)
    card, folder = read_card(drawn_bundle_folder), f"/nowhere/{type(fault).__name__}"
    cached.preload(folder, card)  # fails where nobody waits
    assert cached._loading(folder, card.probabilities_sha256).bundle.exception() is fault
    said = "bad" if isinstance(fault, ValueError) else f"cannot be loaded.*{type(fault).__name__}"
    with pytest.raises(ValueError, match=said):
        cached.load_model(folder, card)
    assert cached.load_model(folder, card) == "a bundle" and not outcomes
