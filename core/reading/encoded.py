"""A photo that a network's encoder has seen, bound to that network: the heavy part of a reading, done once."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np
from PIL import Image

from core.data.images import fit_image, photo_hash
from core.data.patient import Facts
from core.threads import once

if TYPE_CHECKING:
    from core.bundle import Bundle
    from core.serving import Engine

T = TypeVar("T")
# What a photo remembers: of what is large, enough for a control that changes one thing; of answers, all that a page asks at a time
# (the gate, the facts, what if), before and after a change.
RECENT = 2
# Two overlays before and after a change, and the photo that they lie on.
OVERLAYS = 5
ANSWERS = 12


class Remembers(Protocol):
    """Keeps answers, as long as it sees fit."""

    def get(self, key: Hashable, make: Callable[[], T]) -> T: ...


class Recent:
    """The last few answers to a question, so that a control which leaves a part of the reading alone does not redo it."""

    def __init__(self, size: int):
        self._size, self._kept = size, {}

    @property
    def bytes(self) -> int:
        """Of the arrays among the answers."""
        return sum(a.nbytes for a in list(self._kept.values()) if isinstance(a, np.ndarray))

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The answer kept under `key`, made first if it is not."""
        answer = self._kept.pop(key, None)
        if answer is None:
            answer = make()
        self._kept[key] = answer  # last: what was asked longest ago goes first
        for old in list(self._kept)[: -self._size]:
            self._kept.pop(old, None)
        return answer


@dataclass(frozen=True, eq=False)
class EncodedPhoto:
    """A photo that a network's encoder has seen, and that network: all that later questions need, whatever the facts and the class.

    Args:
        bundle: the network.
        photo: (H, W, 3) uint8 RGB.
        image: (S, S, 3) float32, what the network saw of it.
        feature_map: (h, w, C) float32.
        gradients: (7, h, w, C), of every logit with respect to the feature map; None if not asked for, or if they
            change with the facts (see `Engine.gradients_need_facts`).
        seconds: "encode", and "gradients" if there are any.
        answers: of the head by facts, and of others by what was asked.
        changing_gradients: those that change with the facts, by facts.
        overlays: those of bounded size, by map and opacity, with the photo at that size; read-only arrays.
    """

    bundle: Bundle
    photo: np.ndarray
    image: np.ndarray
    feature_map: np.ndarray
    gradients: np.ndarray | None
    seconds: dict[str, float]
    answers: Recent = field(default_factory=lambda: Recent(ANSWERS), repr=False)
    changing_gradients: Remembers = field(default_factory=lambda: Recent(RECENT), repr=False)
    overlays: Recent = field(default_factory=lambda: Recent(OVERLAYS), repr=False)

    @once
    def photo_hash(self) -> str:
        """See `core.data.images.photo_hash`."""
        return photo_hash(self.photo)


def encode_photo(bundle: Bundle, photo: np.ndarray, *, explain: bool = True) -> EncodedPhoto:
    """Runs the heavy part of a network on a photo, once.

    Args:
        photo: (H, W, 3) uint8 RGB, from `read_photo`.
        explain: whether to prepare the gradients of all seven classes, which makes changing the class instant.
    """
    network = bundle.engine
    start = time.perf_counter()
    image = fit_image(photo, bundle.card.image_size)
    feature_map = network.encode(image)
    seconds = {"encode": time.perf_counter() - start}
    gradients = None
    if explain and not network.gradients_need_facts:
        start = time.perf_counter()
        gradients = network.gradients(feature_map, bundle.card.facts_encoder.encode(Facts()))
        seconds["gradients"] = time.perf_counter() - start
    return EncodedPhoto(bundle, photo, image, feature_map, gradients, seconds)


def join_encoded(bundle: Bundle, members: Sequence[EncodedPhoto]) -> EncodedPhoto:
    """A photo as an ensemble sees it, of what its members have made of it: nothing is encoded again.

    Args:
        members: of `bundle.members`, in their order, of one photo.

    Raises:
        ValueError: they are of other networks, or of several photos.
    """
    if [e.bundle.card.weights["sha256"] for e in members] != [m.card.weights["sha256"] for m in bundle.members]:
        raise ValueError(f"{bundle.name} was given photos encoded by others than its members, in their order.")
    if any(e.photo is not members[0].photo and e.photo_hash != members[0].photo_hash for e in members):
        raise ValueError(f"{bundle.name} was given several photos. Give the one photo as each member has encoded it.")
    first = members[0]
    return EncodedPhoto(
        bundle,
        first.photo,
        first.image,
        np.concatenate([e.feature_map for e in members], axis=-1),
        None,
        {"encode": sum(e.seconds["encode"] for e in members)},
    )


def encoded_for(bundle: Bundle, encoded: EncodedPhoto) -> EncodedPhoto:
    """A photo as other networks see it that are all among an ensemble's, whose encoded photo it is: nothing is encoded again.

    The gradients are left out; `gradients_of` makes them where they are asked for.

    Args:
        bundle: a member, or a model of the same networks, such as one of `Bundle.scored_networks`.

    Raises:
        KeyError: one of its networks is not among them.
    """
    maps = np.split(encoded.feature_map, _edges(encoded.bundle), axis=-1)
    of_network = dict(zip([id(engine) for engine in _engines(encoded.bundle)], maps, strict=True))
    own = np.concatenate([of_network[id(engine)] for engine in _engines(bundle)], axis=-1)
    return EncodedPhoto(bundle, encoded.photo, encoded.image, own, None, {"encode": 0.0})


def _engines(bundle: Bundle) -> list[Engine]:
    """Of all its networks, in the order of their channels."""
    return [engine for member in bundle.members for engine in _engines(member)] or [bundle.engine]


def _edges(bundle: Bundle) -> np.ndarray:
    """Where in its channels each network's begin, but the first's."""
    return np.cumsum([engine.feature_shape[-1] for engine in _engines(bundle)])[:-1]


def gradients_of(encoded: EncodedPhoto, facts: Facts) -> np.ndarray:
    """Gradients of all seven logits with respect to the feature map, (7, h, w, C); made once for a photo, or once for its facts."""
    if encoded.gradients is not None:
        return encoded.gradients
    return encoded.changing_gradients.get(
        facts,
        lambda: encoded.bundle.engine.gradients(encoded.feature_map, encoded.bundle.card.facts_encoder.encode(facts)),
    )


def shrunk(photo: np.ndarray, side: int) -> np.ndarray:
    """A photo (H, W, 3) of at most so many pixels a side."""
    if max(photo.shape[:2]) <= side:
        return photo
    picture = Image.fromarray(photo)
    picture.thumbnail((side, side), Image.Resampling.BILINEAR, reducing_gap=2.0)
    return np.asarray(picture)
