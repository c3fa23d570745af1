"""Trains one network by a recipe: frozen encoder first, then fine-tuning; resumable, chosen on validation.

The validation part is used more than once: it chooses the epoch and fits the calibration here; later it chooses the operating point,
the 90 % sets and the limits of the gate and of look-alikes. Each of these looks a little better on validation than on new lesions. So
every figure that is reported as a model's is measured on the test part, which chooses nothing.
"""

import datetime
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np

from core.bundle import export_serving, round_weights, save_bundle
from core.calibration import Calibration
from core.card import Card, read_card
from core.data.augment import NO_AUGMENTATION
from core.data.batches import Batches
from core.data.duplicates import SEEK_SIZE, linked_lesions, near_duplicates
from core.data.ham10000 import class_indices, read_dataset
from core.data.image_cache import cache_images, encode_table
from core.data.patient import Facts, fit_encoder
from core.data.split import PARTS, Split, assert_disjoint, fold_table, split_table
from core.data.tables.findings import list_findings
from core.data.tables.folder_check import require_trainable
from core.diagnoses import CODES
from core.files import check_folder_takes
from core.folders import weights_root
from core.networks.backbones import find_backbone
from core.networks.classifier import Classifier, build_classifier
from core.training.accelerator import jit_mode, prepare_accelerator
from core.training.calibration import balanced_accuracy, calibrate_card, log_softmax
from core.training.callbacks import ReportBatches, StopOnNaN
from core.training.class_weights import class_weights
from core.training.recipes import Recipe, find_recipe
from core.training.state import Progress, StateFolder, write_history

LICENCE = "CC BY-NC 4.0 (through HAM10000, Tschandl et al. 2018)"
CITATION = "Tschandl, Rosendahl, Kittler: The HAM10000 dataset. Sci Data 5, 180161 (2018). doi:10.1038/sdata.2018.161"
LIMITS = [
    "For research and teaching; not a medical device, not for decisions about a patient.",
    "Trained on one collection (Vienna and Queensland), mostly fair skin: not shown to hold elsewhere.",
    "Knows seven diagnoses only, and answers one of them for any picture.",
]
# Validation images are predicted in batches of this size: large enough to be quick, small enough for any machine.
PREDICT_BATCH = 64


@dataclass(frozen=True)
class Report:
    """What the trainer tells whoever watches; every function may be left as it is.

    Args:
        say: a sentence.
        photos: (done, total) while photos are decoded.
        batch: (epoch, epochs, phase, batch, batches, loss).
        epoch: one history row.
    """

    say: Callable[[str], None] = lambda text: None
    photos: Callable[[int, int], None] | None = None
    batch: Callable[[int, int, str, int, int, float], None] = lambda *_: None
    epoch: Callable[[dict], None] = lambda row: None


@dataclass(frozen=True)
class _Part:
    """Arrays of one part of the split."""

    rows: np.ndarray
    metadata: np.ndarray
    labels: np.ndarray


def train(
    recipe: str | Recipe,
    *,
    backbone: str,
    folder: str | Path,
    out: str | Path | None = None,
    init: str | Path = "imagenet",
    epochs: int | None = None,
    frozen_epochs: int | None = None,
    batch_size: int | None = None,
    split: str | None = None,
    seed: int | None = None,
    image_size: int | None = None,
    fold: tuple[int, int] | None = None,
    resume: bool = False,
    pretraining: str | None = None,
    report: Report | None = None,
) -> Card:
    """Trains a network on a HAM10000 folder and writes a bundle.

    Args:
        recipe: key into `RECIPES`, or a recipe.
        backbone: key into `BACKBONES`.
        folder: HAM10000 layout.
        out: the bundle's folder; `<folder of models>/<backbone>` when None.
        init: the encoder's first weights: "imagenet" (downloads), "random", or a `.weights.h5` file.
        epochs, frozen_epochs, batch_size, split, seed: override the recipe's.
        image_size: pixels; the backbone's own when None.
        fold: (number from 1, how many): one fold of a cross-validation by lesion instead of one split.
        resume: go on after the last whole epoch of the run in `out`.
        pretraining: where `init`'s weights come from, in words, for the card.
        report: who watches.

    Returns:
        The card, without held-out scores (`evaluate` measures those).

    Raises:
        ValueError: a bad choice, folder, photo or saved state; the message says how to fix it. `TrainingDiverged` on a loss
            that is not a number.
    """
    name = recipe if isinstance(recipe, str) else "custom"
    recipe = find_recipe(recipe) if isinstance(recipe, str) else recipe
    if epochs and frozen_epochs is None:
        if recipe.epochs:
            # A run shortened on the command line is shortened in both phases.
            frozen_epochs = min(recipe.frozen_epochs, epochs)
        else:
            # A recipe of the head alone has all its epochs there.
            epochs, frozen_epochs = None, epochs
    overrides = {
        "epochs": epochs,
        "frozen_epochs": frozen_epochs,
        "batch_size": batch_size,
        "split": split,
        "seed": seed,
    }
    recipe = replace(recipe, **{k: v for k, v in overrides.items() if v is not None})
    find_backbone(backbone)
    if fold and recipe.split != "lesion":
        raise ValueError(f"Folds are by lesion; got the split {recipe.split!r}. Leave --split out, or --folds.")
    run = _Run(
        name,
        recipe,
        backbone,
        Path(folder),
        Path(out or weights_root() / backbone),
        init,
        image_size,
        report or Report(),
        fold,
    )
    return run.train(resume, pretraining)


class _Run:
    """One training run; its methods are the steps, in order."""

    def __init__(self, recipe_name, recipe, backbone, folder, out, init, image_size, report, fold=None):
        self.recipe_name, self.recipe, self.backbone, self.folder = recipe_name, recipe, backbone, folder
        self.out, self.init, self.fold, self.report = out, init, fold, report
        self.image_size = image_size or find_backbone(backbone).image_size

    def train(self, resume: bool, pretraining: str | None) -> Card:
        dataset = read_dataset(self.folder)
        table = dataset.table
        for finding in list_findings(dataset):
            self.report.say(finding.sentence)
        require_trainable(dataset, by_lesion=self.recipe.split == "lesion")
        state = StateFolder(self.out)
        if not resume and state.exists():
            raise ValueError(
                f"{state.folder} holds a run that was stopped. Go on with it by --resume, or delete this folder to begin again."
            )
        if resume:
            state.check()
        check_folder_takes(self.out)
        images = {
            size: cache_images(table, size, progress=self.report.photos)
            for size in sorted({self.image_size, *(size for _, size in self.recipe.stages(self.image_size))})
        }
        split, linked = self._split(table, images[self.image_size])
        keras.utils.set_random_seed(self.recipe.seed)
        device = prepare_accelerator()
        self.report.say(f"Training {self.backbone} ({self.recipe_name}) on {device}.")
        settings = self._settings(split)
        # A resumed run takes every weight from its last epoch: no need to load (or download) the first ones again.
        progress = state.load(settings) if resume else Progress(settings)
        resumed = progress.epoch > 0
        classifier = self._build(self.image_size, "random" if resumed else self.init)
        encoder = fit_encoder(split.rows(table, "train").age)
        parts = self._parts(table, split, encoder)
        if resumed:
            state.restore_model(progress.epoch, classifier.model)
            self.report.say(f"Resuming after epoch {progress.epoch}.")
        unknown = encoder.encode(Facts())
        if progress.frozen is None:
            if progress.epoch < self.recipe.frozen_epochs and not self._waited_enough(progress):
                self._train_head(classifier, images, parts, unknown, progress, state)
            progress.end_phase_one(self.recipe.frozen_epochs)
        self._fine_tune(classifier, images, parts, unknown, progress, state)
        if progress.best_epoch and progress.best_epoch != progress.epoch:
            state.restore_model(progress.best_epoch, classifier.model)
        card = self._finish(
            classifier, images[self.image_size], parts, split, linked, encoder, table, progress, device, pretraining
        )
        state.clear()
        return card

    # ---- data ----

    def _split(self, table, images) -> tuple[Split, tuple]:
        """The split, and the groups of lesions that near-duplicates link: they stand together."""
        linked = ()
        if self.recipe.split == "lesion":
            self.report.say("Looking for near-duplicate photos of different lesions.")
            # Always at one size, so that every backbone of one seed gets the same split.
            if self.image_size != SEEK_SIZE:
                images = cache_images(table, SEEK_SIZE, progress=self.report.photos)
            linked = linked_lesions(table, near_duplicates(images, table.lesion_id))
            if linked:
                self.report.say(f"Kept together: {'; '.join(' and '.join(group) for group in linked)}.")
        if self.fold:
            split = fold_table(table, *self.fold, self.recipe.seed, linked)  # pyright: ignore[reportCallIssue]
        else:
            split = split_table(table, self.recipe.split, self.recipe.seed, linked)
        assert_disjoint(table, split)
        if split.leaky:
            self.report.say(
                "The split by photo LEAKS: photos of one lesion stand in training and test. For replication only."
            )
        return split, linked

    def _settings(self, split: Split) -> dict:
        return {
            "recipe": self.recipe.to_json(),
            "backbone": self.backbone,
            "split": split.hash,
            "init": str(self.init),
            "image_size": self.image_size,
            "keras": keras.__version__,
        }

    def _parts(self, table, split: Split, encoder) -> dict[str, _Part]:
        labels, metadata = class_indices(table), encode_table(table, encoder)
        parts = {}
        for part in PARTS:
            rows = np.flatnonzero(table.image_id.isin(set(getattr(split, part))))
            parts[part] = _Part(rows, metadata[rows], labels[rows])
        if min(len(parts["train"].rows), len(parts["validation"].rows)) == 0:
            raise ValueError(
                f"{self.folder} is too small to split: {len(table)} photos. Expected at least a few lesions a diagnosis."
            )
        return parts

    def _batches(self, images, part: _Part, uses_metadata, unknown, epoch, augmentation) -> Batches:
        recipe = self.recipe
        counts = np.bincount(part.labels, minlength=len(CODES))
        return Batches(
            images,
            part.metadata if uses_metadata else None,
            part.labels,
            batch_size=min(recipe.batch_size, len(part.labels)),
            class_weights=class_weights(recipe.class_weights, counts),
            augmentation=augmentation,
            sampling=recipe.sampling,
            epoch_size=max(1, round(recipe.epoch_share * len(part.labels))),
            fact_dropout=recipe.fact_dropout,
            unknown=unknown,
            seed=recipe.seed,
            epoch=epoch,
        )

    # ---- phases ----

    def _build(self, size: int, init: str | Path) -> Classifier:
        """The network for photos of one side, in pixels; weights do not depend on it."""
        classifier = build_classifier(self.backbone, image_size=size, init=init, **self.recipe.network)
        if self.recipe.batch_norm_momentum is not None:
            for layer in classifier.encoder.layers:
                if isinstance(layer, keras.layers.BatchNormalization):
                    layer.momentum = self.recipe.batch_norm_momentum
        self._freeze(classifier)
        return classifier

    def _freeze(self, classifier: Classifier) -> None:
        stem = find_backbone(self.backbone).stem
        if not (self.recipe.freeze_stem and stem) or str(self.init) == "random":
            return
        for layer in classifier.encoder.layers:
            if layer.name == stem:
                break
            layer.trainable = False

    def _train_head(self, whole, images, parts, unknown, progress, state):
        """Phase one: the encoder runs once over all photos, then the head trains on its feature maps.

        The photos have the side that phase two begins with.
        """
        train, validation = parts["train"], parts["validation"]
        size = self.recipe.stages(self.image_size)[0][1]
        classifier, images = self._at(size, whole), images[size]
        self.report.say("Encoding photos once with the frozen encoder.")
        maps = {p: self._encode(classifier.encoder, images, parts[p].rows) for p in ("train", "validation")}
        view = keras.Model(classifier.head.inputs, classifier.head.outputs[0])
        self._compile(view, self.recipe.frozen_rate, self.recipe.frozen_epochs, len(train.rows))
        if progress.epoch:
            state.restore_optimizer(progress.epoch, view.optimizer)
        self._epochs(
            view,
            classifier,
            lambda epoch: self._batches(
                maps["train"], train, classifier.uses_metadata, unknown, epoch, NO_AUGMENTATION
            ),
            lambda: self._head_logits(view, classifier, maps["validation"], validation.metadata),
            validation.labels,
            progress,
            state,
            "frozen",
            self.recipe.frozen_epochs,
        )
        if classifier is not whole:
            whole.model.set_weights(classifier.model.get_weights())

    def _at(self, size: int, whole: Classifier) -> Classifier:
        """`whole`, or a network with its weights for photos of another side."""
        if size == whole.image_size:
            return whole
        classifier = self._build(size, "random")
        if [w.shape for w in classifier.model.weights] != [w.shape for w in whole.model.weights]:
            raise ValueError(
                f"This network's weights depend on the side of its photos ({size} against {whole.image_size} pixels), so it cannot be "
                "trained on small photos first. Choose a recipe with one size, or a pooled head."
            )
        # Weights from ImageNet freeze the same layers: trainable weights come first in the optimizer's order.
        classifier.model.set_weights(whole.model.get_weights())
        return classifier

    def _fine_tune(self, whole, images, parts, unknown, progress, state):
        """Phase two: the whole network, on augmented photos, stage by stage of their side; one schedule over all stages."""
        recipe, optimizer = self.recipe, None
        for last, size in recipe.stages(self.image_size):
            # From where phase one really ended: it may have stopped early, and phase two is no longer for that.
            last += progress.frozen
            if progress.epoch < last and not self._waited_enough(progress):
                optimizer = self._stage(
                    self._at(size, whole), whole, images[size], parts, unknown, progress, state, last, optimizer
                )

    def _stage(self, classifier, whole, images, parts, unknown, progress, state, last, optimizer):
        """One stage of phase two; its weights go into `whole`. Returns its optimizer, which the next one goes on from."""
        recipe, train, validation = self.recipe, parts["train"], parts["validation"]
        view = keras.Model(classifier.model.inputs, classifier.model.outputs[0])
        self._compile(view, recipe.rate, recipe.epochs, len(train.rows))
        if optimizer is not None:
            for mine, theirs in zip(view.optimizer.variables, optimizer.variables, strict=True):
                mine.assign(theirs)
        elif progress.epoch > progress.frozen:
            state.restore_optimizer(progress.epoch, view.optimizer)
        photos = _Rows(images, train.rows)
        self._epochs(
            view,
            classifier,
            lambda epoch: self._batches(photos, train, classifier.uses_metadata, unknown, epoch, recipe.augmentation),
            lambda: _predict(view, classifier, images, validation.rows, validation.metadata),
            validation.labels,
            progress,
            state,
            "fine-tune",
            last,
        )
        if classifier is not whole:
            whole.model.set_weights(classifier.model.get_weights())
        return view.optimizer

    def _epochs(self, view, classifier, batches_of, validate, labels, progress: Progress, state, phase, last):
        recipe = self.recipe
        total = last if phase == "fine-tune" else last + recipe.epochs
        while progress.epoch < last:
            epoch = progress.epoch + 1
            started = time.monotonic()
            _seed_dropout(view, recipe.seed, epoch)
            batches = batches_of(epoch)

            def tell(batch, loss, epoch=epoch, steps=len(batches)):
                self.report.batch(epoch, total, phase, batch, steps, loss)

            fitted = view.fit(
                batches, epochs=1, verbose=0, shuffle=False, callbacks=[StopOnNaN(epoch), ReportBatches(tell)]
            )
            logits = validate()
            row = {
                "epoch": epoch,
                "phase": phase,
                "image_size": classifier.image_size,
                "loss": float(fitted.history["loss"][-1]),
                "val_loss": float(-log_softmax(logits)[np.arange(len(labels)), labels].mean()),
                "val_accuracy": float((logits.argmax(1) == labels).mean()),
                "val_balanced_accuracy": balanced_accuracy(labels, logits.argmax(1)),
                "learning_rate": float(keras.ops.convert_to_numpy(view.optimizer.learning_rate)),
                "seconds": round(time.monotonic() - started, 1),
            }
            progress.epoch = epoch
            progress.seconds += row["seconds"]
            progress.history.append(row)
            figure = epoch if recipe.choose == "last" else row[f"val_{recipe.choose}"]
            if figure > progress.best:
                progress.best, progress.best_epoch, progress.waiting = figure, epoch, 0
            else:
                progress.waiting += 1
            self._plateau(view, row["val_loss"], progress)
            state.save(progress, classifier.model, view.optimizer)
            self.report.epoch(row)
            if self._waited_enough(progress):
                self.report.say(f"No better {recipe.choose} for {recipe.patience} epochs: stopping.")
                return

    def _waited_enough(self, progress: Progress) -> bool:
        """Whether the phase stops early: no better epoch for the recipe's patience."""
        return self.recipe.patience is not None and progress.waiting >= self.recipe.patience

    # ---- optimisation ----

    def _compile(self, view, rate, epochs, photos):
        recipe = self.recipe
        steps = max(1, round(recipe.epoch_share * photos) // min(recipe.batch_size, photos)) * epochs
        if recipe.schedule == "cosine":
            warm = max(1, round(recipe.warmup * steps))
            rate = keras.optimizers.schedules.CosineDecay(
                rate / 20, max(1, steps - warm), warmup_target=rate, warmup_steps=warm
            )
        adam = keras.optimizers.AdamW if recipe.weight_decay else keras.optimizers.Adam
        extra = {"weight_decay": recipe.weight_decay} if recipe.weight_decay else {}
        optimizer = adam(rate, epsilon=recipe.epsilon, **extra)
        if recipe.weight_decay:
            optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
        loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=recipe.label_smoothing)
        view.compile(optimizer, loss, jit_compile=jit_mode())
        view.optimizer.build(view.trainable_variables)

    def _plateau(self, view, val_loss, progress: Progress):
        recipe = self.recipe
        if recipe.schedule != "plateau":
            return
        if val_loss < progress.best_loss:
            progress.best_loss, progress.plateau_waiting = val_loss, 0
            return
        progress.plateau_waiting += 1
        if progress.plateau_waiting >= recipe.plateau_patience:
            rate = float(keras.ops.convert_to_numpy(view.optimizer.learning_rate))
            view.optimizer.learning_rate = max(recipe.plateau_floor, rate * recipe.plateau_factor)
            progress.plateau_waiting = 0

    # ---- prediction ----

    def _encode(self, encoder, images, rows) -> np.ndarray:
        """Feature maps of the photos, (N, h, w, C) float16."""
        out = np.empty((len(rows), *encoder.output_shape[1:]), "float16")
        for start in range(0, len(rows), PREDICT_BATCH):
            chunk = rows[start : start + PREDICT_BATCH]
            out[start : start + len(chunk)] = encoder.predict_on_batch(images[chunk].astype("float32"))
            self.report.batch(0, 0, "encoding", min(start + PREDICT_BATCH, len(rows)), len(rows), float("nan"))
        return out

    def _head_logits(self, view, classifier, maps, metadata) -> np.ndarray:
        chunks = range(0, len(maps), PREDICT_BATCH)
        return np.concatenate(
            [
                view.predict_on_batch(
                    classifier.head_inputs(
                        maps[s : s + PREDICT_BATCH].astype("float32"), metadata[s : s + PREDICT_BATCH]
                    )
                )
                for s in chunks
            ]
        )

    # ---- the end ----

    def _finish(self, classifier, images, parts, split, linked, encoder, table, progress, device, pretraining) -> Card:
        recipe, validation = self.recipe, parts["validation"]
        # The calibration must fit the weights as they ship.
        round_weights(classifier)
        view = keras.Model(classifier.model.inputs, classifier.model.outputs[0])
        view.compile(jit_compile=jit_mode())
        logits = _predict(view, classifier, images, validation.rows, validation.metadata)
        counts = np.bincount(parts["train"].labels, minlength=len(CODES))
        lesions = table.set_index("image_id").lesion_id
        card = Card(
            name=self.out.name,
            backbone=self.backbone,
            network=dict(recipe.network),
            image_size=classifier.image_size,
            age_mean=encoder.age_mean,
            age_sd=encoder.age_sd,
            calibration=Calibration(1.0),
            weights={},
            split=split.to_json(),
            recipe={"name": self.recipe_name, **recipe.to_json()},
            data={
                "name": "HAM10000",
                "citation": CITATION,
                "photos": {p: len(getattr(split, p)) for p in PARTS},
                "lesions": {p: int(lesions[list(getattr(split, p))].nunique()) for p in PARTS},
                "photos_per_class": {p: np.bincount(parts[p].labels, minlength=len(CODES)).tolist() for p in PARTS},
                "near_duplicates": [list(group) for group in linked],
                "notes": [],
            },
            scores={},
            training={
                "device": device,
                "seconds": round(progress.seconds),
                "epochs": progress.epoch,
                "best_epoch": progress.best_epoch,
                "init": Path(self.init).name if str(self.init) not in ("random", "imagenet") else str(self.init),
                "seed": recipe.seed,
                "class_weights": class_weights(recipe.class_weights, counts).round(6).tolist(),
                "gamma": classifier.gamma(),
                "versions": {
                    "keras": keras.__version__,
                    "backend": keras.backend.backend(),
                    "python": platform.python_version(),
                },
            },
            pretraining=pretraining or _describe_init(self.init),
            licence=LICENCE,
            limits=LIMITS,
            created=datetime.datetime.now(datetime.UTC).date().isoformat(),
        )
        card = calibrate_card(card, logits, validation.labels, table.lesion_id.to_numpy(dtype=str)[validation.rows])
        save_bundle(classifier, card, self.out)
        write_history(progress.history, self.out)
        try:
            export_serving(self.out)
        except (ValueError, ImportError) as error:  # another backend, or no OpenVINO: the model is whole without it
            self.report.say(f"No serving file was made, so TensorFlow will read with this model: {error}")
        # As saved: with the weights' digest.
        return read_card(self.out)


class _Rows:
    """A part's rows of the memory-mapped images, without copying them."""

    def __init__(self, images: np.ndarray, rows: np.ndarray):
        self.images, self.rows, self.dtype = images, rows, images.dtype

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):
        return self.images[self.rows[index]]


def _predict(view, classifier, images, rows, metadata) -> np.ndarray:
    """Logits (N, 7) of photos, in batches."""
    out = []
    for start in range(0, len(rows), PREDICT_BATCH):
        chunk = slice(start, start + PREDICT_BATCH)
        out.append(
            view.predict_on_batch(classifier.head_inputs(images[rows[chunk]].astype("float32"), metadata[chunk]))
        )
    return np.concatenate(out)


def _seed_dropout(view, seed: int, epoch: int) -> None:
    """Sets dropout's generators by epoch, so that a resumed run drops what the unbroken one would have."""
    for number, layer in enumerate(view._flatten_layers()):
        generator = getattr(layer, "seed_generator", None)
        if generator is not None:
            generator.state.assign(np.array([seed * 1000 + number, epoch], generator.state.dtype))


def _describe_init(init) -> str:
    if str(init) == "random":
        return "none: the encoder started from random weights"
    if str(init) == "imagenet":
        return "ImageNet weights of keras.applications"
    return f"local file {Path(init).name}"
