"""Do attention, facts and loss weights help once the whole network learns? The factorial's decisive cells, fine-tuned end to end.

    python -m experiments.fine_tune --data HAM10000 --imagenet FOLDER

Each cell changes one thing of the base cell (constant attention map, no facts, square-root inverse weights): MobileNetV3Small, pooled head,
two epochs of the head on frozen maps, then `EPOCHS` of the whole network; lesion-grouped split. The seed also draws the split, so every
seed has its own test photos; differences are between cells of one seed, on the same photos. The epoch is chosen on validation; no prior
shift is fitted, since it would undo what the weights do.

Cost: 6 cells x 3 seeds. An epoch of the whole network takes four minutes on two quiet CPU cores (a network ten minutes, all of it three
hours; the paper's questions, `--questions-only`, two), seconds on a GPU; two are enough to tell cells apart, not for the best network. A
run goes on after its last whole epoch, the experiment after its last whole run; processes with different `--seeds` can share a machine.

Writes runs/fine_tune/<cell>/ (the networks; not for the repository), fine_tune-runs.jsonl and fine_tune.json (schema: see
`experiments.comparisons`; an entry also has `factor`, `level` and `against`).
"""

import itertools
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd

from core.bundle import load_bundle
from core.card import CARD_FILE
from core.data.augment import HONEST_AUGMENTATION
from core.data.ham10000 import class_indices
from core.designs import NetworkDesign
from core.diagnoses import CODES
from core.evaluation.predictions import predict_table
from core.training.recipes import Recipe
from core.training.state import StateFolder
from core.training.trainer import Report, train
from experiments.comparisons import CONFIDENCE, compare_pooled, write_result
from experiments.maps import find_init
from experiments.placing import run_options
from experiments.runs import append_runs, predicted_classes, read_runs, unfinished, with_result
from experiments.splits import lesion_split, read_linked_table
from experiments.terminal import arguments, say

NAME = "fine_tune"
BACKBONE = "MobileNetV3Small"
SEEDS = (0, 1, 2)
EPOCHS = 2
METRICS = ("balanced_accuracy", "accuracy", "mel.sensitivity")
BASE = {"attention": "uniform", "metadata": "none", "weights": "sqrt_inverse"}
# (factor, level): one change of the base cell each. The base itself comes first, since every difference needs it; the first
# `QUESTIONS` answer what the paper asks and are run for all seeds before the others.
QUESTIONS = 4
CHANGES = (
    ("attention", "uniform"),
    ("attention", "paper"),
    ("metadata", "real"),
    ("weights", "none"),
    ("attention", "none"),
    ("attention", "normalised"),
)
RECIPE = Recipe(
    about="A decisive cell, fine-tuned.",
    network=NetworkDesign(head="pooled", metadata_units=64, dropout=0.2),
    frozen_epochs=2,
    epochs=EPOCHS,
    rate=7e-4,
    weight_decay=0.02,
    augmentation=HONEST_AUGMENTATION,
    batch_norm_momentum=0.98,
)
# (recipe, seed, name of the run) -> logits of the seed's test photos, (N, 7).
Trainer = Callable[[Recipe, int, str], np.ndarray]


def make_cell(factor: str, level: str) -> dict[str, str]:
    """The base cell with one change."""
    return {**BASE, factor: level}


def recipe_of(cell: dict[str, str], seed: int) -> Recipe:
    """The recipe that trains a cell."""
    network = replace(RECIPE.network, attention=cell["attention"], metadata=cell["metadata"] == "real")
    return replace(RECIPE, network=network, class_weights=cell["weights"], seed=seed)


def name_of(cell: dict[str, str], seed: int) -> str:
    """Of a cell's run, and of its network's folder."""
    return f"{'-'.join(cell.values())}-seed{seed}"


def _planned(cell: dict[str, str], seed: int) -> dict:
    recipe = recipe_of(cell, seed)
    # The kept runs are found again by these words: choices that came later are not among them.
    network = {name: value for name, value in asdict(recipe.network).items() if name not in ("gamma", "learn_gamma")}
    return {**cell, "backbone": BACKBONE, "seed": seed, "recipe": {**recipe.to_json(), "network": network}}


def make_trainer(folder: Path, table: pd.DataFrame, imagenet: Path | None, out: Path) -> Trainer:
    """A trainer that keeps each network under `out`, and goes on with one that was stopped.

    Args:
        folder: HAM10000.
        imagenet: see `find_init`.
    """

    def train_one(recipe: Recipe, seed: int, name: str) -> np.ndarray:
        place = out / name
        if not (place / CARD_FILE).is_file():
            report = Report(
                say=say, epoch=lambda row: say(f"{name}, epoch {row['epoch']}: {row['val_balanced_accuracy']:.3f}")
            )
            train(
                recipe,
                backbone=BACKBONE,
                folder=folder,
                out=place,
                init=find_init(BACKBONE, imagenet),
                resume=StateFolder(place).exists(),
                report=report,
            )
        rows = lesion_split(table, seed).rows(table, "test")
        return np.log(predict_table(load_bundle(place), rows)[list(CODES)].to_numpy() + 1e-12)

    return train_one


def train_on_workers(
    path: Path,
    folder: Path,
    imagenet: Path | None,
    out: Path,
    address: str,
    seeds: Iterable[int],
    changes: Iterable[tuple[str, str]],
) -> None:
    """Trains the networks of all cells that the results file lacks on workers of Ray, into the folders where `make_trainer` seeks them."""
    from core.cluster.placed_training import Job, place_trainings

    given = {
        "backbone": BACKBONE,
        "folder": folder.resolve(),
        "init": find_init(BACKBONE, imagenet and imagenet.resolve()),
    }
    jobs = []
    for seed, change in itertools.product(seeds, changes):
        cell = make_cell(*change)
        place = (out / name_of(cell, seed)).resolve()
        if unfinished(path, [_planned(cell, seed)]) and not (place / CARD_FILE).is_file():
            jobs.append(Job(recipe_of(cell, seed), place, given))
    place_trainings(jobs, address, None, Report(say=say))


def run_fine_tune(
    path: Path, table: pd.DataFrame, train_one: Trainer, seeds: Iterable[int] = SEEDS, *, changes: Iterable = CHANGES
) -> None:
    """Trains and scores every cell that the results file lacks; those of the paper's questions first.

    Args:
        path: the file of runs.
        changes: the cells, as entries of `CHANGES`.
    """
    order = sorted(itertools.product(seeds, changes), key=lambda one: CHANGES.index(one[1]) >= QUESTIONS)
    for seed, change in order:
        cell = make_cell(*change)
        run = _planned(cell, seed)
        if not unfinished(path, [run]):
            continue
        started = time.monotonic()
        logits = train_one(recipe_of(cell, seed), seed, name_of(cell, seed))
        labels = class_indices(lesion_split(table, seed).rows(table, "test"))
        append_runs(path, [with_result(run, labels, logits, time.monotonic() - started)])


def summarise(runs: Iterable[dict], table: pd.DataFrame) -> dict:
    """The result: each cell's score, and what each change does."""
    by_key = {(tuple(run[f] for f in BASE), run["seed"]): run for run in runs}
    parts = {seed: lesion_split(table, seed).rows(table, "test") for _, seed in by_key}

    def answers(cell: dict[str, str], seeds: list[int]):
        columns = []
        for seed in seeds:
            rows, run = parts[seed], by_key[tuple(cell.values()), seed]
            columns.append(
                (np.full(len(rows), seed), rows.lesion_id.to_numpy(), class_indices(rows), predicted_classes(run))
            )
        return tuple(np.concatenate(column) for column in zip(*columns, strict=True))

    comparisons = []
    for factor, level in CHANGES:
        cell = make_cell(factor, level)
        seeds = sorted(seed for names, seed in by_key if names == tuple(cell.values()))
        both = [seed for seed in seeds if (tuple(BASE.values()), seed) in by_key]
        about = {"backbone": BACKBONE, "factor": factor, "level": level}
        for metric in METRICS if seeds else ():
            name = ", ".join(f"{key} {value}" for key, value in cell.items())
            comparisons.append(compare_pooled(metric, answers(cell, seeds), name=name, **about))
            if both and cell != BASE:
                name, against = f"{factor}: {level} against {BASE[factor]}", BASE[factor]
                first, second = answers(cell, both), answers(BASE, both)
                comparisons.append(compare_pooled(metric, first, second, name=name, against=against, **about))
    return {
        "experiment": NAME,
        "about": "The whole network fine-tuned; one change of a base cell at a time.",
        "command": "python -m experiments.fine_tune --data HAM10000 --imagenet FOLDER",
        "backbones": [BACKBONE] if by_key else [],
        "seeds": sorted(parts),
        "runs": len(by_key),
        "runs_planned": len(CHANGES) * len(SEEDS),
        "seconds": round(sum(run["seconds"] for run in by_key.values())),
        "part": "test",
        "confidence": CONFIDENCE,
        "comparisons": comparisons,
    }


def main() -> None:
    """The command."""
    parser = arguments(__doc__)
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    parser.add_argument(
        "--questions-only", action="store_true", help="leave out the cells beyond the paper's questions"
    )
    parser.add_argument("--out", type=Path, default=Path("runs") / NAME, help="where the networks are kept")
    run_options(parser)
    choices = parser.parse_args()
    table = read_linked_table(choices.data)
    path = choices.results / f"{NAME}-runs.jsonl"
    if not choices.summary:
        train_one = make_trainer(choices.data, table, choices.imagenet, choices.out)
        changes = CHANGES[:QUESTIONS] if choices.questions_only else CHANGES
        if choices.ray:
            train_on_workers(path, choices.data, choices.imagenet, choices.out, choices.ray, choices.seeds, changes)
        run_fine_tune(path, table, train_one, choices.seeds, changes=changes)
    write_result(choices.results / f"{NAME}.json", summarise(read_runs(path), table))


if __name__ == "__main__":
    main()
