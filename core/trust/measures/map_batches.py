"""Answers and maps of many photos, by a network and by the same network with shuffled weights."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from core.bundle import Bundle
from core.explain import EXPLAINERS
from core.explain.evidence import Evidence
from core.explain.heatmap import make_heatmap

BATCH = 32
# What is shuffled, from the answer backwards. Reference: Adebayo et al. 2018, "cascading randomisation".
STAGES = ("head", "all")


class MapBatches:
    """A network that is asked for the maps of many photos.

    The maps are those that a reading shows (`core.explain`): the same explainers, started from the same gradient.
    """

    def __init__(self, bundle: Bundle):
        self._engine, self._calibration = bundle.engine, bundle.card.calibration

    def maps(
        self, images: np.ndarray, metadata: np.ndarray, targets: np.ndarray | None = None
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Probabilities and maps of a batch.

        Args:
            images: (B, S, S, 3), RGB 0..255.
            metadata: (B, D).
            targets: classes to explain, (B,); the likeliest when None.

        Returns:
            Calibrated probabilities (B, 7), and method -> (B, h, w), 0..1; all zero where a map says nothing.
        """
        engine = self._engine
        features = engine.encode(images)
        logits, attention = engine.head(features, metadata)
        targets = logits.argmax(axis=1) if targets is None else targets
        gradients = [
            engine.gradients(feature_map, facts)[target]
            for feature_map, facts, target in zip(features, metadata, targets, strict=True)
        ]
        maps = {}
        for method, explainer in EXPLAINERS.items():
            raw = [
                explainer.weigh(Evidence(f, a if engine.has_attention else None, g, engine, m, int(target)))
                for f, a, g, m, target in zip(features, attention, gradients, metadata, targets, strict=True)
            ]
            if raw[0] is not None:
                maps[method] = np.stack([make_heatmap(one, method).values for one in raw])
        return self._calibration.probabilities(logits), maps

    def probabilities(self, images: np.ndarray, metadata: np.ndarray) -> np.ndarray:
        """Calibrated probabilities of a batch, (B, 7)."""
        return self._calibration.probabilities(self._engine.head(self._engine.encode(images), metadata)[0])

    @contextmanager
    def shuffled(self, stage: str, seed: int) -> Iterator[None]:
        """Inside this, the values of each weight of the network stand in random order; afterwards all is as before.

        Shuffling keeps each weight's distribution, so that what changes is what was learnt and not the scale.

        Args:
            stage: "head", or "all" for head and encoder.
        """
        kept = self._engine
        rng = np.random.default_rng([seed, STAGES.index(stage)])
        parts = [[_shuffle(value, rng) for value in part] for part in kept.weights()[: STAGES.index(stage) + 1]]
        self._engine = kept.with_weights(*parts)
        try:
            yield
        finally:
            self._engine = kept


def _shuffle(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return rng.permutation(values.ravel()).reshape(values.shape) if values.size > 1 else values
