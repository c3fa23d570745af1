"""How much of a score by photo is the leak? The same head and the same test photos, with and without the test lesions in training.

    python -m experiments.leak --data HAM10000 --imagenet FOLDER

The paper's split holds a tenth of the *photos* out, so that many test photos show a lesion of which another photo (a sibling) was trained
on. Arms, for each draw of that split:
    leaky       trained with the siblings of test photos; as many other photos of each diagnosis are left out
    clean       trained without any sibling; as many photos of each diagnosis as `leaky`
    as printed  trained on all photos of the paper's training part
leaky minus clean is the leak alone: the test photos are the same, and so are the number of training photos and their diagnoses. It is
given over all test photos, over those with a sibling in the paper's training part, and over the rest, where it should be nothing.
    by lesion   trained and tested on the lesion-grouped split: what the paper's number should be compared with
Answers come from a pooled head on frozen maps (no attention; with facts and without), and from a memoriser: the diagnosis of the
most alike training photo (1-NN, cosine of the maps' standardised means), which learns nothing and shows the leak plainly. Frozen maps and
a linear head hardly memorise; a network fine-tuned end to end does so more: what the heads show is a lower bound.

Writes leak-runs.jsonl and leak.json (schema: see `experiments.comparisons`; an entry also has `model`, `photos_chosen` ("all",
"sibling", "no sibling") and `arm`).
"""

import itertools
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from core.data.ham10000 import class_indices
from core.data.split import Split, split_table
from core.diagnoses import CODES
from experiments.cells import Cell, Part, Training, make_parts, pooled, predict_cells, train_cells
from experiments.comparisons import CONFIDENCE, compare_pooled, write_result
from experiments.maps import feature_maps
from experiments.placing import Job, carry_out, run_options
from experiments.runs import describe, read_runs, unfinished, with_result
from experiments.splits import groups_of, lesion_split, read_linked_table
from experiments.terminal import arguments, run_by_name

NAME = "leak"
BACKBONES = ("MobileNetV3Small", "MobileNetV2")
SEEDS = (0, 1, 2, 3, 4)
ARMS = ("leaky", "clean", "as printed", "by lesion")
MODELS = ("head", "head with facts", "1-NN")
# More epochs than elsewhere: a leak needs time to be learnt.
TRAINING = Training(epochs=12)
METRICS = ("balanced_accuracy", "accuracy", "mel.sensitivity")
CHOSEN = ("all", "sibling", "no sibling")
CELLS = {"head": Cell("none", "none", "sqrt_inverse"), "head with facts": Cell("none", "real", "sqrt_inverse")}


@dataclass(frozen=True)
class Draw:
    """The rows of one draw of the paper's split, and of the lesion split with the same seed.

    Args:
        train: arm -> rows of the table.
        test: arm -> rows of the table; the first three arms share theirs.
        sibling: of the paper's test rows, whether the paper's training part has a photo of the same lesion.
    """

    train: dict[str, np.ndarray]
    test: dict[str, np.ndarray]
    sibling: np.ndarray


def make_draw(table: pd.DataFrame, seed: int) -> Draw:
    """Draws the arms; see the module."""
    by_photo, by_lesion = split_table(table, "paper", seed), lesion_split(table, seed)

    def rows_of(split: Split, part: str) -> np.ndarray:
        return np.flatnonzero(table.image_id.isin(set(getattr(split, part))))

    train, test = rows_of(by_photo, "train"), rows_of(by_photo, "test")
    lesions, labels = groups_of(table).to_numpy(), class_indices(table)
    held = np.isin(lesions[train], lesions[test])
    rng = np.random.default_rng(seed)
    dropped = []
    for label in range(len(CODES)):
        siblings = int((held & (labels[train] == label)).sum())
        others = train[~held & (labels[train] == label)]
        # A diagnosis with more siblings than other photos keeps one of these at least.
        dropped.append(rng.permutation(others)[: min(siblings, max(len(others) - 1, 0))])
    return Draw(
        train={
            "leaky": np.setdiff1d(train, np.concatenate(dropped)),
            "clean": train[~held],
            "as printed": train,
            "by lesion": rows_of(by_lesion, "train"),
        },
        test={**dict.fromkeys(ARMS[:3], test), "by lesion": rows_of(by_lesion, "test")},
        sibling=np.isin(lesions[test], lesions[train]),
    )


def nearest_neighbour(train: np.ndarray, labels: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Diagnosis of the most alike training photo, as logits (N, 7): 1 for it, 0 for the others.

    Args:
        train, test: pooled features, (M, C) and (N, C).
        labels: of the training photos, (M,).
    """
    mean, sd = train.mean(axis=0), train.std(axis=0) + 1e-6
    first, second = ((x - mean) / sd for x in (train, test))
    first, second = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (first, second))
    return np.eye(len(CODES))[labels[(second @ first.T).argmax(axis=1)]]


def _answers(
    models: list[str], features: np.ndarray, parts: dict[str, Part], training: Training, seed: int
) -> list[np.ndarray]:
    """Logits of each model, (N, 7); heads are trained together."""
    train, test = parts["train"], parts["test"]
    heads = [model for model in models if model in CELLS]
    found = {}
    if heads:
        trained = train_cells([CELLS[model] for model in heads], features[train.rows], train, training, seed)
        logits = predict_cells(trained, features[test.rows], test)
        found = {model: logits[:, i] for i, model in enumerate(heads)}
    if "1-NN" in models:
        flat = features[:, 0, 0]
        found["1-NN"] = nearest_neighbour(flat[train.rows], train.labels, flat[test.rows])
    return [found[model] for model in models]


def run_leak(
    path: Path,
    table: pd.DataFrame,
    features_of: dict[str, np.ndarray],
    seeds: Iterable[int] = SEEDS,
    training: Training = TRAINING,
    models: Sequence[str] = MODELS,
    address: str | None = None,
) -> None:
    """Trains and scores every arm that the results file lacks.

    Args:
        path: the file of runs.
        features_of: backbone -> pooled maps of all photos, (N, 1, 1, C).
        models: of `MODELS`.
        address: see `carry_out`.
    """
    carry_out(path, _jobs(path, table, features_of, seeds, training, models), address)


def _jobs(
    path: Path,
    table: pd.DataFrame,
    features_of: dict[str, np.ndarray],
    seeds: Iterable[int],
    training: Training,
    models: Sequence[str],
) -> Iterator[Job]:
    for seed in seeds:
        draw = make_draw(table, seed)
        for (backbone, features), arm in itertools.product(features_of.items(), ARMS):
            of_model = {
                model: describe(
                    CELLS.get(model, Cell()),
                    training,
                    backbone=backbone,
                    split=f"{arm} {seed}",
                    seed=seed,
                    model=model,
                    arm=arm,
                )
                for model in models
            }
            todo = unfinished(path, of_model.values())
            chosen = {model: run for model, run in of_model.items() if run in todo}
            if chosen:
                given = (table, draw, arm, features, training, seed, chosen)
                yield Job(f"{backbone}, seed {seed}, {arm}", train_arm, given)


def train_arm(
    table: pd.DataFrame,
    draw: Draw,
    arm: str,
    features: np.ndarray,
    training: Training,
    seed: int,
    planned: dict[str, dict],
) -> list[dict]:
    """Trains the models of one arm; heads together.

    Args:
        features: pooled maps of all photos, (N, 1, 1, C).
        planned: each model's run without its result.

    Returns:
        The finished runs.
    """
    started = time.monotonic()
    parts = _parts(table, draw, arm, seed)
    answers = _answers(list(planned), features, parts, training, seed)
    seconds = (time.monotonic() - started) / len(planned)
    labels = parts["test"].labels
    return [with_result(run, labels, logits, seconds) for run, logits in zip(planned.values(), answers, strict=True)]


def _parts(table: pd.DataFrame, draw: Draw, arm: str, seed: int) -> dict[str, Part]:
    ids = table.image_id.to_numpy()
    train, test = draw.train[arm], draw.test[arm]
    # Only facts and labels are wanted from it: validation is part of the type and not used.
    return make_parts(table, Split("arm", seed, tuple(ids[train]), tuple(ids[test]), tuple(ids[test])), seed)


def summarise(runs: Iterable[dict], table: pd.DataFrame, training: Training = TRAINING) -> dict:
    """The result: the leak by model and backbone, over all test photos, those with a sibling and those without."""
    labels, lesions = class_indices(table), table.lesion_id.to_numpy()
    by_key = {}
    for run in runs:
        if run["training"] == vars(training):
            by_key[(run["backbone"], run["model"], run["arm"], run["seed"])] = run
    draws = {seed: make_draw(table, seed) for seed in sorted({key[3] for key in by_key})}
    comparisons = []
    for backbone in BACKBONES:
        for model in MODELS:
            whole = [s for s in draws if all((backbone, model, arm, s) in by_key for arm in ARMS)]
            if not whole:
                continue

            def photos_of(arm, chosen, seeds, backbone=backbone, model=model):
                """One row a scored photo and seed: seed, lesion, label, answer."""
                rows = []
                for seed in seeds:
                    test = draws[seed].test[arm]
                    sibling = draws[seed].sibling if arm != "by lesion" else np.zeros(len(test), bool)
                    keep = {"all": np.ones(len(test), bool), "sibling": sibling, "no sibling": ~sibling}[chosen]
                    answers = np.array(list(by_key[(backbone, model, arm, seed)]["predicted"]), int)
                    rows.append((np.full(keep.sum(), seed), lesions[test][keep], labels[test][keep], answers[keep]))
                return tuple(np.concatenate(column) for column in zip(*rows, strict=True))

            for metric in METRICS:
                for chosen in CHOSEN:
                    about = {"backbone": backbone, "model": model, "photos_chosen": chosen}
                    leaky, clean = photos_of("leaky", chosen, whole), photos_of("clean", chosen, whole)
                    name = f"{model}: the leak, over {chosen} test photos"
                    comparisons.append(
                        compare_pooled(metric, leaky, clean, name=name, arm="leaky against clean", **about)
                    )
                    for arm in ARMS if chosen == "all" else ARMS[:2]:
                        found = photos_of(arm, chosen, whole)
                        name = f"{model}: {arm}, over {chosen} test photos"
                        comparisons.append(compare_pooled(metric, found, name=name, arm=arm, **about))
    return {
        "experiment": NAME,
        "about": "Heads on frozen maps and a 1-NN memoriser, with and without the test photos' siblings in training.",
        "command": "python -m experiments.leak --data HAM10000 --imagenet FOLDER",
        "backbones": [b for b in BACKBONES if any(key[0] == b for key in by_key)],
        "seeds": list(draws),
        "seconds": round(sum(run["seconds"] for run in by_key.values())),
        "training": vars(training),
        "shares_with_sibling": {str(seed): round(float(draw.sibling.mean()), 4) for seed, draw in draws.items()},
        "train_photos": {str(seed): {arm: len(draw.train[arm]) for arm in ARMS} for seed, draw in draws.items()},
        "part": "test",
        "confidence": CONFIDENCE,
        "comparisons": comparisons,
    }


def main() -> None:
    """The command."""
    parser = arguments(__doc__)
    parser.add_argument("--backbones", nargs="+", choices=BACKBONES, default=BACKBONES)
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=MODELS)
    run_options(parser)
    choices = parser.parse_args()
    table = read_linked_table(choices.data)
    path = choices.results / f"{NAME}-runs.jsonl"
    if not choices.summary:
        features_of = {b: pooled(feature_maps(table, b, choices.imagenet), "none") for b in choices.backbones}
        run_leak(path, table, features_of, choices.seeds, models=choices.models, address=choices.ray)
    write_result(choices.results / f"{NAME}.json", summarise(read_runs(path), table))


if __name__ == "__main__":
    run_by_name("experiments.leak")
