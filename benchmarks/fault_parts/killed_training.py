"""A small training killed by `kill -9` at random moments, and what is there afterwards, digit by digit."""

import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from benchmarks.side_by_side import tell
from core.card import read_card
from core.data.drawn import draw_ham10000
from core.training.state import StateFolder

REPOSITORY = Path(__file__).resolve().parents[2]
# One run is killed so often before it may end.
KILLS_A_RUN = 5
# A backbone of three layers on drawn photos: a second an epoch, so that a kill falls between two of them as often as within one.
CHILD = """
import sys
sys.path[:0] = [sys.argv[1], sys.argv[1] + "/tests"]
from dataclasses import replace
import small_backbone
small_backbone.register()
from core.training.recipes import find_recipe
from core.training.state import StateFolder
from core.training.trainer import train
from core.training.watching import Report

def say(kind, what):
    sys.stdout.write(kind + " " + str(what) + chr(10))
    sys.stdout.flush()

recipe = replace(find_recipe("honest"), epochs=8, frozen_epochs=3)
say("ready", 0)
train(
    recipe, backbone=small_backbone.NAME, init="random", image_size=64, batch_size=8, folder=sys.argv[2], out=sys.argv[3],
    resume=StateFolder(sys.argv[3]).exists(), report=Report(epoch=lambda row: say("epoch", row["epoch"])),
)
say("done", 0)
"""


def measure(kills: int, seed: int) -> None:
    """Prints how often an epoch that was told as done was lost, and how many runs ended otherwise than the one nobody killed."""
    rng = random.Random(seed)
    lost, unequal, moments, left, runs = 0, 0, [], kills, 0
    with tempfile.TemporaryDirectory() as scratch:
        data = draw_ham10000(Path(scratch) / "ham10000")
        whole = Path(scratch) / "whole"
        training = Training(data, whole)
        training.finish()
        epochs, seconds = len(training.told), training.epoch_seconds
        wanted = result(whole)
        while left:
            out = Path(scratch) / f"run-{runs}"
            state = StateFolder(out)
            runs += 1
            # Moments in epochs: 3.4 is four tenths into the fourth.
            for moment in sorted(rng.uniform(0, epochs) for _ in range(min(KILLS_A_RUN, left))):
                training = Training(data, out)
                told = max(read_state(state), training.kill_at(moment, seconds))
                left -= 1
                if (out / "card.json").is_file() and not state.exists():
                    moments.append("after the end")
                    break
                saved = read_state(state)
                moments.append(round(moment, 2))
                lost = max(lost, told - saved)
            if state.exists() or not (out / "card.json").is_file():
                Training(data, out).finish()
            unequal += result(out) != wanted
    tell("killed trainings: epochs told as done and lost, at most", lost, "0", lost == 0, kills=kills, moments=moments)
    tell("killed trainings: ended otherwise / runs", unequal / runs, "0", unequal == 0, runs=runs, seed=seed)


class Training:
    """A training in a process of its own; goes on with what is in `out`."""

    def __init__(self, data: Path, out: Path):
        # When each epoch was told, of those that this process made.
        self.told: dict[int, float] = {}
        self.changed = threading.Condition()
        self.process = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(REPOSITORY), str(data), str(out)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"MELASCOPE_CACHE": str(data.parent / "cache")},
        )
        self.ready = threading.Event()
        self.listener = threading.Thread(target=self._listen)
        self.listener.start()
        while not self.ready.wait(0.1):
            if self.process.poll() is not None:
                raise RuntimeError(self.process.stderr.read())

    def _listen(self) -> None:
        for line in self.process.stdout:
            kind, _, what = line.strip().partition(" ")
            if kind == "ready":
                self.ready.set()
            elif kind == "epoch":
                with self.changed:
                    self.told[int(what)] = time.monotonic()
                    self.changed.notify()

    @property
    def epoch_seconds(self) -> float:
        """Of an epoch, on average of those after the first."""
        return (max(self.told.values()) - min(self.told.values())) / (len(self.told) - 1)

    def finish(self) -> None:
        """Waits for its end."""
        _, said = self.process.communicate()
        self.listener.join()
        if self.process.returncode:
            raise RuntimeError(said)

    def kill_at(self, moment: float, epoch_seconds: float) -> int:
        """Kills it at a moment that is counted in epochs; returns the last epoch that it has told."""
        before = int(moment)
        with self.changed:
            while self.process.poll() is None and max(self.told, default=0) < before:
                self.changed.wait(0.05)
        time.sleep((moment - before) * epoch_seconds)
        self.process.kill()
        self.process.wait()
        self.listener.join()
        self.process.stderr.close()
        return max(self.told, default=0)


def read_state(state: StateFolder) -> int:
    """The last whole epoch that is saved."""
    if not state.exists():
        return 0
    return json.loads((state.folder / "state.json").read_text(encoding="utf-8"))["epoch"]


def result(out: Path) -> tuple:
    """What must be equal in every digit: weights, calibration, split and history without what a clock says."""
    card = read_card(out)
    history = [line.rsplit(",", 1)[0] for line in (out / "history.csv").read_text().splitlines()]
    return card.weights["sha256"], str(card.calibration), json.dumps(card.split, sort_keys=True), history
