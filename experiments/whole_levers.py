"""What each lever gives a whole network, one change at a time, judged on validation photos alone: the test part is never looked at.

    python -m experiments.whole_levers --data HAM10000 --imagenet FOLDER

The base is the learning curve's run on all lesions: MobileNetV3Small at 128 px, three epochs of the head, three of the whole network, the
split of the shipped single networks (seed 0); its finished runs (learning_curve-runs.jsonl) are the base here. A lever changes one thing of
its recipe, or who teaches (`TEACHERS`). The seed draws the head's first weights and the order of photos. The last epoch counts, so
validation chooses nothing. Three epochs tell what helps a short training: a lever against overfitting can do little in them.

Cost: a run is three epochs, 35 to 110 s each on one CPU core that other work used too. A run goes on after its last whole epoch, the
experiment after its last whole run.

Writes runs/whole_levers/<run>/ (states; not for the repository), whole_levers-runs.jsonl and whole_levers.json
(schema: see `experiments.comparisons`; an entry also has `lever`, `auc_macro` and `auc_melanoma`, the mean macro AUC and that of melanoma,
and `auc_macro_apart` and `auc_melanoma_apart`, their differences to the base's).
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np

from core.card import read_card
from core.data.ham10000 import class_indices
from core.data.split import Split
from core.diagnoses import CODES
from core.evaluation.results import read_results
from core.folders import model_folder
from core.training.calibration import log_softmax
from core.training.recipes import Recipe
from core.training.training_data import TrainingData
from experiments.comparisons import CONFIDENCE, Judge, compare, make_judge, write_result
from experiments.learning_curve import (
    BACKBONE,
    SIZE,
    draw_training,
    ready_folder,
    recipe_of,
    train_network,
    with_training,
)
from experiments.placing import Job, carry_out, run_options
from experiments.runs import key_of, read_runs, unfinished, with_result
from experiments.splits import lesion_split, read_linked_table
from experiments.terminal import arguments, run_by_name

NAME = "whole_levers"
BASE = "the base run"
BASE_RUNS = "learning_curve-runs.jsonl"
SEEDS = (0, 1)
METRICS = ("balanced_accuracy", "accuracy", "mel.sensitivity")
# Name in an entry -> name among a run's scores.
AUCS = {"auc_macro": "auc_macro", "auc_melanoma": "mel.auc"}
TAUGHT = 0.5  # share of a teacher's probabilities in the targets

_RECIPE = recipe_of(1.0, 0)
_COLOURS = _RECIPE.augmentation
# Each of the recipe's changes half as much again; turns and mirrors are whole already.
STRONGER = replace(
    _COLOURS,
    shift=0.15,
    zoom=0.3,
    brightness=0.3,
    contrast=0.3,
    saturation=0.45,
    hue=9.0,
    tint=0.15,
    gamma=0.375,
    blur=0.3,
    jpeg=0.3,
    rescale=0.375,
)


@dataclass(frozen=True)
class Lever:
    """One change of the base run.

    Args:
        what: in words, for the table.
        changed: fields of the recipe.
        teacher: key into `TEACHERS`, whose answers are `TAUGHT` of each target; "" for the labels alone.
    """

    what: str
    changed: dict = field(default_factory=dict)
    teacher: str = ""

    def recipe(self, seed: int) -> Recipe:
        return replace(recipe_of(1.0, seed), **self.changed)

    def describe(self) -> dict:
        """What tells its runs from others'."""
        own, base = self.recipe(0).to_json(), _RECIPE.to_json()
        changed = {name: value for name, value in own.items() if value != base.get(name)}
        return {"changed": changed, "taught": TAUGHT, "teacher": self.teacher} if self.teacher else {"changed": changed}


LEVERS = {
    "student_of_folds": Lever("half of each label the shipped folds', out of fold", teacher="folds"),
    "student_of_halves": Lever("half of each label of a network of the other half of the lesions", teacher="halves"),
    "cutmix": Lever("CutMix in half of the batches", {"cutmix": 0.5}),
    "erasing": Lever("random erasing in half of the photos", {"augmentation": replace(_COLOURS, erase=0.5)}),
    "stronger": Lever("stronger augmentation: each change half as much again", {"augmentation": STRONGER}),
    "average": Lever("moving average of the weights, decay 0.99", {"weight_average": 0.99}),
    "encoder_rate": Lever("encoder at 0.3 of the head's rate", {"encoder_rate": 0.3}),
    "batch": Lever("batches of 64, rates times 1.4", {"batch_size": 64, "rate": 1.4e-3, "frozen_rate": 1.4e-3}),
    "natural": Lever("diagnoses drawn as they are", {"sampling": "natural"}),
    "balanced": Lever("diagnoses drawn alike", {"sampling": "balanced"}),
    "smoothing": Lever("label smoothing 0.1 instead of 0.05", {"label_smoothing": 0.1}),
    "dropout": Lever("dropout 0.5 instead of 0.2", {"network": replace(_RECIPE.network, dropout=0.5)}),
    "drop_block": Lever("DropBlock: a tenth of the feature map blotted out in squares", {"drop_block": 0.1}),
    "longer": Lever("six epochs of the whole network instead of three", {"epochs": 6}),
    "restarts": Lever("six epochs in two cosines of three each: a warm restart", {"epochs": 6, "restarts": 1}),
}


# ---- teachers: (data, imagenet, out, seed) -> probabilities of the training photos, (N, 7) ----


def teach_by_folds(data: TrainingData, imagenet: Path | None, out: Path, seed: int) -> np.ndarray:
    """Each photo as the one shipped fold network answered it that never saw its lesion; that network may have seen validation photos.

    Raises:
        ValueError: the shipped model is no set of folds, or did not answer all of these photos.
    """
    folder = model_folder(BACKBONE)
    card = read_card(folder)
    if "folds" not in card.split:
        raise ValueError(f"{folder} is one network, not a set of folds: it has no out-of-fold answers to teach.")
    answers = read_results(folder, card).table.set_index("image_id")
    wanted = data.dataset.table.image_id.iloc[data.parts["train"].rows]
    missing = set(wanted) - set(answers.index)
    if missing:
        raise ValueError(
            f"The answers of {folder} lack {len(missing)} training photos (first: {min(missing)}). Evaluate it on this folder."
        )
    return answers.loc[wanted, list(CODES)].to_numpy("float32")


def teach_by_halves(data: TrainingData, imagenet: Path | None, out: Path, seed: int) -> np.ndarray:
    """Each photo as a network answers it that learned from the other half of the training lesions, by the learning curve's recipe.

    No teacher saw a validation photo or the lesion that it teaches (lesions that near-duplicates link are not kept together here).
    """
    first = draw_training(data, 0.5, seed)
    taught = np.empty((len(first), len(CODES)), "float32")
    for number, kept in enumerate((first, ~first)):
        place = out / f"half{number + 1}-seed{seed}"
        answer = train_network(with_training(data, kept), recipe_of(0.5, seed), imagenet, place, share=0.5)
        logits = answer(with_training(data, ~kept).parts["train"])
        taught[~kept] = np.exp(log_softmax(logits))
    return taught


TEACHERS = {"folds": teach_by_folds, "halves": teach_by_halves}
# (lever, seed, name of the run) -> logits of the validation photos, (N, 7).
Trainer = Callable[[Lever, int, str], np.ndarray]


def make_trainer(folder: Path, imagenet: Path | None, out: Path) -> Trainer:
    """A trainer that keeps the state of each run under `out`, and goes on with one that was stopped.

    Args:
        folder: HAM10000.
        imagenet: see `find_init`.
    """
    # Names of folders only, so that it travels to a worker as it is.
    return partial(_train, folder.resolve(), imagenet and imagenet.resolve(), out.resolve())


def _train(folder: Path, imagenet: Path | None, out: Path, lever: Lever, seed: int, name: str) -> np.ndarray:
    data = ready_folder(folder)
    if lever.teacher:
        data = taught_by(data, TEACHERS[lever.teacher](data, imagenet, out, seed))
    answer = train_network(data, lever.recipe(seed), imagenet, out / name, taught=TAUGHT, teacher=lever.teacher)
    return answer(data.parts["validation"])


def taught_by(data: TrainingData, answers: np.ndarray) -> TrainingData:
    """The same data, where a teacher's probabilities of the training photos, (N, 7), are `TAUGHT` of each target."""
    part = data.parts["train"]
    targets = (1 - TAUGHT) * np.eye(len(CODES), dtype="float32")[part.labels] + TAUGHT * answers
    return replace(data, parts={**data.parts, "train": replace(part, targets=targets.astype("float32"))})


def run_levers(
    path: Path,
    split: Split,
    labels: np.ndarray,
    train_one: Trainer,
    levers: Iterable[str] = tuple(LEVERS),
    seeds: Sequence[int] = SEEDS,
    address: str | None = None,
) -> None:
    """Trains and scores every run that the results file lacks, lever by lever.

    Args:
        path: the file of runs.
        labels: output indices of the validation photos, (N,).
        levers: keys into `LEVERS`.
        address: see `carry_out`.
    """
    carry_out(path, _jobs(path, split, labels, train_one, levers, seeds), address)


def _jobs(path, split: Split, labels, train_one: Trainer, levers: Iterable[str], seeds: Sequence[int]) -> Iterator[Job]:
    for name in levers:
        for seed in seeds:
            about = {"backbone": BACKBONE, "image_size": SIZE, "seed": seed, "split": split.hash, "lever": name}
            run = {**about, **LEVERS[name].describe()}
            if unfinished(path, [run]):
                yield Job(f"{LEVERS[name].what}, seed {seed}", run_lever, (train_one, seed, labels, run))


def run_lever(train_one: Trainer, seed: int, labels: np.ndarray, run: dict) -> list[dict]:
    """Trains and scores one network; `run` is its record without the result. Returns the finished run."""
    started = time.monotonic()
    logits = train_one(LEVERS[run["lever"]], seed, f"{run['lever']}-seed{seed}")
    return [with_result(run, labels, logits, time.monotonic() - started)]


def base_runs(path: Path, split_hash: str) -> dict[int, dict]:
    """The learning curve's runs on all lesions, by seed."""
    wanted = {"backbone": BACKBONE, "image_size": SIZE, "split": split_hash, "share": 1.0, "epochs": _RECIPE.epochs}
    return {run["seed"]: run for run in read_runs(path) if all(run.get(key) == value for key, value in wanted.items())}


def summarise(runs: Iterable[dict], base: dict[int, dict], judge: Judge, split: Split) -> dict:
    """The result: the base run's scores, and each lever's difference to it, over the seeds that both have.

    Args:
        base: see `base_runs`.
    """
    by_lever: dict[str, dict[int, dict]] = {}
    for run in runs:
        lever = LEVERS.get(run["lever"])
        # A lever that was changed since is another lever.
        if run["split"] == split.hash and lever and key_of(run) == key_of({**run, **lever.describe()}):
            by_lever.setdefault(run["lever"], {})[run["seed"]] = run
    comparisons = []
    for metric in METRICS if base else ():
        first = [base[seed] for seed in sorted(base)]
        comparisons.append(compare(judge, metric, first, name=BASE, **_about("", first)))
    for name in LEVERS:
        own = by_lever.get(name, {})
        seeds = sorted(own.keys() & base.keys())
        first, second = [own[seed] for seed in seeds], [base[seed] for seed in seeds]
        for metric in METRICS if seeds else ():
            words = f"{LEVERS[name].what} against {BASE}"
            comparisons.append(compare(judge, metric, first, second, name=words, **_about(name, first, second)))
    finished = [run for own in by_lever.values() for run in own.values()]
    return {
        "experiment": NAME,
        "about": "One change at a time of a whole network, MobileNetV3Small at 128 px, three epochs. Validation photos.",
        "command": "python -m experiments.whole_levers --data HAM10000 --imagenet FOLDER",
        "backbones": [BACKBONE] if finished else [],
        "seeds": sorted({run["seed"] for run in finished}),
        "split_hash": split.hash,
        "runs": len(finished),
        "runs_planned": len(LEVERS) * len(SEEDS),
        "seconds": round(sum(run["seconds"] for run in finished)),
        "part": "validation",
        "confidence": CONFIDENCE,
        "comparisons": comparisons,
    }


def _about(lever: str, first: Sequence[dict], second: Sequence[dict] = ()) -> dict:
    about: dict = {"lever": lever, "backbone": BACKBONE}
    for name, key in AUCS.items():
        mean, base = (float(np.mean([run["scores"][key] for run in runs])) if runs else 0.0 for runs in (first, second))
        about[name] = round(mean, 4)
        if second:
            about[f"{name}_apart"] = round(mean - base, 4)
    return about


def main() -> None:
    """The command."""
    parser = arguments(__doc__)
    parser.add_argument("--levers", nargs="+", choices=LEVERS, default=list(LEVERS), help="in this order")
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    parser.add_argument("--out", type=Path, default=Path("runs") / NAME, help="where the states are kept")
    run_options(parser)
    choices = parser.parse_args()
    table = read_linked_table(choices.data)
    split = lesion_split(table)
    rows = split.rows(table, "validation")
    labels, path = class_indices(rows), choices.results / f"{NAME}-runs.jsonl"
    if not choices.summary:
        train_one = make_trainer(choices.data, choices.imagenet, choices.out)
        run_levers(path, split, labels, train_one, choices.levers, choices.seeds, choices.ray)
    judge = make_judge(labels, rows.lesion_id)
    base = base_runs(choices.results / BASE_RUNS, split.hash)
    write_result(choices.results / f"{NAME}.json", summarise(read_runs(path), base, judge, split))


if __name__ == "__main__":
    run_by_name("experiments.whole_levers")
