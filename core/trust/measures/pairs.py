"""Which held-out melanomas and nevi a network finds alike: each photo's nearest lesions of both kinds, by pooled feature vectors."""

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.card import Card, short_name
from core.data.images import fit_image
from core.estimates.in_files import to_text
from core.files import write_bytes, write_text
from core.threads import Progress
from core.trust.measure_table import (
    DamagedMeasure,
    binding_of,
    measure_again,
    read_measure,
    read_measured_file,
)
from core.trust.measures.pair_photos import read_in_batches, read_pair_table

if TYPE_CHECKING:  # at run time this would load TensorFlow
    from core.bundle import Bundle

SIMILAR_FILE, NEIGHBOURS_FILE = "similar.json", "similar.npz"
# Neighbours of each kind that are kept: enough that some are left when a page asks for those judged rightly.
NEIGHBOURS = 20
FEATURE = "mean over positions of the encoder's feature map (before attention), scaled to length 1"


@dataclass(frozen=True, eq=False)
class Similar:
    """The nearest lesions of each of a model's held-out melanomas and nevi.

    Args:
        image_ids, lesions: of each photo, (N,).
        melanoma: (N,) bool.
        neighbours: (N, 2, K) places of each photo's nearest melanomas and nevi, nearest first, one a lesion and none of its own;
            -1 where there are no more.
        cosines: (N, 2, K), of their feature vectors; 1 is the same.
        record: of `similar.json`.
    """

    image_ids: np.ndarray
    lesions: np.ndarray
    melanoma: np.ndarray
    neighbours: np.ndarray
    cosines: np.ndarray
    record: dict

    def nearest(self, image_id: str, among: set[str], count: int = 3) -> list[tuple[str, float]]:
        """The photos most similar to one, of other lesions than its own, one a lesion.

        Args:
            among: image ids that may be named.

        Returns:
            (image_id, cosine) each, nearest first; empty where the photo is not known.
        """
        place = np.flatnonzero(self.image_ids == image_id)
        if not len(place):
            return []
        near, cosines = self.neighbours[place[0]].ravel(), self.cosines[place[0]].ravel()
        order = [i for i in np.argsort(-cosines, kind="stable") if near[i] >= 0]
        nearest_photos = [(str(self.image_ids[near[i]]), float(cosines[i])) for i in order]
        return [one for one in nearest_photos if one[0] in among][:count]

    def hard_pairs(self, count: int = 20) -> list[tuple[str, str, float]]:
        """Melanomas with the nevus most similar to each, the most alike first; each lesion stands in one pair only.

        Returns:
            (image_id of the melanoma, image_id of the nevus, cosine) each.
        """
        rows = np.flatnonzero(self.melanoma)
        near, cosines = self.neighbours[rows, 1], self.cosines[rows, 1].astype("float64")
        used, pairs = set(), []
        for flat in np.argsort(-cosines, axis=None, kind="stable"):
            row, rank = divmod(int(flat), near.shape[1])
            i, j = rows[row], near[row, rank]
            if j < 0 or self.lesions[i] in used or self.lesions[j] in used:
                continue
            used |= {self.lesions[i], self.lesions[j]}  # pyright: ignore[reportUnhashable]
            pairs.append((str(self.image_ids[i]), str(self.image_ids[j]), float(cosines[row, rank])))
            if len(pairs) == count:
                break
        return pairs


def measure_similar(bundle: "Bundle", folder: Path, progress: Progress | None = None) -> None:
    """Encodes the held-out melanomas and nevi, and writes each one's nearest lesions of both kinds beside `similar.json`.

    Of a set of folds each network compares the photos of its own part, as vectors of two networks do not compare.
    """
    out, parts, start = Path(bundle.folder), [], 0
    for network in bundle.scored_networks:
        table = read_pair_table(network.card, folder)
        near, cosines = find_neighbours(
            _vectors(network, table, progress), (table.dx == "mel").to_numpy(), table.lesion_id.to_numpy("U")
        )
        parts.append((table, np.where(near >= 0, near + start, -1).astype("int16"), cosines))
        start += len(table)
    table = pd.concat([part for part, _, _ in parts], ignore_index=True)
    melanoma, lesions = (table.dx == "mel").to_numpy(), table.lesion_id.to_numpy("U")
    neighbours, cosines = (np.concatenate([one[i] for one in parts]) for i in (1, 2))
    file = io.BytesIO()
    np.savez_compressed(
        file,
        image_id=table.image_id.to_numpy("U"),
        lesion_id=lesions,
        melanoma=melanoma,
        neighbours=neighbours,
        cosines=cosines,
    )
    write_bytes(out / NEIGHBOURS_FILE, file.getvalue())
    record = {
        **binding_of("similar", bundle.card),
        "model": bundle.name,
        "photos": len(table),
        "melanomas": int(melanoma.sum()),
        "lesions": int(table.lesion_id.nunique()),
        "feature": FEATURE,
        "neighbours": NEIGHBOURS_FILE,
        "neighbours_sha256": hashlib.sha256((out / NEIGHBOURS_FILE).read_bytes()).hexdigest(),
    }
    write_text(out / SIMILAR_FILE, to_text(record) + "\n")


def _vectors(network: "Bundle", table: pd.DataFrame, progress: Progress | None) -> np.ndarray:
    """Pooled feature vectors of a table's photos, (N, C)."""
    size, vectors = network.card.image_size, []
    for rows, images in read_in_batches(table, lambda photo: fit_image(photo, size)):
        vectors.append(network.engine.encode(images[: len(rows)]).mean(axis=(1, 2)))
        if progress:
            progress(int(rows[-1]) + 1, len(table))
    return np.concatenate(vectors)


def find_neighbours(vectors: np.ndarray, melanoma: np.ndarray, lesions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each photo's nearest melanomas and nevi by cosine, one a lesion and none of its own.

    Args:
        vectors: (N, C).
        melanoma: (N,) bool.
        lesions: (N,).

    Returns:
        Places (N, 2, K) int16 and cosines (N, 2, K) float16; see `Similar`.
    """
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    _, lesion = np.unique(lesions, return_inverse=True)
    neighbours = np.full((len(unit), 2, NEIGHBOURS), -1, "int16")
    cosines = np.full((len(unit), 2, NEIGHBOURS), -1, "float16")
    for kind, places in enumerate((np.flatnonzero(melanoma), np.flatnonzero(~melanoma))):
        for i in range(len(unit)):
            likeness = unit[places] @ unit[i]
            order = np.argsort(-likeness, kind="stable")
            order = order[lesion[places[order]] != lesion[i]]
            # The first photo of each lesion is its nearest.
            _, first = np.unique(lesion[places[order]], return_index=True)
            kept = order[np.sort(first)[:NEIGHBOURS]]
            neighbours[i, kind, : len(kept)] = places[kept]
            cosines[i, kind, : len(kept)] = likeness[kept]
    return neighbours, cosines


def read_similar(folder: str | Path, card: Card) -> Similar:
    """What `measure_similar` left in a model's folder.

    Raises:
        MissingMeasure: it was never made.
        DamagedMeasure: a file is damaged, lost, exchanged or of other weights; the sentence ends with the command that makes it.
    """
    record = read_measure("similar", folder, card)
    path = Path(folder) / NEIGHBOURS_FILE
    again = measure_again("similar", folder)
    content = read_measured_file("similar", NEIGHBOURS_FILE, folder, card)
    try:
        if hashlib.sha256(content).hexdigest() != record["neighbours_sha256"]:
            raise DamagedMeasure(f"{short_name(path)} and {SIMILAR_FILE} are of different runs. {again}")
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            return Similar(
                stored["image_id"],
                stored["lesion_id"],
                stored["melanoma"],
                stored["neighbours"],
                stored["cosines"],
                record,
            )
    except DamagedMeasure:
        raise
    except Exception as error:  # noqa: BLE001 - zipfile and zlib have errors of their own for damaged bytes
        raise DamagedMeasure(f"{short_name(path)} cannot be used ({error}). {again}") from None
