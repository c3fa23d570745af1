"""Whether the model was trained on this photo or lesion: then its answer is a memory, and its measured scores do not hold."""

from dataclasses import dataclass

import numpy as np

from core.data.duplicates import BITS
from core.diagnoses import NAMES
from core.trust.signals.lookalikes import LookalikeIndex
from core.wording import percent

PHOTO, LESION = "photo", "lesion"


@dataclass(frozen=True)
class SeenBefore:
    """A training photo that shows what the upload shows.

    Args:
        kind: "photo" (the same photo, perhaps saved anew, resized, cropped, turned or recoloured) or "lesion" (another photo
            of the same lesion, most likely).
        image_id, lesion_id: of the training photo.
        bits: by which the perceptual hashes differ, of 256, in the best of eight positions.
        similarity: cosine of the feature vectors.
        network: of a set of folds the one that never saw the lesion; of an ensemble of sets their fold; else "".
        several: whether that is several networks, answering by their mean.
        answer: its probabilities, diagnosis code -> probability; None where it was not asked.
    """

    kind: str
    image_id: str
    lesion_id: str
    bits: int
    similarity: float
    network: str = ""
    several: bool = False
    answer: dict[str, float] | None = None

    @property
    def words(self) -> str:
        """The verdict as a sentence, with the answer of the network that never saw the lesion where there is one."""
        if self.network:
            what = "This photo" if self.kind == PHOTO else "Very likely another photo of this lesion"
            met = (
                f"{what} ({self.image_id}) is in the collection: all networks of this model but {self._who} learned from its lesion, so "
                "their mean is partly from memory"
            )
        elif self.kind == PHOTO:
            met = f"The model was trained on this photo ({self.image_id}): its answer is from memory"
        else:
            met = f"The model was very likely trained on another photo of this lesion ({self.image_id})"
        sentence = f"{met}. Its measured scores do not hold here."
        return f"{sentence} {self._own_words}" if self.answer else sentence

    @property
    def _own_words(self) -> str:
        answer = self.answer or {}
        top = max(answer, key=answer.__getitem__)
        told = f"{NAMES[top]} with {percent(answer[top])}"
        melanoma = "" if top == "mel" else f", {NAMES['mel'].lower()} {percent(answer['mel'])}"
        who = f"The mean of {self._who}" if self.several else self._who
        return f"{who}, which never saw it, answers {told}{melanoma}: that answer is out of fold."

    @property
    def _who(self) -> str:
        return f"those of {self.network}" if self.several else self.network

    def to_json(self) -> dict:
        """As plain values, for records and files."""
        return {**vars(self), "similarity": round(self.similarity, 4)}


def hash_distances(index: LookalikeIndex, hashes: np.ndarray) -> np.ndarray:
    """Bits by which each training photo's hash differs from a photo's, the best of eight flips and turns, (N,) int.

    Args:
        hashes: (8, 256) bool, of `turned_hashes`.
    """
    known = index.hash_words
    best = np.full(known.shape[1], BITS, "int16")
    for own in np.packbits(hashes, axis=1).view("uint64"):
        bits = sum(np.bitwise_count(word ^ k).astype("int16") for word, k in zip(own, known, strict=True))
        np.minimum(best, bits, out=best)
    return best


def find_seen(
    index: LookalikeIndex, distances: np.ndarray, similarities: np.ndarray, thresholds: dict
) -> SeenBefore | None:
    """The training photo that the upload was most likely taken from, or None.

    Args:
        distances: of `hash_distances`.
        similarities: of `LookalikeIndex.similarities`.
        thresholds: "bits", "near_bits", "near_similarity" and "lesion_similarity", from `lookalikes.json`.
    """
    same = (distances <= thresholds["bits"]) | (
        (distances <= thresholds["near_bits"]) & (similarities >= thresholds["near_similarity"])
    )
    if same.any():
        rows = np.flatnonzero(same)
        # A point of similarity is worth a few bits: turned copies differ in both.
        row = rows[np.argmax(similarities[rows] - distances[rows] / BITS)]
        return _record(PHOTO, index, row, distances, similarities)
    row = int(np.argmax(similarities))
    if similarities[row] >= thresholds["lesion_similarity"]:
        return _record(LESION, index, row, distances, similarities)
    return None


def _record(kind, index, row, distances, similarities) -> SeenBefore:
    met = index.row(row, similarities[row])
    return SeenBefore(
        kind,
        met.image_id,
        met.lesion_id,
        int(distances[row]),
        met.similarity,
    )
