"""What might make the models better, one change at a time, judged on validation photos alone: the test part is never looked at.

    python -m experiments.levers --data HAM10000 --imagenet FOLDER

Heads: each lever of `LEVERS` against one base head (pooled, no attention, the patient's facts, square-root inverse weights) on
frozen ImageNet maps, over several seeds, with the same photos, order and epochs (`factorial.TRAINING`). What a lever gives a head need
not be what it gives a whole network that learns; it is what a CPU can measure with an interval.
Distilled heads are taught by an Ensemble of networks of the single split (as shipped until sets of folds came), whose members never
trained on these validation photos (the same split: checked).
Views: the shipped models' answers averaged over eight mirrored and turned copies of a photo, against the photo as it is.

Writes levers-runs.jsonl and levers.json (schema: see `experiments.comparisons`; an entry also has `lever` and `auc_macro`, the mean macro
AUC, and `rule`, the decision rule: heads are scored by their likeliest answer, shipped models' balanced accuracy under the rule
"balanced"). A killed experiment goes on after its last whole run.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from keras import ops

from core.bundle import load_bundle
from core.card import list_cards
from core.data.ham10000 import class_indices
from core.data.split import Split
from core.decisions import rule_of
from core.diagnoses import CODES
from core.evaluation.predictions import predict_table
from core.networks.backbones import find_backbone
from experiments.cells import (
    Batches,
    Cell,
    Part,
    Training,
    build_cells,
    loss_weights,
    make_parts,
    pooled,
    predict_cells,
)
from experiments.comparisons import CONFIDENCE, Judge, compare, make_judge, write_result
from experiments.factorial import TRAINING
from experiments.maps import feature_maps, find_init
from experiments.placing import Job, carry_out, run_options
from experiments.runs import read_runs, unfinished, with_result
from experiments.splits import lesion_split, read_linked_table
from experiments.terminal import arguments, run_by_name, say
from experiments.views import run_views

NAME = "levers"
BACKBONES = ("MobileNetV3Small", "MobileNetV2")
SEEDS = (0, 1, 2, 3, 4)
METRICS = ("balanced_accuracy", "accuracy", "mel.sensitivity")
TEACHER = "Ensemble"

# (labels (B, 7), logits (B, 7), class weights (7,), photos of each diagnosis (7,)) -> loss of each photo, (B,).
Loss = Callable[..., object]


def cross_entropy(labels, logits, weights, counts):
    return -ops.sum(ops.log_softmax(logits) * weights * labels, axis=-1)


def smoothed(labels, logits, weights, counts, share: float = 0.05):
    """Reference: Szegedy et al. 2016."""
    own = ops.sum(weights * labels, axis=-1)
    soft = labels * (1 - share) + share / len(CODES)
    return -own * ops.sum(ops.log_softmax(logits) * soft, axis=-1)


def focal(labels, logits, weights, counts, gamma: float = 2.0):
    """Reference: Lin et al. 2017."""
    log_p = ops.sum(ops.log_softmax(logits) * labels, axis=-1)
    return -ops.sum(weights * labels, axis=-1) * (1 - ops.exp(log_p)) ** gamma * log_p


def margins(labels, logits, weights, counts, largest: float = 0.5):
    """LDAM: a rare diagnosis must win by more. Reference: Cao et al. 2019."""
    margin = counts**-0.25
    return cross_entropy(labels, logits - labels * (largest * margin / margin.max()), weights, counts)


def adjusted(labels, logits, weights, counts):
    """Logit-adjusted loss. Reference: Menon et al. 2021."""
    return cross_entropy(labels, logits + np.log(counts / counts.sum()), weights, counts)


@dataclass(frozen=True)
class Lever:
    """One change of the base head.

    Args:
        what: in words, for the table.
        cell: of `build_cells`.
        training: see `Training`.
        attach: where the encoder is cut.
        loss: of `LOSSES`.
        mixup: alpha of the mixing share between two photos' features; 0 mixes nothing. Reference: Zhang et al. 2018.
        sources: weight each data source by the square root of its rarity (with the plain cross-entropy).
        ema: decay of the moving average of the weights that is kept in the end; 0 keeps the last weights.
        taught: share of the teacher's probabilities in the labels. Reference: Hinton et al. 2015.
    """

    what: str
    cell: Cell = Cell("none", "real", "sqrt_inverse")
    training: Training = TRAINING
    attach: str = "paper"
    loss: str = "cross_entropy"
    mixup: float = 0.0
    sources: bool = False
    ema: float = 0.0
    taught: float = 0.0

    def describe(self) -> dict:
        """What tells its runs from others'. Fields that came late stand in it only where set, so finished runs stay finished."""
        return {name: value for name, value in asdict(self).items() if value or name not in ("ema", "taught")}


LOSSES: dict[str, Loss] = {f.__name__: f for f in (cross_entropy, smoothed, focal, margins, adjusted)}
_UNWEIGHTED = Cell("none", "real", "none")
BASE = Lever("the base head")
LEVERS = (
    Lever("the last feature map instead of the paper's cut", attach="last"),
    Lever("flattened instead of pooled", training=replace(TRAINING, head="paper")),
    Lever("4096 units for the facts instead of 64", training=replace(TRAINING, metadata_units=4096)),
    Lever("flattened, with 4096 units for the facts", training=replace(TRAINING, head="paper", metadata_units=4096)),
    Lever("no facts", Cell("none", "none", "sqrt_inverse")),
    Lever("attention, normalised", Cell("normalised", "real", "sqrt_inverse")),
    Lever("no class weights", _UNWEIGHTED),
    Lever("full inverse class weights", Cell("none", "real", "inverse")),
    Lever("focal loss", loss="focal"),
    Lever("focal loss, no class weights", _UNWEIGHTED, loss="focal"),
    Lever("LDAM margins", loss="margins"),
    Lever("logit-adjusted loss, no class weights", _UNWEIGHTED, loss="adjusted"),
    Lever("label smoothing 0.05", loss="smoothed"),
    Lever("mixup of features, alpha 0.2", mixup=0.2),
    Lever("sources weighted alike", sources=True),
    Lever("a fifth of the learning rate, twice the epochs", training=replace(TRAINING, rate=2e-3, epochs=12)),
    Lever("four times the epochs", training=replace(TRAINING, epochs=24)),
    Lever("moving average of the weights, decay 0.99", ema=0.99),
    Lever("distilled: half of each label is the Ensemble's answer", taught=0.5),
)


def source_weights(sources: Sequence[str]) -> np.ndarray:
    """The square root of each source's rarity, mean 1 over photos, (N,)."""
    _, source, counts = np.unique(np.asarray(sources, str), return_inverse=True, return_counts=True)
    weights = counts[source] ** -0.5
    return weights / weights.mean()


class _LeverBatches(Batches):
    """Batches of one head: labels carry each photo's weight in front, and may be a teacher's in part; photos may be mixed."""

    def __init__(self, maps, part: Part, lever: Lever, weights: np.ndarray, teacher: np.ndarray | None, seed: int):
        super().__init__(maps, part, lever.training.batch_size, seed)
        self.lever, self.weights = lever, weights
        if lever.taught:
            self.one_hot = ((1 - lever.taught) * self.one_hot + lever.taught * teacher).astype("float32")

    def __getitem__(self, index):
        inputs, labels = super().__getitem__(index)
        labels = labels * self.weights[self.rows_of(index)][:, None].astype("float32")
        if self.lever.mixup:
            rng = np.random.default_rng([self.seed, self.epoch, index])
            share, other = rng.beta(self.lever.mixup, self.lever.mixup), rng.permutation(len(labels))
            inputs = tuple((share * x + (1 - share) * x[other]).astype("float32") for x in inputs)
            labels = share * labels + (1 - share) * labels[other]
        return inputs, labels


def train_lever(
    lever: Lever, maps: np.ndarray, part: Part, weights: np.ndarray, seed: int, teacher: np.ndarray | None = None
) -> keras.Model:
    """Trains one head.

    Args:
        maps: feature maps of the part's photos, as `pooled` gives them.
        weights: of each photo, (N,).
        teacher: probabilities of the part's photos, (N, 7), for a lever that is taught.
    """
    training = lever.training
    model = build_cells([lever.cell], maps.shape[1:], training, seed)
    batches = _LeverBatches(maps, part, lever, weights, teacher, seed)
    counts = np.bincount(part.labels, minlength=len(CODES)).astype("float32")
    loss = LOSSES[lever.loss]
    classes = loss_weights(lever.cell.weights, counts).astype("float32")
    rate = keras.optimizers.schedules.CosineDecay(training.rate, len(batches) * training.epochs)
    # What is averaged replaces the weights at the end of `fit`.
    adam = keras.optimizers.Adam(rate, use_ema=lever.ema > 0, ema_momentum=lever.ema or 0.99)
    model.compile(adam, lambda y, logits: loss(y, logits[:, 0], classes, counts), jit_compile=False)
    model.fit(batches, epochs=training.epochs, shuffle=False, verbose=0)
    return model


def run_levers(
    path: Path,
    table: pd.DataFrame,
    split: Split,
    maps_of: Callable[[str, str], np.ndarray],
    backbones: Iterable[str] = BACKBONES,
    seeds: Iterable[int] = SEEDS,
    levers: Sequence[Lever] = LEVERS,
    teach: Callable[[np.ndarray], np.ndarray] | None = None,
    address: str | None = None,
) -> None:
    """Trains and scores every head that the results file lacks, on validation photos.

    Args:
        path: the file of runs.
        maps_of: (backbone, attach) -> feature maps of the table's photos.
        teach: rows of the table -> a teacher's probabilities of their photos, (N, 7); asked once. Without it nothing is distilled.
        address: see `carry_out`.
    """
    carry_out(path, _jobs(path, table, split, maps_of, backbones, tuple(seeds), levers, teach), address)


def _jobs(
    path: Path,
    table: pd.DataFrame,
    split: Split,
    maps_of: Callable[[str, str], np.ndarray],
    backbones: Iterable[str],
    seeds: Sequence[int],
    levers: Sequence[Lever],
    teach: Callable[[np.ndarray], np.ndarray] | None,
) -> Iterator[Job]:
    taught = None
    for backbone in backbones:
        for lever in (BASE, *levers):
            if lever.attach not in find_backbone(backbone).attach or (lever.taught and teach is None):
                continue
            for seed in seeds:
                run = {"backbone": backbone, "seed": seed, "split": split.hash, **lever.describe()}
                if not unfinished(path, [run]):
                    continue
                if lever.taught and teach and taught is None:
                    taught = teach(make_parts(table, split, seed)["train"].rows)  # which no seed changes
                given = (table, split, maps_of(backbone, lever.attach), lever, taught, seed, run)
                yield Job(f"{backbone}, seed {seed}, {lever.what}", run_lever, given)


def run_lever(
    table: pd.DataFrame,
    split: Split,
    maps: np.ndarray,
    lever: Lever,
    taught: np.ndarray | None,
    seed: int,
    run: dict,
) -> list[dict]:
    """Trains and scores one head.

    Args:
        maps: of the table's photos.
        taught: see `train_lever`.
        run: its record without the result.

    Returns:
        The finished run.
    """
    started = time.monotonic()
    parts = make_parts(table, split, seed)
    train, validation = (
        pooled(maps[parts[p].rows], lever.cell.attention, lever.training.head) for p in ("train", "validation")
    )
    rows = parts["train"].rows
    weights = source_weights(table.dataset.iloc[rows]) if lever.sources else np.ones(len(rows))
    model = train_lever(lever, train, parts["train"], weights, seed, taught)
    logits = predict_cells(model, validation, parts["validation"])[:, 0]
    return [with_result(run, parts["validation"].labels, logits, time.monotonic() - started)]


def summarise(runs: Iterable[dict], judge: Judge, split: Split) -> dict:
    """The result: each lever against the base head, each model's eight views against one."""
    by_what: dict[tuple[str, str, str], dict[int, dict]] = {}
    for run in runs:
        # Runs of shipped models without a rule are of the calibration before this one.
        rule = run.get("rule", "" if run["what"].endswith(" views") else "likeliest")
        if run["split"] == split.hash and rule:
            by_what.setdefault((run["backbone"], run["what"], rule), {})[run["seed"]] = run
    comparisons = []
    for (backbone, what, rule), own in by_what.items():
        views = what.endswith(" views")
        against = "1 views" if views else BASE.what
        base = by_what.get((backbone, against, rule), {})
        seeds = sorted(own.keys() & base.keys())
        first = [own[seed] for seed in seeds]
        auc = float(np.mean([run["scores"]["auc_macro"] for run in first])) if first else None
        about = {"lever": what, "backbone": backbone, "rule": rule, "auc_macro": auc if auc is None else round(auc, 4)}
        for metric in METRICS if first else ():
            if views and rule_of(metric) != rule:
                continue
            named = {"1 views": "the photo as it is"}
            if what == against:
                comparisons.append(compare(judge, metric, first, name=named.get(what, what), **about))
            else:
                second = [base[seed] for seed in seeds]
                comparisons.append(
                    compare(judge, metric, first, second, name=f"{what} against {named.get(against, against)}", **about)
                )
    return {
        "experiment": NAME,
        "about": "One change at a time of a head on frozen maps; eight views of a photo for the shipped models. Validation photos.",
        "command": "python -m experiments.levers --data HAM10000 --imagenet FOLDER",
        "backbones": list(dict.fromkeys(backbone for backbone, *_ in by_what)),
        "runs": sum(len(own) for own in by_what.values()),
        "seconds": round(sum(run["seconds"] for own in by_what.values() for run in own.values())),
        "training": vars(TRAINING),
        "split_hash": split.hash,
        "part": "validation",
        "confidence": CONFIDENCE,
        "comparisons": comparisons,
    }


def main() -> None:
    """The command."""
    parser = arguments(__doc__)
    parser.add_argument("--backbones", nargs="+", choices=BACKBONES, default=BACKBONES)
    parser.add_argument(
        "--models", nargs="*", help="shipped models whose views are answered; all that there are if left out"
    )
    run_options(parser)
    choices = parser.parse_args()
    table = read_linked_table(choices.data)
    split = lesion_split(table)
    path = choices.results / f"{NAME}-runs.jsonl"
    if not choices.summary:
        maps_of = partial(_maps, table, choices.imagenet)
        teach = partial(answer_as_teacher, table, split)
        run_levers(path, table, split, maps_of, choices.backbones, teach=teach, address=choices.ray)
        names = choices.models if choices.models is not None else [card.name for card in list_cards()]
        run_views(path, table, split, names)
    rows = split.rows(table, "validation")
    judge = make_judge(class_indices(rows), rows.lesion_id)
    write_result(choices.results / f"{NAME}.json", summarise(read_runs(path), judge, split))


def answer_as_teacher(table: pd.DataFrame, split: Split, rows: np.ndarray) -> np.ndarray:
    """The teacher's calibrated probabilities of the table's rows, (N, 7)."""
    bundle = load_bundle(TEACHER)
    if bundle.card.split["hash"] != split.hash:
        raise ValueError(
            f"{TEACHER} was trained on another split, so it may have seen these validation photos. Make one of networks of this split: "
            "python -m core ensemble."
        )
    say(f"{TEACHER} answers {len(rows)} training photos.")
    return predict_table(bundle, table.iloc[rows])[list(CODES)].to_numpy()


def _maps(table: pd.DataFrame, imagenet: Path | None, backbone: str, attach: str) -> np.ndarray:
    return feature_maps(table, backbone, attach=attach, init=find_init(backbone, imagenet))


if __name__ == "__main__":
    run_by_name("experiments.levers")
