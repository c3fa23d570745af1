"""A bundle: trained weights and their card in one folder, written whole and checked when read. Loading one imports no Keras."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.calibration import Calibration
from core.card import (
    WEIGHTS_FILE,
    Card,
    InvalidBundle,
    bind_files,
    change_card,
    find_bundle,
    read_card,
    sha256_of,
    write_card,
)
from core.choices import check_choice
from core.designs import NetworkDesign
from core.diagnoses import CODES
from core.files import written_whole
from core.members import check_members, join_fold_cards, member_folder
from core.serving import Engine, MembersEngine, load_engine
from core.threads import once

if TYPE_CHECKING:  # at run time this would load Keras
    import keras

    from core.networks import Classifier

DTYPES = ("float16", "float32")


@dataclass(frozen=True)
class Bundle:
    """A trained network that answers, and its card.

    Args:
        engine: what does the work.
        engine_notes: sentences where that is not the engine which was asked for.
        members: of an ensemble, in the order of their channels in its feature map.
    """

    name: str
    card: Card
    folder: Path
    engine: Engine
    engine_notes: tuple[str, ...] = ()
    members: tuple[Bundle, ...] = ()

    @once
    def scored_networks(self) -> tuple[Bundle, ...]:
        """What the answers are measured of: of a set of folds each network on its own part, else this one.

        Of an ensemble of sets, for each fold the mean of their networks of that fold.
        """
        if not self.card.is_fold_set:
            return (self,)
        return _means_of_folds(self) if self.card.is_ensemble else self.members

    @property
    def first_network(self) -> tuple[Bundle, str]:
        """The network whose channels come first in the feature map, and its name: "", "MEMBER" or "MEMBER/NETWORK"."""
        if not self.card.is_fold_set:
            return self, ""
        network, name = self.members[0].first_network
        return network, f"{self.members[0].name}/{name}" if name else self.members[0].name

    def network_without(self, image_id: str) -> Bundle:
        """The network that answers for a photo of the collection: of a set of folds the one that never saw its lesion, else this one."""
        return next((one for one in self.scored_networks if image_id in set(one.card.split.get("test", ()))), self)

    @once
    def classifier(self) -> Classifier:
        """The Keras network with these weights, for what needs more than its answers; built when first asked for.

        Raises:
            InvalidBundle: see `load_bundle`.
        """
        from core.networks.ensemble import build_ensemble
        from core.serving.keras_weights import build_and_load

        if self.members:
            cards, classifiers = [m.card for m in self.members], [m.classifier for m in self.members]
            return build_ensemble(classifiers, [c.calibration for c in cards], age_scales(self.card, cards))
        return build_and_load(self.card, check_weights(self.card, self.folder))


def load_bundle(name: str | Path, engine: str | None = None, *, renew: bool = False) -> Bundle:
    """Makes a model ready to answer. Its file holds arrays only: nothing in it is executed.

    An ensemble has no weights of its own; its members lie beside it.

    Args:
        name: of a shipped model, or a path to a model's folder.
        engine: key into `ENGINES`; see `choose_engine` when None.
        renew: see `read_card`.

    Raises:
        InvalidBundle: no such model, weights missing or damaged, or weights that are not those of the card.
        ValueError: no such engine.
    """
    folder = find_bundle(name)
    card = read_card(folder, renew=renew)
    if card.members:
        return _load_ensemble(card, folder, engine)
    chosen, note = load_engine(folder, card, check_weights(card, folder), engine)
    return Bundle(card.name, card, folder, chosen, (note,) if note else ())


def check_weights(card: Card, folder: Path) -> Path:
    """A model's weights file.

    Raises:
        InvalidBundle: it is missing, damaged or not that of the card.
    """
    weights = folder / Path(card.weights["file"]).name
    if not weights.is_file():
        raise InvalidBundle(
            f"{weights} is missing. The card names it; restore it from the repository or train {card.name} again."
        )
    digest = sha256_of(weights)
    if digest != card.weights["sha256"]:
        raise InvalidBundle(
            f"{weights} does not match its card: SHA-256 {digest[:12]}, expected {card.weights['sha256'][:12]}. The file is damaged "
            "or was exchanged. Restore it from the repository or train again."
        )
    return weights


def _member_folders(card: Card, folder: Path) -> list[Path]:
    return [member_folder(card, folder, name) for name in card.members]


def _load_ensemble(card: Card, folder: Path, engine: str | None) -> Bundle:
    """An ensemble of the models beside it, or a set of folds; each is checked against this card, and itself as ever."""
    check_members(card, folder)
    members = [load_bundle(place, engine) for place in _member_folders(card, folder)]
    try:
        return _mean_of(card, folder, members)
    except ValueError as error:
        raise InvalidBundle(f"{card.name} cannot be put together: {error}") from None


def _mean_of(card: Card, folder: Path, members: list[Bundle]) -> Bundle:
    """A model that answers by the mean of others, under a card of its own.

    Raises:
        ValueError: see `MembersEngine`.
    """
    cards = [m.card for m in members]
    joined = MembersEngine([m.engine for m in members], [c.calibration for c in cards], age_scales(card, cards))
    notes = tuple(note for m in members for note in m.engine_notes)
    return Bundle(card.name, card, folder, joined, notes, tuple(members))


def _means_of_folds(bundle: Bundle) -> tuple[Bundle, ...]:
    """Of an ensemble of sets: for each fold the mean of their networks of that fold, which are shared with the sets."""
    networks = {one.name: {tuple(n.card.split["fold"]): n for n in one.members} for one in bundle.members}
    cards = join_fold_cards({name: [n.card for n in of_set.values()] for name, of_set in networks.items()})
    return tuple(
        _mean_of(card, bundle.folder, [of_set[tuple(card.split["fold"])] for of_set in networks.values()])
        for card in cards
    )


def age_scales(card: Card, members: list[Card]) -> list[tuple[float, float]] | None:
    """(factor, offset) of each member, which turn ages in the units of `card` into the member's; None where all are alike."""
    scales = [(card.age_sd / m.age_sd, (card.age_mean - m.age_mean) / m.age_sd) for m in members]
    return None if all(np.allclose(scale, (1, 0), atol=1e-6) for scale in scales) else scales


def save_bundle(classifier: Classifier, card: Card, folder: str | Path, dtype: str = "float16") -> Path:
    """Writes weights, then the card with their digest; a kill in between leaves the old card, which then names the mismatch.

    Args:
        dtype: of the stored kernels. Vectors (biases, batch statistics) always stay float32: they are small and half
            floats would overflow on some variances.

    Returns:
        The folder.
    """
    check_choice("storage type", dtype, DTYPES)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with written_whole(folder / WEIGHTS_FILE) as scratch:
        write_weights(classifier.model, scratch, dtype)
        record = {
            "file": WEIGHTS_FILE,
            "sha256": sha256_of(scratch),
            "dtype": dtype,
            "bytes": scratch.stat().st_size,
            "parameters": int(
                sum(np.prod(w.shape) for w in classifier.model.weights if "seed_generator" not in w.path)
            ),
        }
    write_card(replace(card, weights=record), folder)
    return folder


def write_weights(model: keras.Model, target: Path, dtype: str) -> None:
    """Saves a network's weights with their kernels as `dtype`."""
    from core.serving.keras_weights import save_weights

    # Keras insists on its suffix.
    full = target.with_name(f"{target.name}.weights.h5")
    try:
        save_weights(model, full, copies=2)
        shrink_weights(full, target, dtype)
    finally:
        full.unlink(missing_ok=True)


def take_out_offset(bundle: Bundle) -> Bundle:
    """Gives weights back the logits that were trained, where an earlier version baked an offset into them, and saves them.

    That version subtracted `prior_shift` times the logarithm of the training shares from the logits' biases, for the sake of balanced
    accuracy. Its card says by how much, so that the same can be added again; biases are stored as float32. Other bundles are
    returned as they are.
    """
    card = bundle.card
    if "prior_shift" not in card.training:
        return bundle
    counts = np.asarray(card.data["photos_per_class"]["train"], "float64")
    classifier = bundle.classifier
    layer = classifier.head.get_layer("logits")
    kernel, bias = layer.get_weights()
    offset = card.training["prior_shift"] * np.log(np.maximum(counts, 1) / counts.sum())
    layer.set_weights([kernel, (bias.astype("float64") + offset).astype("float32")])
    training = {key: value for key, value in card.training.items() if key != "prior_shift"}
    save_bundle(classifier, replace(card, training=training), bundle.folder, card.weights["dtype"])
    return load_bundle(bundle.folder)


def round_weights(classifier: Classifier, dtype: str = "float16") -> None:
    """Gives a network in memory the weights that `save_bundle` stores: what is fitted on its answers then fits the file."""
    import keras

    for weight in classifier.model.weights:
        if len(weight.shape) >= 2 and weight.dtype == "float32":
            weight.assign(np.asarray(keras.ops.convert_to_numpy(weight)).astype(dtype).astype("float32"))


def shrink_weights(source: Path, target: Path, dtype: str) -> None:
    """Copies a weights file, storing arrays of two and more dimensions as `dtype`."""
    import h5py

    with h5py.File(source, "r") as old, h5py.File(target, "w") as new:

        def copy(name, item):
            if isinstance(item, h5py.Dataset):
                values = item[()]
                if values.ndim >= 2 and values.dtype == np.float32:
                    values = values.astype(dtype)
                new.create_dataset(name, data=values)
            else:
                new.require_group(name)
            target_item = new[name]
            for key, value in item.attrs.items():
                target_item.attrs[key] = value

        old.visititems(copy)
        for key, value in old.attrs.items():
            new.attrs[key] = value


def export_serving(name: str | Path) -> list[Path]:
    """Makes a model's serving file, or those of an ensemble's members, from which it is read without TensorFlow.

    Returns:
        The files.

    Raises:
        InvalidBundle: no such model.
        ValueError: Keras runs on another backend than TensorFlow.
    """
    folder = find_bundle(name)
    card = read_card(folder)
    if card.members:
        check_members(card, folder)
        return [path for place in _member_folders(card, folder) for path in export_serving(place)]
    from core.serving.graph_file import GRAPH_FILE, network_digest, write_graph
    from core.serving.make_graph import graph_of

    path = write_graph(graph_of(card), network_digest(card), folder / GRAPH_FILE)
    bind_files(folder, [GRAPH_FILE])
    return [path]


def add_scores(folder: str | Path, part: str, scores: dict, speed: dict | None = None) -> Card:
    """Writes what was measured on a part of the split into a bundle's card.

    Args:
        part: of the split, such as "test".
        scores: as `Card.scores[part]`.
        speed: as `Card.speed`; what is there stays when None.
    """
    card = read_card(folder)
    return change_card(folder, scores={**card.scores, part: scores}, speed=speed or card.speed)


def drawn_bundle(
    folder: str | Path, backbone: str = "MobileNetV3Small", image_size: int = 64, name: str = "Drawn", **choices
) -> Path:
    """Writes a bundle of random weights with a complete card, for tests and demonstrations. Its answers mean nothing.

    Args:
        image_size: pixels; small, so that tests are quick.
        **choices: of `NetworkDesign`.
    """
    import keras

    from core.networks import build_classifier

    keras.utils.set_random_seed(0)
    design = NetworkDesign(**{"head": "pooled", "metadata_units": 16, **choices})
    classifier = build_classifier(backbone, design, image_size=image_size)
    # Random logits are nearly equal; spread them, so that tests see a differential.
    logits = classifier.head.get_layer("logits")
    kernel, bias = logits.get_weights()
    logits.set_weights([kernel * 3, np.linspace(-0.5, 0.5, len(bias)).astype("float32")])
    card = Card(
        name=name,
        backbone=backbone,
        network=design.to_card(),
        image_size=image_size,
        age_mean=50.0,
        age_sd=17.0,
        calibration=Calibration(1.5),
        weights={},
        split={
            "kind": "lesion",
            "leaky": False,
            "seed": 0,
            "hash": "0" * 64,
            "train": [],
            "validation": [],
            "test": [],
        },
        recipe={"name": "drawn"},
        data={
            "name": "none",
            "citation": "",
            "photos": {},
            "lesions": {},
            "photos_per_class": {"train": [1] * len(CODES)},
            "notes": ["Random weights: answers mean nothing."],
        },
        scores={},
        training={
            "device": "",
            "seconds": 0,
            "epochs": 0,
            "best_epoch": 0,
            "init": "random",
            "seed": 0,
            "versions": {},
        },
        pretraining="none (random weights)",
        licence="CC0",
        limits=["Random weights, for tests only."],
        created="",
    )
    save_bundle(classifier, card, folder)
    export_serving(folder)
    return Path(folder)
