"""Trains one network by a recipe: frozen encoder first, then fine-tuning; resumable, chosen on validation.

The validation part is used more than once: it chooses the epoch and fits the calibration here; later it chooses the operating point,
the 90 % sets and the limits of the gate and of look-alikes. Each of these looks a little better on validation than on new lesions. So
every figure that is reported as a model's is measured on the test part, which chooses nothing.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import keras

from core.bundle import export_serving, round_weights, save_bundle
from core.card import Card, read_card
from core.data.ham10000 import read_dataset
from core.data.tables.findings import list_findings
from core.data.tables.folder_check import require_trainable
from core.files import check_folder_takes
from core.folders import model_folder
from core.networks.backbones import find_backbone
from core.networks.classifier import Classifier
from core.training.accelerator import jit_mode, prepare_accelerator
from core.training.calibration import calibrate_card
from core.training.new_card import new_card
from core.training.phases import Phases
from core.training.predicting import predict_rows
from core.training.recipes import Recipe, find_recipe
from core.training.state import RunState, StateFolder, write_history
from core.training.training_data import ready_data
from core.training.watching import Report


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
    split_seed: int | None = None,
    stop_after: int | None = None,
    without_source: str | None = None,
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
        split_seed: of the split; the seed itself when None.
        stop_after: ends with the best of the epochs there are, once there are so many: what a sweep does with one that fell behind.
        without_source: leaves out the photos of this source (column dataset), which become the test part.
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
    if without_source and recipe.split != "lesion":
        raise ValueError(f"A source is left out by lesion; got the split {recipe.split!r}. Leave --split out.")
    return _train(
        _Plan(
            recipe_name=name,
            recipe=recipe,
            backbone=backbone,
            folder=Path(folder),
            out=Path(out or model_folder(backbone)),
            init=init,
            image_size=image_size or find_backbone(backbone).image_size,
            fold=fold,
            split_seed=recipe.seed if split_seed is None else split_seed,
            stop_after=stop_after,
            without_source=without_source,
            resume=resume,
            pretraining=pretraining or _describe_init(init),
            report=report or Report(),
        )
    )


@dataclass(frozen=True)
class _Plan:
    """What `train` was asked for, checked, with every default settled; see there."""

    recipe_name: str
    recipe: Recipe
    backbone: str
    folder: Path
    out: Path
    init: str | Path
    image_size: int
    fold: tuple[int, int] | None
    split_seed: int
    stop_after: int | None
    without_source: str | None
    resume: bool
    pretraining: str
    report: Report


def _train(plan: _Plan) -> Card:
    recipe, report, image_size = plan.recipe, plan.report, plan.image_size
    dataset = read_dataset(plan.folder)
    for finding in list_findings(dataset):
        report.say(finding.sentence)
    require_trainable(dataset, by_lesion=recipe.split == "lesion")
    state = check_begun(plan.out, plan.resume)
    check_folder_takes(plan.out)
    sizes = (image_size, *(size for _, size in recipe.stages(image_size)))
    data = ready_data(
        dataset, plan.folder, replace(recipe, seed=plan.split_seed), sizes, plan.fold, report, plan.without_source
    )
    keras.utils.set_random_seed(recipe.seed)
    device = prepare_accelerator()
    report.say(f"Training {plan.backbone} ({plan.recipe_name}) on {device}.")
    settings = {
        "recipe": recipe.to_json(),
        "backbone": plan.backbone,
        "split": data.split.hash,
        "init": str(plan.init),
        "image_size": image_size,
        "keras": keras.__version__,
    }
    progress = state.load(settings) if plan.resume else RunState(settings)
    run = Phases(recipe, plan.backbone, plan.init, image_size, data, progress, state, report, plan.stop_after)
    classifier = run.go_through()
    card = _finish(plan, run, classifier, device)
    state.clear()
    return card


def check_begun(out: Path, resume: bool) -> StateFolder:
    """The saved state of a run in a folder, which is there if and only if the run is to go on.

    Raises:
        ValueError: a run was stopped here, and `resume` was not asked for; or there is nothing whole to resume.
    """
    state = StateFolder(out)
    if not resume and state.exists():
        raise ValueError(
            f"{state.folder} holds a run that was stopped. Go on with it by --resume, or delete this folder to begin again."
        )
    if resume:
        state.check()
    return state


def _finish(plan: _Plan, run: Phases, classifier: Classifier, device: str) -> Card:
    """Rounds, calibrates and saves a trained network, with its card and its serving file."""
    data, out = run.data, plan.out
    validation, images = data.parts["validation"], data.images[run.image_size]
    # The calibration must fit the weights as they ship.
    round_weights(classifier)
    view = keras.Model(classifier.model.inputs, classifier.model.outputs[0])
    view.compile(jit_compile=jit_mode())
    logits = predict_rows(view, classifier, images, validation.rows, validation.metadata)
    card = new_card(run, classifier, plan.recipe_name, out.name, device, plan.pretraining)
    card = calibrate_card(
        card, logits, validation.labels, data.dataset.table.lesion_id.to_numpy(dtype=str)[validation.rows]
    )
    save_bundle(classifier, card, out)
    write_history(run.progress.history, out)
    try:
        export_serving(out)
    except (ValueError, ImportError) as error:  # another backend, or no tf2onnx: the model is whole without it
        plan.report.say(f"No serving file was made, so TensorFlow will read with this model: {error}")
    # As saved: with the weights' digest.
    return read_card(out)


def _describe_init(init) -> str:
    if str(init) == "random":
        return "none: the encoder started from random weights"
    if str(init) == "imagenet":
        return "ImageNet weights of keras.applications"
    return f"local file {Path(init).name}"
