import json
import shutil

import numpy as np
import pandas as pd
import pytest
from made_up import bound

from core.card import read_card
from core.diagnoses import CODES
from core.estimates.in_files import from_text
from core.trust.measure_table import DamagedMeasure, MissingMeasure
from core.trust.measures.lookalikes import HeldOutPhotos, choose_k, choose_thresholds, score_votes
from core.trust.signals import lookalikes as la


def made_up_index(vectors: np.ndarray, dx: list[str], lesions: list[str] | None = None) -> la.LookalikeIndex:
    """An index whose projected space is that of `vectors` themselves."""
    n, k = vectors.shape
    table = pd.DataFrame(
        {
            "image_id": [f"ISIC_{i:07d}" for i in range(n)],
            "lesion_id": lesions or [f"HAM_{i:07d}" for i in range(n)],
            "dx": dx,
            "dx_type": "histo",
            "age": [np.nan, *[50.0] * (n - 1)],
            "sex": "male",
            "localization": "back",
            "dataset": "drawn",
        },
        dtype=object,
    )
    return la.LookalikeIndex(
        np.zeros(k, "float32"),
        np.ones(k, "float32"),
        np.eye(k, dtype="float32"),
        np.ones(k, "float32"),
        la.unit(vectors.astype("float32")),
        np.zeros((n, 32), "uint8"),
        {str(name): values.to_numpy() for name, values in table.items()},
    )


def test_the_nearest_lesions_come_once_each_and_nearest_first():
    index = made_up_index(
        np.array([[1, 0], [0.9, 0.1], [0.5, 0.5], [0, 1], [-1, 0]]),
        ["mel", "mel", "nv", "nv", "bcc"],
        ["a", "a", "b", "c", "d"],
    )
    similarities = index.similarities(np.array([1.0, 0.02]))
    assert index.nearest(similarities, 3) == [0, 2, 3]
    assert similarities[0] == pytest.approx(0.9998, abs=1e-4) and similarities[4] < 0
    found, vote = la.find_lookalikes(index, np.array([1.0, 0.02]), k=3, count=2)
    assert [one.dx for one in found] == ["mel", "nv"] and (vote.dx, vote.count, vote.of) == ("nv", 2, 3)
    assert found[0].age is None and found[1].age == 50 and json.dumps(found[0].to_json())
    assert index.nearest(similarities, 99) == [0, 2, 3, 4], "no more than there are"


def test_of_equal_votes_the_nearest_leads():
    index = made_up_index(np.eye(4), ["vasc", "nv", "nv", "vasc"])
    assert la.vote(index, [0, 1, 2, 3]) == la.LookalikeVote("vasc", 2, 4, ("nv",))
    tie = la.vote(index, [0, 1, 2, 3])
    assert tie.tied == ("vasc", "nv") and "A tie among the 4 nearest" in tie.words and "2 each" in tie.words
    assert la.vote(index, [1, 2, 3]).words == "2 of the 3 nearest training lesions: Melanocytic nevus."
    assert la.vote(index, [1, 0, 3, 2]).dx == "nv"


def test_principal_components_keep_what_moves():
    rng = np.random.default_rng(0)
    hidden = rng.normal(size=(60, 6))
    pooled = (hidden @ rng.normal(size=(6, 10)) + 5).astype("float32")
    table = made_up_index(np.eye(60), [CODES[i % 7] for i in range(60)]).table
    index = la.build_index(pooled, rng.random((60, 256)) > 0.5, table, dimensions=6)
    scaled = index.scaled(pooled)
    assert np.allclose(index.project(pooled) @ index.components, scaled, atol=0.05), "six directions hold all of it"
    assert index.similarities(pooled[7]).argmax() == 7
    assert index.similarities(pooled[:3]).shape == (3, 60)


def test_an_index_survives_its_file_and_is_small(tmp_path, drawn_bundle_folder):
    index = made_up_index(np.random.default_rng(1).normal(size=(30, 5)), [CODES[i % 7] for i in range(30)])
    card = read_card(drawn_bundle_folder)
    la.write_index(index, tmp_path, card.weights["sha256"])
    again = la.read_index(tmp_path, bound(card, tmp_path))
    assert again.table.drop(columns="age").equals(index.table.drop(columns="age"))
    assert np.isnan(again.table.age.iloc[0]) and again.table.age.iloc[1] == 50
    assert np.allclose(again.vectors, index.vectors, atol=1e-3) and not list(tmp_path.glob(".*"))
    first = (tmp_path / la.INDEX_FILE).read_bytes()
    la.write_index(again, tmp_path, card.weights["sha256"])
    assert (tmp_path / la.INDEX_FILE).read_bytes() == first, "the same index is the same file"


@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "flipped", "stale", "pickled"])
def test_a_bad_index_is_one_sentence_with_the_command(damage, tmp_path, drawn_bundle_folder):
    card = read_card(drawn_bundle_folder)
    index = made_up_index(np.eye(9), [CODES[i % 7] for i in range(9)])
    path = la.write_index(index, tmp_path, card.weights["sha256"] if damage != "stale" else "0" * 64)
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "flipped":
        at = content.index(b"vectors.npy") + 60
        path.write_bytes(content[:at] + bytes(b ^ 255 for b in content[at : at + 40]) + content[at + 40 :])
    elif damage == "pickled":
        np.savez(path, weights_sha256=np.array([{"a": 1}], dtype=object))
    wrong = MissingMeasure if damage == "missing" else DamagedMeasure
    with pytest.raises(wrong, match=r"python -m core measure .* --only lookalikes"):
        la.read_index(tmp_path, bound(card, tmp_path))
    if damage != "missing":
        with pytest.raises(DamagedMeasure, match="not bound to the card"):
            la.read_index(tmp_path, card)


def test_k_is_the_smallest_of_the_best():
    index = made_up_index(np.eye(50), ["mel"] * 9 + ["nv"] * 41)
    table = pd.DataFrame({"dx": ["mel", "nv"]})
    assert choose_k([HeldOutPhotos(index, table, [list(range(50)), list(range(49, -1, -1))])]) == 5


def test_two_networks_votes_count_together():
    index = made_up_index(np.eye(50), ["mel"] * 9 + ["nv"] * 41)
    one, two = (pd.DataFrame({"dx": [code], "lesion_id": [code], "image_id": [code]}) for code in ("mel", "nv"))
    asked = [HeldOutPhotos(index, one, [list(range(50))]), HeldOutPhotos(index, two, [list(range(50))])]
    assert score_votes(asked, 5, {})["accuracy"].value == 0.5
    assert score_votes(asked[:1], 5, {})["accuracy"].value == 1


def test_a_photos_own_lesion_is_no_lookalike():
    index = made_up_index(np.eye(6), ["mel"] * 3 + ["nv"] * 3)
    near = np.array([1.0, 0.9, 0.1, 0.1, 0.1, 0.1])
    own = str(index.lesions[0])
    assert la.find_lookalikes(index, near, 3)[0][0].lesion_id == own
    found, vote = la.find_lookalikes(index, near, 3, without=own)
    assert own not in {one.lesion_id for one in found} and vote.of == 3


def test_votes_are_scored_by_agreement_and_beside_the_network():
    index = made_up_index(np.eye(8), ["mel"] * 4 + ["nv"] * 4)
    table = pd.DataFrame({"dx": ["mel", "mel", "nv", "nv"], "lesion_id": list("abcd"), "image_id": list("wxyz")})
    rows = [[0, 1, 2, 3], [0, 1, 4, 5], [4, 5, 6, 0], [0, 1, 2, 4]]
    scored = score_votes(
        [HeldOutPhotos(index, table, rows)], 4, dict(zip("wxyz", ["mel", "nv", "nv", "nv"], strict=True))
    )
    assert scored["accuracy"].value == 0.75 and scored["balanced_accuracy"].value == 0.75
    assert [(one["from"], one["photos"], one["value"]) for one in scored["wrong_by_agreement"]] == [
        (1.0, 1, 0.0),
        (0.75, 2, 0.5),
        (0.5, 1, 0.0),
        (0.0, 0, None),
    ]
    assert scored["network_wrong"]["same"].value == 0 and scored["network_wrong"]["other"].value == 0.5
    assert "network_wrong" not in score_votes([HeldOutPhotos(index, table, rows)], 4, {})


def test_thresholds_let_few_strangers_pass():
    rng = np.random.default_rng(0)
    bits, similarities = rng.integers(60, 130, (1000, 20)), rng.uniform(0, 0.9, (1000, 20))
    found = choose_thresholds(bits, similarities)
    assert found["bits"] <= 48
    assert (bits.min(axis=1) <= found["bits"]).mean() <= 0.002
    assert (similarities.max(axis=1) >= found["lesion_similarity"]).mean() <= 0.01


def test_a_measured_model_has_index_and_record(measured_bundle_folder):
    card = read_card(measured_bundle_folder)
    index = la.read_index(measured_bundle_folder, card)
    record = from_text((measured_bundle_folder / "lookalikes.json").read_text())
    assert record["probabilities_sha256"] == card.probabilities_sha256 and record["k"] in la.KS
    assert set(index.table.image_id) == set(card.split["train"])
    assert set(record["seen_before"]["altered"]) >= {"as it is", "cropped by 10 %"}
    assert record["seen_before"]["altered"]["as it is"].value == 1


def test_a_folder_without_the_models_photos_is_refused(measured_bundle_folder, tmp_path):
    from core.bundle import load_bundle
    from core.data.drawn import draw_ham10000
    from core.trust.measures.lookalikes import measure_lookalikes

    folder = shutil.copytree(measured_bundle_folder, tmp_path / "Drawn")
    other = draw_ham10000(tmp_path / "other", lesions=7, seed=5)
    (other / "HAM10000_metadata.csv").write_text(
        (other / "HAM10000_metadata.csv").read_text().replace("ISIC_9", "ISIC_8")
    )
    with pytest.raises(ValueError, match="holds none of the"):
        measure_lookalikes(load_bundle(folder), other)
