"""Dynamic batching: images that several requests ask about at the same time go through a network together."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING

import numpy as np

from core.serving import Engine

if TYPE_CHECKING:  # at run time this would load Keras
    from core.networks import Classifier


class BatchingEngine(Engine):
    """An engine whose `encode` waits for its turn, and then takes all who wait with it.

    While the network is at one batch, the next gathers; nobody waits for a batch to fill. An image that is no number, or of another
    shape, is answered apart, so that it cannot spoil its neighbours.

    Args:
        engine: what does the work.
        most: images of a batch.
        note: told how many images each batch had.
    """

    def __init__(self, engine: Engine, most: int, note: Callable[[int], None] | None = None):
        self._engine, self._most, self._note = engine, most, note
        self.name, self.image_size, self.feature_shape = engine.name, engine.image_size, engine.feature_shape
        self.uses_metadata, self.has_attention = engine.uses_metadata, engine.has_attention
        self.gradients_need_facts = engine.gradients_need_facts
        self._waiting: deque[tuple[np.ndarray, Future]] = deque()
        self._arrived = threading.Condition()
        self._worker: threading.Thread | None = None

    def encode(self, image: np.ndarray) -> np.ndarray:
        image = np.asarray(image, "float32")
        size = (self.image_size, self.image_size, 3)
        if image.ndim == 4 and image.shape[1:] == size and len(image):
            return np.stack([asked.result() for asked in self._ask(list(image))])
        if image.shape != size or not np.isfinite(image).all():
            return self._engine.encode(image)
        return self._ask([image])[0].result()

    def _ask(self, images: list[np.ndarray]) -> list[Future]:
        asked: list[Future] = [Future() for _ in images]
        with self._arrived:
            for pair in zip(images, asked, strict=True):
                if np.isfinite(pair[0]).all():
                    self._waiting.append(pair)
                else:
                    pair[1].set_result(self._engine.encode(pair[0]))
            if self._worker is None:
                self._worker = threading.Thread(target=self._work, name="batches", daemon=True)
                self._worker.start()
            self._arrived.notify()
        return asked

    def _work(self) -> None:
        while True:
            with self._arrived:
                self._arrived.wait_for(lambda: self._waiting)
                batch = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
            if self._note:
                self._note(len(batch))
            try:
                images = [image for image, _ in batch]
                # One image has all cores to itself.
                feature_maps = self._engine.encode(np.stack(images)) if len(images) > 1 else [self._engine.encode(images[0])]
            except Exception as error:  # noqa: BLE001 - whoever asked is told, and the next batch goes on
                for _, asked in batch:
                    asked.set_exception(error)
                continue
            for (_, asked), feature_map in zip(batch, feature_maps, strict=True):
                asked.set_result(feature_map)

    def head(self, feature_map: np.ndarray, metadata: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self._engine.head(feature_map, metadata)

    def gradients(self, feature_map: np.ndarray, metadata: np.ndarray) -> np.ndarray:
        return self._engine.gradients(feature_map, metadata)

    def ready(self) -> None:
        self._engine.ready()
        # A full batch has a session of its own.
        self._engine.encode(np.zeros((self._most, self.image_size, self.image_size, 3), "float32"))

    def weights(self) -> tuple[list[np.ndarray], list[np.ndarray]]:
        return self._engine.weights()

    def with_weights(self, head: Sequence[np.ndarray], encoder: Sequence[np.ndarray] | None = None) -> Engine:
        return self._engine.with_weights(head, encoder)

    def classifier(self) -> Classifier:
        return self._engine.classifier()

    @property
    def versions(self) -> dict[str, str]:
        return self._engine.versions
