import numpy as np
import pytest
from test_lookalikes import made_up_index

from core.data.drawn import draw_lesion
from core.data.duplicates import perceptual_hashes, turned_hashes
from core.diagnoses import CODES
from core.trust.measures.lookalikes import ALTERED, alter
from core.trust.signals.seen_before import find_seen, hash_distances

THRESHOLDS = {"bits": 40, "near_bits": 100, "near_similarity": 0.95, "lesion_similarity": 0.97}


@pytest.fixture(scope="module")
def squares():
    return np.stack([draw_lesion(code, (224, 224), seed=3)[0] for code in CODES])


@pytest.fixture(scope="module")
def index(squares):
    made = made_up_index(np.eye(7), list(CODES))
    made.hashes[:] = np.packbits(perceptual_hashes(squares), axis=1)
    return made


@pytest.mark.parametrize("how", ["as it is", "saved anew", "half the size", "turned or mirrored", "recoloured"])
def test_a_training_photo_is_known_again(how, index, squares):
    for row in range(7):
        square = alter(squares[row], how, np.random.default_rng(row))
        bits = hash_distances(index, turned_hashes(square))
        assert bits.argmin() == row and bits[row] <= THRESHOLDS["bits"]
        seen = find_seen(index, bits, np.zeros(7), THRESHOLDS)
        assert (seen.kind, seen.image_id) == ("photo", index.table.image_id.iloc[row])


def test_every_alteration_keeps_the_shape(squares):
    for how in ALTERED:
        altered = alter(squares[0], how, np.random.default_rng(0))
        assert altered.shape == squares[0].shape and altered.dtype == np.uint8


def test_another_photo_of_the_lesion_is_told_by_its_features(index):
    near = np.array([0, 0, 0.98, 0.5, 0, 0, 0])
    seen = find_seen(index, np.full(7, 120), near, THRESHOLDS)
    assert seen.kind == "lesion" and seen.lesion_id == "HAM_0000002" and "another photo" in seen.words
    assert find_seen(index, np.full(7, 120), near * 0.9, THRESHOLDS) is None


def test_hash_and_features_together_need_less_of_each(index):
    bits, near = np.full(7, 120), np.zeros(7)
    bits[4], near[4] = 90, 0.96
    seen = find_seen(index, bits, near, THRESHOLDS)
    assert seen.kind == "photo" and seen.bits == 90 and "trained on this photo" in seen.words
    near[4] = 0.9
    assert find_seen(index, bits, near, THRESHOLDS) is None


def test_an_unknown_lesion_is_unknown(index):
    other = draw_lesion("nv", (224, 224), seed=77)[0]
    assert find_seen(index, hash_distances(index, turned_hashes(other)), np.zeros(7), THRESHOLDS | {"bits": 20}) is None
