"""Makes a model's index of look-alikes, and measures on held-out lesions what look-alikes and "seen before" are worth.

Validation, which chose the model's epoch, is used again for k and for the thresholds of "seen before"; the test part chooses nothing.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pandas as pd

from core.data.duplicates import BITS, perceptual_hashes, turned_hashes
from core.data.ham10000 import read_table
from core.diagnoses import CODES
from core.estimates import CountedEstimate, Estimate
from core.estimates.in_files import to_text
from core.evaluation.evaluator import choose_rows
from core.evaluation.results import InvalidResults, read_results
from core.evaluation.statistics.bootstrap import proportion, resample_lesions
from core.evaluation.statistics.shares import share_of
from core.files import write_text
from core.threads import Progress
from core.trust.measure_table import MEASURES, binding_of
from core.trust.signals.feature_vectors import encode_images, encode_table
from core.trust.signals.lookalikes import KS, MEASURE, LookalikeIndex, LookalikeVote, build_index, vote, write_index
from core.trust.signals.photo_statistics import SIDE
from core.trust.signals.seen_before import LESION, PHOTO, find_seen, hash_distances

if TYPE_CHECKING:  # at run time this would load TensorFlow
    from core.bundle import Bundle

# Training photos that are altered in each way of `ALTERED`.
SAMPLE = 150
# Photos of a set of folds that choose when a photo counts as seen before, and as many that measure it.
HALF = 2000
# Share of validation photos (of lesions that the model never saw) that may be taken for a training photo, or a training lesion.
FALSE_PHOTOS, FALSE_LESIONS = 0.002, 0.01
# Hashes that differ by no more are of one photo, whatever the network sees; unrelated photos differ by more than 60.
MOST_BITS = 48
# With a feature vector as near as validation photos hardly ever are, hashes may differ by this much.
NEAR_BITS = 100
LEVELS = ((1.0, "all"), (0.75, "three quarters or more"), (0.5, "half or more"), (0.0, "less than half"))


@dataclass(frozen=True, eq=False)
class HeldOutPhotos:
    """Photos that a network never trained on, with their nearest among those that it did.

    Args:
        index: of the network's training photos.
        table: of the photos, N rows.
        neighbours: rows of the index for each photo, nearest first.
    """

    index: LookalikeIndex
    table: pd.DataFrame
    neighbours: list[list[int]]

    def votes(self, k: int) -> list[LookalikeVote]:
        """What the nearest k lesions of each photo say."""
        return [vote(self.index, rows[:k]) for rows in self.neighbours]


@dataclass(frozen=True, eq=False)
class _Distances:
    """Of photos to those of an index: hashes' bits and cosines, (N, M), none of them of the photo's own lesion."""

    table: pd.DataFrame
    bits: np.ndarray
    similarities: np.ndarray


def measure_lookalikes(bundle: "Bundle", folder: Path, progress: Progress | None = None) -> None:
    """Writes `lookalikes.npz`, then `lookalikes.json`.

    k and the thresholds of "seen before" are chosen on validation; everything else is measured on held-out photos. Of a set of folds each
    network's vote is measured among its own training photos, by its own vectors. What ships is one index of all photos by the vectors of
    all networks, and "seen before" is chosen and measured there, on lesions that were taken out of it: no photo is new to all networks.

    Raises:
        ValueError: a folder without photos of the model's train, validation or test part.
    """
    from core.data.image_cache import cache_images

    table = read_table(folder)
    networks = bundle.scored_networks
    rows = [
        {part: _rows_of(one.card, table, part, folder) for part in ("train", "validation", "test")} for one in networks
    ]
    images = cache_images(table, SIDE, progress=progress)
    hashes = perceptual_hashes(images)
    vectors = [encode_table(one, table, progress) for one in networks]
    indices = [
        build_index(own[of["train"]], hashes[of["train"]], table.iloc[of["train"]].reset_index(drop=True))
        for own, of in zip(vectors, rows, strict=True)
    ]
    asked = {
        part: [_ask(index, own, table, of[part]) for index, own, of in zip(indices, vectors, rows, strict=True)]
        for part in ("validation", "test")
    }
    k = choose_k(asked["validation"])
    if bundle.card.is_fold_set:
        pooled, trained = encode_table(bundle, table, progress), np.arange(len(table))
        index = build_index(pooled, hashes, table)
        choosing, testing = _halves(table)
    else:
        pooled, trained, index = vectors[0], rows[0]["train"], indices[0]
        choosing, testing = rows[0]["validation"], rows[0]["test"]
    chosen_on, tested_on = (_distances(index, pooled, images, table, part) for part in (choosing, testing))
    thresholds = choose_thresholds(chosen_on.bits, chosen_on.similarities)
    record = {
        **binding_of(MEASURE, bundle.card),
        "photos": len(trained),
        "lesions": int(index.table.lesion_id.nunique()),
        "k": k,
        "thresholds": thresholds,
        "test": score_votes(asked["test"], k, _network_answers(bundle)),
        "seen_before": {
            "false_photo": _alarms(index, tested_on, thresholds, (PHOTO,)),
            "false_any": _alarms(index, tested_on, thresholds, (PHOTO, LESION)),
            "other_photo_of_lesion": _leave_one_out(index, images, trained, thresholds),
            "altered": _altered(bundle, index, images, trained, thresholds),
        },
    }
    write_index(index, bundle.folder, bundle.card.weights["sha256"])
    write_text(Path(bundle.folder) / MEASURES[MEASURE].file, to_text(record) + "\n")


def _ask(index: LookalikeIndex, pooled: np.ndarray, table: pd.DataFrame, rows: np.ndarray) -> HeldOutPhotos:
    near = index.similarities(pooled[rows])
    return HeldOutPhotos(index, table.iloc[rows].reset_index(drop=True), [index.nearest(row, max(KS)) for row in near])


def _halves(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Rows of photos of two sets of lesions drawn at random, `HALF` photos each at most."""
    lesion = pd.factorize(table.lesion_id)[0]
    order = np.random.default_rng(0).permutation(lesion.max() + 1)[lesion]
    chosen = np.argsort(order, kind="stable")
    middle = np.searchsorted(order[chosen], (lesion.max() + 1) // 2)
    return np.sort(chosen[:middle][:HALF]), np.sort(chosen[middle:][:HALF])


def _distances(index: LookalikeIndex, pooled, images, table: pd.DataFrame, rows: np.ndarray) -> _Distances:
    own = table.iloc[rows].reset_index(drop=True)
    same = own.lesion_id.to_numpy(dtype=str)[:, None] == index.lesions
    bits = np.stack([hash_distances(index, turned_hashes(images[row])) for row in rows])
    return _Distances(own, np.where(same, BITS, bits), np.where(same, -1, index.similarities(pooled[rows])))


def choose_k(asked: list[HeldOutPhotos]) -> int:
    """The number of lesions asked, by balanced accuracy on validation; of equal ones the smallest."""
    truth = np.concatenate([one.table.dx.to_numpy(dtype=str) for one in asked])

    def balanced(k: int) -> float:
        right = np.array([vote.dx for one in asked for vote in one.votes(k)]) == truth
        return float(np.mean([right[truth == code].mean() for code in np.unique(truth)]))

    return max(KS, key=lambda k: (round(balanced(k), 3), -k))


def choose_thresholds(bits: np.ndarray, similarities: np.ndarray) -> dict[str, float]:
    """Thresholds of `find_seen`, from photos of lesions that the model never saw.

    Args:
        bits, similarities: (N, M), of N validation photos to M training photos.
    """
    allowed = max(0, int(FALSE_PHOTOS * len(bits)))
    most = np.sort(bits.min(axis=1))[allowed] - 1
    near = np.where(bits <= NEAR_BITS, similarities, -1).max(axis=1)
    return {
        "bits": int(max(0, min(MOST_BITS, most))),
        "near_bits": NEAR_BITS,
        "near_similarity": float(max(0.0, np.sort(near)[::-1][allowed])) + 1e-4,
        "lesion_similarity": float(np.sort(similarities.max(axis=1))[::-1][int(FALSE_LESIONS * len(bits))]) + 1e-4,
    }


def score_votes(asked: list[HeldOutPhotos], k: int, network: dict[str, str]) -> dict:
    """What the vote of the nearest k lesions is worth on photos that are in no index.

    Args:
        network: image id -> code that the network itself answers; where one is not known, none is judged.

    Returns:
        "accuracy", "balanced_accuracy"; "wrong_by_agreement": error rate of the vote at each level of agreement; and, where the network's
        answers are known, "network_wrong": its error rate where the vote says the same and where it says something else.
    """
    votes = [vote for one in asked for vote in one.votes(k)]
    table = pd.concat([one.table for one in asked], ignore_index=True)
    truth, lesions = table.dx.to_numpy(dtype=str), table.lesion_id.to_numpy(dtype=str)
    voted, share = np.array([v.dx for v in votes]), np.array([v.agreement for v in votes])
    right = voted == truth
    scored = {
        "accuracy": share_of(right, lesions),
        "balanced_accuracy": _balanced(right, truth, lesions),
        "sensitivity": {code: share_of(right[truth == code], lesions[truth == code]) for code in CODES},
        "wrong_by_agreement": [],
    }
    upper = 2.0
    for lower, name in LEVELS:
        rows = (share >= lower) & (share < upper)
        scored["wrong_by_agreement"].append(
            {"from": lower, "name": name, **vars(share_of(~right[rows], lesions[rows]))}
        )
        upper = lower
    if set(table.image_id) <= set(network):
        answers = table.image_id.map(network).to_numpy(dtype=str)
        same = answers == voted
        scored["network_wrong"] = {
            "same": share_of(answers[same] != truth[same], lesions[same]),
            "other": share_of(answers[~same] != truth[~same], lesions[~same]),
        }
    return scored


def alter(image: np.ndarray, how: str, rng: np.random.Generator) -> np.ndarray:
    """An image as it comes back from other hands: one of `ALTERED`."""
    return ALTERED[how](np.array(image), rng)


def _rows_of(card, table: pd.DataFrame, part: str, folder: Path) -> np.ndarray:
    choose_rows(card, table, part, folder)  # says what is wrong where there are none
    return np.flatnonzero(table.image_id.isin(set(card.split[part])))


def _network_answers(bundle) -> dict[str, str]:
    try:
        results = read_results(bundle.folder, bundle.card)
    except InvalidResults:
        return {}
    return dict(zip(results.table.image_id, np.array(CODES)[results.y_pred], strict=True))


def _balanced(right: np.ndarray, truth: np.ndarray, lesions: np.ndarray) -> Estimate:
    weights = resample_lesions(lesions).astype("float64")
    classes = np.unique(truth)
    with np.errstate(invalid="ignore"):
        recalls = [weights @ (right & (truth == c)) / (weights @ (truth == c)) for c in classes]
    value = float(np.mean([right[truth == c].mean() for c in classes]))
    return proportion(value, np.nanmean(recalls, axis=0), len(np.unique(lesions)))


def _alarms(index, tested: _Distances, thresholds, kinds) -> CountedEstimate:
    seen = [find_seen(index, b, s, thresholds) for b, s in zip(tested.bits, tested.similarities, strict=True)]
    return share_of(np.array([s is not None and s.kind in kinds for s in seen]), tested.table.lesion_id)


def _leave_one_out(index, images, rows, thresholds) -> CountedEstimate:
    """How often a training photo is recognised by another photo of its lesion, when it is itself taken out."""
    lesions = index.lesions
    names, counts = np.unique(lesions, return_counts=True)
    several = np.flatnonzero(np.isin(lesions, names[counts > 1]))
    several = np.random.default_rng(0).permutation(several)[: 4 * SAMPLE]
    recognised = []
    for row in several:
        similarities, bits = index.vectors @ index.vectors[row], hash_distances(index, turned_hashes(images[rows[row]]))
        similarities[row], bits[row] = -1, BITS
        seen = find_seen(index, bits, similarities, thresholds)
        recognised.append(seen is not None and seen.lesion_id == lesions[row])
    return share_of(np.array(recognised), lesions[several])


def _altered(bundle, index, images, rows, thresholds) -> dict:
    """How often training photos that were altered in one way are recognised as the photo that they are."""
    sample = np.random.default_rng(1).permutation(len(rows))[:SAMPLE]
    lesions = index.lesions[sample]
    scored = {}
    for how in ALTERED:
        rng = np.random.default_rng(2)
        squares = np.stack([alter(images[rows[i]], how, rng) for i in sample])
        fitted = (
            squares
            if bundle.card.image_size == SIDE
            else np.stack([_resized(s, bundle.card.image_size) for s in squares])
        )
        similarities = index.similarities(encode_images(bundle, fitted))
        recognised = []
        for number in range(len(sample)):
            seen = find_seen(
                index, hash_distances(index, turned_hashes(squares[number])), similarities[number], thresholds
            )
            recognised.append(seen is not None and seen.lesion_id == lesions[number])
        scored[how] = share_of(np.array(recognised), lesions)
    return scored


def _resized(image: np.ndarray, side: int) -> np.ndarray:
    return cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA if side < len(image) else cv2.INTER_CUBIC)


def _saved_anew(image, rng):
    _, encoded = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(30, 70))])
    return cv2.imdecode(encoded, cv2.IMREAD_COLOR)[..., ::-1].copy()


def _cropped(share):
    def crop(image, rng):
        side = len(image)
        cut = round(share * side)
        top, left = rng.integers(0, cut + 1, 2)
        return _resized(np.ascontiguousarray(image[top : top + side - cut, left : left + side - cut]), side)

    return crop


def _tilted(image, rng):
    side = len(image)
    turn = cv2.getRotationMatrix2D((side / 2, side / 2), rng.choice([-1, 1]) * rng.uniform(5, 15), 1.0)
    return cv2.warpAffine(image, turn, (side, side), borderMode=cv2.BORDER_REFLECT_101)


ALTERED = {
    "as it is": lambda image, rng: image,
    "saved anew": _saved_anew,
    "half the size": lambda image, rng: _resized(_resized(image, len(image) // 2), len(image)),
    "cropped by 5 %": _cropped(0.05),
    "cropped by 10 %": _cropped(0.10),
    "turned or mirrored": lambda image, rng: np.ascontiguousarray(
        np.rot90(image, int(rng.integers(1, 4)))[:, :: rng.choice([-1, 1])]
    ),
    "tilted by 5 to 15 degrees": _tilted,
    "recoloured": lambda image, rng: np.clip(
        image * rng.uniform(0.85, 1.15, 3) * rng.uniform(0.85, 1.1), 0, 255
    ).astype("uint8"),
}
