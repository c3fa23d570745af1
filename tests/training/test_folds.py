"""A cross-validation leaves a network a fold, goes on where it was stopped, and never takes another's folds for its own."""

import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import small_backbone

from core.card import read_card
from core.data.ham10000 import read_table
from core.data.split import source_table
from core.training.folds import begin_folds, fold_folder, train_folds, train_without_sources
from core.training.recipes import find_recipe
from core.training.state import STATE_FILE
from core.training.watching import Report

FOLDS = {
    "recipe": replace(find_recipe("frozen"), frozen_epochs=1),
    "folds": 2,
    "backbone": small_backbone.NAME,
    "init": "random",
    "image_size": 64,
    "batch_size": 8,
}


pytestmark = pytest.mark.usefixtures("three_layers")


class Killed(BaseException):
    """Stands for kill -9."""


def test_a_stopped_cross_validation_goes_on_and_holds_every_photo_out_once(drawn_folder, tmp_path):
    def kill(text):
        if text.startswith("Fold 2: Encoding"):
            raise Killed

    with pytest.raises(Killed):
        train_folds(folder=drawn_folder, out=tmp_path, report=Report(say=kill), **FOLDS)
    first = read_card(fold_folder(tmp_path, 1))
    with pytest.raises(ValueError, match="holds folds already: 1"):
        train_folds(folder=drawn_folder, out=tmp_path, **FOLDS)
    said = []
    cards = train_folds(folder=drawn_folder, out=tmp_path, resume=True, report=Report(say=said.append), **FOLDS)
    assert "Fold 1 of 2 is finished." in said and cards[0] == first
    (fold_folder(tmp_path, 2) / "training").mkdir()
    (fold_folder(tmp_path, 2) / "training" / "state.json").write_text("{}")
    finished = begin_folds(tmp_path, 2, FOLDS["backbone"], resume=True)
    assert finished == {1: first, 2: None}, "One that was killed while it wrote its model is not finished."
    shutil.rmtree(fold_folder(tmp_path, 2) / "training")
    assert [card.split["fold"] for card in cards] == [[1, 2], [2, 2]]
    held = [image for card in cards for image in card.split["test"]]
    assert sorted(held) == sorted(read_table(drawn_folder).image_id)
    with pytest.raises(ValueError, match="expected ThreeLayers, fold 1 of 3"):
        train_folds(folder=drawn_folder, out=tmp_path, resume=True, **{**FOLDS, "folds": 3})


def test_folds_are_by_lesion_only(drawn_folder, tmp_path):
    with pytest.raises(ValueError, match="Folds are by lesion"):
        train_folds(folder=drawn_folder, out=tmp_path, split="paper", **FOLDS)
    with pytest.raises(ValueError, match="Expected 2 or more"):
        train_folds(folder=drawn_folder, out=tmp_path, **{**FOLDS, "folds": 1})


def test_without_a_folder_the_folds_go_where_models_lie(drawn_folder, tmp_path, monkeypatch):
    """Not into `weights/` of wherever the command was given, where no page finds them."""
    monkeypatch.setenv("MELASCOPE_WEIGHTS", str(tmp_path / "models"))
    begun = fold_folder(tmp_path / "models" / FOLDS["backbone"], 1) / "training" / STATE_FILE
    begun.parent.mkdir(parents=True)
    begun.write_text("{}")
    with pytest.raises(ValueError, match="models.* holds folds already: 1"):
        train_folds(folder=drawn_folder, **FOLDS)


SOURCES = {key: value for key, value in FOLDS.items() if key != "folds"}


@pytest.fixture
def three_sources(drawn_folder, tmp_path):
    """The drawn folder's photos, as if three clinics had taken them in turn, by lesion."""
    folder = shutil.copytree(drawn_folder, tmp_path / "sources")
    path = next(folder.glob("HAM10000_metadata*"))
    table = pd.read_csv(path)
    names = np.array(["paris", "quito", "rome"])
    table["dataset"] = names[pd.factorize(table.lesion_id)[0] % 3]
    table.to_csv(path, index=False)
    return folder


@pytest.mark.slow
def test_each_source_is_left_out_once_and_a_stopped_run_goes_on(three_sources, tmp_path):
    def kill(text):
        if text.startswith("Without quito: Encoding"):
            raise Killed

    with pytest.raises(Killed):
        train_without_sources(folder=three_sources, out=tmp_path / "out", report=Report(say=kill), **SOURCES)
    with pytest.raises(ValueError, match="holds networks without paris already"):
        train_without_sources(folder=three_sources, out=tmp_path / "out", **SOURCES)
    said = []
    cards = train_without_sources(
        folder=three_sources, out=tmp_path / "out", resume=True, report=Report(say=said.append), **SOURCES
    )
    assert "The network without paris is finished." in said
    table = read_table(three_sources).set_index("image_id")
    for card, source in zip(cards, ("paris", "quito", "rome"), strict=True):
        assert card.split["without_source"] == source
        assert set(card.split["test"]) == set(table.index[table.dataset == source])
        met = [*card.split["train"], *card.split["validation"]]
        assert source not in set(table.dataset[met])
        assert not set(table.lesion_id[met]) & set(table.lesion_id[card.split["test"]])
    with pytest.raises(ValueError, match="expected Other without paris"):
        train_without_sources(
            folder=three_sources, out=tmp_path / "out", resume=True, **{**SOURCES, "backbone": "Other"}
        )


def test_one_source_cannot_be_left_out(drawn_folder, tmp_path):
    with pytest.raises(ValueError, match="Expected two or more"):
        train_without_sources(folder=drawn_folder, out=tmp_path, **SOURCES)
    with pytest.raises(ValueError, match="Expected one of two sources or more"):
        source_table(read_table(drawn_folder), "nowhere")
