"""Feature maps of a frozen ImageNet encoder, computed once over all photos and kept in the cache."""

import hashlib
import json
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from core.data.image_cache import cache_images, new_array
from core.files import write_text
from core.folders import cache_root
from core.networks.backbones import build_encoder
from experiments.terminal import say

BATCH = 64


def find_init(backbone: str, imagenet: str | Path | None) -> str | Path:
    """The ImageNet weights of a backbone: a file of a folder (`mobilenet_v2.weights.h5` is MobileNetV2's), or "imagenet" to download.

    Raises:
        ValueError: the folder has no file for this backbone.
    """
    if imagenet is None:
        return "imagenet"
    files = sorted(Path(imagenet).glob("*.weights.h5"))
    for file in files:
        if file.name.removesuffix(".weights.h5").replace("_", "").lower() == backbone.lower():
            return file
    found = ", ".join(file.name for file in files) or "nothing"
    raise ValueError(
        f"{imagenet} has no ImageNet weights of {backbone}. Expected a file such as mobilenet_v2.weights.h5 for MobileNetV2; "
        f"found: {found}. Leave --imagenet out to download them."
    )


def _digest(table: pd.DataFrame, backbone: str, attach: str, init: str | Path, size: int | None) -> str:
    key = hashlib.sha256(f"maps-1 {backbone} {attach} {size} ".encode())
    key.update(Path(init).read_bytes() if Path(init).is_file() else str(init).encode())
    key.update("\n".join(table.image_id).encode())
    return key.hexdigest()[:16]


def feature_maps(
    table: pd.DataFrame,
    backbone: str,
    imagenet: str | Path | None = None,
    *,
    attach: str = "paper",
    init: str | Path | None = None,
    size: int | None = None,
    root: Path | None = None,
) -> np.ndarray:
    """Feature maps of every photo of a table; a run that was killed goes on where it stopped.

    Args:
        table: from `read_table`.
        backbone: key into `BACKBONES`.
        imagenet: folder of ImageNet weights; None downloads them.
        attach: where the encoder is cut.
        init: the encoder's weights, as for `build_encoder`; None looks in `imagenet`.
        size: side of the square input, pixels; the backbone's own when None.
        root: of the cache.

    Returns:
        (N, h, w, C) float16, in the table's order, memory-mapped and read-only.
    """
    init = init if init is not None else find_init(backbone, imagenet)
    root = root or cache_root() / "experiments"
    target = root / f"maps-{backbone}-{attach}-{_digest(table, backbone, attach, init, size)}.npy"
    if not target.exists():
        root.mkdir(parents=True, exist_ok=True)
        keras.utils.set_random_seed(0)
        _encode(build_encoder(backbone, attach, size, init), table, target)
    return np.load(target, mmap_mode="r")


def _encode(encoder: keras.Model, table: pd.DataFrame, target: Path) -> None:
    images = cache_images(table, encoder.input_shape[1])
    partial, counter = target.with_suffix(".partial"), target.with_suffix(".json")
    shape = (len(images), *encoder.output_shape[1:])
    done = 0
    if partial.exists() and counter.exists():
        done = json.loads(counter.read_text())["photos"]
    maps = np.lib.format.open_memmap(partial, "r+") if done else new_array(partial, "float16", shape)
    while done < len(images):
        chunk = images[done : done + BATCH].astype("float32")
        # One shape for the compiled network: the last batch is filled up.
        full = np.concatenate([chunk, np.repeat(chunk[-1:], BATCH - len(chunk), axis=0)])
        maps[done : done + len(chunk)] = encoder.predict_on_batch(full)[: len(chunk)]
        done += len(chunk)
        if done % (16 * BATCH) == 0:
            maps.flush()
            write_text(counter, json.dumps({"photos": done}))
            say(f"{target.name}: {done} of {len(images)} photos")
    maps.flush()
    partial.replace(target)
    counter.unlink(missing_ok=True)
