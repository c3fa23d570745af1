"""The melanomas and nevi that a model was held out from, read from a folder in batches."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd

from core.card import Card
from core.data.ham10000 import InvalidDataset, read_table
from core.data.images import read_photo

KINDS = ("mel", "nv")
BATCH = 32
READERS = 2


def read_pair_table(card: Card, folder: str | Path) -> pd.DataFrame:
    """The rows of a HAM10000 folder that are melanomas or nevi of the model's test part.

    Raises:
        InvalidDataset: the folder lacks either kind, or some of their photos.
    """
    table = read_table(folder)
    table = table[table.image_id.isin(set(card.split.get("test", ()))) & table.dx.isin(KINDS)].reset_index(drop=True)
    for kind, name in zip(KINDS, ("melanoma", "nevus"), strict=True):
        if not (table.dx == kind).any():
            raise InvalidDataset(
                f"{folder} has no {name} of {card.name}'s test part. Expected the HAM10000 folder that the model was trained on."
            )
    missing = table.image_id[table.path == ""].tolist()
    if missing:
        raise InvalidDataset(
            f"{len(missing)} of {len(table)} photos have no file, among them {', '.join(missing[:5])}. Run `python -m core data check "
            f"{folder}` for the list and complete the download."
        )
    return table


def read_in_batches(
    table: pd.DataFrame, prepare: Callable[[np.ndarray], np.ndarray]
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Photos of a table, each prepared in a thread, in batches of `BATCH`; the last is filled up by repeating its last photo.

    Gives:
        Rows of the table that a batch really holds, and what was prepared of them, (BATCH, ...).
    """
    with ThreadPoolExecutor(READERS) as pool:
        for start in range(0, len(table), BATCH):
            paths = table.path.iloc[start : start + BATCH]
            batch = list(pool.map(lambda path: prepare(read_photo(path)), paths))
            yield np.arange(start, start + len(batch)), np.stack(batch + [batch[-1]] * (BATCH - len(batch)))
