"""What do the shipped models live off? The test photos with the lesion, the facts, the colour or the sharpness taken away.

    python -m experiments.shortcuts --data HAM10000 [--models NAME ...] [--photos N]

Conditions: see `experiments.spoiled`. If a model scores well with the lesion hidden, or on the border alone, it answers by the camera
and the skin; if it moves when a photo is blurred, sharpened or saved again, it answers by the copy. p(vasc) on nevi stands beside each
condition: this collection's photos come in copies of different sharpness, and almost all vascular lesions in one of them. A flat patch
over the lesion still shows its outline: "lesion hidden" is an upper bound of what the surroundings give.
By data source and by how the diagnosis was made (dx_type): the photo as it is, and with the lesion hidden.

Writes shortcuts-<model>.json (schema: see `experiments.comparisons`, seeds 1; an entry also has `condition`, `group`, `against`;
`vasc_on_nevi` is the mean p(vasc) over nevus photos). Logits are cached: a killed run goes on at the next condition. A photo's time is
that of one answer: 15 conditions of 2,014 photos take MobileNetV3Small 4 minutes on one core.
"""

import hashlib
import io
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from core.bundle import Bundle, load_bundle
from core.card import list_cards
from core.data.ham10000 import class_indices, read_table
from core.data.image_cache import cache_images
from core.data.patient import Facts
from core.diagnoses import CODES
from core.estimates import Estimate
from core.evaluation.evaluator import choose_rows
from core.evaluation.metrics import flatten
from core.evaluation.statistics.bootstrap import RESAMPLES, lesion_bootstrap, paired_differences
from core.files import write_bytes
from core.folders import cache_root
from experiments.cells import shuffle_facts
from experiments.comparisons import CONFIDENCE, PLACES, write_result
from experiments.spoiled import AS_IS, CONDITIONS, Condition, read_mask
from experiments.terminal import arguments, say

NAME = "shortcuts"
METRICS = ("balanced_accuracy", "accuracy", "mel.sensitivity", "auc_macro")
BY = {"dataset": "data source", "dx_type": "diagnosis by"}
# Groups are scored as they are, and where the lesion is hidden.
GROUPED = (AS_IS, "lesion hidden")
# Fewer photos than this say nothing about a group.
SMALLEST_GROUP = 30
BATCH = 32


def sample(rows: pd.DataFrame, photos: int | None, seed: int = 0) -> pd.DataFrame:
    """So many photos at random, or all, in the table's order."""
    if photos is None or photos >= len(rows):
        return rows
    chosen = np.sort(np.random.default_rng(seed).permutation(len(rows))[:photos])
    return rows.iloc[chosen].reset_index(drop=True)


def usable(bundle: Bundle, rows: pd.DataFrame, conditions: Sequence[str] = tuple(CONDITIONS)) -> list[str]:
    """The conditions that this model and these photos allow: facts need a model that takes them, hiding needs masks."""
    masks = bool((rows["mask"] != "").all())
    chosen = []
    for name in conditions:
        condition = CONDITIONS[name]
        about_facts = condition.facts != "real" or name == "facts only"
        if (condition.needs_mask and not masks) or (about_facts and not bundle.classifier.uses_metadata):
            continue
        chosen.append(name)
    return chosen


def _facts(bundle: Bundle, rows: pd.DataFrame, kind: str) -> np.ndarray:
    encoder = bundle.card.facts_encoder
    real = encoder.encode_columns(rows.age, rows.sex, rows.localization)
    if kind == "withheld":
        return np.repeat(encoder.encode(Facts())[None], len(rows), axis=0)
    return shuffle_facts(real, rows.lesion_id, 0) if kind == "shuffled" else real


def answer(bundle: Bundle, rows: pd.DataFrame, images: np.ndarray, condition: Condition) -> np.ndarray:
    """Logits of the photos under a condition, (N, 7).

    Args:
        images: (N, S, S, 3) uint8, of the rows.
    """
    facts, logits = _facts(bundle, rows, condition.facts), []
    for start in range(0, len(rows), BATCH):
        # One shape for the compiled network: the last batch is filled up.
        chunk = np.minimum(np.arange(start, start + BATCH), len(rows) - 1)
        photos = []
        for row in chunk:
            image = np.asarray(images[row])
            if condition.change is not None:
                mask = read_mask(rows["mask"].iloc[row], len(image)) if condition.needs_mask else None
                image = condition.change(image, mask)
            photos.append(image)
        batch = np.stack(photos).astype("float32")
        inputs = [batch, facts[chunk]] if bundle.classifier.uses_metadata else batch
        logits.append(bundle.classifier.model.predict_on_batch(inputs)[0])
    return np.concatenate(logits)[: len(rows)]


def cached_answer(bundle: Bundle, rows: pd.DataFrame, images: np.ndarray, name: str, root: Path) -> np.ndarray:
    """As `answer`, kept on disk by weights, photos and condition."""
    key = hashlib.sha256(f"shortcuts-1 {bundle.card.weights['sha256']} {name} ".encode())
    key.update("\n".join(rows.image_id).encode())
    path = root / f"logits-{key.hexdigest()[:16]}.npy"
    if not path.exists():
        root.mkdir(parents=True, exist_ok=True)
        started = time.monotonic()
        logits = answer(bundle, rows, images, CONDITIONS[name])
        file = io.BytesIO()
        np.save(file, logits)
        write_bytes(path, file.getvalue())
        say(f"{bundle.name}, {name}: {len(rows)} photos, {time.monotonic() - started:.0f} s")
    return np.load(path)


def _entry(score: Estimate, rows: pd.DataFrame, unit: str, **about) -> dict:
    numbers = {
        name: None if number is None else round(number, PLACES)
        for name, number in (("value", score.value), ("low", score.low), ("high", score.high))
    }
    return {
        **about,
        **numbers,
        "seed_low": numbers["value"],
        "seed_high": numbers["value"],
        "n_photos": len(rows),
        "n_lesions": int(rows.lesion_id.nunique()),
        "seeds": 1,
        "unit": unit,
    }


def _predictions(rows: pd.DataFrame, probabilities: np.ndarray) -> pd.DataFrame:
    answers = pd.DataFrame(probabilities, columns=list(CODES))
    return pd.concat([rows[["image_id", "dx", "lesion_id"]].reset_index(drop=True), answers], axis=1)


def audit(bundle: Bundle, rows: pd.DataFrame, images: np.ndarray, root: Path, resamples: int = RESAMPLES) -> dict:
    """The result for one model.

    Args:
        rows: test photos, as `read_table` gives them.
        images: (N, S, S, 3) uint8, of the rows.
        root: where logits are cached.
    """
    names = usable(bundle, rows)
    answers = {
        name: bundle.card.calibration.probabilities(cached_answer(bundle, rows, images, name, root)) for name in names
    }
    labels, nevi = class_indices(rows), (rows.dx == "nv").to_numpy()
    plain = _predictions(rows, answers[AS_IS])
    comparisons, conditions = [], []
    for name, probabilities in answers.items():
        scored = flatten(lesion_bootstrap(labels, probabilities, rows.lesion_id, resamples=resamples))
        for metric in METRICS:
            about = {"name": name, "condition": name, "group": "all", "metric": metric}
            comparisons.append(_entry(scored[metric], rows, "score", **about))
        if name != AS_IS:
            differences = paired_differences(METRICS, _predictions(rows, probabilities), plain, resamples=resamples)
            for metric, found in differences.items():
                about = {"name": f"{name} against {AS_IS}", "condition": name, "against": AS_IS, "group": "all"}
                comparisons.append(_entry(found, rows, "difference", **about, metric=metric))
        vasc = probabilities[nevi, CODES.index("vasc")]
        conditions.append(
            {
                "condition": name,
                "about": CONDITIONS[name].about,
                "vasc_on_nevi": round(float(vasc.mean()), 5) if nevi.any() else None,
                "nevi_called_vasc": int((probabilities[nevi].argmax(axis=1) == CODES.index("vasc")).sum()),
                "same_answer_as_is": round(float((probabilities.argmax(1) == answers[AS_IS].argmax(1)).mean()), PLACES),
            }
        )
    comparisons += _groups(rows, labels, answers, resamples)
    return {
        "experiment": NAME,
        "about": "A shipped model on test photos with something taken away, by data source, and by how the diagnosis was made.",
        "command": f"python -m experiments.shortcuts --data HAM10000 --models {bundle.name}",
        "model": bundle.name,
        "backbones": [bundle.card.backbone],
        "weights_sha256": bundle.card.weights["sha256"],
        "split_hash": bundle.card.split["hash"],
        "part": "test",
        "photos": len(rows),
        "confidence": CONFIDENCE,
        "conditions": conditions,
        "comparisons": comparisons,
    }


def _groups(rows: pd.DataFrame, labels: np.ndarray, answers: dict[str, np.ndarray], resamples: int) -> list[dict]:
    found = []
    for column, words in BY.items():
        for group in sorted(rows[column].unique()):
            inside = (rows[column] == group).to_numpy()
            for condition in GROUPED:
                if condition not in answers or inside.sum() < SMALLEST_GROUP:
                    continue
                own = rows[inside]
                scored = flatten(
                    lesion_bootstrap(labels[inside], answers[condition][inside], own.lesion_id, resamples=resamples)
                )
                about = {"name": f"{condition}, {words} {group}", "condition": condition, "group": f"{column}={group}"}
                about["diagnoses"] = int(own.dx.nunique())
                found += [_entry(scored[metric], own, "score", **about, metric=metric) for metric in METRICS]
    return found


def main() -> None:
    """The command."""
    parser = arguments(__doc__)
    parser.add_argument("--models", nargs="+", help="names in weights/, or folders; all in weights/ if left out")
    parser.add_argument("--photos", type=int, help="a random sample (seed 0) of the test photos; all if left out")
    choices = parser.parse_args()
    table = read_table(choices.data)
    for name in choices.models or [card.name for card in list_cards()]:
        bundle = load_bundle(name)
        rows = sample(choose_rows(bundle.card, table, "test", choices.data), choices.photos)
        places = pd.Index(table.image_id).get_indexer(rows.image_id)
        images = cache_images(table, bundle.card.image_size)[places]
        record = audit(bundle, rows, images, cache_root() / "experiments")
        write_result(choices.results / f"{NAME}-{bundle.name}.json", record)


if __name__ == "__main__":
    main()
