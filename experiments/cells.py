"""Heads on frozen feature maps, several trained in one pass: the cells of an experiment."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import keras
import numpy as np
import pandas as pd
from keras import layers, ops

from core.data.ham10000 import class_indices
from core.data.image_cache import encode_facts
from core.data.patient import METADATA_WIDTH, fit_encoder
from core.data.split import PARTS, Split
from core.designs import NetworkDesign
from core.diagnoses import CODES
from core.networks.classifier import build_head
from core.training.accelerator import jit_mode
from core.training.class_weights import CLASS_WEIGHTS, class_weights
from experiments.attending import AttendedFeatures, AttentionScales, PooledMap

METADATA = ("none", "real", "shuffled", "only")
PREDICT_BATCH = 64


@dataclass(frozen=True)
class Cell:
    """One head of an experiment.

    Args:
        attention: of `build_head`.
        metadata: "none"; "real": the patient's facts; "shuffled": another lesion's facts, in training and in testing; "only": the
            facts and no photo (attention then means nothing and is "none").
        weights: see `loss_weights`.
        epsilon: of Adam.
    """

    attention: str = "none"
    metadata: str = "none"
    weights: str = "none"
    epsilon: float = 1e-7

    def __post_init__(self):
        if self.metadata not in METADATA:
            raise ValueError(f"Unknown metadata {self.metadata!r}. Expected one of: {', '.join(METADATA)}.")
        if self.metadata == "only":
            object.__setattr__(self, "attention", "none")


@dataclass(frozen=True)
class Training:
    """How every cell's head is trained: fixed epochs, the last weights kept, nothing chosen.

    Args:
        epochs: over the training photos, each photo once an epoch.
        rate: of Adam, with a cosine to 0.
        metadata_units, dropout: of `build_head`.
        head: of `build_head`.
    """

    epochs: int = 6
    batch_size: int = 128
    rate: float = 1e-2
    metadata_units: int = 64
    dropout: float = 0.2
    head: str = "pooled"


@dataclass(frozen=True)
class Part:
    """One part of a split, ready for heads.

    Args:
        rows: of the table, (N,); equal to those of the feature maps.
        labels: output indices, (N,).
        facts: "real" and "shuffled" metadata, (N, 21) each.
    """

    rows: np.ndarray
    labels: np.ndarray
    facts: dict[str, np.ndarray]


def shuffle_facts(metadata: np.ndarray, lesions: Sequence[str], seed: int) -> np.ndarray:
    """Gives every lesion the facts of another lesion: photos of a lesion keep one patient, never their own.

    Args:
        metadata: (N, 21).
        lesions: lesion of each photo, (N,).
    """
    _, first, lesion = np.unique(np.asarray(lesions, dtype=str), return_index=True, return_inverse=True)
    order = np.random.default_rng(seed).permutation(len(first))
    donor = np.empty(len(first), int)
    # Each lesion takes the facts of the next one in a random ring, so none keeps its own.
    donor[order] = np.roll(order, 1)
    return metadata[first[donor[lesion]]]


def make_parts(table: pd.DataFrame, split: Split, seed: int) -> dict[str, Part]:
    """The split's parts, facts encoded with the training rows' age scale and shuffled within each part."""
    labels = class_indices(table)
    metadata = encode_facts(table, fit_encoder(split.rows(table, "train").age))
    lesions = table.lesion_id.to_numpy()
    parts = {}
    for number, part in enumerate(PARTS):
        rows = np.flatnonzero(table.image_id.isin(set(getattr(split, part))))
        facts = {
            "real": metadata[rows],
            "shuffled": shuffle_facts(metadata[rows], lesions[rows], seed * len(PARTS) + number),
        }
        parts[part] = Part(rows, labels[rows], facts)
    return parts


def loss_weights(name: str, counts: np.ndarray) -> np.ndarray:
    """As `class_weights`, and "normalised_inverse": (1/N_i) / sum_j (1/N_j), with which the paper's "no weight" runs were made.

    Reference: docs/reproduction.md, section 5.

    Args:
        counts: training photos of each diagnosis, (7,).

    Returns:
        (7,) float64.
    """
    if name == "normalised_inverse":
        inverse = class_weights("inverse", counts)
        return inverse / inverse.sum()
    if name not in CLASS_WEIGHTS:
        raise ValueError(
            f"Unknown class weights {name!r}. Expected one of: {', '.join(CLASS_WEIGHTS)}, normalised_inverse."
        )
    return class_weights(name, counts)


# ---- network ----


def _facts_head(training: Training) -> keras.Model:
    """The metadata branch of `build_head` alone."""
    facts = keras.Input((METADATA_WIDTH,), name="metadata")
    x = layers.Dense(training.metadata_units, activation="relu")(facts)
    x = layers.Dropout(training.dropout)(x)
    return keras.Model(facts, layers.Dense(len(CODES))(x))


def build_cells(cells: Sequence[Cell], shape: tuple[int, int, int], training: Training, seed: int) -> keras.Model:
    """One model that holds a head for each cell: [feature map, real facts, shuffled facts] -> logits (B, cells, 7).

    The heads share no weight. Each starts from the same seed, so heads of one shape start from equal weights; heads of one attention
    form drop the same units of the module.
    """
    feature_map = keras.Input(shape, name="feature_map")
    facts = {name: keras.Input((METADATA_WIDTH,), name=name) for name in ("real", "shuffled")}
    attended_by = {}
    if training.head == "pooled":
        forms = Counter(cell.attention for cell in cells if cell.attention != "none")
        attended_by = {form: _attended_features(feature_map, form, heads, seed) for form, heads in forms.items()}
    logits = []
    for number, cell in enumerate(cells):
        keras.utils.set_random_seed(seed)
        if cell.metadata == "only":
            answer = _facts_head(training)(facts["real"])
        else:
            features, form = feature_map, cell.attention
            if form in attended_by:
                features, form = next(attended_by[form]), "none"
            head = build_head(
                tuple(features.shape[1:]),
                NetworkDesign(
                    attention=form,
                    head=training.head,
                    metadata=cell.metadata != "none",
                    metadata_units=training.metadata_units,
                    dropout=training.dropout,
                ),
            )
            head.name = f"cell_{number}"
            answer, _ = head([features, facts[cell.metadata]] if cell.metadata != "none" else [features])
        logits.append(layers.Reshape((1, len(CODES)))(answer))
    stacked = logits[0] if len(logits) == 1 else layers.Concatenate(axis=1)(logits)
    return keras.Model([feature_map, facts["real"], facts["shuffled"]], stacked)


def _attended_features(feature_map, form: str, heads: int, seed: int) -> Iterator:
    """Heads' pooled attention modules, (B, 1, 1, 2C) each, with what does not depend on the head calculated once for all."""
    keras.utils.set_random_seed(seed)
    t = feature_map if form == "published" else layers.ReLU()(feature_map)
    *corners, own, kept = PooledMap()(t)
    for scale in AttentionScales(form, heads, seed)(t):
        attended = AttendedFeatures()(corners, scale, kept)
        yield layers.Reshape((1, 1, 2 * feature_map.shape[-1]))(layers.Concatenate()([own, attended]))


class CellsLoss(keras.losses.Loss):
    """Sum over cells of each cell's weighted cross-entropy.

    Adam treats every weight alone, so heads trained on the sum move exactly as they would on their own.

    Args:
        weights: class weights of each cell, (cells, 7).
    """

    def __init__(self, weights: np.ndarray):
        super().__init__(name="cells")
        self.weights = np.asarray(weights, "float32")

    def call(self, y_true, y_pred):
        weighted = ops.log_softmax(y_pred, axis=-1) * ops.convert_to_tensor(self.weights)
        return -ops.sum(weighted * ops.expand_dims(y_true, 1), axis=(1, 2))


# ---- training ----


class Batches(keras.utils.PyDataset):
    """(feature maps, real facts, shuffled facts), one-hot labels; each photo once an epoch, in an order that seed and epoch draw."""

    def __init__(self, maps: np.ndarray, part: Part, batch_size: int, seed: int):
        super().__init__()
        self.maps, self.part, self.batch_size, self.seed, self.epoch = maps, part, min(batch_size, len(maps)), seed, 0
        self.one_hot = np.eye(len(CODES), dtype="float32")[part.labels]
        self._draw()

    def _draw(self):
        self.order = np.random.default_rng([self.seed, self.epoch]).permutation(len(self.maps))

    def on_epoch_end(self):
        self.epoch += 1
        self._draw()

    def __len__(self):
        return len(self.maps) // self.batch_size

    def rows_of(self, index: int) -> np.ndarray:
        """The part's rows in a batch."""
        return self.order[index * self.batch_size : (index + 1) * self.batch_size]

    def __getitem__(self, index):
        rows = self.rows_of(index)
        facts = self.part.facts
        return (self.maps[rows].astype("float32"), facts["real"][rows], facts["shuffled"][rows]), self.one_hot[rows]


def train_cells(cells: Sequence[Cell], maps: np.ndarray, part: Part, training: Training, seed: int) -> keras.Model:
    """Trains a head for each cell in one pass over the training photos.

    Args:
        cells: all of one epsilon.
        maps: feature maps of the part's photos, (N, h, w, C), any float type, in memory.
        part: the training part.
        seed: of first weights, order and dropout.

    Returns:
        See `build_cells`.

    Raises:
        ValueError: cells of different epsilons, which one optimiser cannot serve.
    """
    epsilons = {cell.epsilon for cell in cells}
    if len(epsilons) != 1:
        raise ValueError(
            f"Cells of epsilon {sorted(epsilons)} cannot be trained together. Train those of one epsilon at a time."
        )
    model = build_cells(cells, maps.shape[1:], training, seed)
    batches = Batches(maps, part, training.batch_size, seed)
    counts = np.bincount(part.labels, minlength=len(CODES))
    rate = keras.optimizers.schedules.CosineDecay(training.rate, len(batches) * training.epochs)
    optimizer = keras.optimizers.Adam(rate, epsilon=epsilons.pop())
    loss = CellsLoss(np.stack([loss_weights(cell.weights, counts) for cell in cells]))
    model.compile(optimizer, loss, jit_compile=jit_mode())
    model.fit(batches, epochs=training.epochs, shuffle=False, verbose=0)
    return model


def pooled(maps: np.ndarray, attention: str, head: str = "pooled") -> np.ndarray:
    """Feature maps as the heads of an attention form need them, in memory.

    A pooled head without attention sees only the mean over positions: (N, 1, 1, C) then gives the same head in a fraction of the time.

    Args:
        maps: (N, h, w, C).
    """
    if attention == "none" and head == "pooled":
        means = [maps[s : s + 512].astype("float32").mean(axis=(1, 2), keepdims=True) for s in range(0, len(maps), 512)]
        return np.concatenate(means)
    return np.asarray(maps)


def predict_cells(model: keras.Model, maps: np.ndarray, part: Part) -> np.ndarray:
    """Logits of every photo and cell, (N, cells, 7) float32. Args: feature maps of the part's photos; see `train_cells`."""
    answers, count = [], len(part.rows)
    for start in range(0, count, PREDICT_BATCH):
        # One shape for the compiled network: the last batch is filled up.
        rows = np.minimum(np.arange(start, start + PREDICT_BATCH), count - 1)
        inputs = (maps[rows].astype("float32"), part.facts["real"][rows], part.facts["shuffled"][rows])
        answers.append(model.predict_on_batch(inputs))
    return np.concatenate(answers)[:count]
