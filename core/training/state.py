"""What a run writes after each epoch, so that a kill at any moment loses no more than the epoch under way."""

import csv
import io
import json
import shutil
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import keras
import numpy as np

from core.card import HISTORY_FILE
from core.files import clear_leftovers, folder_written_whole, write_text
from core.serving.keras_weights import save_weights

STATE_FILE = "state.json"
WEIGHTS, OPTIMIZER = "model.weights.h5", "optimizer.npz"


class CannotResume(ValueError):
    """A run's saved state is missing, damaged, or of another run."""


@dataclass
class RunState:
    """Where a run stands.

    Args:
        settings: everything that must be equal for a run to go on.
        epoch: finished epochs over both phases.
        best_epoch, best: the best one so far and its validation figure.
        waiting: epochs since then, within the phase.
        plateau_waiting, best_loss: of the plateau schedule.
        history: one row an epoch.
        seconds: training time so far.
        frozen: epochs of phase one, once it has ended: fewer than the recipe's where it stopped early.
    """

    settings: dict
    epoch: int = 0
    best_epoch: int = 0
    best: float = -1.0
    waiting: int = 0
    plateau_waiting: int = 0
    best_loss: float = 1e9
    history: list[dict] = field(default_factory=list)
    seconds: float = 0.0
    frozen: int | None = None

    def end_phase_one(self, planned: int) -> None:
        """Notes how long phase one was, and lets patience begin anew.

        Args:
            planned: the recipe's epochs of phase one.
        """
        self.frozen = min(self.epoch, planned)
        # A state of phase two that was written without this note keeps its count.
        if self.epoch == self.frozen:
            self.waiting = self.plateau_waiting = 0


class StateFolder:
    """`<out>/training/`: one folder an epoch (weights, optimizer) and `state.json`, which names the whole ones.

    `state.json` is replaced last, so it never points at a half-written epoch.
    """

    def __init__(self, out: Path):
        self.folder = Path(out) / "training"

    def exists(self) -> bool:
        return (self.folder / STATE_FILE).is_file()

    def check(self) -> None:
        """Stops where there is nothing to resume, before anything long is done.

        Raises:
            CannotResume: no whole epoch was saved, or what was saved is damaged or no longer there.
        """
        self._read()

    def _read(self) -> RunState:
        if not self.exists():
            raise CannotResume(
                f"{self.folder} has no {STATE_FILE}: there is nothing to resume. Train without --resume."
            )
        try:
            progress = RunState(**json.loads((self.folder / STATE_FILE).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise CannotResume(f"{self.folder / STATE_FILE} is damaged ({error}). {self._anew()}") from None
        self._check(progress)
        return progress

    def clear(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def save(self, progress: RunState, model: keras.Model, optimizer: keras.Optimizer) -> None:
        """Writes an epoch, then points `state.json` at it, then drops epochs that are neither last nor best."""
        self.folder.mkdir(parents=True, exist_ok=True)
        clear_leftovers(self.folder)
        name = f"epoch-{progress.epoch:03d}"
        with folder_written_whole(self.folder / name) as scratch:
            # And the optimizer's, which are two of each.
            save_weights(model, scratch / WEIGHTS, copies=3)
            values = [keras.ops.convert_to_numpy(v) for v in optimizer.variables]
            np.savez(scratch / OPTIMIZER, *values)
        write_history(progress.history, self.folder.parent)
        write_text(self.folder / STATE_FILE, json.dumps(vars(progress)))
        keep = {name, f"epoch-{progress.best_epoch:03d}"}
        for old in self.folder.glob("epoch-*"):
            if old.name not in keep:
                shutil.rmtree(old, ignore_errors=True)

    def load(self, settings: dict) -> RunState:
        """Reads where the run stands.

        Raises:
            CannotResume: nothing to resume, or the saved run had other settings; the message names them.
        """
        progress = self._read()
        now = json.loads(json.dumps(settings))
        different = sorted(k for k in now.keys() | progress.settings.keys() if now.get(k) != progress.settings.get(k))
        if different:
            raise CannotResume(
                f"The run in {self.folder} was started with other settings: {', '.join(different)}. "
                "Repeat its command line with --resume, or choose another --out."
            )
        return progress

    def restore_model(self, epoch: int, model: keras.Model) -> None:
        """Loads an epoch's weights.

        Raises:
            CannotResume: they are gone, damaged or of another network.
        """
        path = self._epoch(epoch) / WEIGHTS
        try:
            model.load_weights(path)
        except (OSError, ValueError, KeyError) as error:
            raise self._unusable(path, error) from error

    def restore_optimizer(self, epoch: int, optimizer: keras.Optimizer) -> None:
        """Loads an epoch's optimizer state; the optimizer must have been built on the trained weights.

        Raises:
            CannotResume: it is gone, damaged or of another optimizer.
        """
        path = self._epoch(epoch) / OPTIMIZER
        try:
            with np.load(path) as saved:
                values = [saved[key] for key in saved.files]
            for variable, value in zip(optimizer.variables, values, strict=True):
                variable.assign(value)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise self._unusable(path, error) from error

    def _epoch(self, epoch: int) -> Path:
        return self.folder / f"epoch-{epoch:03d}"

    def _check(self, progress: RunState) -> None:
        """Stops where the state is not one that a run wrote, or names an epoch that is no longer there."""
        try:
            fits = (
                isinstance(progress.settings, dict)
                and progress.epoch >= 1
                and 0 <= progress.best_epoch <= progress.epoch
                and all(isinstance(row, dict) for row in progress.history)
            )
        except TypeError:
            fits = False
        if not fits:
            raise CannotResume(f"{self.folder / STATE_FILE} is damaged: its numbers cannot be. {self._anew()}")
        for epoch in sorted({progress.epoch, progress.best_epoch} - {0}):
            lacking = [f for f in (WEIGHTS, OPTIMIZER) if not (self._epoch(epoch) / f).is_file()]
            if lacking:
                raise CannotResume(
                    f"{STATE_FILE} in {self.folder} says that epoch {epoch} was saved, but {self._epoch(epoch).name} lacks "
                    f"{' and '.join(lacking)}. Restore the folder, or begin again: {self._anew()}"
                )

    def _anew(self) -> str:
        return f"Delete {self.folder} and train without --resume."

    def _unusable(self, path: Path, error: Exception) -> CannotResume:
        line = (str(error).splitlines() or [type(error).__name__])[0]
        return CannotResume(f"{path} cannot be used ({line}). Restore it, or begin again: {self._anew()}")


def write_history(rows: list[dict], folder: Path) -> None:
    """Writes `history.csv`, one row an epoch."""
    if not rows:
        return
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    write_text(Path(folder) / HISTORY_FILE, file.getvalue())
