"""A network's choices keep their form in cards, and an unknown one is refused."""

import json
from pathlib import Path

import pytest

from core.card import read_card
from core.designs import NetworkDesign
from core.training.recipes import RECIPES

WEIGHTS = Path(__file__).resolve().parents[2] / "weights"
CARDS = sorted(WEIGHTS.glob("**/card.json"))


@pytest.mark.parametrize("path", CARDS, ids=lambda path: str(path.parent.relative_to(WEIGHTS)))
def test_shipped_cards_come_back_as_they_are(path):
    card = read_card(path.parent)
    if card.members:
        assert list(card.members) == json.loads(path.read_text(encoding="utf-8"))["network"]["members"]
        with pytest.raises(ValueError, match="No network can be built by members"):
            _ = card.design
    else:
        assert card.design.to_card() == card.network


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_writes_its_network_as_a_card_does(name):
    recipe = RECIPES[name]
    assert recipe.to_json()["network"] == recipe.network.to_card()
    assert NetworkDesign.from_card(recipe.network.to_card()) == recipe.network
    assert {"attach", "attention", "head"} <= set(recipe.network.to_card())


def test_every_choice_that_is_not_the_papers_is_written():
    design = NetworkDesign("last", "none", "pooled", False, 8, 0.1, 0.5, False)
    assert len(design.to_card()) == 8 and NetworkDesign.from_card(design.to_card()) == design
