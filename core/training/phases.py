"""The two phases of a training: the head on a frozen encoder, then the whole network, stage by stage of the photos' side."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from core.data.augment import NO_AUGMENTATION, Augmentation
from core.data.batches import Batches
from core.data.patient import Facts
from core.diagnoses import CODES
from core.networks.backbones import find_backbone
from core.networks.classifier import Classifier, build_classifier
from core.networks.drop_block import DropBlock
from core.training.accelerator import jit_mode
from core.training.calibration import balanced_accuracy, log_softmax
from core.training.callbacks import ReportBatches, StopOnNaN
from core.training.class_weights import class_weights
from core.training.predicting import ImageRows, encode_rows, predict_from_maps, predict_rows, seed_dropout
from core.training.recipes import Recipe
from core.training.state import RunState, StateFolder
from core.training.training_data import TrainingData
from core.training.watching import Report


class TwoRates(keras.optimizers.Adam):
    """Adam that changes some of the weights by a share of its rate; without them it is Adam. Scaled gradients would not do it.

    Weight decay goes by the whole rate.
    """

    def slow_down(self, variables: list, share: float) -> None:
        """Which weights, and by what share; after `build`."""
        self.slow, self.share = frozenset(map(self._get_variable_index, variables)), share

    def update_step(self, gradient, variable, learning_rate):
        slow = self._get_variable_index(variable) in self.slow
        return super().update_step(gradient, variable, self.share * learning_rate if slow else learning_rate)


class WarmRestarts(keras.optimizers.schedules.LearningRateSchedule):
    """A warm-up, then cosines from the peak to 0, one after the other. Reference: Loshchilov and Hutter 2017, SGDR, equation 5.

    Args:
        rate: the peak.
        warm: steps of the warm-up, from a twentieth of the peak.
        steps: of all cosines together.
        restarts: cosines after the first one, all of one length.
    """

    def __init__(self, rate: float, warm: int, steps: int, restarts: int):
        self.rate, self.warm, self.steps, self.restarts = rate, warm, steps, restarts

    def __call__(self, step):
        done: Any = keras.ops.cast(step, "float32")
        rising = self.rate * (1 + 19 * done / self.warm) / 20
        cosines = (done - self.warm) * (self.restarts + 1) / self.steps
        # The last step of all ends the last cosine.
        into = cosines - keras.ops.clip(keras.ops.floor(cosines), 0, self.restarts)
        swing: Any = keras.ops.cos(keras.ops.multiply(np.pi, keras.ops.minimum(into, 1)))
        return keras.ops.where(done < self.warm, rising, self.rate * (1 + swing) / 2)

    def get_config(self) -> dict:
        return {"rate": self.rate, "warm": self.warm, "steps": self.steps, "restarts": self.restarts}


@dataclass
class Phases:
    """One network's way through both phases; an epoch that ended is saved and told.

    Args:
        init: the encoder's first weights, see `train`.
        image_size: pixels, of the last stage.
        data: what it learns from.
        progress, state: how far it is, and where that is kept.
        stop_after: epochs after which it ends, whatever is left; see `train`.
    """

    recipe: Recipe
    backbone: str
    init: str | Path
    image_size: int
    data: TrainingData
    progress: RunState
    state: StateFolder
    report: Report
    stop_after: int | None = None

    def go_through(self) -> Classifier:
        """The trained network: goes on where the run stands, and ends with the weights of the best epoch."""
        recipe, progress = self.recipe, self.progress
        # A resumed run takes every weight from its last epoch: no need to load (or download) the first ones again.
        classifier = self.build(self.image_size, "random" if progress.epoch else self.init)
        if progress.epoch:
            self.state.restore_model(progress.epoch, classifier.model)
            self.report.say(f"Resuming after epoch {progress.epoch}.")
        if progress.frozen is None:
            if progress.epoch < recipe.frozen_epochs and not self.waited_enough() and not self.told_to_stop():
                self.train_head(classifier)
            progress.end_phase_one(recipe.frozen_epochs)
        self.fine_tune(classifier)
        if progress.best_epoch and progress.best_epoch != progress.epoch:
            self.state.restore_model(progress.best_epoch, classifier.model)
        return classifier

    def build(self, size: int, init: str | Path) -> Classifier:
        """The network for photos of one side, in pixels; weights do not depend on it."""
        classifier = build_classifier(self.backbone, self.recipe.network, image_size=size, init=init)
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

    def train_head(self, whole: Classifier) -> None:
        """Phase one: the encoder runs once over all photos, then the head trains on its feature maps.

        The photos have the side that phase two begins with.
        """
        train, validation = self.data.parts["train"], self.data.parts["validation"]
        size = self.recipe.stages(self.image_size)[0][1]
        classifier, images = self._at(size, whole), self.data.images[size]
        self.report.say("Encoding photos once with the frozen encoder.")
        maps = {
            p: encode_rows(classifier.encoder, images, self.data.parts[p].rows, self.report)
            for p in ("train", "validation")
        }
        view = keras.Model(classifier.head.inputs, classifier.head.outputs[0])
        self._compile(view, self.recipe.frozen_rate, self.recipe.frozen_epochs, len(train.rows))
        if self.progress.epoch:
            self.state.restore_optimizer(self.progress.epoch, view.optimizer)
        self._epochs(
            view,
            classifier,
            lambda epoch: self._batches(maps["train"], classifier.uses_metadata, epoch, NO_AUGMENTATION),
            lambda: predict_from_maps(view, classifier, maps["validation"], validation.metadata),
            "frozen",
            self.recipe.frozen_epochs,
        )
        if classifier is not whole:
            whole.model.set_weights(classifier.model.get_weights())

    def _at(self, size: int, whole: Classifier) -> Classifier:
        """`whole`, or a network with its weights for photos of another side."""
        if size == whole.image_size:
            return whole
        classifier = self.build(size, "random")
        if [w.shape for w in classifier.model.weights] != [w.shape for w in whole.model.weights]:
            raise ValueError(
                f"This network's weights depend on the side of its photos ({size} against {whole.image_size} pixels), so it cannot be "
                "trained on small photos first. Choose a recipe with one size, or a pooled head."
            )
        # Weights from ImageNet freeze the same layers: trainable weights come first in the optimizer's order.
        classifier.model.set_weights(whole.model.get_weights())
        return classifier

    def fine_tune(self, whole: Classifier) -> None:
        """Phase two: the whole network, on augmented photos, stage by stage of their side; one schedule over all stages."""
        optimizer = None
        for last, size in self.recipe.stages(self.image_size):
            # From where phase one really ended: it may have stopped early, and phase two is no longer for that.
            last += self.progress.frozen or 0
            if self.progress.epoch < last and not self.waited_enough() and not self.told_to_stop():
                optimizer = self._stage(self._at(size, whole), whole, last, optimizer)

    def _stage(self, classifier: Classifier, whole: Classifier, last: int, optimizer: keras.Optimizer | None):
        """One stage of phase two; its weights go into `whole`. Returns its optimizer, which the next one goes on from."""
        recipe, images = self.recipe, self.data.images[classifier.image_size]
        train, validation = self.data.parts["train"], self.data.parts["validation"]
        view = self._view(classifier)
        self._compile(view, recipe.rate, recipe.epochs, len(train.rows), classifier.encoder)
        if optimizer is not None:
            for mine, theirs in zip(view.optimizer.variables, optimizer.variables, strict=True):
                mine.assign(theirs)
        elif self.progress.epoch > (self.progress.frozen or 0):
            self.state.restore_optimizer(self.progress.epoch, view.optimizer)
        photos = ImageRows(images, train.rows)
        self._epochs(
            view,
            classifier,
            lambda epoch: self._batches(photos, classifier.uses_metadata, epoch, recipe.augmentation),
            lambda: predict_rows(view, classifier, images, validation.rows, validation.metadata),
            "fine-tune",
            last,
        )
        if classifier is not whole:
            whole.model.set_weights(classifier.model.get_weights())
        return view.optimizer

    def _view(self, classifier: Classifier) -> keras.Model:
        """What learns in phase two: the whole network without its map, (photo, facts) -> logits."""
        if not self.recipe.drop_block:
            return keras.Model(classifier.model.inputs, classifier.model.outputs[0])
        image, *facts = classifier.model.inputs
        feature_map = DropBlock(self.recipe.drop_block, name="drop_block")(classifier.encoder(image))
        return keras.Model([image, *facts], classifier.head([feature_map, *facts])[0])

    def _epochs(self, view: keras.Model, classifier: Classifier, batches_of, validate, phase: str, last: int) -> None:
        recipe, progress, labels = self.recipe, self.progress, self.data.parts["validation"].labels
        total = last if phase == "fine-tune" else last + recipe.epochs
        while progress.epoch < last:
            epoch = progress.epoch + 1
            started = time.monotonic()
            seed_dropout(view, recipe.seed, epoch)
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
            self._plateau(view, row["val_loss"])
            self.state.save(progress, classifier.model, view.optimizer)
            self.report.epoch(row)
            if self.waited_enough():
                self.report.say(f"No better {recipe.choose} for {recipe.patience} epochs: stopping.")
                return
            if self.told_to_stop():
                return

    def told_to_stop(self) -> bool:
        """Whether it ends with the epochs there are."""
        return self.stop_after is not None and self.progress.epoch >= self.stop_after

    def waited_enough(self) -> bool:
        """Whether the phase stops early: no better epoch for the recipe's patience."""
        return self.recipe.patience is not None and self.progress.waiting >= self.recipe.patience

    def _compile(
        self, view: keras.Model, rate: float, epochs: int, photos: int, encoder: keras.Model | None = None
    ) -> None:
        """Readies a view for a phase; with the encoder where it learns too."""
        recipe, scheduled = self.recipe, rate
        steps = max(1, round(recipe.epoch_share * photos) // min(recipe.batch_size, photos)) * epochs
        if recipe.schedule == "cosine":
            warm = max(1, round(recipe.warmup * steps))
            cosine = keras.optimizers.schedules.CosineDecay(
                rate / 20, max(1, steps - warm), warmup_target=rate, warmup_steps=warm
            )
            restarts = recipe.restarts if encoder is not None else 0
            scheduled = WarmRestarts(rate, warm, max(1, steps - warm), restarts) if restarts else cosine
        adam = keras.optimizers.AdamW if recipe.weight_decay else keras.optimizers.Adam
        extra: dict = {"weight_decay": recipe.weight_decay} if recipe.weight_decay else {}
        if encoder is not None and recipe.weight_average:
            extra |= {"use_ema": True, "ema_momentum": recipe.weight_average}
        slow = encoder is not None and recipe.encoder_rate != 1
        optimizer = (TwoRates if slow else adam)(scheduled, epsilon=recipe.epsilon, **extra)
        if recipe.weight_decay:
            optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
        loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=recipe.label_smoothing)
        view.compile(optimizer, loss, jit_compile=jit_mode())
        view.optimizer.build(view.trainable_variables)
        if slow:
            view.optimizer.slow_down(encoder.trainable_variables, recipe.encoder_rate)

    def _plateau(self, view: keras.Model, val_loss: float) -> None:
        recipe, progress = self.recipe, self.progress
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

    def _batches(self, images, uses_metadata: bool, epoch: int, augmentation: Augmentation) -> Batches:
        recipe, part = self.recipe, self.data.parts["train"]
        counts = np.bincount(part.labels, minlength=len(CODES))
        return Batches(
            images,
            part.metadata if uses_metadata else None,
            part.labels,
            targets=part.targets,
            batch_size=min(recipe.batch_size, len(part.labels)),
            class_weights=class_weights(recipe.class_weights, counts),
            augmentation=augmentation,
            sampling=recipe.sampling,
            epoch_size=max(1, round(recipe.epoch_share * len(part.labels))),
            cutmix=recipe.cutmix,
            fact_dropout=recipe.fact_dropout,
            unknown=self.data.facts_encoder.encode(Facts()),
            seed=recipe.seed,
            epoch=epoch,
        )
