"""What a new clinic does to a network, forecast from inside the collection: networks trained without a source, met with its photos.

Three questions: how well does such a network answer there (leave-one-source-out); what does it help to recalibrate it on some of the
clinic's own labelled photos, and with how many; what does batch-norm adaptation to its unlabelled photos help.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from core.card import CARD_FILE, Card, InvalidBundle, read_card
from core.data.ham10000 import read_table
from core.data.image_cache import cache_images, encode_facts
from core.diagnoses import CODES, MELANOMA
from core.estimates import Estimate
from core.estimates.in_files import from_text, to_text
from core.evaluation.calibration_scores import calibration_scores
from core.evaluation.results import Results, read_results
from core.evaluation.statistics.bootstrap import paired_differences
from core.files import write_text
from core.training.calibration import fit_numbers, log_softmax
from core.wording import difference

SOURCES_FILE = "sources.json"
FORMAT = 1
# Labelled photos of the clinic that recalibrate.
SIZES = (25, 50, 100, 200, 400)
DRAWS = 40
# Fewer scored photos would leave nothing to measure on.
LEAST_LEFT = 200
COMPARED = ("balanced_accuracy", "accuracy", "auc_macro", "mel.sensitivity", "mel.specificity", "ece")
SHOWN = ("balanced_accuracy", "accuracy", "auc_macro", "melanoma_nevus_auc", "malignancy_auc", "macro_ece", "log_loss")


@dataclass(frozen=True, eq=False)
class LeftOut:
    """A network that was trained without a source, and its answers to that source's photos."""

    source: str
    folder: Path
    card: Card
    results: Results


def read_left_out(folder: str | Path) -> list[LeftOut]:
    """The evaluated networks of `train --leave-one-source-out`, by source.

    Raises:
        InvalidBundle: the folder holds none, or they were not trained alike.
        InvalidResults: one is not evaluated.
    """
    left_out = []
    for path in sorted(Path(folder).glob(f"without-*/{CARD_FILE}")):
        card = read_card(path.parent)
        source = card.split.get("without_source")
        if not source:
            raise InvalidBundle(f"{path.parent} holds no network that was trained without a source. Move it elsewhere.")
        left_out.append(LeftOut(str(source), path.parent, card, read_results(path.parent, card)))
    if not left_out:
        raise InvalidBundle(
            f"{folder} holds no network without a source. Make them by `train RECIPE --leave-one-source-out --out {folder}`, and "
            "`evaluate` each."
        )
    kinds = {(one.card.backbone, one.card.image_size, one.card.recipe.get("name")) for one in left_out}
    if len(kinds) > 1:
        raise InvalidBundle(f"The networks in {folder} were not trained alike: {sorted(map(str, kinds))}.")
    return left_out


def measure_abroad(
    folder: str | Path, model: str | Path, adapted: dict | None = None, say: Callable[[str], None] = lambda text: None
) -> dict:
    """Writes `sources.json` into a model's folder: what networks like it give on a source that they never saw.

    Args:
        folder: of the networks without a source; see `read_left_out`.
        model: folder of the model beside whose scores the record is shown. It is another network, trained on all sources.
        adapted: of `measure_adaptation`, if that was measured.
    """
    left = read_left_out(folder)
    say(f"{len(left)} sources.")
    first = left[0].card
    record = {
        "format": FORMAT,
        "network": {
            "backbone": first.backbone,
            "image_size": first.image_size,
            "recipe": first.recipe.get("name"),
            "epochs": first.recipe.get("epochs"),
        },
        "sources": {one.source: _scores(one) for one in left},
        "recalibration": recalibration_curve(left),
        "adaptation": adapted,
    }
    write_text(Path(model) / SOURCES_FILE, to_text(record) + "\n")
    return record


def read_abroad(model: str | Path) -> dict | None:
    """The record of `measure_abroad`; None where it was never made, or is of another form."""
    try:
        record = from_text((Path(model) / SOURCES_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) and record.get("format") == FORMAT else None


def _scores(one: LeftOut) -> dict:
    evaluation = one.results.evaluation
    point = evaluation.operating_point or {}
    return {
        "photos": evaluation.photos,
        "lesions": evaluation.lesions,
        "melanomas": int((one.results.y_true == MELANOMA).sum()),
        "absent": list(evaluation.absent_classes),
        "metrics": {name: evaluation.metrics[name] for name in SHOWN if name in evaluation.metrics},
        "melanoma_auc": evaluation.per_class["mel"]["auc"],
        "melanoma_said": evaluation.per_class["mel"]["mean_probability"],
        "melanoma_share": evaluation.per_class["mel"]["share"],
        "at_threshold": {name: point.get(name) for name in ("threshold", "sensitivity", "specificity")},
    }


def recalibration_curve(left: list[LeftOut], draws: int = DRAWS, seed: int = 0) -> dict:
    """What recalibration on N labelled photos of the left-out source gives on its other photos, drawn many times, whole lesions.

    Returns:
        Source -> {"none": scores without it, "photos": {N: scores}}; scores are "log_loss", "macro_ece" and "melanoma_gap" (of the mean
        probability of melanoma to its share), each a mean with 95 % of the draws.
    """
    return {one.source: _curve(one.results, draws, seed) for one in left}


def _curve(results: Results, draws: int, seed: int) -> dict:
    logits = np.log(np.maximum(results.probabilities, 1e-9))
    lesion = np.unique(results.lesions, return_inverse=True)[1]
    rng = np.random.default_rng(seed)
    by_size = {"none": [], "photos": {size: [] for size in SIZES if size + LEAST_LEFT <= len(logits)}}
    if not by_size["photos"]:
        return {"none": None, "photos": {}}
    for _ in range(draws):
        # Photos in an order that keeps a lesion's together; the most that any size takes is left out for all, so that sizes compare.
        order = np.argsort(rng.permutation(lesion.max() + 1)[lesion], kind="stable")
        most = max(by_size["photos"])
        last = lesion[order[most - 1]]
        scored = order[most:][lesion[order[most:]] != last]
        truth = results.y_true[scored]
        by_size["none"].append(_score(results.probabilities[scored], truth))
        for size, scores in by_size["photos"].items():
            chosen = order[:size]
            temperature, biases = fit_numbers(logits[chosen], results.y_true[chosen], np.ones(size))
            scores.append(_score(np.exp(log_softmax(logits[scored] / temperature + biases)), truth))
    return {
        "none": _spread(by_size["none"]),
        "photos": {str(size): _spread(scores) for size, scores in by_size["photos"].items()},
    }


def _score(probabilities: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    rows = np.arange(len(truth))
    errors, _ = calibration_scores(truth, probabilities, np.ones((1, len(truth))))
    return {
        "log_loss": float(-np.log(np.maximum(probabilities[rows, truth], 1e-9)).mean()),
        "macro_ece": float(errors["macro_ece"][0]),
        "melanoma_gap": abs(float(probabilities[:, MELANOMA].mean() - (truth == MELANOMA).mean())),
    }


def _spread(scores: list[dict[str, float]]) -> dict[str, Estimate]:
    return {
        name: Estimate(float(np.mean(values)), float(np.quantile(values, 0.025)), float(np.quantile(values, 0.975)))
        for name in scores[0]
        for values in [[one[name] for one in scores]]
    }


def measure_adaptation(
    left: list[LeftOut], folder: str | Path, say: Callable[[str], None] = lambda text: None, resamples: int = 1000
) -> dict:
    """What batch-norm adaptation gives on each left-out source: adapted to one half of its lesions, scored on the other, both ways.

    Args:
        folder: HAM10000 layout, with the sources' photos.

    Returns:
        Source -> metric -> adapted minus as it was, on the same resampled lesions.
    """
    by_source = {}
    for one in left:
        before, after = _adapted_answers(one, folder)
        by_source[one.source] = {
            "photos": len(after),
            **paired_differences(list(COMPARED), after, before, resamples=resamples),
        }
        say(f"{one.source}: balanced accuracy {difference(by_source[one.source]['balanced_accuracy'])}.")
    return by_source


def _adapted_answers(one: LeftOut, folder: str | Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The source's photos as the network answers them, and as it does when adapted to the other half."""
    from core.bundle import load_bundle
    from core.networks.adapting import adapt_statistics
    from core.training.predicting import predict_rows

    table = read_table(folder)
    table = table[table.dataset == one.source].reset_index(drop=True)
    images, metadata = (
        cache_images(table, one.card.image_size),
        encode_facts(table, one.card.facts_encoder),
    )
    lesion = pd.factorize(table.lesion_id)[0]
    first = np.random.default_rng(0).permutation(lesion.max() + 1)[lesion] < (lesion.max() + 1) / 2
    answers = {"before": np.zeros((len(table), len(CODES))), "after": np.zeros((len(table), len(CODES)))}
    for half in (first, ~first):
        scored = np.flatnonzero(~half)
        for how, logits in answers.items():
            classifier = load_bundle(one.folder).engine.classifier()
            if how == "after":
                adapt_statistics(classifier, images[np.flatnonzero(half)])
            view = keras_view(classifier)
            logits[scored] = predict_rows(view, classifier, images, scored, metadata[scored])
    told = []
    for logits in answers.values():
        probabilities = one.card.calibration.probabilities(logits)
        told.append(table[["image_id", "dx", "lesion_id"]].assign(**dict(zip(CODES, probabilities.T, strict=True))))
    return told[0], told[1]


def keras_view(classifier):
    """A Keras model of a classifier that answers logits alone."""
    import keras

    return keras.Model(classifier.model.inputs, classifier.model.outputs[0])
