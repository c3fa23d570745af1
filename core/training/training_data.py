"""What a network learns from: a folder's photos, split by lesion, with their facts and diagnoses as arrays."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.data.duplicates import SEEK_SIZE, linked_lesions, near_duplicates
from core.data.ham10000 import Dataset, class_indices
from core.data.image_cache import cache_images, encode_facts
from core.data.patient import FactsEncoder, fit_encoder
from core.data.split import PARTS, Split, assert_disjoint, fold_table, source_table, split_table
from core.training.recipes import Recipe
from core.training.watching import Report


@dataclass(frozen=True)
class PartArrays:
    """Arrays of one part of the split.

    Args:
        targets: what is learned in the labels' place, see `Batches`.
    """

    rows: np.ndarray
    metadata: np.ndarray
    labels: np.ndarray
    targets: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class TrainingData:
    """A folder, ready to train on.

    Args:
        dataset: the folder, read.
        images: side in pixels -> (N, side, side, 3) uint8, memory-mapped.
        linked: groups of lesions that near-duplicates link: they stand together.
        parts: of the split, by name.
    """

    dataset: Dataset
    images: dict[int, np.ndarray]
    split: Split
    linked: tuple
    facts_encoder: FactsEncoder
    parts: dict[str, PartArrays]


def ready_data(
    dataset: Dataset,
    folder: Path,
    recipe: Recipe,
    sizes: Iterable[int],
    fold: tuple[int, int] | None,
    report: Report,
    without_source: str | None = None,
) -> TrainingData:
    """Decodes the photos at the sides that are wanted, and splits them.

    Raises:
        ValueError: too few photos.
    """
    table = dataset.table
    images = {size: cache_images(table, size, progress=report.photos) for size in sorted(set(sizes))}
    split, linked = split_lesions(table, recipe, images, fold, report, without_source)
    encoder = fit_encoder(split.rows(table, "train").age)
    return TrainingData(dataset, images, split, linked, encoder, _parts(table, split, encoder, folder))


def split_lesions(
    table,
    recipe: Recipe,
    images: dict[int, np.ndarray],
    fold: tuple[int, int] | None,
    report: Report,
    without_source: str | None = None,
) -> tuple[Split, tuple]:
    """The split, and the groups of lesions that near-duplicates link: they stand together."""
    linked = ()
    if recipe.split == "lesion":
        report.say("Looking for near-duplicate photos of different lesions.")
        # Always at one size, so that every backbone of one seed gets the same split.
        seen = images.get(SEEK_SIZE)
        if seen is None:
            seen = cache_images(table, SEEK_SIZE, progress=report.photos)
        linked = linked_lesions(table, near_duplicates(seen, table.lesion_id))
        if linked:
            report.say(f"Kept together: {'; '.join(' and '.join(group) for group in linked)}.")
    if without_source is not None:
        split = source_table(table, without_source, recipe.seed, linked)
    elif fold is None:
        split = split_table(table, recipe.split, recipe.seed, linked)
    else:
        number, folds = fold
        split = fold_table(table, number, folds, recipe.seed, linked)
    assert_disjoint(table, split)
    if split.leaky:
        report.say("The split by photo LEAKS: photos of one lesion stand in training and test. For replication only.")
    return split, linked


def _parts(table, split: Split, encoder: FactsEncoder, folder: Path) -> dict[str, PartArrays]:
    labels, metadata = class_indices(table), encode_facts(table, encoder)
    parts = {}
    for part in PARTS:
        rows = np.flatnonzero(table.image_id.isin(set(getattr(split, part))))
        parts[part] = PartArrays(rows, metadata[rows], labels[rows])
    if min(len(parts["train"].rows), len(parts["validation"].rows)) == 0:
        raise ValueError(
            f"{folder} is too small to split: {len(table)} photos. Expected at least a few lesions a diagnosis."
        )
    return parts
