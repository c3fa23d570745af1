"""The photo gate's eye."""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from core.card import InvalidBundle
from core.data.drawn import draw_lesion
from core.trust.signals import eye


@pytest.fixture(scope="module")
def lesions():
    return np.stack([draw_lesion("nv", (224, 224), seed=i)[0] for i in range(12)])


def test_one_photo_and_many_give_the_same_vector(lesions):
    many = eye.see(lesions)
    assert many.shape == (12, eye.CHANNELS) and many.dtype == np.float32
    assert np.allclose(eye.see(lesions[:1])[0], many[0], atol=1e-4)
    assert eye.see(lesions[:0]).shape == (0, eye.CHANNELS)


def test_what_is_strange_lies_far_out():
    rng = np.random.default_rng(0)
    mixed = rng.normal(size=(8, eye.CHANNELS))
    known = rng.normal(size=(300, 8)) @ mixed + 0.1 * rng.normal(size=(300, eye.CHANNELS))
    record = eye.fit_spread(known.astype("float32"))
    terms = eye.eye_terms(record, np.stack([known[0], known[0] + 2 * rng.normal(size=eye.CHANNELS)]))
    assert terms.shape == (2, eye.TERMS)
    beside, within = terms[:, -2], terms[:, -1]
    assert abs(beside[0]) < 3 and beside[1] > 5 and abs(within[0]) < 5
    assert np.abs(eye.eye_terms(record, known)[:, -2:].mean(axis=0)).max() < 0.05


def test_the_eye_of_the_folder_of_models_goes_first_and_a_damaged_one_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("MELASCOPE_WEIGHTS", str(tmp_path))
    assert eye.eye_file().is_file(), "a folder of models without an eye relies on the repository's"
    (tmp_path / eye.EYE_FILE).write_bytes(b"no weights")
    with pytest.raises(InvalidBundle, match=f"{tmp_path}.*SHA-256"):
        eye.load_eye()
    monkeypatch.setattr(eye, "REPOSITORY", tmp_path / "nowhere")
    (tmp_path / eye.EYE_FILE).unlink()
    with pytest.raises(InvalidBundle, match="missing.*Restore"):
        eye.load_eye()


def test_whoever_comes_while_it_loads_gets_what_is_loaded(monkeypatch):
    digests, calls = eye.sha256_of, []

    def slowly(path):
        calls.append(path)
        time.sleep(0.1)
        return digests(path)

    eye._load.cache_clear()
    monkeypatch.setattr(eye, "sha256_of", slowly)
    with ThreadPoolExecutor(4) as pool:
        eyes = list(pool.map(lambda _: eye.load_eye(), range(4)))
    assert len(calls) == 1 and all(one is eyes[0] for one in eyes)
