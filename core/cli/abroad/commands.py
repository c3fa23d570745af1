"""`sources`, `recalibrate` and `adapt`: a model on another clinic's photos."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from core.cli.terminal import plain_errors, progress, quiet_libraries, results, say
from core.wording import difference, interval

MODEL = typer.Option(help="A shipped model's name (see `models`), or a model's folder.", show_default=False)
CLINIC = typer.Argument(metavar="FOLDER", help="The clinic's photos with their table, as `data check` reads it.")
SOURCES_EPILOG = """Example: python -m core sources Without --model MobileNetV3Small --data ~/ham10000

Before that: python -m core train ... --leave-one-source-out --out Without, and `evaluate` of each network."""
RECALIBRATE_EPILOG = "Example: python -m core recalibrate ~/clinic --model MobileNetV2 --name MobileNetV2-clinic"
# What adaptation is judged by: what it gives to rare diagnoses, it may take from the others.
ADAPTED = {"balanced_accuracy": "Balanced accuracy", "accuracy": "Accuracy", "auc_macro": "Macro AUC"}
ADAPT_EPILOG = "Example: python -m core adapt ~/clinic --model MobileNetV2 --name MobileNetV2-clinic"


@plain_errors
def sources(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Holds without-SOURCE, ..., each evaluated.")],
    model: Annotated[str, MODEL],
    data: Annotated[
        Path | None,
        typer.Option(help="HAM10000 folder: also measures batch-norm adaptation, which needs the photos."),
    ] = None,
) -> None:
    """Measure what a new clinic does: networks trained without a source, on that source's photos.

    Also how many labelled photos of the source recalibration takes. The record goes into the model's folder; the Evaluation page shows it.
    """
    from core.card import find_bundle

    place = find_bundle(model)
    with quiet_libraries(), progress("Reading the networks"):
        from core.studies.abroad import measure_abroad, measure_adaptation, read_left_out

        adapted = measure_adaptation(read_left_out(folder), data, say) if data else None
        record = measure_abroad(folder, place, adapted)
    console = results()
    table = Table("source", "photos", "balanced accuracy", "melanoma AUC", "calibration error", title="Never seen")
    for name, row in record["sources"].items():
        metrics = row["metrics"]
        table.add_row(
            name,
            str(row["photos"]),
            *map(interval, (metrics["balanced_accuracy"], row["melanoma_auc"], metrics["macro_ece"])),
        )
    console.print(table)
    console.print(f"Written to {place}.", markup=False, soft_wrap=True)


@plain_errors
def recalibrate(
    folder: Annotated[Path, CLINIC],
    model: Annotated[str, MODEL],
    name: Annotated[str, typer.Option(help="Of the new model, in the folder of models.", show_default=False)],
) -> None:
    """Fit a model's probabilities to a clinic's own labelled photos: a new model of the same networks.

    Says what it gave within these photos, by cross-validation over lesions, and what as many photos gave on sources that a network never
    saw. It moves probabilities, never what the network sees.
    """
    with quiet_libraries(), progress("Loading the model") as update:
        from core.bundle import load_bundle
        from core.data.ham10000 import class_indices, read_table
        from core.evaluation.predictions import answer_table
        from core.studies.abroad import read_abroad
        from core.studies.copies import recalibrated_copy

        bundle = load_bundle(model)
        rows = read_table(folder)
        logits = answer_table(bundle, rows, progress=lambda done, total: update(done, total, "Reading photos"))
        card, place = recalibrated_copy(bundle, name, folder, logits, class_indices(rows), rows.lesion_id.to_numpy(str))
    console, fitted = results(), card.calibration
    crossed = fitted.cross_validated.get(fitted.weighing)
    before = card.training["recalibrated"]["log_loss_before"]
    console.print(
        f"Recalibrated on {fitted.photos:,} photos of {fitted.lesions:,} lesions: log loss {before:.3f} as it was, "
        + (f"{crossed:.3f} by cross-validation over lesions." if crossed else "too few lesions to cross-validate."),
        markup=False,
        soft_wrap=True,
    )
    if crossed and crossed >= before:
        console.print("That is no gain: keep the model as it was.", style="bold yellow")
    console.print(worth_of(read_abroad(bundle.folder), fitted.photos), markup=False, soft_wrap=True)
    console.print(
        f"Written to {place}. Nothing of it was measured yet: score it on photos of the clinic that it was not fitted on.",
        markup=False,
        soft_wrap=True,
    )


@plain_errors
def adapt(
    folder: Annotated[Path, CLINIC],
    model: Annotated[str, MODEL],
    name: Annotated[
        str | None, typer.Option(help="Of the new model, in the folder of models; only says what it is worth without.")
    ] = None,
) -> None:
    """Batch-norm adaptation to a clinic's photos, without their diagnoses; says first what that gave where it was measured."""
    from core.card import find_bundle

    console = results()
    with quiet_libraries(), progress("Reading"):
        from core.studies.abroad import read_abroad

        record = read_abroad(find_bundle(model))
    console.print(adaptation_worth(record), markup=False, soft_wrap=True)
    if name is None:
        console.print("Nothing was changed. Give --name to make the adapted model all the same.")
        return
    with quiet_libraries(), progress("Adapting"):
        from core.bundle import load_bundle
        from core.data.ham10000 import read_table
        from core.studies.copies import adapted_copy

        place, photos = adapted_copy(load_bundle(model), name, folder, read_table(folder))
    console.print(
        f"Adapted to {photos:,} photos. Written to {place}. Its calibration is as it was, and nothing of it was measured: `evaluate "
        f"{place} --data CLINIC --split all` does, where diagnoses are known.",
        markup=False,
        soft_wrap=True,
    )


def worth_of(record: dict | None, photos: int) -> str:
    """What so many labelled photos gave on left-out sources, in a sentence."""
    curves = (record or {}).get("recalibration") or {}
    told = []
    for source, curve in curves.items():
        sizes = [size for size in map(int, curve["photos"]) if size <= photos]
        if sizes:
            size = max(sizes)
            before, after = curve["none"]["log_loss"], curve["photos"][str(size)]["log_loss"]
            told.append(f"{source} {before.value:.3f} to {interval(after)} with {size}")
    if not told:
        return "What as many photos give was not measured for this model's kind: see `sources`."
    return f"On sources that a network never saw, recalibration moved the log loss: {'; '.join(told)} photos."


def adaptation_worth(record: dict | None) -> str:
    """What adaptation gave on left-out sources, in sentences."""
    by_source = (record or {}).get("adaptation")
    if not by_source:
        return "What adaptation gives was not measured for this model's kind: see `sources --data`. Do not rely on it."
    sentences = [
        f"{words}: {'; '.join(f'{source} {difference(row[score])}' for source, row in by_source.items())}."
        for score, words in ADAPTED.items()
    ]
    sentences.insert(0, "What adaptation changed on sources that a network never saw.")
    worse = [source for source, row in by_source.items() if any(row[score].is_below_zero for score in ADAPTED)]
    better = [source for source in by_source if source not in worse and by_source[source]["balanced_accuracy"].is_above_zero]
    if better and not worse:
        return f"{' '.join(sentences)} It helped beyond chance on {len(better)} of {len(by_source)}."
    return (
        f"{' '.join(sentences)} It helped beyond chance, with none of these worse, on {len(better)} of {len(by_source)}, and made "
        f"one of them worse on {len(worse)}: it is not recommended."
    )
