"""Do soft attention, patient facts and loss weights help? Every combination on frozen feature maps, on the same photos.

    python -m experiments.factorial --data HAM10000 --imagenet FOLDER

Design: attention {none, paper, published, constant map, constant map with gamma} x metadata {none, real, shuffled, only} x class
weights {none, inverse, the paper's new, square-root inverse} x seeds x backbones. A head on facts only has no attention, so its cells
are counted once: 5 x 3 x 4 + 4 = 64 cells a seed and backbone. Lesion-grouped split of seed 0; the head and its training are the same
for all (`Training`, fixed on validation before the test part was looked at); the last weights are scored, nothing is chosen. The seed
sets first weights, the photos' order, dropout, and which lesion's facts a shuffled lesion gets. "none" has no attention module at all;
the constant map ("uniform") has all of it but the learned map, on the scale of the published code's, which has no gamma; "uniform_gamma"
has it on the paper's scale (gamma from 0.01, learned). So "does attending help" is paper against uniform_gamma, and published against
uniform.

Writes factorial-runs.jsonl (one finished run a line; a killed experiment goes on from there) and factorial.json (schema: see
`experiments.comparisons`; an entry also has `factor`, `level` and `against`; `cells` holds every cell's score).
"""

import itertools
import time
from collections.abc import Iterable, Iterator, Sequence
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

NAME = "factorial"
BACKBONES = ("MobileNetV3Small", "MobileNetV2")
SEEDS = (0, 1, 2, 3, 4)
# Answers questions about attention alone: it does not count twice for the constant map where others average over attention.
CONTROL = "uniform_gamma"
# In the order in which they are run: the quick ones first.
ATTENTIONS = ("none", CONTROL, "paper", "uniform", "published")
METADATA = ("none", "real", "shuffled", "only")
WEIGHTS = ("none", "inverse", "paper", "sqrt_inverse")
TRAINING = Training()
SHIPPABLE = ("none", "real")
METRICS = ("balanced_accuracy", "accuracy", "mel.sensitivity")
# Heads without attention are quick and come first, so that an experiment that is stopped has their answers for all seeds.
PASSES = (("none",), tuple(form for form in ATTENTIONS if form != "none"))
# (factor, level, against). Attention and weights are averaged over metadata none and real, the two that one would ship.
QUESTIONS = (
    ("attention", "paper", CONTROL),
    ("attention", "paper", "uniform"),
    ("attention", "published", "uniform"),
    ("attention", "paper", "published"),
    ("attention", "paper", "none"),
    ("attention", "published", "none"),
    ("attention", "uniform", "none"),
    ("attention", CONTROL, "uniform"),
    ("metadata", "real", "none"),
    ("metadata", "real", "shuffled"),
    ("metadata", "shuffled", "none"),
    ("metadata", "only", "none"),
    ("weights", "inverse", "none"),
    ("weights", "paper", "none"),
    ("weights", "sqrt_inverse", "none"),
    ("weights", "paper", "inverse"),
    ("weights", "paper", "sqrt_inverse"),
)


def make_cells() -> list[Cell]:
    """The 64 different cells; those of facts only are the same whatever the attention, and come once."""
    return list(dict.fromkeys(Cell(*levels) for levels in itertools.product(ATTENTIONS, METADATA, WEIGHTS)))


def run_factorial(
    path: Path,
    table: pd.DataFrame,
    split: Split,
    maps_of: dict[str, np.ndarray],
    seeds: Iterable[int] = SEEDS,
    training: Training = TRAINING,
    cells: Sequence[Cell] | None = None,
    address: str | None = None,
) -> None:
    """Trains and scores every cell that the results file lacks; cells of one attention form together, in one pass over the maps.

    Args:
        path: the file of runs.
        maps_of: backbone -> feature maps of the table's photos.
        address: see `carry_out`.
    """
    cells = make_cells() if cells is None else cells
    carry_out(path, _jobs(path, table, split, maps_of, tuple(seeds), training, cells), address)


def _jobs(
    path: Path,
    table: pd.DataFrame,
    split: Split,
    maps_of: dict[str, np.ndarray],
    seeds: tuple[int, ...],
    training: Training,
    cells: Sequence[Cell],
) -> Iterator[Job]:
    order = [run for forms in PASSES for run in itertools.product(seeds, maps_of, forms)]
    for seed, backbone, attention in order:
        of_run = {
            cell: describe(cell, training, backbone=backbone, split=split.hash, seed=seed)
            for cell in cells
            if cell.attention == attention
        }
        todo = unfinished(path, of_run.values())
        chosen = {cell: run for cell, run in of_run.items() if run in todo}
        if chosen:
            given = (table, split, maps_of[backbone], attention, training, seed, chosen)
            yield Job(f"{backbone}, seed {seed}, attention {attention}", train_heads, given)


def train_heads(
    table: pd.DataFrame,
    split: Split,
    maps: np.ndarray,
    attention: str,
    training: Training,
    seed: int,
    planned: dict[Cell, dict],
) -> list[dict]:
    """Trains cells of one attention form together.

    Args:
        maps: of the table's photos.
        planned: each cell's run without its result.

    Returns:
        The finished runs.
    """
    started = time.monotonic()
    parts = make_parts(table, split, seed)
    train, test = (pooled(maps[parts[p].rows], attention) for p in ("train", "test"))
    model = train_cells(list(planned), train, parts["train"], training, seed)
    logits = predict_cells(model, test, parts["test"])
    seconds = (time.monotonic() - started) / len(planned)
    return [with_result(run, parts["test"].labels, logits[:, i], seconds) for i, run in enumerate(planned.values())]


def _pairs(runs: dict[tuple, dict], factor: str, level: str, against: str) -> tuple[list[dict], list[dict]]:
    """Runs at a level of a factor and their twins at another, equal in all else."""
    place = {"attention": 2, "metadata": 3, "weights": 4}[factor]
    first, second = [], []
    for key, run in runs.items():
        if factor != "attention" and key[2] == CONTROL:
            continue
        twin = list(key)
        twin[place] = against
        if level == "only":
            # Facts only has no attention: its twin is the plain photo head.
            twin[2] = "none"
        twin = tuple(twin)
        wanted = key[place] == level and (factor == "metadata" or key[3] in SHIPPABLE)
        if wanted and twin in runs:
            first.append(run)
            second.append(runs[twin])
    return first, second


def summarise(runs: Iterable[dict], judge: Judge, split: Split, training: Training = TRAINING) -> dict:
    """The result: every question's answer for every backbone, and every cell's score."""
    by_key = {}
    for run in runs:
        if run["split"] == split.hash and run["training"] == vars(training):
            by_key[(run["backbone"], run["seed"], run["attention"], run["metadata"], run["weights"])] = run
    backbones = [b for b in BACKBONES if any(key[0] == b for key in by_key)]
    comparisons, cells = [], []
    for backbone in backbones:
        own = {key: run for key, run in by_key.items() if key[0] == backbone}
        for factor, level, against in QUESTIONS:
            first, second = _pairs(own, factor, level, against)
            about = {
                "name": f"{factor}: {level} against {against}",
                "factor": factor,
                "level": level,
                "against": against,
                "backbone": backbone,
                "pairs": len(first),
            }
            if first:
                comparisons += [compare(judge, metric, first, second, **about) for metric in METRICS]
        for cell in make_cells():
            of_cell = [run for key, run in own.items() if key[2:] == (cell.attention, cell.metadata, cell.weights)]
            if of_cell:
                about = {
                    "name": f"attention {cell.attention}, metadata {cell.metadata}, weights {cell.weights}",
                    "attention": cell.attention,
                    "metadata": cell.metadata,
                    "weights": cell.weights,
                    "backbone": backbone,
                    "auc_macro": round(float(np.mean([run["scores"]["auc_macro"] for run in of_cell])), 4),
                    "accuracy": round(float(np.mean([run["scores"]["accuracy"] for run in of_cell])), 4),
                }
                cells.append(compare(judge, "balanced_accuracy", of_cell, **about))
    return {
        "experiment": NAME,
        "about": "Heads on frozen feature maps; attention x metadata x class weights, each question averaged over the other factors.",
        "command": "python -m experiments.factorial --data HAM10000 --imagenet FOLDER",
        "backbones": backbones,
        "seeds": {b: sorted({key[1] for key in by_key if key[0] == b}) for b in backbones},
        "runs": len(by_key),
        "runs_planned": len(make_cells()) * len(SEEDS) * len(BACKBONES),
        "seconds": round(sum(run["seconds"] for run in by_key.values())),
        "training": vars(training),
        "split_hash": split.hash,
        "part": "test",
        "confidence": CONFIDENCE,
        "comparisons": comparisons,
        "cells": cells,
    }


def main() -> None:
    """The command."""
    parser = arguments(__doc__)
    parser.add_argument("--backbones", nargs="+", choices=BACKBONES, default=BACKBONES)
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    parser.add_argument(
        "--attentions", nargs="+", choices=ATTENTIONS, default=ATTENTIONS, help="two processes can share the work"
    )
    run_options(parser)
    choices = parser.parse_args()
    table = read_linked_table(choices.data)
    split = lesion_split(table)
    path = choices.results / f"{NAME}-runs.jsonl"
    if not choices.summary:
        maps_of = {backbone: feature_maps(table, backbone, choices.imagenet) for backbone in choices.backbones}
        cells = [cell for cell in make_cells() if cell.attention in choices.attentions]
        run_factorial(path, table, split, maps_of, choices.seeds, cells=cells, address=choices.ray)
    test = split.rows(table, "test")
    judge = make_judge(class_indices(test), test.lesion_id)
    write_result(choices.results / f"{NAME}.json", summarise(read_runs(path), judge, split))


if __name__ == "__main__":
    run_by_name("experiments.factorial")
