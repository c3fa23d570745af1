"""Look-alikes: the training lesions that a network sees as nearest to a photo, and what they say as a second opinion.

The index ships with the model: each training photo's pooled feature vector, reduced by principal components, with its
diagnosis and facts. Photos are not in it.

Reference: P. Tschandl et al., "Diagnostic accuracy of content-based dermatoscopic image retrieval with deep classification
features", Br J Dermatol 2019.
"""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.card import Card, short_name
from core.diagnoses import CODES, NAMES
from core.files import write_bytes
from core.threads import once
from core.trust.measure_table import DamagedMeasure, measure_again, read_measured_file
from core.wording import listed

if TYPE_CHECKING:
    import pandas as pd

INDEX_FILE = "lookalikes.npz"
MEASURE = "lookalikes"
DIMENSIONS = 64
# A photo has at most a few neighbours of each lesion: more candidates than lesions wanted, by this factor.
_CANDIDATES = 12
# What k is chosen from, by balanced accuracy on validation.
KS = (5, 9, 15, 25, 45)
SHOWN = 6
_TEXTS = ("dx_type", "sex", "localization", "dataset")


@dataclass(frozen=True)
class Lookalike:
    """A training lesion.

    Args:
        image_id: of its photo that is nearest.
        dx: code of its diagnosis.
        dx_type: how that was confirmed: "histo", "follow_up", "consensus", "confocal" or "unknown".
        age: years, or None.
        dataset: the source of the photo.
        similarity: cosine of the two feature vectors, at most 1.
    """

    image_id: str
    lesion_id: str
    dx: str
    dx_type: str
    age: float | None
    sex: str
    localization: str
    dataset: str
    similarity: float

    def to_json(self) -> dict:
        """As plain values, for records and files."""
        return {**vars(self), "similarity": round(self.similarity, 4)}


@dataclass(frozen=True)
class LookalikeVote:
    """What the nearest training lesions say.

    Args:
        dx: code that most of them have; among codes as frequent, that of the nearest.
        count: how many have it.
        of: how many were asked.
        others: codes that as many have, if any: a tie.
    """

    dx: str
    count: int
    of: int
    others: tuple[str, ...] = ()

    @property
    def agreement(self) -> float:
        return self.count / self.of

    @property
    def tied(self) -> tuple[str, ...]:
        """All codes that most of them have, that of the nearest first; one where there is no tie."""
        return (self.dx, *self.others)

    @property
    def words(self) -> str:
        """What they say together, in a sentence."""
        if not self.others:
            return f"{self.count} of the {self.of} nearest training lesions: {NAMES[self.dx]}."
        return (
            f"A tie among the {self.of} nearest training lesions: {self.count} each of {listed([NAMES[c] for c in self.tied])}; the "
            f"nearest of these is {NAMES[self.dx]}."
        )


@dataclass(frozen=True, eq=False)
class LookalikeIndex:
    """The training photos of a model as its encoder sees them.

    Args:
        mean, scale: of each channel over the training photos, (C,).
        components: (K, C), principal directions of the scaled vectors.
        variances: (K,), of the scaled training vectors along them.
        vectors: (N, K) float32 of length 1.
        hashes: (N, 32) uint8, the photos' perceptual hashes.
        columns: one value a photo each: image_id, lesion_id, dx, dx_type, age (NaN unknown), sex, localization, dataset.
    """

    mean: np.ndarray
    scale: np.ndarray
    components: np.ndarray
    variances: np.ndarray
    vectors: np.ndarray
    hashes: np.ndarray
    columns: dict[str, np.ndarray]

    def project(self, pooled: np.ndarray) -> np.ndarray:
        """Pooled vectors (..., C) -> (..., K), not yet of length 1."""
        return self.scaled(pooled) @ self.components.T

    def scaled(self, pooled: np.ndarray) -> np.ndarray:
        """Pooled vectors (..., C), each channel by its own training mean and spread."""
        return (np.asarray(pooled, "float32") - self.mean) / self.scale

    def similarities(self, pooled: np.ndarray) -> np.ndarray:
        """Cosine to every training photo: (C,) -> (N,), or (B, C) -> (B, N)."""
        return unit(self.project(pooled)) @ self.vectors.T

    def nearest(self, similarities: np.ndarray, count: int) -> list[int]:
        """Rows of the nearest photos, one a lesion, nearest first.

        Args:
            similarities: (N,).
        """
        ahead = min(count * _CANDIDATES, len(similarities))
        rows = np.argpartition(-similarities, ahead - 1)[:ahead]
        names, lesions, chosen = self.lesions, set(), []
        for row in rows[np.argsort(-similarities[rows], kind="stable")]:
            lesion = names[row]
            if lesion not in lesions:
                lesions.add(lesion)
                chosen.append(int(row))
            if len(chosen) == count:
                break
        return chosen

    @once
    def lesions(self) -> np.ndarray:
        """Lesion of each photo, (N,)."""
        return np.asarray(self.columns["lesion_id"], dtype=str)

    @once
    def hash_words(self) -> np.ndarray:
        """The hashes eight bytes at a time, (4, N) uint64."""
        return np.ascontiguousarray(np.ascontiguousarray(self.hashes).view("uint64").T)

    @once
    def dx(self) -> np.ndarray:
        """Code of each photo's diagnosis, (N,)."""
        return np.asarray(self.columns["dx"], dtype=str)

    @once
    def table(self) -> pd.DataFrame:
        """The columns as a table, one row a photo."""
        import pandas as pd

        return pd.DataFrame(self.columns, dtype=object)

    @once
    def _values(self) -> dict[str, list]:
        """The columns as plain values: one row of arrays is slow to take."""
        return {name: values.tolist() for name, values in self.columns.items()}

    def row(self, row: int, similarity: float) -> Lookalike:
        """A row as a record."""
        facts = {name: values[row] for name, values in self._values.items()}
        facts["age"] = None if np.isnan(facts["age"]) else float(facts["age"])
        return Lookalike(**facts, similarity=float(similarity))


def unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors (..., K) at length 1."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def vote(index: LookalikeIndex, rows: list[int]) -> LookalikeVote:
    """Counts the diagnoses of the nearest lesions, nearest first."""
    codes = [str(code) for code in index.dx[rows]]
    counts = Counter(codes)
    most = max(counts.values())
    first, *others = (code for code in counts if counts[code] == most)  # in the order in which they came, nearest first
    return LookalikeVote(first, most, len(rows), tuple(others))


def find_lookalikes(
    index: LookalikeIndex, pooled: np.ndarray, k: int, count: int = SHOWN, without: str | None = None
) -> tuple[tuple[Lookalike, ...], LookalikeVote]:
    """The nearest training lesions of a photo, and the vote of the nearest k.

    Args:
        pooled: (C,), the photo's pooled feature map.
        k: from `lookalikes.json`.
        count: how many to return.
        without: a lesion that is no look-alike: the photo's own.
    """
    similarities = index.similarities(pooled)
    rows = [row for row in index.nearest(similarities, max(k, count) + 1) if index.lesions[row] != without]
    rows = rows[: max(k, count)]
    return tuple(index.row(r, similarities[r]) for r in rows[:count]), vote(index, rows[:k])


def build_index(
    pooled: np.ndarray, hashes: np.ndarray, table: pd.DataFrame, dimensions: int = DIMENSIONS
) -> LookalikeIndex:
    """Makes an index of training photos.

    Args:
        pooled: (N, C).
        hashes: (N, 256) bool.
        table: as `read_table` gives it, of the same photos.
    """
    mean = pooled.mean(axis=0)
    spread = pooled.std(axis=0)
    # A channel that hardly moves would be blown up by its own spread.
    scale = np.maximum(spread, np.median(spread) * 0.1 + 1e-6)
    scaled = ((pooled - mean) / scale).astype("float64")
    values, directions = np.linalg.eigh(scaled.T @ scaled / len(scaled))
    kept = np.argsort(-values)[: min(dimensions, len(values))]
    # Rounded before use, so that what is measured is what is shipped.
    components = directions[:, kept].T.astype("float16").astype("float32")
    vectors = unit((scaled @ components.T).astype("float32")).astype("float16").astype("float32")
    columns = {
        name: table[name].to_numpy(dtype=object)
        for name in ("image_id", "lesion_id", "dx", *_TEXTS[:1], "age", *_TEXTS[1:])
    }
    return LookalikeIndex(
        mean.astype("float32"),
        scale.astype("float32"),
        components,
        np.maximum(values[kept], 1e-6).astype("float32"),
        vectors,
        np.packbits(hashes, axis=1),
        columns,
    )


def write_index(index: LookalikeIndex, folder: str | Path, weights_sha256: str) -> Path:
    """Writes `lookalikes.npz`: numbers and plain texts, nothing that a reader would execute."""
    arrays = {
        "weights_sha256": np.array(weights_sha256),
        "mean": index.mean,
        "scale": index.scale,
        "variances": index.variances,
        "components": index.components.astype("float16"),
        "vectors": index.vectors.astype("float16"),
        "hashes": index.hashes,
        "age": np.asarray(index.columns["age"], "float16"),
        "dx": np.array([CODES.index(code) for code in index.columns["dx"]], "uint8"),
        "image_id": np.asarray(index.columns["image_id"], "U"),
        "lesion_id": np.asarray(index.columns["lesion_id"], "U"),
    }
    for name in _TEXTS:
        words, numbers = np.unique(np.asarray(index.columns[name], "U"), return_inverse=True)
        arrays[name] = numbers.astype("uint16")
        arrays[f"{name}_words"] = words
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return write_bytes(Path(folder) / INDEX_FILE, file.getvalue())


def read_index(folder: str | Path, card: Card) -> LookalikeIndex:
    """Reads a model's `lookalikes.npz`.

    Raises:
        MissingMeasure: it was never made.
        DamagedMeasure: it is damaged, lost, exchanged or of other weights; the sentence ends with the command that makes it.
    """
    path = Path(folder) / INDEX_FILE
    again = measure_again(MEASURE, folder)
    content = read_measured_file(MEASURE, INDEX_FILE, folder, card)
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        came = str(arrays["weights_sha256"])
        columns = {
            "image_id": arrays["image_id"],
            "lesion_id": arrays["lesion_id"],
            "dx": np.array(CODES)[arrays["dx"]],
            "dx_type": arrays["dx_type_words"][arrays["dx_type"]],
            "age": arrays["age"].astype("float64"),
            **{name: arrays[f"{name}_words"][arrays[name]] for name in _TEXTS[1:]},
        }
        index = LookalikeIndex(
            arrays["mean"],
            arrays["scale"],
            arrays["components"].astype("float32"),
            arrays["variances"],
            arrays["vectors"].astype("float32"),
            arrays["hashes"],
            columns,
        )
        if {len(values) for values in columns.values()} != {len(index.vectors)} or len(index.vectors) != len(
            index.hashes
        ):
            raise ValueError("its arrays are of different lengths")
    except Exception as error:  # noqa: BLE001 - zipfile and zlib have errors of their own for damaged bytes
        raise DamagedMeasure(f"{short_name(path)} cannot be used ({error}). {again}") from None
    if came != card.weights["sha256"]:
        raise DamagedMeasure(f"{short_name(path)} is stale: it was made with other weights of {card.name}. {again}")
    return index
