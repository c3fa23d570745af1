"""Which test melanomas and nevi a network finds alike: their pooled feature vectors, kept small enough to ship."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.card import Card
from core.data.images import fit_image
from core.evaluation.report import write_text
from core.trust.measures import InvalidMeasure, Progress, read_measure
from core.trust.pair_photos import read_in_batches, read_pair_table

if TYPE_CHECKING:  # at run time this would load TensorFlow
    from core.bundle import Bundle

SIMILAR_FILE, VECTORS_FILE = "similar.json", "similar.npz"
DIRECTIONS = 48
FEATURE = "mean over positions of the encoder's feature map (before attention), scaled to length 1"


@dataclass(frozen=True, eq=False)
class Similar:
    """Feature vectors of a model's test melanomas and nevi.

    Args:
        image_ids, lesions: of each photo, (N,).
        melanoma: (N,) bool.
        vectors: (N, D) float32, of length 1; their products are cosines.
        record: of `similar.json`.
    """

    image_ids: np.ndarray
    lesions: np.ndarray
    melanoma: np.ndarray
    vectors: np.ndarray
    record: dict

    def nearest(self, image_id: str, among: set[str], count: int = 3) -> list[tuple[str, float]]:
        """The photos most similar to one, one a lesion and none of its own lesion.

        Args:
            among: image ids that may be named.

        Returns:
            (image_id, cosine) each, nearest first; empty where the photo is not known.
        """
        place = np.flatnonzero(self.image_ids == image_id)
        if not len(place):
            return []
        cosines = self.vectors @ self.vectors[place[0]]
        seen, found = {self.lesions[place[0]]}, []
        for i in np.argsort(-cosines, kind="stable"):
            if len(found) == count:
                break
            if self.image_ids[i] in among and self.lesions[i] not in seen:
                seen.add(self.lesions[i])
                found.append((str(self.image_ids[i]), float(cosines[i])))
        return found

    def hard_pairs(self, count: int = 20) -> list[tuple[str, str, float]]:
        """Melanomas with the nevus most similar to each, the most alike first; each lesion stands in one pair only.

        Returns:
            (image_id of the melanoma, image_id of the nevus, cosine) each.
        """
        rows, columns = np.flatnonzero(self.melanoma), np.flatnonzero(~self.melanoma)
        cosines = self.vectors[rows] @ self.vectors[columns].T
        used, pairs = set(), []
        for place in np.argsort(-cosines, axis=None, kind="stable"):
            i, j = rows[place // len(columns)], columns[place % len(columns)]
            if self.lesions[i] in used or self.lesions[j] in used:
                continue
            used |= {self.lesions[i], self.lesions[j]}
            pairs.append((str(self.image_ids[i]), str(self.image_ids[j]), float(cosines.flat[place])))
            if len(pairs) == count:
                break
        return pairs


def measure_similar(bundle: "Bundle", folder: Path, progress: Progress | None = None) -> None:
    """Encodes the test melanomas and nevi, and writes their vectors, reduced to a few directions, beside `similar.json`.

    The directions are those of the largest singular values, without centring, so that cosines stay what they are.
    """
    table = read_pair_table(bundle.card, folder)
    size, encoder, vectors = bundle.card.image_size, bundle.classifier.encoder, []
    for rows, images in read_in_batches(table, lambda photo: fit_image(photo, size)):
        maps = np.asarray(encoder.predict_on_batch(images), "float32")
        vectors.append(maps.mean(axis=(1, 2))[: len(rows)])
        if progress:
            progress(int(rows[-1]) + 1, len(table))
    whole = np.concatenate(vectors).astype("float64")
    whole /= np.maximum(np.linalg.norm(whole, axis=1, keepdims=True), 1e-12)
    _, spread, directions = np.linalg.svd(whole, full_matrices=False)
    small = (whole @ directions[:DIRECTIONS].T).astype("float16")
    out, melanoma = Path(bundle.folder), (table.dx == "mel").to_numpy()
    scratch = out / f"{VECTORS_FILE}.partial"
    with open(scratch, "wb") as file:
        np.savez_compressed(
            file,
            image_id=table.image_id.to_numpy("U"),
            lesion_id=table.lesion_id.to_numpy("U"),
            melanoma=melanoma,
            vectors=small,
        )
    scratch.replace(out / VECTORS_FILE)
    record = {
        "weights_sha256": bundle.card.weights["sha256"],
        "model": bundle.name,
        "photos": len(table),
        "melanomas": int(melanoma.sum()),
        "channels": whole.shape[1],
        "directions": small.shape[1],
        "share": float((spread[:DIRECTIONS] ** 2).sum() / (spread**2).sum()),
        "same_nearest": _same_nearest(whole, small, melanoma),
        "feature": FEATURE,
        "vectors": VECTORS_FILE,
        "vectors_sha256": hashlib.sha256((out / VECTORS_FILE).read_bytes()).hexdigest(),
    }
    write_text(out / SIMILAR_FILE, json.dumps(record, indent=1) + "\n")


def _same_nearest(whole: np.ndarray, small: np.ndarray, melanoma: np.ndarray) -> float:
    """Share of melanomas whose nearest nevus is the same with all channels as with the few directions."""
    few = _unit(small)
    nearest = [(v[melanoma] @ v[~melanoma].T).argmax(axis=1) for v in (whole, few)]
    return float((nearest[0] == nearest[1]).mean())


def _unit(vectors: np.ndarray) -> np.ndarray:
    vectors = vectors.astype("float32")
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)


def read_similar(folder: str | Path, card: Card) -> Similar:
    """What `measure_similar` left in a model's folder.

    Raises:
        InvalidMeasure: a file is missing, damaged or of other weights; the sentence ends with the command that makes it.
    """
    record = read_measure("similar", folder, card)
    path = Path(folder) / VECTORS_FILE
    again = f"Run `python -m core measure {Path(folder).name} --data HAM10000_FOLDER --only similar`."
    try:
        if hashlib.sha256(path.read_bytes()).hexdigest() != record["vectors_sha256"]:
            raise InvalidMeasure(f"{path} and {SIMILAR_FILE} are of different runs. {again}")
        with np.load(path, allow_pickle=False) as stored:
            return Similar(
                stored["image_id"], stored["lesion_id"], stored["melanoma"], _unit(stored["vectors"]), record
            )
    except (OSError, KeyError, ValueError) as error:
        if isinstance(error, InvalidMeasure):
            raise
        raise InvalidMeasure(f"{path} cannot be used ({error}). {again}") from None
