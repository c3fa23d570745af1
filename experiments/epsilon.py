"""Adam's epsilon 0.1 against 1e-7: why the paper's Table 8 shows weightings that differ only by a factor as better and worse.

    python -m experiments.epsilon --data HAM10000 --imagenet FOLDER

The paper's three weightings are one vector times 1/32.5 (its "no weight" runs), 1 ("new") and 7 ("original"): a common factor
cannot rebalance the diagnoses. Under Adam with epsilon 0.1 it acts as a learning rate, since gradients are small beside 0.1; with
1e-7 it does nothing. Here: pooled heads on frozen maps, no attention, no facts, the same seeds, photos and epochs for all (`TRAINING`).
True "no weight" stands beside them.

Writes epsilon-runs.jsonl and epsilon.json (schema: see `experiments.comparisons`; an entry also has `weights`, `against` and `epsilon`).
`train_accuracy` of each run says whether it is undertrained.

Reference: docs/reproduction.md, sections 0 and 5; paper, Table 8.
"""

import itertools
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from core.data.ham10000 import class_indices
from core.data.split import Split
from experiments.cells import Cell, Training, make_parts, pooled, predict_cells, train_cells
from experiments.comparisons import CONFIDENCE, Judge, compare, make_judge, write_result
from experiments.maps import feature_maps
from experiments.placing import Job, carry_out, run_options
from experiments.runs import describe, read_runs, unfinished, with_result
from experiments.splits import lesion_split, read_linked_table
from experiments.terminal import arguments, run_by_name

NAME = "epsilon"
BACKBONES = ("MobileNetV3Small", "MobileNetV2")
SEEDS = (0, 1, 2, 3, 4)
EPSILONS = (1e-7, 0.1)
# The three proportional ones, from the smallest, then no weighting at all.
WEIGHTS = ("normalised_inverse", "paper", "inverse", "none")
TRAINING = Training(epochs=12)
METRICS = ("balanced_accuracy", "accuracy", "mel.sensitivity")
QUESTIONS = (("normalised_inverse", "paper"), ("inverse", "paper"), ("none", "paper"))


def make_cells() -> list[Cell]:
    """Every weighting under every epsilon."""
    return [Cell(weights=w, epsilon=e) for e, w in itertools.product(EPSILONS, WEIGHTS)]


def run_epsilon(
    path: Path,
    table: pd.DataFrame,
    split: Split,
    features_of: dict[str, np.ndarray],
    seeds: Iterable[int] = SEEDS,
    training: Training = TRAINING,
    address: str | None = None,
) -> None:
    """Trains and scores every cell that the results file lacks.

    Args:
        path: the file of runs.
        features_of: backbone -> pooled maps of all photos, (N, 1, 1, C).
        address: see `carry_out`.
    """
    carry_out(path, _jobs(path, table, split, features_of, seeds, training), address)


def _jobs(
    path: Path,
    table: pd.DataFrame,
    split: Split,
    features_of: dict[str, np.ndarray],
    seeds: Iterable[int],
    training: Training,
) -> Iterator[Job]:
    for seed, (backbone, features), epsilon in itertools.product(seeds, features_of.items(), EPSILONS):
        of_run = {
            cell: describe(cell, training, backbone=backbone, split=split.hash, seed=seed)
            for cell in make_cells()
            if cell.epsilon == epsilon
        }
        todo = unfinished(path, of_run.values())
        chosen = {cell: run for cell, run in of_run.items() if run in todo}
        if chosen:
            given = (table, split, features, training, seed, chosen)
            yield Job(f"{backbone}, seed {seed}, epsilon {epsilon}", train_weightings, given)


def train_weightings(
    table: pd.DataFrame,
    split: Split,
    features: np.ndarray,
    training: Training,
    seed: int,
    planned: dict[Cell, dict],
) -> list[dict]:
    """Trains cells of one epsilon together.

    Args:
        features: pooled maps of all photos, (N, 1, 1, C).
        planned: each cell's run without its result.

    Returns:
        The finished runs.
    """
    started = time.monotonic()
    parts = make_parts(table, split, seed)
    train, test = parts["train"], parts["test"]
    model = train_cells(list(planned), features[train.rows], train, training, seed)
    logits = predict_cells(model, features[test.rows], test)
    trained = (predict_cells(model, features[train.rows], train).argmax(-1) == train.labels[:, None]).mean(axis=0)
    seconds = (time.monotonic() - started) / len(planned)
    runs = [with_result(run, test.labels, logits[:, i], seconds) for i, run in enumerate(planned.values())]
    for run, accuracy in zip(runs, trained, strict=True):
        run["scores"]["train_accuracy"] = round(float(accuracy), 4)
    return runs


def summarise(runs: Iterable[dict], judge: Judge, split: Split, training: Training = TRAINING) -> dict:
    """The result: each weighting's score, and what a common factor does, under each epsilon."""
    by_key = {}
    for run in runs:
        if run["split"] == split.hash and run["training"] == vars(training):
            by_key[(run["backbone"], run["epsilon"], run["weights"], run["seed"])] = run
    backbones = [b for b in BACKBONES if any(key[0] == b for key in by_key)]
    comparisons = []
    for backbone, epsilon in itertools.product(backbones, EPSILONS):
        own = {key[2:]: run for key, run in by_key.items() if key[:2] == (backbone, epsilon)}
        for weights in WEIGHTS:
            of_weights = [run for (name, _), run in own.items() if name == weights]
            about = {
                "name": f"{weights}, epsilon {epsilon:g}",
                "backbone": backbone,
                "weights": weights,
                "epsilon": epsilon,
            }
            for metric in METRICS if of_weights else ():
                trained = float(np.mean([run["scores"]["train_accuracy"] for run in of_weights]))
                comparisons.append(compare(judge, metric, of_weights, **about, train_accuracy=round(trained, 4)))
        for weights, against in QUESTIONS:
            seeds = [seed for name, seed in own if name == weights and (against, seed) in own]
            about = {"name": f"{weights} against {against}, epsilon {epsilon:g}", "backbone": backbone}
            about |= {"weights": weights, "against": against, "epsilon": epsilon}
            for metric in METRICS if seeds else ():
                first, second = ([own[name, seed] for seed in seeds] for name in (weights, against))
                comparisons.append(compare(judge, metric, first, second, **about))
    return {
        "experiment": NAME,
        "about": "Loss weights that differ by a common factor, under Adam with epsilon 1e-7 and 0.1; heads on frozen maps.",
        "command": "python -m experiments.epsilon --data HAM10000 --imagenet FOLDER",
        "backbones": backbones,
        "seeds": sorted({key[3] for key in by_key}),
        "seconds": round(sum(run["seconds"] for run in by_key.values())),
        "training": vars(training),
        "split_hash": split.hash,
        "part": "test",
        "confidence": CONFIDENCE,
        "comparisons": comparisons,
    }


def main() -> None:
    """The command."""
    parser = arguments(__doc__)
    parser.add_argument("--backbones", nargs="+", choices=BACKBONES, default=BACKBONES)
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    run_options(parser)
    choices = parser.parse_args()
    table = read_linked_table(choices.data)
    split = lesion_split(table)
    path = choices.results / f"{NAME}-runs.jsonl"
    if not choices.summary:
        features_of = {b: pooled(feature_maps(table, b, choices.imagenet), "none") for b in choices.backbones}
        run_epsilon(path, table, split, features_of, choices.seeds, address=choices.ray)
    test = split.rows(table, "test")
    judge = make_judge(class_indices(test), test.lesion_id)
    write_result(choices.results / f"{NAME}.json", summarise(read_runs(path), judge, split))


if __name__ == "__main__":
    run_by_name("experiments.epsilon")
