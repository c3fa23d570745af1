"""A cross-validation as one model: each photo scored by the network that held it out, new photos read by the mean of all."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import small_backbone
from typer.testing import CliRunner

from core.__main__ import app
from core.bundle import load_bundle
from core.card import OUT_OF_FOLD, bind_files, change_card, read_card, write_card
from core.data.drawn import draw_lesion
from core.data.ham10000 import read_table
from core.data.images import read_photo
from core.data.patient import Facts
from core.diagnoses import CODES
from core.evaluation.evaluator import evaluate
from core.evaluation.operating import choose_threshold
from core.evaluation.out_of_fold import held_out_by
from core.evaluation.results import InvalidResults, read_results
from core.reading import encode_photo, read_encoded, read_lesion
from core.training.folds import fold_folder, train_folds
from core.training.recipes import find_recipe
from core.trust.measure_table import read_measure
from core.trust.measures.pairs import read_similar
from core.trust.measures.prediction_set import records_of_folds
from core.trust.signals.lookalikes import read_index
from core.trust.signals.opinion import form_opinion, read_signals

pytestmark = pytest.mark.usefixtures("three_layers")
FOLDS = (1, 2, 3)


def join(folder):
    return CliRunner().invoke(app, ["folds", "join", str(folder)])


@pytest.fixture(scope="module")
def trained(tmp_path_factory, drawn_folder):
    """Three folds of a network of three layers, each evaluated, joined on the command line."""
    small_backbone.register()
    out = tmp_path_factory.mktemp("folds") / "Small"
    recipe = replace(find_recipe("frozen"), frozen_epochs=1)
    train_folds(
        recipe,
        folds=3,
        backbone=small_backbone.NAME,
        folder=drawn_folder,
        out=out,
        init="random",
        image_size=64,
        batch_size=8,
    )
    for fold in FOLDS:
        evaluate(load_bundle(fold_folder(out, fold)), drawn_folder, resamples=20)
    done = join(out)
    assert done.exit_code == 0, done.output
    return out


def test_each_photo_is_answered_by_the_network_that_held_it_out(trained, drawn_folder):
    card = read_card(trained)
    found = read_results(trained, card)
    assert sorted(found.table.image_id) == sorted(read_table(drawn_folder).image_id)
    by = held_out_by([read_card(fold_folder(trained, fold)) for fold in FOLDS])
    for fold in FOLDS:
        own = read_results(fold_folder(trained, fold), read_card(fold_folder(trained, fold))).table.set_index(
            "image_id"
        )
        mine = found.table[[by[image] == f"fold-{fold}" for image in found.table.image_id]].set_index("image_id")
        assert np.allclose(mine[list(CODES)], own.loc[mine.index, list(CODES)], atol=1e-6)
    evaluation = found.evaluation
    assert evaluation.split["part"] == OUT_OF_FOLD and evaluation.split["missing"] == 0
    assert "single networks" in evaluation.warnings[0] and "only where nobody trained" in evaluation.warnings[0]
    assert card.scores[OUT_OF_FOLD]["photos"] == len(found.table)


def test_no_lesion_helps_to_choose_the_threshold_that_it_is_scored_at(trained):
    found, slices = read_results(trained, read_card(trained)), read_results(trained / "validation", read_card(trained))
    assert slices.table.image_id.is_unique and slices.evaluation.split["part"] == "validation"
    by = held_out_by([read_card(fold_folder(trained, fold)) for fold in FOLDS])
    point = found.evaluation.operating_point
    for chosen_on, thresholds in ((found, point["thresholds"]), (slices, point["on_slices"]["thresholds"])):
        own = chosen_on.table.image_id.map(by).to_numpy()
        for fold in FOLDS:
            name = f"fold-{fold}"
            rows = own != name
            assert set(chosen_on.table.lesion_id[rows]).isdisjoint(
                found.table.lesion_id[[by[i] == name for i in found.table.image_id]]
            )
            assert thresholds[name] == choose_threshold(chosen_on.y_true[rows], chosen_on.probabilities[rows])
    assert point["threshold"] == choose_threshold(found.y_true, found.probabilities)


def test_melanoma_is_called_at_the_threshold_of_the_network_that_answers(trained):
    found = read_results(trained, read_card(trained))
    point = found.evaluation.operating_point
    by = held_out_by([read_card(fold_folder(trained, fold)) for fold in FOLDS])
    cuts = np.array([point["thresholds"][by[image]] for image in found.table.image_id])
    melanoma = found.y_true == CODES.index("mel")
    called = found.probabilities[:, CODES.index("mel")] >= cuts
    assert point["sensitivity"].value == pytest.approx(called[melanoma].mean())
    assert point["specificity"].value == pytest.approx((~called)[~melanoma].mean())


def test_a_new_photo_is_read_by_the_mean_each_network_on_its_own_scale_of_age(trained):
    photo, _ = draw_lesion("mel")
    scales = {read_card(fold_folder(trained, fold)).age_mean for fold in FOLDS}
    assert len(scales) > 1
    for facts in (Facts(), Facts(age=80, sex="male", site="back")):
        told = read_lesion(load_bundle(trained), photo, facts).probabilities
        each = [read_lesion(load_bundle(fold_folder(trained, fold)), photo, facts).probabilities for fold in FOLDS]
        for code in CODES:
            assert told[code] == pytest.approx(np.mean([one[code] for one in each]), abs=1e-5)


def test_the_keras_network_of_a_set_answers_as_its_engine_does(trained):
    bundle = load_bundle(trained)
    photo, _ = draw_lesion("mel")
    encoded = encode_photo(bundle, photo, explain=False)
    for facts in (Facts(), Facts(age=80, sex="male", site="back")):
        metadata = bundle.card.facts_encoder.encode(facts)
        logits, _ = bundle.engine.head(encoded.feature_map, metadata)
        told, _ = bundle.classifier.head([encoded.feature_map[None], metadata[None]])
        assert np.allclose(np.asarray(told)[0], logits, atol=1e-4)


def test_a_photo_of_the_collection_has_one_network_that_answers_for_it(trained):
    bundle = load_bundle(trained)
    for network in bundle.scored_networks:
        assert bundle.network_without(network.card.split["test"][0]) is network
    assert bundle.network_without("never seen") is bundle
    assert bundle.members[0].network_without("never seen") is bundle.members[0]


def test_evaluating_a_set_scores_each_network_and_joins_them(trained, drawn_folder, tmp_path):
    copy = shutil.copytree(trained, tmp_path / "Copy")
    (fold_folder(copy, 2) / "evaluation.json").unlink()
    bind_files(copy, ["evaluation.json"])
    change_card(copy, speed={"forward_ms": 7.0})
    done = CliRunner().invoke(app, ["evaluate", str(copy), "--data", str(drawn_folder)])
    assert done.exit_code == 0, done.output
    assert "out of fold" in done.output
    again, before = read_results(copy, read_card(copy)), read_results(trained, read_card(trained))
    assert np.allclose(again.probabilities, before.probabilities, atol=1e-5)
    assert "forward_ms" in read_card(copy).speed
    refused = CliRunner().invoke(
        app, ["evaluate", str(copy), "--data", str(drawn_folder), "--out", str(tmp_path / "o")]
    )
    assert "Leave --out away" in refused.output


@pytest.fixture(scope="module")
def measured(trained, drawn_folder, tmp_path_factory):
    """The set with what tells how far to trust it, as the command measures it."""
    copy = shutil.copytree(trained, tmp_path_factory.mktemp("measured") / "Small")
    names = ("set", "facts", "similar", "lookalikes")
    done = CliRunner().invoke(
        app, ["measure", str(copy), "--data", str(drawn_folder), *(w for name in names for w in ("--only", name))]
    )
    assert done.exit_code == 0, done.output
    return copy


def test_each_network_is_measured_on_its_own_part(measured, drawn_folder):
    card, table = read_card(measured), read_table(drawn_folder)
    index = read_index(measured, card)
    assert sorted(index.table.image_id) == sorted(table.image_id), "what ships holds all photos"
    assert len(index.mean) == sum(b.engine.feature_shape[-1] for b in load_bundle(measured).members)
    facts = read_measure("facts", measured, card)
    assert facts["test"]["right"].photos == len(table)
    similar = read_similar(measured, card)
    by = held_out_by([read_card(fold_folder(measured, fold)) for fold in FOLDS])
    for i, near in enumerate(similar.neighbours.reshape(len(similar.image_ids), -1)):
        others = {by[str(similar.image_ids[j])] for j in near if j >= 0}
        assert others <= {by[str(similar.image_ids[i])]}, "vectors of two networks do not compare"
    found = read_measure("set", measured, card)
    results = read_results(measured, card)
    records = records_of_folds(
        [read_card(fold_folder(measured, fold)) for fold in FOLDS],
        found,
        read_results(measured / "validation", card),
        results,
    )
    assert len({json.dumps(one["thresholds"]) for one in records}) > 1
    assert found["test"]["coverage"].photos == len(table)


def test_a_recognised_photo_is_also_answered_by_the_network_that_never_saw_it(measured, drawn_folder):
    bundle, row = load_bundle(measured), read_table(drawn_folder).iloc[0]
    encoded = encode_photo(bundle, read_photo(row.path), explain=False)
    facts = Facts(age=60, sex="female", site="back")
    opinion = form_opinion(read_signals(measured, bundle.card), encoded, read_encoded(encoded, facts, explain=False))
    seen, own = opinion.seen, bundle.network_without(row.image_id)
    assert seen.kind == "photo" and seen.image_id == row.image_id and seen.network == own.name
    told = read_lesion(own, read_photo(row.path), facts, explain=False).probabilities
    assert seen.answer == pytest.approx(told, abs=1e-5)
    assert f"{own.name}, which never saw it, answers" in seen.words and "out of fold" in seen.words
    assert row.lesion_id not in {one.lesion_id for one in opinion.lookalikes}
    assert "never saw" not in form_opinion(read_signals(measured, bundle.card), encoded, None).seen.words


def test_joining_again_keeps_what_was_measured(trained, tmp_path):
    copy = shutil.copytree(trained, tmp_path / "Kept")
    (copy / "set.json").write_text("{}")
    bind_files(copy, ["set.json"])
    assert join(copy).exit_code == 0
    assert "set.json" in read_card(copy).files


def test_the_mean_counts_as_trained_on_every_photo_of_the_collection(trained, drawn_folder, tmp_path):
    card = read_card(trained)
    assert {card.part_of(image) for image in read_table(drawn_folder).image_id} == {"train"}
    found = evaluate(load_bundle(trained), drawn_folder, "all", tmp_path / "all", resamples=20)
    assert "CONTAMINATED" in found.warnings[0]


def test_unfinished_folds_are_told(trained, tmp_path):
    part = tmp_path / "Part"
    for fold in (1, 3):
        shutil.copytree(fold_folder(trained, fold), fold_folder(part, fold))
    done = join(part)
    assert done.exit_code == 0 and "2 of 3 folds are finished" in done.output
    found = read_results(part, read_card(part)).evaluation
    assert found.split["missing"] == len(read_card(fold_folder(trained, 2)).split["test"])
    (fold_folder(part, 3) / "evaluation.json").unlink()
    assert "Fold 3 has no evaluation to join" in join(part).output
    shutil.rmtree(fold_folder(part, 3))
    assert "Expected two or more" in join(part).output


def test_what_is_no_cross_validation_by_lesion_does_not_join(trained, tmp_path):
    mixed = shutil.copytree(trained, tmp_path / "Mixed")
    two = read_card(fold_folder(mixed, 2))
    write_card(replace(two, split={**two.split, "fold": [2, 5]}), fold_folder(mixed, 2))
    assert "differ in their number of folds" in join(mixed).output
    met = {**two.split, "train": [*two.split["train"], two.split["test"][0]]}
    write_card(replace(two, split=met), fold_folder(mixed, 2))
    assert "was trained on 1 of the lesions" in join(mixed).output


def test_a_fold_that_changed_since_is_refused(trained, tmp_path):
    other = shutil.copytree(trained, tmp_path / "Other")
    card = read_card(fold_folder(other, 1))
    write_card(replace(card, weights={**card.weights, "sha256": "0" * 64}), fold_folder(other, 1))
    with pytest.raises(ValueError, match="folds join"):
        load_bundle(other)
    with pytest.raises(InvalidResults, match="stale"):
        read_results(fold_folder(other, 1), read_card(fold_folder(other, 1)))
