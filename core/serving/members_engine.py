"""An ensemble's engine: its members' engines, and the mean of their calibrated probabilities. It has no file of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from core.calibration import Calibration
from core.data.patient import FEATURES
from core.diagnoses import CODES
from core.serving.engine import Engine, check_head_inputs
from core.threads import cores, once, one_core

if TYPE_CHECKING:  # at run time this would load Keras
    from core.networks import Classifier

AGE, AGE_MISSING = (FEATURES.index(name) for name in FEATURES[:2])


class MembersEngine(Engine):
    """See `Engine`.

    Feature maps are the members', one upon the other along the channels. The logits are the log of the members' mean calibrated
    probabilities (softmax gives that mean back), the attention is the mean of theirs, each with a sum of 1.

    Args:
        members: with inputs of one size and feature maps of one height and width.
        calibrations: each member's.
        age_scales: (factor, offset) of each member, which turn the metadata's age into its own; None where they share one scale.

    Raises:
        ValueError: fewer than two members, or members whose inputs or feature maps differ in size.
    """

    def __init__(
        self,
        members: Sequence[Engine],
        calibrations: Sequence[Calibration],
        age_scales: Sequence[tuple[float, float]] | None = None,
    ):
        sizes = {(member.image_size, *member.feature_shape[:2]) for member in members}
        if len(members) < 2 or len(sizes) > 1:
            raise ValueError(
                f"An ensemble needs at least two members with one input size and one height and width of feature map; got {len(members)} "
                f"with (input, height, width) {sorted(sizes)}. Choose others."
            )
        self._members = list(members)
        self._calibrations = list(calibrations)
        self._age_scales = age_scales
        self._edges = np.cumsum([member.feature_shape[-1] for member in members])
        self.name = "+".join(sorted({member.name for member in members}))
        # Networks of one kind, as the folds of a cross-validation are, encode a photo on a core each. Others are on the shelf by
        # themselves, too, ready to do it on all cores: made ready for both they would need their memory twice.
        self._alike = len({member.feature_shape for member in members}) == 1
        self.image_size = members[0].image_size
        self.feature_shape = (*members[0].feature_shape[:2], int(self._edges[-1]))
        self.uses_metadata = any(member.uses_metadata for member in members)
        self.has_attention = any(member.has_attention for member in members)
        # How much each member's gradient counts depends on all members' probabilities, and these on the facts.
        self.gradients_need_facts = self.uses_metadata

    def ready(self) -> None:
        if self._alike:
            self._each(lambda member, _: member.ready(), self._members)
            return
        with ThreadPoolExecutor(len(self._members)) as pool:
            list(pool.map(lambda member: member.ready(), self._members))

    def encode(self, image: np.ndarray) -> np.ndarray:
        if np.ndim(image) == 4 or not self._alike:
            return np.concatenate([member.encode(image) for member in self._members], axis=-1)
        return np.concatenate(self._each(lambda member, _: member.encode(image), self._members), axis=-1)

    def head(self, feature_map: np.ndarray, metadata: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        feature_map, metadata = check_head_inputs(self, feature_map, metadata)
        facts = self._facts(metadata)
        told = [member.head(part, own) for (member, part), own in zip(self._parts(feature_map), facts, strict=True)]
        logits = _log_mean(self._log_probabilities([np.atleast_2d(logits) for logits, _ in told])).astype("float32")
        attention = np.stack([map_ for _, map_ in told])
        attention = attention / np.maximum(attention.sum(axis=(-2, -1), keepdims=True), 1e-9)
        return (logits[0] if metadata.ndim == 1 else logits), attention.mean(axis=0)

    def gradients(self, feature_map: np.ndarray, metadata: np.ndarray) -> np.ndarray:
        """By the chain rule, of the members' gradients."""
        feature_map, metadata = check_head_inputs(self, feature_map, metadata)
        parts, facts = list(self._parts(feature_map)), self._facts(metadata)
        heads = [member.head(part, own) for (member, part), own in zip(parts, facts, strict=True)]
        told = self._log_probabilities([logits[None] for logits, _ in heads])[:, 0]
        told = told.astype("float32")
        # Each member's share in the mean of each class, (members, 7).
        shares = np.exp(told - _log_mean(told)) / len(parts)
        own = self._each(lambda member, i: member.gradients(parts[i][1], facts[i]), range(len(parts)))
        gradients = []
        for i, of_member in enumerate(own):
            # Of log softmax: each logit's gradient less their mean by probability; all in one product of matrices.
            weights = shares[i][:, None] * (np.eye(len(CODES)) - np.exp(told[i])) / self._calibrations[i].temperature
            gradients.append(np.tensordot(weights.astype("float32"), of_member, 1))
        return np.concatenate(gradients, axis=-1)

    def _each(self, work: Callable[[Engine, Any], Any], given: Iterable) -> list:
        """The same work by each member, given one thing each; a member on a core of its own."""
        if cores() == 1:
            return list(map(work, self._members, given))
        return list(self._pool.map(work, self._members, given))

    @once
    def _pool(self) -> ThreadPoolExecutor:
        # Kept: what a new thread allocates is new to it, which takes longer than the work.
        return ThreadPoolExecutor(cores(), "member", initializer=one_core)

    def _parts(self, feature_map: np.ndarray):
        pieces = np.split(feature_map, self._edges[:-1], axis=-1)
        return [(member, np.ascontiguousarray(piece)) for member, piece in zip(self._members, pieces, strict=True)]

    def _facts(self, metadata: np.ndarray) -> list[np.ndarray]:
        """Metadata for each member; only known ages are rescaled."""
        if self._age_scales is None:
            return [metadata] * len(self._members)
        each = []
        for factor, offset in self._age_scales:
            own = metadata.copy()
            own[..., AGE] = np.where(
                metadata[..., AGE_MISSING] == 1, metadata[..., AGE], metadata[..., AGE] * factor + offset
            )
            each.append(own)
        return each

    def _log_probabilities(self, logits: list[np.ndarray]) -> np.ndarray:
        """Logits (N, 7) of each member -> (members, N, 7)."""
        pairs = zip(self._calibrations, logits, strict=True)
        scaled = np.stack([calibration.logits(of_member) for calibration, of_member in pairs])
        scaled = scaled - scaled.max(axis=-1, keepdims=True)
        return scaled - np.log(np.exp(scaled).sum(axis=-1, keepdims=True))

    def weights(self) -> tuple[list[np.ndarray], list[np.ndarray]]:
        each = [member.weights() for member in self._members]
        return [w for head, _ in each for w in head], [w for _, encoder in each for w in encoder]

    def with_weights(self, head: Sequence[np.ndarray], encoder: Sequence[np.ndarray] | None = None) -> MembersEngine:
        heads, encoders = iter(head), iter(encoder) if encoder is not None else None
        members = []
        for member in self._members:
            of_head, of_encoder = member.weights()
            own = [next(heads) for _ in of_head]
            members.append(member.with_weights(own, encoders and [next(encoders) for _ in of_encoder]))
        return MembersEngine(members, self._calibrations, self._age_scales)

    def classifier(self) -> Classifier:
        from core.networks.ensemble import build_ensemble

        return build_ensemble([member.classifier() for member in self._members], self._calibrations, self._age_scales)

    @property
    def versions(self) -> dict[str, str]:
        return {name: version for member in self._members for name, version in member.versions.items()}


def _log_mean(log_probabilities: np.ndarray) -> np.ndarray:
    top = log_probabilities.max(axis=0)
    return top + np.log(np.exp(log_probabilities - top).mean(axis=0))
