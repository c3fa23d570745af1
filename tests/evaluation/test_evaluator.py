"""A drawn folder through a drawn bundle: files, contamination, and what is refused."""

import csv
import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from small_backbone import small_bundle

from core.bundle import load_bundle, save_bundle
from core.data.ham10000 import METADATA_FILE, InvalidDataset, read_table
from core.data.images import fit_image, read_photo
from core.data.split import split_table
from core.diagnoses import CODES
from core.estimates import Estimate
from core.evaluation.evaluator import default_out, evaluate, find_contamination
from core.evaluation.metrics import flatten, scores
from core.evaluation.predictions import predict_table
from core.evaluation.report import read_evaluation


@pytest.fixture(scope="module")
def drawn(drawn_bundle_folder, drawn_folder):
    """The drawn bundle, as if trained on a lesion split of the drawn folder."""
    bundle = load_bundle(drawn_bundle_folder)
    split = split_table(read_table(drawn_folder)).to_json()
    return replace(bundle, card=replace(bundle.card, split=split))


@pytest.fixture
def few(drawn_folder, tmp_path):
    """A folder of its own with the first eight drawn photos, to damage."""
    folder = tmp_path / "few"
    (folder / "photos").mkdir(parents=True)
    table = read_table(drawn_folder).head(8)
    for path in table.path:
        shutil.copy(path, folder / "photos")
    table.drop(columns=["path", "mask"]).to_csv(folder / METADATA_FILE, index=False)
    return folder


def with_split(bundle, **parts):
    empty = {"kind": "lesion", "leaky": False, "seed": 0, "hash": "0" * 64, "train": [], "validation": [], "test": []}
    return replace(bundle, card=replace(bundle.card, split=empty | parts))


def test_predictions_are_those_of_the_network_photo_by_photo(drawn, drawn_folder):
    table = read_table(drawn_folder).head(7)
    seen = []
    found = predict_table(drawn, table, batch_size=3, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(3, 7), (6, 7), (7, 7)]
    assert found.columns.tolist() == [
        *("image_id", "dx", *CODES),
        *("lesion_id", "dx_type", "age", "sex", "localization", "dataset"),
    ]
    assert found.image_id.tolist() == table.image_id.tolist()
    images = np.stack([fit_image(read_photo(path), drawn.card.image_size) for path in table.path])
    metadata = drawn.card.facts_encoder.encode_columns(table.age, table.sex, table.localization)
    logits, _ = drawn.classifier.model([images, metadata], training=False)
    expected = drawn.card.calibration.probabilities(np.asarray(logits))
    assert found[list(CODES)].to_numpy() == pytest.approx(expected, abs=1e-4)
    assert found[list(CODES)].to_numpy().sum(axis=1) == pytest.approx(np.ones(7))


def test_batch_size_changes_nothing(drawn, drawn_folder):
    table = read_table(drawn_folder).head(5)
    one, many = (predict_table(drawn, table, batch_size=size)[list(CODES)].to_numpy() for size in (1, 64))
    assert one == pytest.approx(many, abs=1e-5)


def test_test_part_from_folder_to_files(drawn, drawn_folder, tmp_path):
    found = evaluate(drawn, drawn_folder, out=tmp_path, resamples=100)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        *("cases.csv", "evaluation.json", "predictions.csv", "validation"),
    ]
    with open(tmp_path / "predictions.csv", newline="") as file:
        rows = list(csv.reader(file))
    assert ",".join(rows[0]) == "image_id,dx,akiec,bcc,bkl,df,mel,nv,vasc"
    assert [row[0] for row in rows[1:]] == [
        i for i in read_table(drawn_folder).image_id if i in set(drawn.card.split["test"])
    ]
    assert read_evaluation(tmp_path) == found
    assert found.photos == len(rows) - 1 == sum(map(sum, found.under("balanced").confusion))
    assert found.lesions == sum(found.per_class[code]["lesions"] for code in CODES) < found.photos
    assert (found.model, found.weights_sha256) == ("Drawn", drawn.card.weights["sha256"])
    assert found.split == {
        **{key: drawn.card.split[key] for key in ("kind", "seed", "hash", "leaky")},
        "part": "test",
        "expected": found.photos,
        "missing": 0,
    }
    assert "resamples lesions" in found.confidence
    assert found.warnings == []
    assert found.data["name"] == "ham10000"
    assert str(drawn_folder.parent) not in (tmp_path / "evaluation.json").read_text()
    validation = read_evaluation(tmp_path / "validation")
    assert validation.photos == len(drawn.card.split["validation"])
    assert validation.operating_point is None
    assert 0 <= found.operating_point["threshold"] <= 1


def test_scores_can_be_recomputed_from_the_written_predictions(drawn, drawn_folder, tmp_path):
    found = evaluate(drawn, drawn_folder, "all", tmp_path, resamples=20)
    table = pd.read_csv(tmp_path / "predictions.csv")
    again = flatten(scores(table.dx.map(CODES.index).to_numpy(), table[list(CODES)].to_numpy()))
    likeliest = found.under("likeliest").metrics
    assert {name: entry.value for name, entry in likeliest.items()} == pytest.approx(
        {name: value for name, value in again.items() if "." not in name}
    )
    assert found.per_class["mel"]["auc"].value == pytest.approx(again["mel.auc"])


def test_photos_and_lesions_met_in_training_are_warned_of(drawn, drawn_folder, tmp_path):
    found = evaluate(drawn, drawn_folder, "all", tmp_path, resamples=20)
    split = drawn.card.split
    assert found.data["trained_on"] == len(split["train"])
    assert found.data["validated_on"] == len(split["validation"])
    assert found.data["lesions_trained_on"] == 0
    assert sum(text.startswith("CONTAMINATED") for text in found.warnings) == 2
    assert f"trained on {len(split['train'])} of these {found.photos} photos" in found.warnings[0]
    assert json.loads((tmp_path / "evaluation.json").read_text())["warnings"] == found.warnings


def test_another_photo_of_a_lesion_met_in_training_is_warned_of(drawn, few, tmp_path):
    table = read_table(few)
    pair = table[table.lesion_id.duplicated(keep=False)].image_id.tolist()[:2]
    bundle = with_split(drawn, train=pair[:1], test=pair[1:])
    found = evaluate(bundle, few, "test", tmp_path / "out", resamples=20)
    assert found.data | {"name": "", "photos": 0} == {
        "name": "",
        "photos": 0,
        "trained_on": 0,
        "validated_on": 0,
        "lesions_seen": 1,
        "lesions_trained_on": 1,
    }
    assert any(
        "1 of these 1 photos show a lesion of which Drawn was trained on another photo" in w for w in found.warnings
    )
    chosen_by = with_split(drawn, validation=pair[:1], test=pair[1:])
    rows = table[table.image_id == pair[1]]
    assert find_contamination(chosen_by.card, table, rows) == {
        "trained_on": 0,
        "validated_on": 0,
        "lesions_seen": 1,
        "lesions_trained_on": 0,
    }
    found = evaluate(chosen_by, few, "test", tmp_path / "out", resamples=20)
    assert any("helped to choose" in text for text in found.warnings)


def test_a_leaky_split_is_named(drawn, drawn_folder, tmp_path):
    split = split_table(read_table(drawn_folder), "paper").to_json()
    bundle = replace(drawn, card=replace(drawn.card, split=split))
    found = evaluate(bundle, drawn_folder, "test", tmp_path, resamples=20)
    assert found.split["leaky"] is True
    assert found.data["lesions_trained_on"] > 0
    assert found.data["validated_on"] == found.photos
    assert any("split is by photo" in text for text in found.warnings)


def test_photos_never_met_are_scored_without_a_warning(drawn, drawn_folder, tmp_path):
    found = evaluate(with_split(drawn), drawn_folder, "all", tmp_path, resamples=20)
    assert found.warnings == []
    assert found.split["expected"] is None


def test_metadata_without_lesions_is_said(drawn, few, tmp_path):
    pd.read_csv(few / METADATA_FILE)[["image_id", "dx"]].to_csv(few / METADATA_FILE, index=False)
    found = evaluate(with_split(drawn), few, "all", tmp_path / "out", resamples=20)
    assert found.photos == found.lesions == 8
    assert any("names no lesions" in text for text in found.warnings)


def test_absent_classes_are_said(drawn, few, tmp_path):
    table = pd.read_csv(few / METADATA_FILE)
    table[table.dx != "akiec"].to_csv(few / METADATA_FILE, index=False)
    found = evaluate(with_split(drawn), few, "all", tmp_path / "out", resamples=20)
    assert "akiec" in found.absent_classes
    assert found.under("likeliest").per_class["akiec"]["sensitivity"] == Estimate(None)
    assert (found.per_class["akiec"]["photos"], found.per_class["akiec"]["lesions"]) == (0, 0)
    assert any("No scored photo shows akiec" in text for text in found.warnings)


def test_a_folder_without_test_photos_is_refused_with_the_way_out(drawn, few, tmp_path):
    bundle = with_split(drawn, test=["ISIC_0000001", "ISIC_0000002"])
    with pytest.raises(ValueError, match="none of the 2 photos of Drawn's test part.*--split all"):
        evaluate(bundle, few, "test", tmp_path / "out")
    with pytest.raises(ValueError, match="lists no validation photos.*--split all"):
        evaluate(bundle, few, "validation", tmp_path / "out")
    with pytest.raises(ValueError, match="Unknown split 'exam'"):
        evaluate(bundle, few, "exam", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_missing_test_photos_are_counted(drawn, few, tmp_path):
    here = read_table(few).image_id.tolist()
    found = evaluate(with_split(drawn, test=[*here, "ISIC_0000001"]), few, "test", tmp_path / "out", resamples=20)
    assert (found.split["expected"], found.split["missing"]) == (9, 1)
    assert any("lacks 1 of the 9 photos" in text for text in found.warnings)


def test_unreadable_and_missing_photos_stop_with_their_names(drawn, few, tmp_path):
    ids = read_table(few).image_id.tolist()
    for image_id in (ids[1], ids[6]):
        (few / "photos" / f"{image_id}.jpg").write_text("not a photo")
    with pytest.raises(InvalidDataset, match=f"2 of 8 photos cannot be read(?s:.*){ids[1]}: (?s:.*){ids[6]}: "):
        evaluate(with_split(drawn), few, "all", tmp_path / "out")
    (few / "photos" / f"{ids[3]}.jpg").unlink()
    with pytest.raises(InvalidDataset, match=f"1 of 8 photos have no file: {ids[3]}"):
        evaluate(with_split(drawn), few, "all", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_network_without_facts_is_scored_too(few, tmp_path):
    bundle = load_bundle(small_bundle(tmp_path / "Faceless", metadata=False, name="Faceless"))
    found = predict_table(bundle, read_table(few), batch_size=3)
    assert found[list(CODES)].to_numpy().sum(axis=1) == pytest.approx(np.ones(8))


def test_impossible_requests_are_refused(drawn, few):
    table = read_table(few)
    with pytest.raises(ValueError, match="Batch size 0"):
        predict_table(drawn, table, batch_size=0)
    with pytest.raises(InvalidDataset, match="no photos to score"):
        predict_table(drawn, table.head(0))


def test_a_network_that_answers_with_nan_is_refused(few, tmp_path):
    bundle = load_bundle(small_bundle(tmp_path / "Broken"))
    layer = bundle.classifier.head.get_layer("logits")
    layer.set_weights([np.full_like(w, np.nan) for w in layer.get_weights()])
    save_bundle(bundle.classifier, bundle.card, bundle.folder)
    with pytest.raises(ValueError, match="not numbers"):
        predict_table(load_bundle(bundle.folder), read_table(few))


def test_default_folder_keeps_the_card_s_own_evaluation_apart(drawn, drawn_folder):
    assert default_out(drawn, drawn_folder, "test", 0) == drawn.folder
    for split, missing in (("test", 3), ("all", 0), ("validation", 0)):
        assert default_out(drawn, drawn_folder, split, missing).parts == ("evaluations", "Drawn", f"ham10000-{split}")


@pytest.mark.photos
def test_real_photos_never_met(drawn, ham10000, tmp_path):
    table = read_table(ham10000).groupby("dx").head(4)
    found = predict_table(drawn, table)
    assert len(found) == 28
    assert found[list(CODES)].to_numpy().sum(axis=1) == pytest.approx(np.ones(28))
