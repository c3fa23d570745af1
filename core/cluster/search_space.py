"""A sweep as a TOML file: one recipe, what may vary in it and within which bounds, and how many trials."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from msgspec import Meta

from core.designs import NetworkDesign
from core.networks.backbones import find_backbone
from core.schemas.kind import Kind
from core.training.recipes import Recipe, find_recipe

# What of a recipe may vary: plain values. The seed has a line of its own, and the split's seed is one for all trials.
_FIELDS = {field.name for field in dataclasses.fields(Recipe)} - {"about", "network", "augmentation", "seed", "sizes"}
_NETWORK = "network."
_NETWORK_FIELDS = {field.name for field in dataclasses.fields(NetworkDesign)}
_BOUNDS = ("between", "log")
# Keyword arguments of `train` that a file may give to all trials.
_TRAIN = ("init", "image_size", "pretraining")
# Draws a set of values that is wanted: short lists give the same set again and again.
_DRAWS = 50


@dataclass(frozen=True)
class Trial:
    """One training of a sweep.

    Args:
        values: name -> value, of what varies.
        seed: of the first weights and the order of photos.
    """

    values: dict[str, Any]
    seed: int

    @property
    def name(self) -> str:
        """The trial's folder: the same for the same values and seed."""
        text = json.dumps([self.values, self.seed], sort_keys=True)
        return f"trial-{hashlib.sha256(text.encode()).hexdigest()[:10]}"


@dataclass(frozen=True)
class Space:
    """See `read_space`.

    Args:
        recipe: which the trials vary.
        backbone: of all of them.
        space: name -> list of values, or {"between": [low, high]} or {"log": [low, high]}.
        trials: how many different sets of values are drawn; fewer where the lists of values have no more.
        seeds: each set of values is trained once with each.
        fewest: epochs that no trial is stopped before.
        draw: seed of the draw.
        split_seed: of the split, one for all trials: so no trial learns from another's test photos.
        fixed: name -> value, of what differs from the recipe in every trial.
        train: further keyword arguments of `train`: init, image_size, pretraining.
    """

    recipe: str
    backbone: str
    space: dict[str, Any]
    trials: Annotated[int, Meta(ge=1)] = 8
    seeds: Annotated[tuple[Annotated[int, Meta(ge=0)], ...], Meta(min_length=1)] = (0,)
    fewest: Annotated[int, Meta(ge=1)] = 2
    draw: Annotated[int, Meta(ge=0)] = 0
    split_seed: Annotated[int, Meta(ge=0)] = 0
    fixed: dict[str, Any] = dataclasses.field(default_factory=dict)
    train: dict[str, Any] = dataclasses.field(default_factory=dict)

    def draw_trials(self) -> list[Trial]:
        """The trials, the same whenever they are drawn; see `trials`."""
        rng, sets = np.random.default_rng(self.draw), {}
        for _ in range(_DRAWS * self.trials):
            values = self._draw_values(rng)
            sets.setdefault(json.dumps(values, sort_keys=True), values)
            if len(sets) == self.trials:
                break
        return [Trial(values, seed) for values in sets.values() for seed in self.seeds]

    def _draw_values(self, rng: np.random.Generator) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, choice in self.space.items():
            if isinstance(choice, list):
                values[name] = choice[int(rng.integers(len(choice)))]
                continue
            (scale, (low, high)) = next(iter(choice.items()))
            whole = isinstance(low, int) and isinstance(high, int) and not self._is_real(name)
            if whole and scale == "between":
                values[name] = int(rng.integers(low, high + 1))
                continue
            drawn = math.exp(rng.uniform(math.log(low), math.log(high))) if scale == "log" else rng.uniform(low, high)
            values[name] = round(drawn) if whole else float(f"{drawn:.4g}")
        return values

    def _is_real(self, name: str) -> bool:
        """Whether the recipe has a number with a fraction there: whole bounds do not make it whole."""
        return isinstance(_usual(find_recipe(self.recipe), name), float)

    def recipe_of(self, trial: Trial) -> Recipe:
        """The recipe that a trial is trained by."""
        recipe, told = find_recipe(self.recipe), {**self.fixed, **trial.values}
        own = {name: value for name, value in told.items() if not name.startswith(_NETWORK)}
        network = {name.removeprefix(_NETWORK): v for name, v in told.items() if name.startswith(_NETWORK)}
        return replace(recipe, **own, network=replace(recipe.network, **network), seed=trial.seed)

    def epochs(self, trial: Trial) -> int:
        """The most epochs that a trial is trained for."""
        recipe = self.recipe_of(trial)
        return recipe.frozen_epochs + recipe.epochs


_SPACE = Kind("sweep", Space)


def read_space(path: str | Path) -> Space:
    """Reads a sweep's file.

    Raises:
        ValueError: no TOML, or names and bounds that no recipe has; the sentence says which.
    """
    path = Path(path)
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no TOML: {error}.") from None
    space = _SPACE.convert(told, path, "See docs/howto/on-a-cluster.md.")
    recipe = find_recipe(space.recipe)
    find_backbone(space.backbone)
    if not space.space:
        raise ValueError(f"{path} has an empty [space]. Expected what varies.")
    for name, choice in space.space.items():
        _check_choice(path, recipe, name, choice)
    for name, value in space.fixed.items():
        if name in space.space:
            raise ValueError(f"{path}: {name} stands both in [fixed] and in [space]. Leave one of them out.")
        _check_value(path, recipe, name, value)
    if unknown := sorted(set(space.train) - set(_TRAIN)):
        raise ValueError(f"{path}: [train] names {', '.join(unknown)}. Expected only: {', '.join(_TRAIN)}.")
    return replace(space, seeds=tuple(dict.fromkeys(space.seeds)))


def _check_choice(path: Path, recipe: Recipe, name: str, choice) -> None:
    if isinstance(choice, list) and choice:
        for value in choice:
            _check_value(path, recipe, name, value)
        return
    scale, bounds = "", []
    if isinstance(choice, dict) and len(choice) == 1:
        scale, bounds = next(iter(choice.items()))
    fits = isinstance(bounds, list) and len(bounds) == 2 and all(_is_number(bound) for bound in bounds)
    if not fits or scale not in _BOUNDS:
        raise ValueError(
            f"{path}: {name} is {choice!r}. Expected a list of values, {{ between = [low, high] }} or {{ log = [low, high] }}."
        )
    low, high = bounds
    if not low < high or (scale == "log" and low <= 0):
        raise ValueError(f"{path}: {name} lies between {low} and {high}. Expected low < high, above 0 for log.")
    for bound in bounds:
        _check_value(path, recipe, name, bound)


def _check_value(path: Path, recipe: Recipe, name: str, value) -> None:
    """Stops at a name that no recipe has, and at a value of another kind than the recipe's own."""
    if name not in _FIELDS | {_NETWORK + one for one in _NETWORK_FIELDS}:
        raise ValueError(
            f"{path}: no recipe has {name!r}. Expected one of: {', '.join(sorted(_FIELDS))}; or {_NETWORK} with one of: "
            f"{', '.join(sorted(_NETWORK_FIELDS))}."
        )
    if not isinstance(value, str | int | float):
        raise ValueError(f"{path}: {name} is {value!r}. Expected a number, a word, or true or false.")
    mine = _usual(recipe, name)
    alike = {
        bool: isinstance(value, bool),
        int: _is_number(value, whole=True),
        float: _is_number(value),
        str: isinstance(value, str),
    }
    if not alike.get(type(mine), True):
        raise ValueError(f"{path}: {name} is {value!r}. The recipe has {mine!r} there: expected its like.")
    if not isinstance(value, str) and value < 0:
        raise ValueError(f"{path}: {name} is {value!r}. Expected no number below 0.")


def _usual(recipe: Recipe, name: str):
    """What a recipe has under a name."""
    return getattr(recipe.network, name.removeprefix(_NETWORK)) if name.startswith(_NETWORK) else getattr(recipe, name)


def _is_number(value, whole: bool = False) -> bool:
    return isinstance(value, int if whole else int | float) and not isinstance(value, bool) and math.isfinite(value)
