"""Models made of others for one clinic: the same networks with another calibration, or with batch statistics of its photos."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from core.bundle import Bundle, export_serving, load_bundle, save_bundle
from core.card import CARD_FILE, Card, InvalidBundle, write_card
from core.data.image_cache import cache_images
from core.files import folder_written_whole, make_folder, written_at
from core.folders import weights_root
from core.members import members_weights
from core.networks.adapting import adapt_statistics
from core.serving.graph_file import GRAPH_FILE
from core.training.calibration import fit_calibration, log_softmax


def recalibrated_copy(
    bundle: Bundle, name: str, clinic: Path, logits: np.ndarray, labels: np.ndarray, lesions: np.ndarray
) -> tuple[Card, Path]:
    """A model's networks with a calibration fitted on a clinic's labelled photos, as a new model.

    Args:
        logits: (N, 7), of the clinic's photos by this model.
        labels: (N,) output indices.
        lesions: of each photo, (N,).

    Raises:
        InvalidBundle: there is something by that name.
    """
    place = _new_place(name)
    fitted = fit_calibration(logits, labels, lesions)
    old = -log_softmax(bundle.card.calibration.logits(logits))[np.arange(len(labels)), labels]
    words = f"Recalibrated on {len(labels):,} labelled photos of {clinic.resolve().name}."
    card = _card_of_copy(bundle.card, name, words)
    told = {"photos": len(labels), "log_loss_before": float(old.mean()), "of": bundle.card.probabilities_sha256}
    card = replace(card, calibration=fitted, training={**card.training, "recalibrated": told})
    with folder_written_whole(place) as scratch:
        _copy_networks(bundle, scratch)
        write_card(card, scratch)
    return card, place


def adapted_copy(bundle: Bundle, name: str, clinic: Path, table: pd.DataFrame) -> tuple[Path, int]:
    """A model's networks with batch statistics moved towards a clinic's photos, as a new model; no diagnosis is read.

    Args:
        table: the clinic's photos, as `read_table` gives them.

    Returns:
        Its folder, and how many photos it was adapted to.

    Raises:
        InvalidBundle: there is something by that name, or the model is an ensemble of others.
        ValueError: too few photos.
    """
    card = bundle.card
    if card.is_ensemble:
        raise InvalidBundle(f"{bundle.name} is made of other models. Adapt these, and make an ensemble of them.")
    place = _new_place(name)
    images = cache_images(table, card.image_size)
    words = f"Batch statistics adapted to {len(table):,} photos of {clinic.resolve().name}."
    adapted = []
    with folder_written_whole(place) as scratch:
        for network in bundle.members or (bundle,):
            classifier = load_bundle(network.folder).engine.classifier()
            adapt_statistics(classifier, np.asarray(images))
            own = scratch / network.name if card.is_fold_set else scratch
            made = _card_of_copy(network.card, network.name if card.is_fold_set else name, words)
            save_bundle(classifier, made, own, network.card.weights["dtype"])
            export_serving(own)
            adapted.append(load_bundle(own).card)
        if card.is_fold_set:
            write_card(replace(_card_of_copy(card, name, words), weights=members_weights(adapted)), scratch)
    return place, len(table)


def _new_place(name: str) -> Path:
    place = weights_root() / name
    if Path(name).name != name or place.exists():
        raise InvalidBundle(f"{place} is there already, or {name!r} is no plain name. Choose another --name.")
    make_folder(place.parent)
    return place


def _card_of_copy(card: Card, name: str, words: str) -> Card:
    """Without what was measured of the original: none of it holds for the copy."""
    data = {**card.data, "notes": [*card.data.get("notes", []), words]}
    return replace(card, name=name, scores={}, files={}, speed={}, data=data)


def _copy_networks(bundle: Bundle, place: Path) -> None:
    """Weights and serving files, without measures; members of an ensemble come into its folder."""
    place.mkdir(parents=True, exist_ok=True)
    for network in bundle.members:
        own = place / network.name
        _copy_networks(network, own)
        kept = {key: value for key, value in network.card.files.items() if key in (CARD_FILE, GRAPH_FILE)}
        write_card(replace(network.card, files=kept), own)
    for file in (bundle.card.weights.get("file"), GRAPH_FILE):
        if file and (bundle.folder / file).is_file():
            with written_at(place / file):
                shutil.copy2(bundle.folder / file, place / file)
