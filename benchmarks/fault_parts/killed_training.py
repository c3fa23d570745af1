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
KILLS_A_RUN = 4
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
    lost, unequal, moments, left = 0, 0, [], kills
    with tempfile.TemporaryDirectory() as scratch:
        data = draw_ham10000(Path(scratch) / "ham10000")
        whole = Path(scratch) / "whole"
        training = Training(data, whole)
        seconds = training.finish()
        wanted = result(whole)
        runs = 0
        while left:
            out = Path(scratch) / f"run-{runs}"
            runs += 1
            for _ in range(min(KILLS_A_RUN, left)):
                before = read_state(StateFolder(out))
                training = Training(data, out)
                told = max(before, training.kill_after(rng.uniform(0, seconds * 0.6)))
                left -= 1
                state = StateFolder(out)
                if (out / "card.json").is_file() and not state.exists():
                    moments.append("after the end")
                    break
                saved = read_state(state)
                moments.append(f"epoch {max(told, saved) + 1}")
                lost = max(lost, told - saved)
            if StateFolder(out).exists() or not (out / "card.json").is_file():
                Training(data, out).finish()
            unequal += result(out) != wanted
    tell("killed trainings: epochs told as done and lost, at most", lost, "0", lost == 0, kills=kills, moments=moments)
    tell("killed trainings: ended otherwise / runs", unequal / runs, "0", unequal == 0, runs=runs, seed=seed)


class Training:
    """A training in a process of its own; goes on with what is in `out`."""

    def __init__(self, data: Path, out: Path):
        self.epoch = 0
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
                self.epoch = int(what)

    def finish(self) -> float:
        """Waits for its end; returns the seconds from when it was ready."""
        begun = time.monotonic()
        _, said = self.process.communicate()
        self.listener.join()
        if self.process.returncode:
            raise RuntimeError(said)
        return time.monotonic() - begun

    def kill_after(self, seconds: float) -> int:
        """Kills it; returns the last epoch that it has told."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.process.wait()
        self.listener.join()
        self.process.stderr.close()
        return self.epoch


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
