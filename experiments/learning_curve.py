"""What more lesions and more epochs give a whole network, judged on validation photos alone: the test part is never looked at.

    python -m experiments.learning_curve --data HAM10000 --imagenet FOLDER

Lesions: MobileNetV3Small at 128 px learns from 25, 50, 75 and 100 % of the training lesions (of each diagnosis alike; a smaller share lies
within each larger one), with the same number of steps: a quarter of the lesions is seen four times as often. The split is that of the
shipped models (seed 0); the seed draws the lesions, the head's first weights and the order of photos. The last epoch counts, so validation
chooses nothing.
Epochs: what the shipped folds' histories say after each epoch, on their own validation slices. The learning rate falls to zero over all
epochs, so a run that was planned shorter would end higher than this curve at the same epoch.

Cost: one seed is 12 epochs over all training photos; an epoch took 35 to 110 s on one CPU core that other work used too. A run goes on
after its last whole epoch, the experiment after its last whole run.

Writes runs/learning_curve/<run>/ (states; not for the repository), learning_curve-runs.jsonl and learning_curve.json (schema: see
`experiments.comparisons`; an entry also has `part_of`, "lesions" or "epochs", and `at`, the share or the epoch).
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from scipy.stats import t as student

from core.data.ham10000 import class_indices, read_dataset
from core.evaluation.results import VALIDATION_FOLDER
from core.folders import model_folder
from core.training.accelerator import jit_mode
from core.training.phases import Phases
from core.training.predicting import predict_rows
from core.training.recipes import RECIPES, Recipe
from core.training.state import RunState, StateFolder
from core.training.training_data import PartArrays, TrainingData, ready_data
from core.training.watching import Report
from experiments.comparisons import CONFIDENCE, PLACES, Judge, compare, make_judge, write_result
from experiments.maps import find_init
from experiments.placing import Job, carry_out, run_options
from experiments.runs import read_runs, unfinished, with_result
from experiments.splits import lesion_split, read_linked_table
from experiments.terminal import arguments, run_by_name, say

NAME = "learning_curve"
BACKBONE = "MobileNetV3Small"
SIZE = 128  # pixels
SEEDS = (0, 1)
# All lesions first: every difference needs them.
SHARES = (1.0, 0.25, 0.5, 0.75)
EPOCHS = 3  # over all training photos
METRICS = ("balanced_accuracy", "accuracy", "mel.sensitivity")
# Of the folds' second phase.
SHOWN_EPOCHS = (1, 2, 4, 8, 12, 15, 16, 20)
# (share, seed, name of the run) -> logits of the validation photos, (N, 7).
Trainer = Callable[[float, int, str], np.ndarray]


def recipe_of(share: float, seed: int) -> Recipe:
    """The recipe "progressive" on photos of one side, with as many epochs more as there are fewer lesions."""
    epochs = round(EPOCHS / share)
    return replace(RECIPES["progressive"], sizes=((1.0, 1.0),), frozen_epochs=epochs, epochs=epochs, seed=seed)


def draw_lesions(lesions: np.ndarray, diagnoses: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Which photos are of a share of the lesions of each diagnosis, (N,) bool; a smaller share lies within each larger one.

    Args:
        lesions, diagnoses: of each photo, (N,).
    """
    rng, first = np.random.default_rng(seed), pd.Series(diagnoses, index=lesions).groupby(level=0).first()
    kept: set[str] = set()
    for code in sorted(set(first)):
        own = rng.permutation(first.index[first == code].to_numpy(str))
        kept.update(own[: max(1, round(share * len(own)))])
    return np.isin(lesions, sorted(kept))


def make_trainer(folder: Path, imagenet: Path | None, out: Path) -> Trainer:
    """A trainer that keeps the state of each run under `out`, and goes on with one that was stopped.

    Args:
        folder: HAM10000.
        imagenet: see `find_init`.
    """
    # Names of folders only, so that it travels to a worker as it is.
    return partial(_train, folder.resolve(), imagenet and imagenet.resolve(), out.resolve())


@cache
def ready_folder(folder: Path) -> TrainingData:
    """HAM10000 at `SIZE`, with the split of the shipped models."""
    return ready_data(read_dataset(folder), folder, recipe_of(1.0, 0), (SIZE,), None, Report(say=say))


def train_network(
    data: TrainingData, recipe: Recipe, imagenet: Path | None, place: Path, **settings
) -> Callable[[PartArrays], np.ndarray]:
    """Trains a network, or goes on with one that was stopped; gives what it says of a part's photos, logits (N, 7).

    Args:
        imagenet: see `find_init`.
        place: keeps the state.
        **settings: must be equal for a run to go on, beside the recipe and the split.
    """
    keras.utils.clear_session()
    keras.utils.set_random_seed(recipe.seed)
    state, report = StateFolder(place), Report(say=say, epoch=_say_epoch)
    settings = {"recipe": recipe.to_json(), "split": data.split.hash, **settings, "keras": keras.__version__}
    progress = state.load(settings) if state.exists() else RunState(settings)
    init = find_init(BACKBONE, imagenet)
    classifier = Phases(recipe, BACKBONE, init, SIZE, data, progress, state, report).go_through()
    view = keras.Model(classifier.model.inputs, classifier.model.outputs[0])
    view.compile(jit_compile=jit_mode())
    return lambda part: predict_rows(view, classifier, data.images[SIZE], part.rows, part.metadata)


def _say_epoch(row: dict) -> None:
    say(f"epoch {row['epoch']}, {row['phase']}: {row['seconds']} s")


def _train(folder: Path, imagenet: Path | None, out: Path, share: float, seed: int, name: str) -> np.ndarray:
    data = ready_folder(folder)
    less = with_training(data, draw_training(data, share, seed))
    answer = train_network(less, recipe_of(share, seed), imagenet, out / name, share=share)
    return answer(data.parts["validation"])


def draw_training(data: TrainingData, share: float, seed: int) -> np.ndarray:
    """Which training photos are of a share of the lesions, (N,) bool; see `draw_lesions`."""
    table, rows = data.dataset.table, data.parts["train"].rows
    return draw_lesions(table.lesion_id.to_numpy(str)[rows], table.dx.to_numpy(str)[rows], share, seed)


def with_training(data: TrainingData, kept: np.ndarray) -> TrainingData:
    """The same data with fewer training photos; ages are scaled as with all of them.

    Args:
        kept: which, (N,) bool.
    """
    whole = data.parts["train"]
    part = PartArrays(whole.rows[kept], whole.metadata[kept], whole.labels[kept])
    return replace(data, parts={**data.parts, "train": part})


def run_shares(
    path: Path, table: pd.DataFrame, train_one: Trainer, seeds: Iterable[int] = SEEDS, address: str | None = None
) -> None:
    """Trains and scores every run that the results file lacks, seed by seed.

    Args:
        path: the file of runs.
        table: as `read_linked_table`.
        address: see `carry_out`.
    """
    carry_out(path, _jobs(path, table, train_one, seeds), address)


def _jobs(path: Path, table: pd.DataFrame, train_one: Trainer, seeds: Iterable[int]) -> Iterator[Job]:
    split = lesion_split(table)
    labels, training = class_indices(split.rows(table, "validation")), split.rows(table, "train")
    lesions, diagnoses = training.lesion_id.to_numpy(str), training.dx.to_numpy(str)
    for seed in seeds:
        for share in SHARES:
            kept = draw_lesions(lesions, diagnoses, share, seed)
            trained = {"trained_photos": int(kept.sum()), "trained_lesions": len(set(lesions[kept]))}
            about = {"backbone": BACKBONE, "image_size": SIZE, "seed": seed, "split": split.hash}
            run = {**about, "share": share, "epochs": round(EPOCHS / share), **trained}
            if not unfinished(path, [run]):
                continue
            given = (train_one, share, seed, f"share{round(100 * share)}-seed{seed}", labels, run)
            yield Job(f"{100 * share:.0f} % of the lesions, seed {seed}", run_share, given)


def run_share(train_one: Trainer, share: float, seed: int, name: str, labels: np.ndarray, run: dict) -> list[dict]:
    """Trains and scores one network; `run` is its record without the result. Returns the finished run."""
    started = time.monotonic()
    logits = train_one(share, seed, name)
    return [with_result(run, labels, logits, time.monotonic() - started)]


def summarise(runs: Iterable[dict], judge: Judge, split_hash: str, histories: dict[str, pd.DataFrame], counts: dict):
    """The result: each share's score and its difference to all lesions; then the folds' scores by epoch.

    Args:
        histories: by fold, as `read_histories`.
        counts: `n_photos` and `n_lesions` of the folds' validation slices.
    """
    by_share: dict[float, dict[int, dict]] = {}
    for run in runs:
        if run["split"] == split_hash:
            by_share.setdefault(run["share"], {})[run["seed"]] = run
    comparisons = []
    for share in sorted(by_share):
        own, whole = by_share[share], by_share.get(1.0, {})
        both = sorted(own.keys() & whole.keys())
        about = {"backbone": BACKBONE, "part_of": "lesions", "at": share}
        about |= {name: next(iter(own.values()))[name] for name in ("trained_photos", "trained_lesions", "epochs")}
        words = "all training lesions" if share == 1 else f"{100 * share:.0f} % of the training lesions"
        for metric in METRICS:
            comparisons.append(compare(judge, metric, [own[s] for s in sorted(own)], name=words, **about))
            if share < 1 and both:
                pair = [own[s] for s in both], [whole[s] for s in both]
                comparisons.append(compare(judge, metric, *pair, name=f"{words} against all", **about))
    comparisons += [entry for epoch in SHOWN_EPOCHS for entry in of_epoch(histories, epoch, counts)]
    finished = [run for own in by_share.values() for run in own.values()]
    return {
        "experiment": NAME,
        "about": "MobileNetV3Small: whole networks on shares of the training lesions, then the shipped folds by epoch. Validation photos.",
        "command": "python -m experiments.learning_curve --data HAM10000 --imagenet FOLDER",
        "backbones": [BACKBONE] if finished or histories else [],
        "seeds": sorted({run["seed"] for run in finished}),
        "split_hash": split_hash,
        "runs": len(finished),
        "runs_planned": len(SHARES) * len(SEEDS),
        "seconds": round(sum(run["seconds"] for run in finished)),
        "part": "validation",
        "confidence": f"{CONFIDENCE} By epoch: 95 % t intervals of the mean over folds; seed_low and seed_high are single folds.",
        "comparisons": comparisons,
    }


def read_histories(folder: Path) -> tuple[dict[str, pd.DataFrame], dict]:
    """The second phase of each fold of a set, one row an epoch, by fold; with the counts of their validation slices."""
    places = sorted(folder.glob("fold-*"))
    tables = {place.name: pd.read_csv(place / "history.csv") for place in places}
    slices = [pd.read_csv(place / VALIDATION_FOLDER / "cases.csv") for place in places]
    seen = pd.concat(slices) if slices else pd.DataFrame({"image_id": [], "lesion_id": []})
    counts = {"n_photos": int(seen.image_id.nunique()), "n_lesions": int(seen.lesion_id.nunique())}
    return {
        name: table[table.phase == "fine-tune"].reset_index(drop=True) for name, table in tables.items() if len(table)
    }, counts


def of_epoch(histories: dict[str, pd.DataFrame], epoch: int, counts: dict) -> list[dict]:
    """The mean over folds after an epoch of the second phase; nothing where a fold has no such epoch, or there is one fold."""
    rows = [history.iloc[epoch - 1] for history in histories.values() if len(history) >= epoch]
    if len(rows) < max(2, len(histories)):
        return []
    last = max(map(len, histories.values()))
    entries = []
    for metric in ("balanced_accuracy", "accuracy"):
        scores = np.array([row[f"val_{metric}"] for row in rows])
        mean, margin = scores.mean(), student.ppf(0.975, len(scores) - 1) * scores.std(ddof=1) / len(scores) ** 0.5
        numbers = {"value": mean, "low": mean - margin, "high": mean + margin}
        numbers |= {"seed_low": scores.min(), "seed_high": scores.max()}
        entries.append(
            {"name": f"after epoch {epoch} of {last}, {int(rows[0].image_size)} px (mean of {len(rows)} folds)"}
            | {"backbone": BACKBONE, "part_of": "epochs", "at": epoch, "metric": metric}
            | {name: round(float(number), PLACES) for name, number in numbers.items()}
            | {**counts, "seeds": len(rows), "unit": "score"}
        )
    return entries


def main() -> None:
    """The command."""
    parser = arguments(__doc__)
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    parser.add_argument("--out", type=Path, default=Path("runs") / NAME, help="where the states are kept")
    run_options(parser)
    choices = parser.parse_args()
    table = read_linked_table(choices.data)
    split = lesion_split(table)
    rows = split.rows(table, "validation")
    path = choices.results / f"{NAME}-runs.jsonl"
    if not choices.summary:
        train_one = make_trainer(choices.data, choices.imagenet, choices.out)
        run_shares(path, table, train_one, choices.seeds, choices.ray)
    judge = make_judge(class_indices(rows), rows.lesion_id)
    histories, counts = read_histories(model_folder(BACKBONE))
    write_result(choices.results / f"{NAME}.json", summarise(read_runs(path), judge, split.hash, histories, counts))


if __name__ == "__main__":
    run_by_name("experiments.learning_curve")
