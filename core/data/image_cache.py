"""A table's photos decoded once into a memory-mapped cache, and its facts as numbers. Needs no Keras."""

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd

from core.data.images import UnreadablePhoto, fit_image, read_photo
from core.data.patient import FactsEncoder
from core.files import make_cache_folder, mark_used, reserve, written_whole
from core.folders import cache_root
from core.threads import Progress, cores


def cache_images(
    table: pd.DataFrame, size: int, root: Path | None = None, progress: Progress | None = None
) -> np.ndarray:
    """Decodes every photo of a table once, as serving would see it.

    Args:
        table: from `read_table`.
        size: side of the square images, pixels.
        root: of the cache.
        progress: called with (photos done, photos in all).

    Returns:
        Images in the table's order, (N, size, size, 3) uint8, memory-mapped and read-only.

    Raises:
        UnreadablePhoto: names the photos that are missing or cannot be decoded, at most five of them.
        CannotWrite: the cache's folder cannot be written, or its disk has no room for the images.
    """
    missing = table.image_id[table.path == ""].tolist()
    if missing:
        raise UnreadablePhoto(
            f"{len(missing)} of {len(table)} photos are missing, among them {', '.join(missing[:5])}. "
            "Run `python -m core data check FOLDER` for the list and complete the download."
        )
    key = hashlib.sha256(f"fit-2 {size}".encode())
    for path in table.path:
        facts = os.stat(path)
        key.update(f"{path} {facts.st_size} {facts.st_mtime_ns}\n".encode())
    root = root or cache_root()
    target = root / f"images-{size}-{key.hexdigest()[:16]}.npy"
    if not target.exists():
        make_cache_folder(root)
        with written_whole(target) as scratch:
            out = new_array(scratch, "uint8", (len(table), size, size, 3))
            _decode_all(table, size, out, progress)
            out.flush()
    mark_used(target)
    return np.load(target, mmap_mode="r")


def new_array(path: str | Path, dtype: str, shape: tuple[int, ...]) -> np.memmap:
    """A new `.npy` file to be filled through memory, for which the disk has set the room aside.

    Raises:
        CannotWrite: the disk has no room for it. Without that the first page that finds none would end the process by a bus error.
    """
    kind = np.dtype(dtype)
    with open(path, "wb") as file:
        header = {"descr": np.lib.format.dtype_to_descr(kind), "fortran_order": False, "shape": tuple(shape)}
        np.lib.format.write_array_header_1_0(file, header)
        reserve(file, file.tell() + int(np.prod(shape, dtype="int64")) * kind.itemsize, path)
    return np.lib.format.open_memmap(path, "r+")


def _decode_all(table, size, out, progress):
    def decode(job):
        row, path = job
        try:
            out[row] = fit_image(read_photo(path), size).astype("uint8")
        except UnreadablePhoto as error:
            return f"{Path(path).name}: {error}"
        return None

    faults = []
    with ThreadPoolExecutor(cores()) as pool:
        for done, fault in enumerate(pool.map(decode, enumerate(table.path)), start=1):
            if fault:
                faults.append(fault)
            if progress:
                progress(done, len(table))
    if faults:
        raise UnreadablePhoto(f"{len(faults)} photos cannot be read. " + " ".join(faults[:5]))


def encode_facts(table: pd.DataFrame, encoder: FactsEncoder) -> np.ndarray:
    """Metadata of a table's rows, (N, 21) float32."""
    return encoder.encode_columns(table.age, table.sex, table.localization)
