"""Models stay ready between a page's runs."""

import keras
import numpy as np
import pytest
from streamlit.runtime.scriptrunner import script_runner
from tensorflow.python.eager import context

from core.bundle import drawn_bundle
from core.reading import encode_photo
from core.webapp.cached import _load


@pytest.fixture
def own_clear_session(monkeypatch):
    """Puts Keras' own function back when the test is over."""
    monkeypatch.setattr(keras.backend, "clear_session", keras.backend.clear_session)


def test_what_streamlit_does_after_a_run_leaves_a_model_warm(tmp_path, monkeypatch, own_clear_session):
    bundle = _load(str(drawn_bundle(tmp_path / "Drawn")))
    cleared = []
    monkeypatch.setattr(context.context(), "clear_kernel_cache", lambda: cleared.append(1))
    script_runner._clean_problem_modules()
    assert not cleared
    assert np.isfinite(encode_photo(bundle, np.full((40, 40, 3), 90, "uint8")).feature_map).all()
