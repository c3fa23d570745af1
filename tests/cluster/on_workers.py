"""Whatever of this arrives on a worker brings the backbone of three layers along: importing it registers that."""

from dataclasses import dataclass, fields

import small_backbone

from core.cluster.search_space import Space
from core.training.recipes import Recipe, find_recipe

small_backbone.register()


@dataclass(frozen=True)
class SmallRecipe(Recipe):
    """A recipe for small backbones."""


@dataclass(frozen=True)
class SmallSpace(Space):
    """A sweep over small backbones."""


def small_recipe(name: str = "frozen", **changes) -> SmallRecipe:
    recipe = find_recipe(name)
    return SmallRecipe(**{field.name: getattr(recipe, field.name) for field in fields(Recipe)} | changes)
