"""An ensemble of sets of folds: read by the mean of the sets, scored by the mean of those networks that never saw a lesion."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import small_backbone
from typer.testing import CliRunner

from core.__main__ import app
from core.bundle import load_bundle
from core.card import CARD_FILE, OUT_OF_FOLD, InvalidBundle, read_card
from core.data.drawn import draw_lesion
from core.data.ham10000 import read_table
from core.data.images import read_photo
from core.data.patient import Facts
from core.diagnoses import CODES
from core.evaluation.evaluator import evaluate
from core.evaluation.fold_set import join_folds
from core.evaluation.out_of_fold import held_out_by
from core.evaluation.results import read_results
from core.members import network_folder, scored_cards
from core.reading import encode_photo, encoded_for, read_encoded, read_lesion
from core.training.folds import fold_folder, train_folds
from core.training.recipes import find_recipe
from core.trust.signals.jury import votes
from core.trust.signals.opinion import form_gate, form_opinion, read_signals

pytestmark = pytest.mark.usefixtures("three_layers")
FACTS = (Facts(), Facts(age=80, sex="male", site="back"))


@pytest.fixture(scope="module")
def shelf(tmp_path_factory, drawn_folder):
    """Two sets of one cross-validation, the second without its third fold, and their ensemble by the command line."""
    small_backbone.register()
    root = tmp_path_factory.mktemp("shelf")
    recipe = replace(find_recipe("frozen"), frozen_epochs=1)
    for name, units in (("Wide", 16), ("Narrow", 8)):
        train_folds(
            replace(recipe, network=replace(recipe.network, metadata_units=units)),
            folds=3,
            backbone=small_backbone.NAME,
            folder=drawn_folder,
            out=root / name,
            init="random",
            image_size=64,
            batch_size=8,
        )
    shutil.rmtree(fold_folder(root / "Narrow", 3))
    for name in ("Wide", "Narrow"):
        for place in sorted((root / name).glob("fold-*")):
            evaluate(load_bundle(place), drawn_folder, resamples=20)
        join_folds(root / name)
    done = CliRunner().invoke(
        app, ["ensemble", str(root / "Wide"), str(root / "Narrow"), "--data", str(drawn_folder), "--name", "Both"]
    )
    assert done.exit_code == 0, done.output
    return root


def test_each_photo_is_scored_by_the_mean_of_the_networks_that_never_saw_its_lesion(shelf):
    card = read_card(shelf / "Both")
    assert card.is_ensemble and card.is_fold_set and not votes(card)
    told = read_results(shelf / "Both", card)
    each = {
        name: read_results(shelf / name, read_card(shelf / name)).table.set_index("image_id") for name in card.members
    }
    ids = told.table.image_id
    # The photos of the fold that one set lacks are not scored.
    assert set(ids) == set(each["Narrow"].index) < set(each["Wide"].index)
    mean = np.mean([table.loc[ids, list(CODES)].to_numpy() for table in each.values()], axis=0)
    assert np.allclose(told.probabilities, mean, atol=2e-6)
    assert "one network of each of Wide and Narrow" in told.evaluation.warnings[0]
    assert "2 of 3 folds are finished" in told.evaluation.warnings[1]
    assert card.scores[OUT_OF_FOLD]["photos"] == len(ids)


def test_a_new_photo_is_read_by_the_mean_of_the_sets(shelf):
    photo, _ = draw_lesion("mel")
    bundle = load_bundle(shelf / "Both")
    for facts in FACTS:
        told = read_lesion(bundle, photo, facts).probabilities
        each = [read_lesion(load_bundle(shelf / name), photo, facts).probabilities for name in ("Wide", "Narrow")]
        for code in CODES:
            assert told[code] == pytest.approx(np.mean([one[code] for one in each]), abs=1e-5)


def test_the_mean_of_a_fold_answers_by_what_the_whole_has_encoded(shelf):
    photo, _ = draw_lesion("mel")
    bundle = load_bundle(shelf / "Both")
    encoded = encode_photo(bundle, photo)
    networks = bundle.scored_networks
    assert [one.name for one in networks] == ["fold-1", "fold-2"]
    assert [one.card for one in networks] == scored_cards(bundle.card, bundle.folder)
    for number, network in enumerate(networks, start=1):
        assert bundle.network_without(network.card.split["test"][0]) is network
        for facts in FACTS:
            told = read_encoded(encoded_for(network, encoded), facts)
            alone = read_lesion(network, photo, facts)
            assert told.probabilities == alone.probabilities and np.array_equal(told.heatmap, alone.heatmap)
            each = [
                read_lesion(load_bundle(fold_folder(shelf / name, number)), photo, facts).probabilities
                for name in ("Wide", "Narrow")
            ]
            for code in CODES:
                assert told.probabilities[code] == pytest.approx(np.mean([one[code] for one in each]), abs=1e-5)
    by = held_out_by([one.card for one in networks])
    third = next(i for i in read_results(shelf / "Wide", read_card(shelf / "Wide")).table.image_id if i not in by)
    assert bundle.network_without(third) is bundle


def test_keras_networks_of_the_whole_and_of_a_fold_answer_as_their_engines_do(shelf):
    photo, _ = draw_lesion("mel")
    whole = load_bundle(shelf / "Both")
    for bundle in (whole, whole.scored_networks[0]):
        encoded = encode_photo(bundle, photo, explain=False)
        metadata = bundle.card.facts_encoder.encode(FACTS[1])
        logits, _ = bundle.engine.head(encoded.feature_map, metadata)
        told, _ = bundle.classifier.head([encoded.feature_map[None], metadata[None]])
        assert np.allclose(np.asarray(told)[0], logits, atol=1e-4)


def measure(folder, data, *names):
    done = CliRunner().invoke(
        app, ["measure", str(folder), "--data", str(data), *(w for name in names for w in ("--only", name))]
    )
    assert done.exit_code == 0, done.output
    card = read_card(folder)
    return load_bundle(folder), read_signals(folder, card)


@pytest.mark.slow  # two gates are fitted, and maps are measured
def test_gate_and_maps_of_an_ensemble_of_sets(shelf, drawn_folder):
    measure(shelf / "Wide", drawn_folder, "gate")
    bundle, signals = measure(shelf / "Both", drawn_folder, "gate", "maps", "colour", "similar")
    assert signals.records["gate"]["network"] == "Wide/fold-1" and signals.records["maps"]["network"] == "fold-1"
    photo, _ = draw_lesion("nv")
    assert not signals.faults and form_gate(signals, encode_photo(bundle, photo)) is not None


def test_a_recognised_photo_is_answered_by_the_networks_of_its_fold(shelf, drawn_folder):
    bundle, signals = measure(shelf / "Both", drawn_folder, "set", "facts", "lookalikes")
    photo, _ = draw_lesion("nv")
    encoded = encode_photo(bundle, photo)
    opinion = form_opinion(signals, encoded, read_encoded(encoded, Facts()))
    assert opinion.lookalikes and opinion.set is not None and not opinion.faults
    held_out = {network.name: network.card.split["test"][0] for network in bundle.scored_networks}
    met_by_all = next(i for i in read_table(drawn_folder).image_id if bundle.network_without(i) is bundle)
    paths = read_table(drawn_folder).set_index("image_id").path
    for name, image_id in {**held_out, "": met_by_all}.items():
        encoded = encode_photo(bundle, read_photo(paths[image_id]))
        seen = form_opinion(signals, encoded, read_encoded(encoded, Facts())).seen
        assert seen.network == name
        if name:
            told = read_lesion(bundle.network_without(image_id), read_photo(paths[image_id]), Facts(), explain=False)
            assert seen.answer == pytest.approx(told.probabilities, abs=1e-6)
            assert f"all networks of this model but those of {name}" in seen.words
        else:
            assert seen.answer is None and "from memory" in seen.words


def test_evaluating_it_scores_each_set_and_joins_them(shelf, drawn_folder, tmp_path):
    root = shutil.copytree(shelf, tmp_path / "copy")
    (root / "Wide" / "fold-1" / "evaluation.json").unlink()
    done = CliRunner().invoke(app, ["evaluate", str(root / "Both"), "--data", str(drawn_folder)])
    assert done.exit_code == 0, done.output or done.exception
    again, before = (read_results(place / "Both", read_card(place / "Both")) for place in (root, shelf))
    assert np.allclose(again.probabilities, before.probabilities, atol=1e-5)


def test_a_member_that_was_exchanged_is_refused(shelf, tmp_path):
    root = shutil.copytree(shelf, tmp_path / "copy")
    shutil.rmtree(root / "Narrow")
    shutil.copytree(root / "Wide", root / "Narrow")
    with pytest.raises(InvalidBundle, match="other weights of Narrow"):
        load_bundle(root / "Both")


def test_a_set_and_a_single_network_make_no_ensemble(shelf, drawn_folder, tmp_path):
    root = shutil.copytree(shelf, tmp_path / "copy")
    shutil.copytree(root / "Wide" / "fold-1", root / "Single")
    done = CliRunner().invoke(
        app, ["ensemble", str(root / "Wide"), str(root / "Single"), "--data", str(drawn_folder), "--name", "Mixed"]
    )
    assert done.exit_code and "no set of folds" in " ".join(done.output.split())
    assert not (root / "Mixed" / CARD_FILE).exists()


def test_networks_are_found_by_their_members_names(shelf):
    card = read_card(shelf / "Both")
    assert network_folder(card, shelf / "Both", "Wide/fold-2") == (shelf / "Wide" / "fold-2").resolve()
    for name in ("Wide/fold-9", "../Wide", "fold-1", ""):
        with pytest.raises(InvalidBundle, match="has no member"):
            network_folder(card, shelf / "Both", name)
