"""What a run writes after each epoch, so that a kill at any moment loses no more than the epoch under way."""

import csv
import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import keras
import numpy as np

STATE_FILE = "state.json"
HISTORY_FILE = "history.csv"


class CannotResume(ValueError):
    """A run's saved state is missing, damaged, or of another run."""


@dataclass
class Progress:
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
        """Stops where there is nothing to resume.

        Raises:
            CannotResume: no whole epoch was saved.
        """
        if not self.exists():
            raise CannotResume(
                f"{self.folder} has no {STATE_FILE}: there is nothing to resume. Train without --resume."
            )

    def clear(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def save(self, progress: Progress, model: keras.Model, optimizer: keras.Optimizer) -> None:
        """Writes an epoch, then points `state.json` at it, then drops epochs that are neither last nor best."""
        self.folder.mkdir(parents=True, exist_ok=True)
        name = f"epoch-{progress.epoch:03d}"
        scratch = self.folder / f"partial-{name}"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        model.save_weights(scratch / "model.weights.h5")
        values = [keras.ops.convert_to_numpy(v) for v in optimizer.variables]
        np.savez(scratch / "optimizer.npz", *values)
        target = self.folder / name
        shutil.rmtree(target, ignore_errors=True)
        scratch.rename(target)
        write_history(progress.history, self.folder.parent)
        pointer = self.folder / f"{STATE_FILE}.partial"
        pointer.write_text(json.dumps(vars(progress)), encoding="utf-8")
        pointer.replace(self.folder / STATE_FILE)
        keep = {name, f"epoch-{progress.best_epoch:03d}"}
        for old in self.folder.glob("epoch-*"):
            if old.name not in keep:
                shutil.rmtree(old, ignore_errors=True)

    def load(self, settings: dict) -> Progress:
        """Reads where the run stands.

        Raises:
            CannotResume: nothing to resume, or the saved run had other settings; the message names them.
        """
        self.check()
        try:
            progress = Progress(**json.loads((self.folder / STATE_FILE).read_text(encoding="utf-8")))
        except (ValueError, TypeError) as error:
            raise CannotResume(f"{self.folder / STATE_FILE} is damaged ({error}). Train without --resume.") from None
        now = json.loads(json.dumps(settings))
        different = sorted(k for k in now.keys() | progress.settings.keys() if now.get(k) != progress.settings.get(k))
        if different:
            raise CannotResume(
                f"The run in {self.folder} was started with other settings: {', '.join(different)}. "
                "Repeat its command line with --resume, or choose another --out."
            )
        return progress

    def restore_model(self, epoch: int, model: keras.Model) -> None:
        """Loads an epoch's weights."""
        model.load_weights(self.folder / f"epoch-{epoch:03d}" / "model.weights.h5")

    def restore_optimizer(self, epoch: int, optimizer: keras.Optimizer) -> None:
        """Loads an epoch's optimizer state; the optimizer must have been built on the trained weights."""
        with np.load(self.folder / f"epoch-{epoch:03d}" / "optimizer.npz") as saved:
            for variable, key in zip(optimizer.variables, saved.files, strict=True):
                variable.assign(saved[key])


def write_history(rows: list[dict], folder: Path) -> None:
    """Writes `history.csv`, one row an epoch, through a temporary file."""
    if not rows:
        return
    scratch = Path(folder) / f"{HISTORY_FILE}.partial"
    with open(scratch, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    scratch.replace(Path(folder) / HISTORY_FILE)
