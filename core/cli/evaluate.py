"""`evaluate`: a model's scores on a HAM10000 folder, with intervals."""

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from core.cli.engine_option import EngineOption
from core.cli.on_ray.ray_option import RayOption, WorkersOption
from core.cli.terminal import plain_errors, progress, quiet_libraries, results, say
from core.wording import cut, interval

EPILOG = """Example: python -m core evaluate MobileNetV2 --data ~/ham10000

Photos that the model never saw: python -m core evaluate MobileNetV2 --data ~/clinic --split all --out clinic-scores"""
HEADLINE = {
    "balanced_accuracy": "Balanced accuracy (rule balanced)",
    "accuracy": "Accuracy (rule likeliest)",
    "auc_macro": "AUC, macro",
    "macro_f1": "F1, macro (rule likeliest)",
    "malignancy_auc": "AUC, malignant against benign",
    "melanoma_nevus_auc": "AUC, melanoma against nevus",
    "log_loss": "Log loss, nats",
    "macro_ece": "Calibration error, mean over diagnoses",
    "malignancy_ece": "Calibration error of malignancy",
    "melanoma_slope": "Calibration slope of melanoma",
}


@plain_errors
def evaluate(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL", help="A shipped model's name (see `models`), or a model's folder.", show_default=False
        ),
    ],
    data: Annotated[Path, typer.Option(help="HAM10000 folder.", show_default=False)],
    split: Annotated[
        str, typer.Option(help="test: the photos held out in training. all: every photo of the folder.")
    ] = "test",
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for evaluation.json, predictions.csv and cases.csv; the model's own for test, else evaluations/MODEL/DATA-SPLIT."
        ),
    ] = None,
    batch_size: Annotated[int, typer.Option(help="Photos that go through the network together.", min=1)] = 32,
    engine: EngineOption = None,
    ray: RayOption = None,
    workers: WorkersOption = None,
) -> None:
    """Measure a model: every score with a 95 % interval that resamples lesions.

    Works on any folder in HAM10000 layout. The scores of the whole test part also go into the model's card, unless --out
    is given. With --ray, workers answer; the scores are the same. A run that was stopped goes on where it was.
    """
    if ray is not None:
        from core.cluster.ray_runtime import check_ray

        check_ray()
    with quiet_libraries(), progress("Loading the model") as update, ExitStack() as stack:
        from core.bundle import add_scores, load_bundle
        from core.evaluation.evaluator import default_out
        from core.evaluation.evaluator import evaluate as measure
        from core.evaluation.fold_set import evaluate_folds

        bundle, where = load_bundle(model), {}
        if ray is not None:
            from core.cluster.predict import PredictInParts
            from core.cluster.ray_runtime import on_ray

            stack.enter_context(on_ray(ray, workers))
            where["predict"] = PredictInParts(workers=workers)
        where |= {"say": say, "batch_size": batch_size}

        def show(done: int, total: int) -> None:
            update(done, total, "Reading photos")

        of_folds = bundle.card.is_fold_set and split == "test"
        if of_folds and out is not None:
            raise ValueError(
                f"{bundle.name} is a set of folds: each of its networks is scored into its own folder, and joined in {bundle.folder}. "
                "Leave --out away, or give one network's folder."
            )
        evaluation = (
            evaluate_folds(bundle, data, show, **where)
            if of_folds
            else measure(bundle, data, split, out, show, **where)
        )
        if "predict" in where:
            where["predict"].clear()
    folder = Path(bundle.folder) if of_folds else out or default_out(bundle, data, split, evaluation.split["missing"])
    if folder == Path(bundle.folder):
        from core.reading import measure_speed

        add_scores(folder, bundle.card.held_out_part, evaluation.summary(), measure_speed(bundle))
    _show(evaluation)
    results().print(f"Written to {folder}.", markup=False, soft_wrap=True)


def _show(evaluation) -> None:
    from core.decisions import SCORED
    from core.diagnoses import NAMES

    console = results()
    for warning in evaluation.warnings:
        console.print(warning, style="bold yellow", markup=False)
    title = f"{evaluation.model}, {evaluation.split['part']}: {evaluation.photos:,} photos of {evaluation.lesions:,} lesions"
    table = Table("score", "value (95 % interval)", title=title)
    for metric, words in HEADLINE.items():
        table.add_row(words, interval(evaluation.metrics.get(metric)))
    console.print(table)
    rules = {rule: evaluation.under(rule).per_class for rule in SCORED}
    table = Table(
        "diagnosis", "photos", *(f"sensitivity, {rule}" for rule in SCORED), "AUC", "said", "true", "calibration error"
    )
    for code, scores in evaluation.per_class.items():
        table.add_row(
            NAMES[code],
            str(scores["photos"]),
            *(interval(per_class[code]["sensitivity"]) for per_class in rules.values()),
            *(interval(scores[k]) for k in ("auc", "mean_probability", "share", "ece")),
        )
    console.print(table)
    point = evaluation.operating_point
    if point:
        console.print(
            f"Melanoma from a probability of {cut(point['threshold'])} on ({point['rule']}): sensitivity {interval(point['sensitivity'])}, "
            f"specificity {interval(point['specificity'])}.",
            markup=False,
        )
    console.print(evaluation.confidence, style="dim", markup=False)
