"""The table that experiments read, and its lesion-grouped splits: near-duplicate photos of different lesions stand together."""

from pathlib import Path

import pandas as pd

from core.data.duplicates import SEEK_SIZE, linked_lesions, near_duplicates
from core.data.ham10000 import read_table
from core.data.image_cache import cache_images
from core.data.split import Split, split_table


def read_linked_table(folder: Path) -> pd.DataFrame:
    """As `read_table`, with a column `group`: the lesion, or the first of the lesions that near-duplicate photos link it to."""
    table = read_table(folder)
    linked = linked_lesions(table, near_duplicates(cache_images(table, SEEK_SIZE), table.lesion_id))
    first = {lesion: group[0] for group in linked for lesion in group}
    return table.assign(group=[first.get(lesion, lesion) for lesion in table.lesion_id])


def groups_of(table: pd.DataFrame) -> pd.Series:
    """What never crosses parts: the linked lesions where they were sought, else the lesions."""
    return table["group"] if "group" in table else table["lesion_id"]


def lesion_split(table: pd.DataFrame, seed: int = 0) -> Split:
    """The split of the shipped models (seed 0), and others drawn alike."""
    of_group = table.groupby(groups_of(table)).lesion_id.unique()
    return split_table(table, "lesion", seed, tuple(tuple(sorted(lesions)) for lesions in of_group if len(lesions) > 1))
