"""Callbacks of one epoch: progress on the terminal, and an immediate stop on a loss that is not a number."""

import math
from collections.abc import Callable

import keras


class TrainingDiverged(ValueError):
    """The loss became NaN or infinite."""


class StopOnNaN(keras.callbacks.Callback):
    """Raises at the first batch whose loss is not finite.

    Raises:
        TrainingDiverged: says in which epoch and batch, and what to try.
    """

    def __init__(self, epoch: int):
        super().__init__()
        self.epoch_number = epoch

    def on_train_batch_end(self, batch, logs=None):
        loss = float((logs or {}).get("loss", 0.0))
        if not math.isfinite(loss):
            raise TrainingDiverged(
                f"The loss became {loss} in epoch {self.epoch_number}, batch {batch + 1}. The last whole epoch is kept. "
                "Try a smaller learning rate or another --seed, or check the photos with `data check`."
            )


class ReportBatches(keras.callbacks.Callback):
    """Tells `report(batch, loss)` after each batch."""

    def __init__(self, report: Callable[[int, float], None]):
        super().__init__()
        self.report = report

    def on_train_batch_end(self, batch, logs=None):
        self.report(batch + 1, float((logs or {}).get("loss", 0.0)))
