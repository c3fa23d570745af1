"""The measures of the melanoma page: look-alikes and colour, on a drawn folder and by hand."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from made_up import bound, made_up_table, write_made_up

from core.data.colour import SETTINGS
from core.data.ham10000 import InvalidDataset, read_table
from core.estimates import CorrectedDifference
from core.trust.measure_table import InvalidMeasure, read_measure
from core.trust.measures.colour import COLOUR_SCORES, UNCHANGED, colour_verdict, compare_settings, measure_colour
from core.trust.measures.pairs import NEIGHBOURS_FILE, Similar, find_neighbours, measure_similar, read_similar


@pytest.fixture(scope="module")
def bundle(drawn_folder, drawn_bundle_folder, tmp_path_factory):
    """A random network whose test part is the whole drawn folder, with an operating point."""
    from core.bundle import load_bundle

    loaded = load_bundle(drawn_bundle_folder)
    folder = tmp_path_factory.mktemp("measured") / "Drawn"
    write_made_up(folder, made_up_table(), loaded.card.probabilities_sha256)
    record = json.loads((folder / "evaluation.json").read_text()) | {"operating_point": {"threshold": 0.15}}
    (folder / "evaluation.json").write_text(json.dumps(record))
    test = read_table(drawn_folder).image_id.tolist()
    return replace(loaded, card=replace(loaded.card, split=loaded.card.split | {"test": test}), folder=folder)


def test_likeness_is_that_of_encoded_photos(bundle, drawn_folder):
    from core.data.images import read_photo
    from core.reading import encode_photo

    seen = []
    measure_similar(bundle, drawn_folder, lambda done, total: seen.append((done, total)))
    found = read_similar(bundle.folder, bound(bundle.card, bundle.folder))
    table = read_table(drawn_folder)
    pair = table[table.dx.isin(["mel", "nv"])].set_index("image_id")
    assert list(found.image_ids) == list(pair.index) and seen[-1] == (len(pair), len(pair))
    first = found.image_ids[0]
    second, likeness = found.nearest(first, set(found.image_ids), 1)[0]
    assert pair.lesion_id[first] != pair.lesion_id[second]
    pooled = [
        encode_photo(bundle, read_photo(pair.path[i]), explain=False).feature_map.mean(axis=(0, 1))
        for i in (first, second)
    ]
    cosine = pooled[0] @ pooled[1] / np.linalg.norm(pooled[0]) / np.linalg.norm(pooled[1])
    assert likeness == pytest.approx(cosine, abs=1e-3)


def test_nearest_and_hard_pairs_by_hand():
    angles = np.radians([0, 10, 12, 40, 90])
    melanoma, lesions = np.array([True, False, False, True, False]), np.array(["A", "B", "B", "C", "D"])
    vectors = 3 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    found = Similar(
        np.array(["m1", "n1", "n2", "m2", "n3"]), lesions, melanoma, *find_neighbours(vectors, melanoma, lesions), {}
    )
    # One photo a lesion: n2 is of n1's lesion.
    assert [i for i, _ in found.nearest("m1", {"n1", "n2", "n3", "m2"})] == ["n1", "m2", "n3"]
    assert found.nearest("m1", {"m1"}) == [] == found.nearest("unknown", {"n1"})
    pairs = found.hard_pairs()
    assert [pair[:2] for pair in pairs] == [("m1", "n1"), ("m2", "n3")]
    assert pairs[0][2] == pytest.approx(np.cos(angles[1]), abs=1e-3)
    assert len(found.hard_pairs(1)) == 1


def test_files_of_different_runs_are_noticed(bundle, drawn_folder):
    measure_similar(bundle, drawn_folder)
    stale = replace(bound(bundle.card, bundle.folder), weights=bundle.card.weights | {"sha256": "0" * 64})
    with pytest.raises(InvalidMeasure, match="stale"):
        read_similar(bundle.folder, stale)
    before = bound(bundle.card, bundle.folder)
    (bundle.folder / NEIGHBOURS_FILE).write_bytes(b"other")
    with pytest.raises(InvalidMeasure, match="damaged or was exchanged.*--only similar"):
        read_similar(bundle.folder, before)
    with pytest.raises(InvalidMeasure, match="different runs.*--only similar"):
        read_similar(bundle.folder, bound(bundle.card, bundle.folder))


def test_colours_are_measured_and_can_be_computed_again(bundle, drawn_folder):
    from core.evaluation.predictions import predict_table

    measure_colour(bundle, drawn_folder)
    record = read_measure("colour", bundle.folder, bound(bundle.card, bundle.folder))
    photos = pd.read_csv(bundle.folder / "colour.csv")
    assert [row["name"] for row in record["settings"]] == [UNCHANGED, *SETTINGS]
    again = compare_settings(photos, record["threshold"])
    assert again["settings"] == record["settings"]
    table = read_table(drawn_folder)
    plain = predict_table(bundle, table[table.dx.isin(["mel", "nv"])].reset_index(drop=True))
    assert photos["mel.plain"].to_numpy() == pytest.approx(plain.mel.to_numpy(), abs=2e-5)
    assert "AUC" in colour_verdict(record)


def test_settings_against_plain_by_hand():
    n = 200
    dx = np.array(["mel", "nv"] * (n // 2))
    rng = np.random.default_rng(0)
    plain = np.where(dx == "mel", 0.6, 0.4) + rng.normal(0, 0.25, n)
    photos = pd.DataFrame({"image_id": range(n), "lesion_id": [f"L{i}" for i in range(n)], "dx": dx})
    for name, score in {
        "plain": plain,
        "grey": np.where(dx == "mel", 0.9, 0.1),
        "hair": plain,
        "lighter": 1 - plain,
    }.items():
        photos[f"mel.{name}"] = np.clip(score, 0, 1)
        photos[f"nv.{name}"] = 1 - photos[f"mel.{name}"]
    found = compare_settings(photos, 0.5, resamples=200)
    rows = {row["name"]: row for row in found["settings"]}
    assert rows["grey"]["scores"]["auc"].value == 1 and rows["grey"]["scores"]["sensitivity"].value == 1
    assert rows["grey"]["differences"]["auc"].low > 0
    assert rows["hair"]["differences"]["auc"] == CorrectedDifference(0, 0, 0, 1, 1)
    called = photos["mel.plain"] >= 0.5
    assert rows["plain"]["scores"]["sensitivity"].value == called[dx == "mel"].mean()
    assert rows["plain"]["scores"]["specificity"].value == 1 - called[dx == "nv"].mean()
    assert rows["lighter"]["differences"]["auc"].high < 0
    p = sorted(rows[name]["differences"]["auc"].p for name in ("grey", "hair", "lighter"))
    assert min(rows[n]["differences"]["auc"].p_holm for n in ("grey", "lighter")) == pytest.approx(3 * p[0])
    said = colour_verdict(found)
    assert "1 of 3 changes" in said and "grey" in said and "1 make it worse: lightness +15 L*" in said
    assert set(rows["grey"]["scores"]) == set(COLOUR_SCORES)


def test_what_lacks_is_said(bundle, drawn_folder, tmp_path):
    (tmp_path / "Drawn").mkdir()
    with pytest.raises(ValueError, match="no operating point.*core evaluate Drawn"):
        measure_colour(replace(bundle, folder=tmp_path / "Drawn"), drawn_folder)
    nobody = replace(bundle, card=replace(bundle.card, split=bundle.card.split | {"test": []}))
    with pytest.raises(InvalidDataset, match="no melanoma"):
        measure_similar(nobody, drawn_folder)
