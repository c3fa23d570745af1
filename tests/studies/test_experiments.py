"""Each experiment end to end on drawn data: results with the promised schema, and a second run that finds all done."""

import json

import keras
import numpy as np
import pytest

from core.data.ham10000 import class_indices, read_table
from core.data.split import split_table
from experiments import epsilon, factorial, leak
from experiments.cells import Cell, Training, pooled
from experiments.comparisons import make_judge, write_result
from experiments.maps import feature_maps, find_init
from experiments.runs import read_runs

TINY = Training(epochs=1, batch_size=16, metadata_units=4)
ENTRY = {
    "name",
    "metric",
    "backbone",
    "value",
    "low",
    "high",
    "seed_low",
    "seed_high",
    "n_photos",
    "n_lesions",
    "seeds",
    "unit",
}


@pytest.fixture(scope="module")
def table(drawn_folder):
    return read_table(drawn_folder)


@pytest.fixture(scope="module")
def maps(table):
    labels = class_indices(table)
    made_up = np.random.default_rng(0).normal(size=(len(table), 4, 4, 8)).astype("float16")
    made_up[..., :7] += np.eye(7, dtype="float16")[labels][:, None, None]
    return made_up


def assert_comparisons(entries: list[dict]) -> None:
    assert entries
    for entry in entries:
        assert set(entry) >= ENTRY
        if entry["value"] is not None:
            assert entry["low"] <= entry["value"] <= entry["high"]


def test_factorial(tmp_path, table, maps, monkeypatch):
    split, path = split_table(table), tmp_path / "runs.jsonl"
    cells = [Cell("none", "none"), Cell("none", "real"), Cell("none", "only"), Cell("paper", "real")]
    factorial.run_factorial(path, table, split, {"MobileNetV2": maps}, [0], TINY, cells)
    assert len(read_runs(path)) == 4

    def fail(*_):
        raise AssertionError("trained again")

    monkeypatch.setattr(factorial, "train_cells", fail)
    factorial.run_factorial(path, table, split, {"MobileNetV2": maps}, [0], TINY, cells)
    test = split.rows(table, "test")
    judge = make_judge(class_indices(test), test.lesion_id, 50)
    record = factorial.summarise(read_runs(path), judge, split, TINY)
    write_result(tmp_path / "factorial.json", record)
    assert json.loads((tmp_path / "factorial.json").read_text()) == json.loads(json.dumps(record))
    assert_comparisons(record["comparisons"])
    assert {entry["name"] for entry in record["comparisons"]} == {
        "attention: paper against none",
        "metadata: real against none",
        "metadata: only against none",
    }
    assert len(record["cells"]) == record["runs"] == 4


@pytest.mark.slow
def test_epsilon(tmp_path, table, maps):
    split, path = split_table(table), tmp_path / "runs.jsonl"
    features = {"MobileNetV2": pooled(maps, "none")}
    for _ in range(2):
        epsilon.run_epsilon(path, table, split, features, [0], TINY)
    assert len(read_runs(path)) == 8
    test = split.rows(table, "test")
    record = epsilon.summarise(read_runs(path), make_judge(class_indices(test), test.lesion_id, 50), split, TINY)
    assert_comparisons(record["comparisons"])
    assert {entry["epsilon"] for entry in record["comparisons"]} == {1e-7, 0.1}


def test_the_leak_takes_siblings_and_nothing_else(table):
    draw = leak.make_draw(table, 0)
    lesions, labels, test = table.lesion_id.to_numpy(), class_indices(table), draw.test["leaky"]
    seen = {arm: np.isin(lesions[test], lesions[draw.train[arm]]) for arm in leak.ARMS[:3]}
    np.testing.assert_array_equal(seen["leaky"], draw.sibling)
    np.testing.assert_array_equal(seen["as printed"], draw.sibling)
    assert not seen["clean"].any() and draw.sibling.any()
    for arm in ("leaky", "clean"):
        assert set(draw.train[arm]) <= set(draw.train["as printed"])
    counts = [np.bincount(labels[draw.train[arm]], minlength=7) for arm in ("leaky", "clean")]
    np.testing.assert_array_equal(*counts)
    by_lesion = [set(lesions[rows["by lesion"]]) for rows in (draw.train, draw.test)]
    assert not by_lesion[0] & by_lesion[1]


@pytest.mark.slow
def test_leak(tmp_path, table, maps):
    path, features = tmp_path / "runs.jsonl", {"MobileNetV2": pooled(maps, "none")}
    for _ in range(2):
        leak.run_leak(path, table, features, [0], TINY)
    assert len(read_runs(path)) == len(leak.ARMS) * len(leak.MODELS)
    record = leak.summarise(read_runs(path), table, TINY)
    assert_comparisons(record["comparisons"])
    assert {entry["photos_chosen"] for entry in record["comparisons"]} == set(leak.CHOSEN)


def test_the_memoriser_answers_by_the_most_alike_photo():
    train = np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    found = leak.nearest_neighbour(train, np.array([3, 5, 6]), train[::-1])
    np.testing.assert_array_equal(found.argmax(axis=1), [6, 5, 3])


def test_a_killed_extraction_goes_on(tmp_path, table, monkeypatch):
    monkeypatch.setattr("experiments.maps.BATCH", 16)
    photo = keras.Input((32, 32, 3))
    encoder = keras.Model(photo, keras.layers.AveragePooling2D(8)(photo))
    monkeypatch.setattr("experiments.maps.build_encoder", lambda *_: encoder)
    settings = {"init": "random", "size": 32, "root": tmp_path}
    whole = np.array(feature_maps(table, "MobileNetV3Small", **settings))
    assert whole.dtype == np.float16 and whole.shape == (len(table), 4, 4, 3) and np.ptp(whole) > 1
    (made,) = tmp_path.glob("*.npy")
    # As a kill after the second batch would leave it.
    half = np.lib.format.open_memmap(made.with_suffix(".partial"), "w+", "float16", whole.shape)
    half[:32] = 7
    half.flush()
    made.unlink()
    made.with_suffix(".json").write_text('{"photos": 32}')
    again = feature_maps(table, "MobileNetV3Small", **settings)
    assert (again[:32] == 7).all()
    np.testing.assert_array_equal(again[32:], whole[32:])


def test_imagenet_weights_are_found_by_name(tmp_path):
    (tmp_path / "mobilenet_v2.weights.h5").touch()
    assert find_init("MobileNetV2", tmp_path).name == "mobilenet_v2.weights.h5"
    assert find_init("MobileNetV2", None) == "imagenet"
    with pytest.raises(ValueError, match=r"found: mobilenet_v2.weights.h5"):
        find_init("ResNet50", tmp_path)
