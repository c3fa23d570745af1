"""`train`: one network by one recipe, from a HAM10000 folder to a bundle."""

import math
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from core.cli.on_ray.ray_option import RayOption, WorkersOption
from core.cli.terminal import plain_errors, progress, quiet_libraries, results, say
from core.wording import interval

EPILOG = """Example: python -m core train honest --backbone MobileNetV2 --data ~/ham10000

Minutes on a CPU: python -m core train frozen --backbone MobileNetV3Small --data ~/ham10000 --out weights/Mine"""
PARTS = {"train": "to train", "validation": "to choose", "test": "held out"}
BACKBONES_HELP = (
    "MobileNetV3Small, MobileNetV3Large, MobileNetV2, EfficientNetB0, NASNetMobile, NASNetLarge, ResNet50, ResNet152, "
    "DenseNet201 or InceptionResNetV2."
)


@plain_errors
def train(
    recipe: Annotated[
        str,
        typer.Argument(
            metavar="RECIPE",
            help="honest: the default way. progressive: longer, most epochs on small photos. frozen: the head alone, minutes on a CPU. "
            "paper: replication, with a leaky split.",
            show_default=False,
        ),
    ],
    backbone: Annotated[str, typer.Option(help=BACKBONES_HELP, show_default=False)],
    data: Annotated[Path, typer.Option(help="HAM10000 folder.", show_default=False)],
    out: Annotated[Path | None, typer.Option(help="The model's folder; weights/BACKBONE if not given.")] = None,
    init: Annotated[
        str, typer.Option(help="First weights: imagenet (downloads), random, or a .weights.h5 file.")
    ] = "imagenet",
    epochs: Annotated[int | None, typer.Option(help="Instead of the recipe's.", min=1)] = None,
    batch_size: Annotated[int | None, typer.Option(help="Photos a step, instead of the recipe's.", min=1)] = None,
    split: Annotated[str | None, typer.Option(help="lesion (honest) or paper (by photo: leaky).")] = None,
    seed: Annotated[
        int | None, typer.Option(help="Of the split, the first weights and the order of photos.", min=0)
    ] = None,
    image_size: Annotated[
        int | None, typer.Option(help="Side of the input in pixels, instead of the backbone's.", min=32)
    ] = None,
    folds: Annotated[
        int | None,
        typer.Option(
            help="Cross-validate by lesion: so many networks, each into a folder of its own under --out (fold-1, fold-2, ...), "
            "each held out from its own part.",
            min=2,
        ),
    ] = None,
    leave_one_source_out: Annotated[
        bool,
        typer.Option(
            "--leave-one-source-out",
            help="One network for each source in the column dataset, trained without its photos, into without-SOURCE under --out.",
        ),
    ] = False,
    pretraining: Annotated[
        str | None, typer.Option(help="Where --init FILE comes from, in words, for the card.")
    ] = None,
    ray: RayOption = None,
    workers: WorkersOption = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on after the last whole epoch of the run in --out.")
    ] = False,
) -> None:
    """Train a network and write its weights, card and history.

    The device, mixed precision and several GPUs are found by themselves; KERAS_BACKEND chooses tensorflow, jax or torch.
    A run that was stopped goes on with --resume and the same command line. With --ray a worker trains, on a GPU where the cluster has
    one, and each of several folds on a worker of its own; all machines must see --data and --out.
    """
    from core.folders import model_folder

    if ray is not None:
        from core.cluster.ray_runtime import check_ray

        check_ray()

    # TensorFlow's greetings; what it says while training may matter, such as that a GPU's memory is full.
    with quiet_libraries():
        from core.training.folds import fold_folder, source_folder, train_folds, train_without_sources
        from core.training.trainer import train as train_network
        from core.training.watching import Report

    if leave_one_source_out and (folds or ray is not None or out is None):
        raise ValueError(
            "--leave-one-source-out needs a folder of its own by --out, and goes without --folds and --ray."
        )
    whole = 0
    with progress("Preparing") as update:

        def batch(epoch: int, epochs: int, phase: str, done: int, total: int, loss: float) -> None:
            where = f"Epoch {epoch}/{epochs} ({phase})" if epoch else phase.capitalize()
            update(done, total, where if math.isnan(loss) else f"{where}, loss {loss:.3f}")

        def epoch(row: dict) -> None:
            nonlocal whole
            whole = row["epoch"]
            say(
                f"Epoch {row['epoch']} ({row['phase']}): loss {row['loss']:.4f}, validation loss {row['val_loss']:.4f}, "
                f"accuracy {row['val_accuracy']:.3f}, balanced accuracy {row['val_balanced_accuracy']:.3f}, {row['seconds']:.0f} s"
            )

        try:
            choices = {
                "backbone": backbone,
                "folder": data,
                "out": out,
                "init": init,
                "epochs": epochs,
                "batch_size": batch_size,
                "split": split,
                "seed": seed,
                "image_size": image_size,
                "resume": resume,
                "pretraining": pretraining,
                "report": Report(
                    say=say, photos=lambda done, total: update(done, total, "Decoding photos"), batch=batch, epoch=epoch
                ),
            }
            if ray is not None:
                from core.cluster.placed_training import train_on_ray

                cards = train_on_ray(recipe, address=ray, workers=workers, folds=folds, **choices)
            elif leave_one_source_out:
                cards = train_without_sources(recipe, **choices)
            elif folds:
                cards = train_folds(recipe, folds=folds, **choices)
            else:
                cards = [train_network(recipe, **choices)]
        except KeyboardInterrupt:
            if whole:
                say(f"Epoch {whole} is safe: the same command line with --resume goes on after it.")
            raise
    folder = out or model_folder(backbone)
    console = results()
    for number, card in enumerate(cards, start=1):
        written = fold_folder(folder, number) if folds else folder
        if leave_one_source_out:
            written = source_folder(folder, card.split["without_source"])
        console.print(_summary(card))
        console.print(f"Written to {written}.", markup=False, soft_wrap=True)
        console.print(f"Measure it: python -m core evaluate {written} --data {data}", markup=False, soft_wrap=True)


def _by_lesion(split: dict) -> str:
    alone = split.get("without_lesion", 0)
    return f"by lesion ({alone:,} photos without a lesion_id count as a lesion each)" if alone else "by lesion"


def _summary(card) -> Table:
    """What the run ended with."""
    score, training, photos = card.scores["validation"], card.training, card.data["photos"]
    table = Table("", card.name, title="Trained", show_header=False)
    rows = {
        "Photos": ", ".join(f"{photos.get(part, 0):,} {words}" for part, words in PARTS.items()),
        "Split": "by photo: LEAKY, for replication only" if card.split["leaky"] else _by_lesion(card.split),
        "Epochs": f"{training['epochs']}, the best of them {training['best_epoch']}",
        "Time": f"{training['seconds'] / 60:.0f} minutes on {training['device']}",
        "Balanced accuracy (rule balanced), validation": interval(score["balanced_accuracy"]),
        "Accuracy (rule likeliest), validation": interval(score.get("accuracy")),
        "Calibration": card.calibration.words,
        "Weights": f"{card.parameters:,}, {card.megabytes:.1f} MB",
    }
    for label, value in rows.items():
        table.add_row(label, value)
    table.caption = "Validation photos chose the epoch and the calibration: expect less on new photos."
    return table
