"""Images of several requests go through a network together, and each gets its own answer."""

import threading
import time

import numpy as np
import pytest

from core.bundle import load_bundle
from core.service.batching import BatchingEngine


class Gated:
    """An engine that waits to be let, and tells its batches."""

    def __init__(self, engine):
        self._engine, self.go, self.batches = engine, threading.Event(), []

    def __getattr__(self, name):
        return getattr(self._engine, name)

    def encode(self, images):
        self.go.wait(20)
        self.batches.append(1 if images.ndim == 3 else len(images))
        if (images == 13).all():
            raise ValueError("an unlucky image")
        return self._engine.encode(images)


@pytest.fixture(scope="module")
def engine(drawn_bundle_folder):
    return load_bundle(drawn_bundle_folder).engine


def ask_all(engine, images):
    found = [None] * len(images)

    def ask(place):
        try:
            found[place] = engine.encode(images[place])
        except ValueError as error:
            found[place] = error

    threads = [threading.Thread(target=ask, args=(place,)) for place in range(len(images))]
    for thread in threads:
        thread.start()
    return threads, found


def test_those_who_wait_go_together_and_get_their_own_digits(engine):
    rng, gated = np.random.default_rng(0), Gated(engine)
    batching = BatchingEngine(gated, 8)
    images = rng.integers(0, 256, (20, 64, 64, 3)).astype("float32")
    threads, found = ask_all(batching, images)
    # The first batch has begun with whoever was there; all the others wait for it.
    end = time.monotonic() + 20
    while len(batching._waiting) < 20 - 8 and time.monotonic() < end:
        time.sleep(0.01)
    gated.go.set()
    for thread in threads:
        thread.join()
    np.testing.assert_array_equal(np.stack(found), engine.encode(images))
    assert sum(gated.batches) == 20 and max(gated.batches) == 8 and len(gated.batches) <= 20 - 8


def test_a_spoilt_image_and_an_error_stay_their_own(engine):
    gated = Gated(engine)
    gated.go.set()
    batching = BatchingEngine(gated, 1)
    good = np.full((64, 64, 3), 99, "float32")
    spoilt = np.where(np.arange(64)[:, None, None] == 3, np.nan, good).astype("float32")
    unlucky = np.full((64, 64, 3), 13, "float32")
    threads, found = ask_all(batching, [good, spoilt, unlucky, good])
    for thread in threads:
        thread.join()
    np.testing.assert_array_equal(found[0], engine.encode(good))
    np.testing.assert_array_equal(found[3], found[0])
    assert np.isnan(found[1]).all() and "unlucky" in str(found[2])
    many = batching.encode(np.stack([good, spoilt, good]))
    np.testing.assert_array_equal(many[0], found[0])
    assert np.isnan(many[1]).all() and not np.isnan(many[2]).any()
    with pytest.raises(ValueError, match="shape"):
        batching.encode(good[:32])
