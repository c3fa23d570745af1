"""A photo's feature map as one vector, for comparing photos; and the vectors of a whole table, encoded once."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.files import make_cache_folder, mark_used, write_bytes
from core.folders import cache_root
from core.threads import Progress

if TYPE_CHECKING:
    import pandas as pd

    from core.bundle import Bundle

BATCH = 32


def pool_features(feature_maps: np.ndarray) -> np.ndarray:
    """Mean over positions: (..., h, w, C) -> (..., C) float32."""
    return np.asarray(feature_maps).mean(axis=(-3, -2), dtype="float32")


def encode_images(bundle: Bundle, images: np.ndarray, progress: Progress | None = None) -> np.ndarray:
    """Pooled feature vectors of images, (N, C) float32.

    Args:
        images: (N, S, S, 3), RGB, 0..255, S of the bundle's card.
        progress: called with (images done, images in all).
    """
    out = []
    for start in range(0, len(images), BATCH):
        out.append(pool_features(bundle.engine.encode(images[start : start + BATCH])))
        if progress:
            progress(min(start + BATCH, len(images)), len(images))
    return np.concatenate(out) if out else np.zeros((0, bundle.engine.feature_shape[-1]), "float32")


def encode_table(bundle: Bundle, table: pd.DataFrame, progress: Progress | None = None) -> np.ndarray:
    """Pooled feature vectors of a table's photos, (N, C) float32; kept beside the decoded photos, for the next measure.

    Raises:
        UnreadablePhoto: photos that are missing or cannot be decoded.
    """
    from core.data.image_cache import cache_images

    card = bundle.card
    if bundle.members:
        # An ensemble's map is its members' maps, one upon the other; theirs may be kept already.
        return np.concatenate([encode_table(member, table, progress) for member in bundle.members], axis=1)
    key = hashlib.sha256(f"pooled-1 {card.weights['sha256']} {card.image_size}\n".encode())
    for path in table.path:
        state = os.stat(path) if path else None
        key.update(f"{path} {state and (state.st_size, state.st_mtime_ns)}\n".encode())
    target: Path = cache_root() / f"vectors-{key.hexdigest()[:16]}.npy"
    if not target.exists():
        vectors = encode_images(bundle, cache_images(table, card.image_size, progress=progress), progress)
        make_cache_folder(target.parent)
        file = io.BytesIO()
        np.save(file, vectors)
        write_bytes(target, file.getvalue())
    mark_used(target)
    return np.load(target, allow_pickle=False)
