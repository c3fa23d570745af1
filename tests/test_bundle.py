"""Bundles: what was saved is what is loaded, and damage is noticed."""

import shutil

import h5py
import numpy as np
import pytest
from small_backbone import small_bundle

from core.bundle import add_scores, load_bundle, save_bundle
from core.card import WEIGHTS_FILE, InvalidBundle, read_card, sha256_of

RNG = np.random.default_rng(0)
INPUTS = [RNG.uniform(0, 255, (2, 64, 64, 3)).astype("float32"), RNG.normal(size=(2, 21)).astype("float32")]


@pytest.fixture
def folder(drawn_bundle_folder, tmp_path):
    return shutil.copytree(drawn_bundle_folder, tmp_path / "Drawn")


def test_half_floats_change_probabilities_little_and_full_floats_not_at_all(tmp_path):
    # Enough weights to outweigh what the file says of them.
    bundle = load_bundle(small_bundle(tmp_path / "Drawn", metadata_units=4096))
    before = bundle.classifier.model.predict_on_batch(INPUTS)[0]
    for dtype, tolerance in (("float16", 0.02), ("float32", 1e-6)):
        save_bundle(bundle.classifier, bundle.card, tmp_path / dtype, dtype)
        after = load_bundle(tmp_path / dtype).classifier.model.predict_on_batch(INPUTS)[0]
        np.testing.assert_allclose(after, before, atol=tolerance)
    assert (tmp_path / "float16" / WEIGHTS_FILE).stat().st_size < 0.65 * (
        tmp_path / "float32" / WEIGHTS_FILE
    ).stat().st_size


def test_nothing_half_written_stays(folder):
    assert sorted(p.name for p in folder.iterdir()) == ["card.json", WEIGHTS_FILE, "serving.zip"]


def test_the_card_knows_its_weights(folder):
    card = read_card(folder)
    assert card.weights["sha256"] == sha256_of(folder / WEIGHTS_FILE)
    assert card.parameters == sum(
        int(np.prod(w.shape)) for w in load_bundle(folder).classifier.model.weights if "seed" not in w.path
    )


def test_one_changed_byte_is_noticed(folder):
    path = folder / WEIGHTS_FILE
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(InvalidBundle, match="does not match its card"):
        load_bundle(folder)


def test_missing_weights(folder):
    (folder / WEIGHTS_FILE).unlink()
    with pytest.raises(InvalidBundle, match="is missing"):
        load_bundle(folder)


def test_weights_of_another_network_under_a_fitting_digest(folder, tmp_path):
    import json

    other = small_bundle(tmp_path / "Other", metadata_units=8)
    shutil.copy(other / WEIGHTS_FILE, folder / WEIGHTS_FILE)
    record = json.loads((folder / "card.json").read_text())
    record["weights"]["sha256"] = sha256_of(folder / WEIGHTS_FILE)
    (folder / "card.json").write_text(json.dumps(record))
    with pytest.raises(InvalidBundle, match="does not fit the network"):
        load_bundle(folder)


def test_a_card_cannot_point_outside_its_folder(folder):
    import json

    record = json.loads((folder / "card.json").read_text())
    (folder.parent / WEIGHTS_FILE).write_bytes(b"what must not be read")
    record["weights"]["file"] = "../" + WEIGHTS_FILE
    (folder / "card.json").write_text(json.dumps(record))
    assert load_bundle(folder).name == "Drawn"


def test_the_file_holds_arrays_only(folder):
    with h5py.File(folder / WEIGHTS_FILE) as file:
        kinds = []
        file.visititems(lambda _, item: kinds.append(item.dtype.kind) if isinstance(item, h5py.Dataset) else None)
    assert set(kinds) <= set("fiu")


def test_scores_are_added_to_the_card(folder):
    add_scores(folder, "test", {"photos": 3})
    assert read_card(folder).scores["test"] == {"photos": 3}
    load_bundle(folder)
