"""Calibrated probabilities of every photo in a table, from the same pixels as serving."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd

from core.bundle import Bundle
from core.data.ham10000 import InvalidDataset
from core.data.images import UnreadablePhoto, fit_image, read_photo
from core.diagnoses import CODES
from core.threads import Progress

FACT_COLUMNS = ("lesion_id", "dx_type", "age", "sex", "localization", "dataset")
READERS = 4
BATCHES_AHEAD = 3
# Names in an error message; the rest are counted.
NAMED = 10


def _read_image(path: str, size: int) -> np.ndarray:
    return fit_image(read_photo(path), size)


def _images_in_order(table: pd.DataFrame, size: int, ahead: int) -> Iterator[np.ndarray | str]:
    """Each row's image, or the sentence that says why it has none; threads read up to `ahead` photos in advance."""
    pending: deque = deque()
    rows = iter(table[["image_id", "path"]].itertuples(index=False))
    with ThreadPoolExecutor(READERS) as pool:
        while True:
            while len(pending) < ahead and (row := next(rows, None)) is not None:
                pending.append((row.image_id, pool.submit(_read_image, row.path, size)))
            if not pending:
                return
            image_id, future = pending.popleft()
            try:
                image = future.result()
            except UnreadablePhoto as error:
                image = f"{image_id}: {error}"
            yield image


def _some(names: list[str], separator: str = ", ") -> str:
    rest = len(names) - NAMED
    return separator.join(names[:NAMED]) + (f"{separator}and {rest} more" if rest > 0 else "")


def predict_table(
    bundle: Bundle, table: pd.DataFrame, batch_size: int = 32, progress: Progress | None = None
) -> pd.DataFrame:
    """Calibrated probabilities of a table's photos; see `answer_table`.

    Returns:
        One row a photo, in the table's order: image_id, dx, the seven codes, then lesion_id, dx_type, age, sex,
        localization, dataset.
    """
    return tell_probabilities(bundle, table, answer_table(bundle, table, batch_size, progress))


def tell_probabilities(bundle: Bundle, table: pd.DataFrame, logits: np.ndarray) -> pd.DataFrame:
    """The table of `predict_table`, of logits (N, 7) that are there already."""
    answers = pd.DataFrame(bundle.card.calibration.probabilities(logits), columns=list(CODES))
    facts = table.reset_index(drop=True)
    return pd.concat([facts[["image_id", "dx"]], answers, facts[list(FACT_COLUMNS)]], axis=1)


def require_photos(table: pd.DataFrame) -> None:
    """Stops where not every row has a photo's file.

    Raises:
        InvalidDataset: no rows, or photos without a file.
    """
    if not len(table):
        raise InvalidDataset("There are no photos to score. Expected a table with at least one row.")
    lacking = table.image_id[table.path == ""].tolist()
    if lacking:
        raise InvalidDataset(
            f"{len(lacking)} of {len(table)} photos have no file: {_some(lacking)}. Nothing was scored. Add the files, or remove "
            "these rows from the metadata."
        )


def require_no_faults(faults: list[str], photos: int) -> None:
    """Stops where photos could not be read.

    Raises:
        InvalidDataset: with their sentences.
    """
    if faults:
        raise InvalidDataset(
            f"{len(faults)} of {photos} photos cannot be read. Nothing was scored. Replace the files, or remove these rows from "
            f"the metadata.\n{_some(faults, chr(10))}"
        )


def answer_table(
    bundle: Bundle, table: pd.DataFrame, batch_size: int = 32, progress: Progress | None = None
) -> np.ndarray:
    """Reads a table's photos and runs them through the network in batches, threads reading ahead.

    Args:
        table: as `read_table` gives it.
        batch_size: photos that go through the network together.
        progress: called with (photos done, photos in all).

    Returns:
        Logits, (N, 7).

    Raises:
        InvalidDataset: no rows, or photos that are missing or unreadable; nothing is scored without them.
        ValueError: the network answers with something that is not a number, or a batch size below 1.
    """
    if batch_size < 1:
        raise ValueError(f"Batch size {batch_size} is not possible. Expected 1 or more photos.")
    require_photos(table)
    card = bundle.card
    metadata = card.facts_encoder.encode_columns(table.age, table.sex, table.localization)
    batch_size = min(batch_size, len(table))
    logits, batch, faults = np.empty((len(table), len(CODES))), [], []

    def answer(done: int) -> None:
        rows = slice(done - len(batch), done)
        logits[rows], _ = bundle.engine.head(bundle.engine.encode(np.stack(batch)), metadata[rows])

    for done, image in enumerate(_images_in_order(table, card.image_size, BATCHES_AHEAD * batch_size), start=1):
        if isinstance(image, str):
            faults.append(image)
        batch.append(image)
        if len(batch) == batch_size or done == len(table):
            if not faults:
                answer(done)
            batch.clear()
            if progress:
                progress(done, len(table))
    require_no_faults(faults, len(table))
    broken = ~np.isfinite(logits).all(axis=1)
    if broken.any():
        raise ValueError(
            f"{bundle.name} answers {broken.sum()} of {len(table)} photos with values that are not numbers (first: "
            f"{table.image_id.iloc[int(np.argmax(broken))]}). Its weights are unusable; train it again."
        )
    return logits
