"""Batches for training, drawn from photos that are decoded already."""

import keras
import numpy as np

from core.choices import check_choice
from core.data.augment import NO_AUGMENTATION, Augmentation, augment_image
from core.data.patient import withhold_facts
from core.diagnoses import CODES

SAMPLINGS = ("natural", "sqrt", "balanced")


def draw_order(labels: np.ndarray, sampling: str, count: int, rng: np.random.Generator) -> np.ndarray:
    """Rows of one epoch.

    "natural": every row once, shuffled (then again from the start if `count` is larger). "sqrt" and "balanced": classes are
    drawn in proportion to the square root of their counts, or equally; within a class every row comes once before any twice.

    Args:
        labels: (N,) output indices.
        count: rows to draw.

    Returns:
        Row numbers, (count,).

    Raises:
        ValueError: unknown sampling.
    """
    check_choice("sampling", sampling, SAMPLINGS)
    if sampling == "natural":
        return np.concatenate([rng.permutation(len(labels)) for _ in range(-(-count // len(labels)))])[:count]
    counts = np.bincount(labels, minlength=len(CODES)).astype("float64")
    share = np.sqrt(counts) if sampling == "sqrt" else (counts > 0).astype("float64")
    exact = count * share / share.sum()
    quota = np.floor(exact + rng.random(len(exact)) * (counts > 0)).astype(int)
    rows = []
    for label, wanted in enumerate(quota):
        of_class = np.flatnonzero(labels == label)
        if wanted and len(of_class):
            rows.append(
                np.concatenate([rng.permutation(of_class) for _ in range(-(-wanted // len(of_class)))])[:wanted]
            )
    order = rng.permutation(np.concatenate(rows))
    # Rounding may miss `count` by a few rows: fill or cut.
    return np.resize(order, count)


class Batches(keras.utils.PyDataset):
    """Training batches: drawn, augmented and encoded in background threads, the same for the same seed and epoch.

    Args:
        images: (N, ...) uint8 images, or cached feature maps of any float type (then nothing is augmented).
        metadata: (N, 21) float32, or None for networks without it.
        labels: (N,) output indices: rows are drawn and weighted by them.
        targets: (N, 7) float32, what is learned of each row: a teacher's answers, say; the labels when None.
        batch_size: rows a batch.
        class_weights: (7,) loss weight of each diagnosis.
        augmentation: of uint8 images.
        sampling: see `draw_order`.
        epoch_size: rows an epoch; all when None.
        cutmix: probability with which, in a batch of uint8 images, each gets a rectangle of another one, and its targets and weight by the
            rectangle's share of the area; facts stay. Reference: Yun et al. 2019, CutMix, section 3.1 (alpha 1).
        fact_dropout: probability with which each fact (age, sex, site) is withheld.
        unknown: (21,) metadata vector of a patient of whom nothing is known; what a withheld fact becomes.
        seed: of order, augmentation and withheld facts.
        epoch: the first epoch's number, so that a resumed run draws what the unbroken one would have.
    """

    def __init__(
        self,
        images: np.ndarray,
        metadata: np.ndarray | None,
        labels: np.ndarray,
        *,
        batch_size: int,
        targets: np.ndarray | None = None,
        class_weights: np.ndarray | None = None,
        augmentation: Augmentation = NO_AUGMENTATION,
        sampling: str = "natural",
        epoch_size: int | None = None,
        cutmix: float = 0.0,
        fact_dropout: float = 0.0,
        unknown: np.ndarray | None = None,
        seed: int = 0,
        epoch: int = 0,
        workers: int = 2,
    ):
        super().__init__(workers=workers, use_multiprocessing=False, max_queue_size=8)
        self.images, self.metadata, self.labels = images, metadata, labels
        self.targets = np.eye(len(CODES), dtype="float32")[labels] if targets is None else targets
        self.cutmix = cutmix
        self.batch_size, self.augmentation, self.sampling = batch_size, augmentation, sampling
        self.class_weights = (
            np.ones(len(CODES), "float32") if class_weights is None else np.asarray(class_weights, "float32")
        )
        self.epoch_size = epoch_size or len(labels)
        self.fact_dropout, self.unknown, self.seed = fact_dropout, unknown, seed
        self.start_epoch(epoch)

    def start_epoch(self, epoch: int) -> None:
        """Draws the order of an epoch."""
        self.epoch = epoch
        self.order = draw_order(self.labels, self.sampling, self.epoch_size, np.random.default_rng([self.seed, epoch]))

    def __len__(self):
        # The last partial batch is left out: a batch of one photo would upset batch normalisation.
        return max(1, len(self.order) // self.batch_size)

    def __getitem__(self, index):
        """Batch `index`: (inputs, targets (B, 7), sample weights (B,))."""
        rng = np.random.default_rng([self.seed, self.epoch, index])
        rows = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        if self.images.dtype == np.uint8:
            photos = np.stack([augment_image(self.images[r], self.augmentation, rng) for r in rows]).astype("float32")
        else:
            photos = self.images[np.sort(rows)][np.argsort(np.argsort(rows, kind="stable"), kind="stable")].astype(
                "float32"
            )
        targets, weights = self.targets[rows], self.class_weights[self.labels[rows]]
        if self.cutmix and self.images.dtype == np.uint8 and rng.random() < self.cutmix:
            photos, targets, weights = cut_and_mix(photos, targets, weights, rng)
        inputs = photos
        if self.metadata is not None:
            inputs = (photos, withhold_facts(self.metadata[rows], self.fact_dropout, self.unknown, rng))
        return inputs, targets, weights


def cut_and_mix(photos: np.ndarray, targets: np.ndarray, weights: np.ndarray, rng: np.random.Generator):
    """Each photo with one rectangle of another of the batch, the same for all; targets and weights are mixed by the rectangle's area.

    Args:
        photos: (B, S, S, 3).
        targets: (B, 7).
        weights: (B,).

    Returns:
        The three, in their shapes.
    """
    side, other = photos.shape[1], rng.permutation(len(photos))
    half, middle = side * rng.random() ** 0.5 / 2, rng.uniform(0, side, 2)
    (top, left), (bottom, right) = (np.clip(np.round(middle + by), 0, side).astype(int) for by in (-half, half))
    mixed = photos.copy()
    mixed[:, top:bottom, left:right] = photos[other, top:bottom, left:right]
    share = np.float32((bottom - top) * (right - left) / side**2)
    return mixed, (1 - share) * targets + share * targets[other], (1 - share) * weights + share * weights[other]
