"""The cache holds what serving sees; batches repeat with seed and epoch; sampling does what it says."""

import numpy as np
import pytest

from core.data.augment import HONEST_AUGMENTATION
from core.data.batches import Batches, cut_and_mix, draw_order
from core.data.ham10000 import class_indices, read_table
from core.data.image_cache import cache_images, encode_facts
from core.data.images import UnreadablePhoto, fit_image, read_photo
from core.data.patient import Facts, FactsEncoder

ENCODER = FactsEncoder(50, 20)
UNKNOWN = ENCODER.encode(Facts())


@pytest.fixture(scope="module")
def table(drawn_folder):
    return read_table(drawn_folder)


@pytest.fixture(scope="module")
def images(table, tmp_path_factory):
    return cache_images(table, 48, tmp_path_factory.mktemp("images"))


def make(table, images, **choices):
    choices = {"batch_size": 8, "unknown": UNKNOWN, **choices}
    return Batches(images, encode_facts(table, ENCODER), class_indices(table), **choices)


def test_training_sees_the_pixels_that_serving_sees(table, images):
    assert images.dtype == np.uint8
    for row in (0, 10, 74):
        np.testing.assert_array_equal(images[row].astype("float32"), fit_image(read_photo(table.path[row]), 48))


def test_the_second_time_nothing_is_decoded(table, tmp_path):
    done = []
    cache_images(table, 32, tmp_path, lambda n, _: done.append(n))
    assert done == list(range(1, 76))
    cache_images(table, 32, tmp_path, lambda n, _: done.append("again"))
    assert "again" not in done
    assert [p.suffix for p in tmp_path.iterdir()] == [".npy"]


def test_missing_and_broken_photos_are_named_and_leave_nothing_behind(table, tmp_path):
    lost = table.copy()
    lost.loc[3, "path"] = ""
    with pytest.raises(UnreadablePhoto, match=lost.image_id[3]):
        cache_images(lost, 32, tmp_path)
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"not a photo")
    lost.loc[3, "path"] = str(broken)
    with pytest.raises(UnreadablePhoto, match=r"broken\.jpg"):
        cache_images(lost, 32, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_batches_repeat_with_seed_and_epoch(table, images):
    choices = {"augmentation": HONEST_AUGMENTATION, "fact_dropout": 0.3, "sampling": "sqrt", "seed": 4}
    one, two = make(table, images, **choices), make(table, images, **choices)
    (photos, facts), labels, weights = one[2]
    (photos2, facts2), labels2, _ = two[2]
    np.testing.assert_array_equal(photos, photos2)
    np.testing.assert_array_equal(facts, facts2)
    np.testing.assert_array_equal(labels, labels2)
    assert (
        photos.shape == (8, 48, 48, 3) and facts.shape == (8, 21) and labels.shape == (8, 7) and weights.shape == (8,)
    )
    two.start_epoch(1)
    assert not np.array_equal(two[2][0][0], photos)


def test_natural_sampling_shows_every_row_once():
    labels = np.array([0] * 5 + [5] * 20)
    order = draw_order(labels, "natural", 25, np.random.default_rng(0))
    assert sorted(order) == list(range(25))


@pytest.mark.parametrize(("sampling", "ratio"), [("sqrt", 3.0), ("balanced", 1.0)])
def test_sampling_ratios(sampling, ratio):
    labels = np.array([0] * 100 + [5] * 900)
    order = draw_order(labels, sampling, 4000, np.random.default_rng(0))
    counts = np.bincount(labels[order], minlength=6)
    assert len(order) == 4000
    assert counts[5] / counts[0] == pytest.approx(ratio, rel=0.01)


def test_within_a_class_every_row_comes_before_any_twice():
    labels = np.array([0] * 10 + [5] * 10)
    order = draw_order(labels, "balanced", 20, np.random.default_rng(0))
    assert np.bincount(order).max() <= 2 and len(set(order)) >= 18


def test_withheld_facts_become_unknown(table, images):
    (_, facts), _, _ = make(table, images, fact_dropout=1.0)[0]
    np.testing.assert_array_equal(facts, np.tile(UNKNOWN, (8, 1)))


def test_class_weights_reach_the_sample_weights(table, images):
    weights = np.arange(1, 8, dtype="float32")
    _, labels, sample = make(table, images, class_weights=weights)[0]
    np.testing.assert_array_equal(sample, labels.argmax(1) + 1)


def test_a_teachers_answers_are_learned_in_the_labels_place_and_change_no_order(table, images):
    taught = np.random.default_rng(0).dirichlet(np.ones(7), len(table)).astype("float32")
    plain, other = make(table, images, sampling="sqrt"), make(table, images, sampling="sqrt", targets=taught)
    np.testing.assert_array_equal(plain.order, other.order)
    np.testing.assert_array_equal(other[0][1], taught[other.order[:8]])
    np.testing.assert_array_equal(plain[0][0][0], other[0][0][0])


def test_a_photo_with_a_rectangle_of_another_has_as_much_of_its_target_and_weight():
    photos = np.arange(8, dtype="float32")[:, None, None, None] * np.ones((1, 32, 32, 3), "float32")
    targets, weights = np.eye(8, 7, dtype="float32"), np.arange(8, dtype="float32")
    seen = set()
    for seed in range(20):
        mixed, soft, weighed = cut_and_mix(photos, targets, weights, np.random.default_rng(seed))
        # Photo i is i everywhere, so its mean tells how much of which other it has; its weight was i as well.
        np.testing.assert_allclose(mixed.mean((1, 2, 3)), weighed, rtol=1e-5)
        for number, one in enumerate(mixed):
            others = set(np.unique(one)) - {number}
            assert len(others) <= 1
            for other in others - {7}:
                share = (one == other).mean()
                np.testing.assert_allclose(soft[number, int(other)], share, atol=1e-6)
                seen.add(round(float(share), 2))
    assert len(seen) > 5


def test_only_photos_are_cut(table, images):
    plain, cut = make(table, images), make(table, images, cutmix=1.0)
    assert not np.array_equal(plain[0][1], cut[0][1])
    np.testing.assert_allclose(cut[0][1].sum(1), 1, rtol=1e-6)
    maps = np.ones((len(table), 2, 2, 3), "float16")
    uncut = Batches(maps, None, class_indices(table), batch_size=8, cutmix=1.0)
    assert set(np.unique(uncut[0][1])) == {0, 1}


def test_cached_feature_maps_are_drawn_in_order(table):
    maps = np.arange(len(table), dtype="float16").reshape(-1, 1, 1, 1)
    batches = Batches(maps, None, class_indices(table), batch_size=8)
    photos, labels, _ = batches[1]
    rows = photos[:, 0, 0, 0].astype(int)
    np.testing.assert_array_equal(rows, batches.order[8:16])
    np.testing.assert_array_equal(labels.argmax(1), class_indices(table)[rows])
