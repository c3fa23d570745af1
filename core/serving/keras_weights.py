"""The Keras network of a card, with the numbers of its weights file."""

import warnings
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from core.card import Card, InvalidBundle
from core.files import reserve
from core.networks import Classifier, build_classifier

# What HDF5 writes beside the numbers: of the file, and of each array, bytes.
FILE_OVERHEAD, ARRAY_OVERHEAD = 1 << 18, 1 << 13


def build_network(card: Card) -> Classifier:
    """The network that a card describes, untrained."""
    return build_classifier(card.backbone, card.design, image_size=card.image_size)


def build_and_load(card: Card, weights: Path) -> Classifier:
    """The network that a card describes, with its weights. The file holds arrays only: nothing in it is executed.

    Raises:
        InvalidBundle: weights that do not fit the network.
    """
    try:
        classifier = build_network(card)
        with warnings.catch_warnings():
            # Keras only warns where a part of the network finds no weights in the file, and leaves it random.
            warnings.simplefilter("error", UserWarning)
            classifier.model.load_weights(weights)
    except (ValueError, OSError, KeyError, TypeError, UserWarning) as error:
        line = (str(error).splitlines() or [""])[0]
        raise InvalidBundle(
            f"{weights} does not fit the network its card describes: {line} Train {card.name} again."
        ) from error
    return classifier


def save_weights(model: keras.Model, target: Path, copies: int = 1) -> None:
    """Saves weights as Keras does, once the disk has shown that it has the room: where HDF5 finds none in the middle, the process may end.

    Args:
        target: ends in `.weights.h5`.
        copies: of the numbers for which there must be room.

    Raises:
        CannotWrite: the disk is full.
    """
    numbers = sum(int(np.prod(variable.shape)) * 4 + ARRAY_OVERHEAD for variable in model.variables)
    room = target.with_name(f"{target.name}.room")
    try:
        with open(room, "wb") as file:
            reserve(file, copies * (numbers + FILE_OVERHEAD), target)
    finally:
        room.unlink(missing_ok=True)
    model.save_weights(target, overwrite=True)


def learnt_variables(part: keras.Model) -> list:
    """The variables of a part whose numbers were learnt, in the network's own order: that of `Engine.weights`."""
    return [weight for weight in part.variables if str(weight.dtype).startswith("float")]


def with_numbers(classifier: Classifier, head: Sequence[np.ndarray], encoder: Sequence[np.ndarray]) -> Classifier:
    """The classifier itself, after its numbers were set; see `Engine.weights`."""
    for part, values in ((classifier.head, head), (classifier.encoder, encoder)):
        for weight, value in zip(learnt_variables(part), values, strict=True):
            weight.assign(value)
    return classifier
