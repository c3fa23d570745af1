"""Experiments of whole networks on the backbone of three layers; on a worker it brings that along, as `on_workers` does."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import keras
import numpy as np
import small_backbone

from experiments import learning_curve

SIZE = 64  # pixels

small_backbone.register()


@dataclass(frozen=True)
class SmallTrainer:
    """A trainer of an experiment, whose networks have three layers, and one epoch where the experiment's have three."""

    train_one: Callable[..., np.ndarray]

    def __call__(self, *given) -> np.ndarray:
        with _small_networks():
            return self.train_one(*given)


@contextmanager
def _small_networks() -> Iterator[None]:
    with mock.patch.multiple(learning_curve, BACKBONE=small_backbone.NAME, SIZE=SIZE, EPOCHS=1):
        yield
    # What it keeps is of this size.
    learning_curve.ready_folder.cache_clear()


def first_weights(folder: Path) -> Path:
    """A folder with weights that all these networks begin from, in place of ImageNet's."""
    folder.mkdir()
    keras.utils.set_random_seed(0)
    whole = small_backbone.build(False, None, keras.Input((SIZE, SIZE, 3)))
    whole.save_weights(folder / "three_layers.weights.h5")
    return folder
