"""Do the maps mean anything? Measured over the test photos: lesion masks, deletion and insertion, shuffled weights, agreement.

`python -m core measure MODEL --data FOLDER --only maps` writes `maps.csv`, one row a photo, and `maps.json`, the figures that
`core.trust.measures.map_summary` makes of it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from PIL import Image

from core.bundle import Bundle
from core.csv_cells import csv_text
from core.data.ham10000 import read_table
from core.data.image_cache import cache_images, encode_facts
from core.diagnoses import CODES, index_of
from core.estimates.in_files import to_text
from core.evaluation.evaluator import choose_rows
from core.evaluation.statistics.bootstrap import confidence_words
from core.explain import EXPLAINERS
from core.files import write_text
from core.threads import Progress
from core.trust.measure_table import binding_of
from core.trust.measures.map_places import cell_order, hits, inside_share, mask_cover, step_pictures, under
from core.trust.measures.map_summary import RANDOM, SAME, STAGES, summarise
from core.trust.signals.map_agreement import map_agreement, place_agreement

if TYPE_CHECKING:  # at run time this would load Keras
    from core.trust.measures.map_batches import MapBatches

__all__ = ["map_agreement", "measure_maps", "place_agreement", "read_maps_table"]

JSON_FILE, CSV_FILE = "maps.json", "maps.csv"
FORMAT = 1
# Photos whose cells are taken away and put back (50 forward passes each), and those seen by shuffled networks.
SAMPLE, SHUFFLED_SAMPLE = 120, 40
SHUFFLES = 3
SEED = 0
# The two maps whose agreement is measured.
ATTENTION, HEATMAP = "soft-attention", "grad-cam"
DIGITS = 6


def measure_maps(bundle: Bundle, folder: Path, progress: Progress | None = None) -> None:
    """Measures a model's maps on its held-out photos and writes `maps.csv` and `maps.json` into its folder.

    Of a set of folds the first network is measured, on its own part: no photo of the collection is new to all of them.

    Args:
        folder: in HAM10000 layout, with or without masks.
        progress: called with (forward passes done, in all).
    """
    from core.trust.measures.map_batches import MapBatches

    whole, bundle = bundle, bundle.scored_networks[0]
    rows = choose_rows(bundle.card, read_table(folder), "test", folder)
    images = cache_images(rows, bundle.card.image_size)
    metadata = encode_facts(rows, bundle.card.facts_encoder)
    rng = np.random.default_rng(SEED)
    sample = np.sort(rng.permutation(len(rows))[:SAMPLE])
    shuffled = np.sort(rng.permutation(sample)[:SHUFFLED_SAMPLE])
    methods_in_all = len(EXPLAINERS) + 1
    total = len(rows) + len(sample) * 12 * methods_in_all + len(shuffled) * SHUFFLES * len(STAGES)
    count = _Count(progress, total)

    network = MapBatches(bundle)
    probabilities, maps = _look(network, images, metadata, np.arange(len(rows)), None, count)
    answers = probabilities.argmax(axis=1)
    table = _about_photos(rows, answers)
    _add_places(table, rows, maps)
    seen = _Seen(network, images, metadata, probabilities, maps, count)
    curves = _add_steps(table, seen, sample, rng)
    _add_shuffled(table, seen, shuffled)
    for stage in ("right", *(c for c in map(str, table) if c.endswith("silent"))):
        table[stage] = table[stage].astype(int)
    numbers = [c for c in table if table[c].dtype.kind == "f"]
    # Figures are made of what is written, so that a test can make them again.
    table[numbers] = table[numbers].round(DIGITS)  # pyright: ignore[reportCallIssue]
    lesions = int(table.lesion_id.nunique())
    record = {
        "format": FORMAT,
        "model": whole.name,
        **({} if bundle is whole else {"network": bundle.name}),
        **binding_of("maps", whole.card),
        "part": whole.card.held_out_part,
        "confidence": confidence_words(lesions),
        "sample": {
            "photos": len(sample),
            "shuffled_photos": len(shuffled),
            "shuffles": SHUFFLES,
            "seed": SEED,
            "same": SAME,
        },
        **summarise(table, curves, whole.name),
    }
    text = to_text(record, ensure_ascii=False)
    write_text(Path(whole.folder) / CSV_FILE, csv_text(table))
    write_text(Path(whole.folder) / JSON_FILE, text + "\n")


def read_maps_table(folder: str | Path) -> pd.DataFrame:
    """`maps.csv` of a model's folder, one row a test photo."""
    return pd.read_csv(Path(folder) / CSV_FILE, dtype={"image_id": str, "lesion_id": str})


@dataclass(frozen=True, eq=False)
class _Seen:
    """The photos as the network read them.

    Args:
        network: `MapBatches`.
        images, metadata: of the photos, (N, S, S, 3) uint8 and (N, D).
        probabilities: (N, 7).
        maps: method -> (N, h, w).
        count: told of every forward pass.
    """

    network: "MapBatches"
    images: np.ndarray
    metadata: np.ndarray
    probabilities: np.ndarray
    maps: dict[str, np.ndarray]
    count: "_Count"

    @property
    def answers(self) -> np.ndarray:
        """The likeliest class of each, (N,)."""
        return self.probabilities.argmax(axis=1)


class _Count:
    """How many forward passes are done."""

    def __init__(self, progress: Progress | None, total: int):
        self._progress, self._total, self._done = progress, total, 0

    def add(self, passes: int) -> None:
        self._done = min(self._total, self._done + passes)
        if self._progress:
            self._progress(self._done, self._total)


def _look(network, images, metadata, rows: np.ndarray, targets, count) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Probabilities and maps of the asked rows, in batches of one shape."""
    from core.trust.measures.map_batches import BATCH

    answers, maps = [], {}
    for start in range(0, len(rows), BATCH):
        own = rows[start : start + BATCH]
        # The last batch is filled up, so that the compiled network sees one shape only.
        filled = np.r_[own, np.repeat(own[-1:], min(BATCH, len(rows)) - len(own))]
        asked = None if targets is None else targets[filled]
        answered, maps_of = network.maps(images[filled], metadata[filled], asked)
        answers.append(answered[: len(own)])
        for method, values in maps_of.items():
            maps.setdefault(method, []).append(values[: len(own)])
        count.add(len(own))
    return np.concatenate(answers), {method: np.concatenate(values) for method, values in maps.items()}


def _about_photos(rows: pd.DataFrame, answers: np.ndarray) -> pd.DataFrame:
    table = rows[["image_id", "lesion_id", "dx"]].copy()
    table["predicted"] = [CODES[i] for i in answers]
    table["right"] = [index_of(code) == i for code, i in zip(rows.dx, answers, strict=True)]
    return table


def _add_places(table: pd.DataFrame, rows: pd.DataFrame, maps: dict[str, np.ndarray]) -> None:
    """Agreement of the two maps, and what of each map lies inside the lesion."""
    for method, values in maps.items():
        table[f"{method} silent"] = values.reshape(len(values), -1).max(axis=1) <= 0
    if ATTENTION in maps and HEATMAP in maps:
        pairs = zip(maps[ATTENTION], maps[HEATMAP], strict=True)
        table["agreement"] = [map_agreement(a, b) for a, b in pairs]
    shape = next(iter(maps.values())).shape[1:]
    covers = [_cover(path, shape) for path in rows["mask"]]
    nothing = np.full(shape, np.nan)
    table["area"] = [np.nan if cover is None else float(cover.mean()) for cover in covers]
    table["lesion cells"] = [np.nan if cover is None else float((cover >= 0.5).mean()) for cover in covers]
    other = _other_photo(table.lesion_id)
    for method, values in maps.items():
        asked = [(value, nothing if cover is None else cover) for value, cover in zip(values, covers, strict=True)]
        table[f"{method} inside"] = [inside_share(*one) for one in asked]
        table[f"{method} hit"] = [np.nan if np.isnan(cover).any() else hits(value, cover) for value, cover in asked]
        swapped = [inside_share(values[k], asked[i][1]) for i, k in enumerate(other)]
        # Where either map says nothing there is no pair.
        table[f"{method} inside, other photo"] = pd.Series(swapped, index=table.index).where(
            table[f"{method} inside"].notna()
        )


def _cover(path: str, shape: tuple[int, int]) -> np.ndarray | None:
    """The lesion's share of each cell; None without a mask, or with one that is empty or cannot be read."""
    if not path:
        return None
    try:
        with Image.open(path) as file:
            mask = np.asarray(file.convert("L")) > 127
    except OSError:
        return None
    return mask_cover(mask, shape) if mask.any() else None


def _other_photo(lesions: pd.Series) -> np.ndarray:
    """For each photo another one, of another lesion where there is one: a seeded shuffle, moved on where it meets its own lesion."""
    order = np.random.default_rng(SEED).permutation(len(lesions))
    names, place = lesions.to_numpy(dtype=str), np.empty(len(lesions), int)
    for k, row in enumerate(order):
        steps = (order[(k + step) % len(order)] for step in range(1, len(order) + 1))
        place[row] = next((other for other in steps if names[other] != names[row]), row)
    return place


def _add_steps(table: pd.DataFrame, seen: _Seen, sample: np.ndarray, rng: np.random.Generator) -> dict:
    """Deletion and insertion of the sample by each map and in random order; areas into the table, curves back."""
    maps, answers = seen.maps, seen.answers
    shape = next(iter(maps.values())).shape[1:]
    orders = [*maps, RANDOM]
    curves = {kind: {order: [] for order in orders} for kind in ("deletion", "insertion")}
    for row in sample:
        image = np.asarray(seen.images[row], "float32")
        cells = [cell_order(maps[o][row] if o in maps else np.zeros(shape), rng) for o in orders]
        pictures = [step_pictures(image, order, shape) for order in cells]
        empty = np.broadcast_to(image.reshape(-1, 3).mean(axis=0), image.shape)[None]
        batch = np.concatenate([*pictures, empty])
        facts = np.repeat(seen.metadata[row][None], len(batch), axis=0)
        scores = seen.network.probabilities(batch, facts)[:, answers[row]]
        whole, nothing = seen.probabilities[row, answers[row]], scores[-1]
        for order, part in zip(orders, np.split(scores[:-1], len(orders)), strict=True):
            taken, put_back = np.split(part, 2)
            curves["deletion"][order].append([whole, *taken, nothing])
            curves["insertion"][order].append([nothing, *put_back, whole])
        seen.count.add(len(batch) - 1)
    curves_of = {kind: {order: np.array(values) for order, values in of.items()} for kind, of in curves.items()}
    for kind, of_kind in curves_of.items():
        for order, values in of_kind.items():
            table[f"{order} {kind}"] = pd.Series(under(values), index=table.index[sample])
    return curves_of


def _add_shuffled(table: pd.DataFrame, seen: _Seen, rows: np.ndarray) -> None:
    """How alike the maps of the network and of a shuffled one are: mean rank correlation over the shuffles."""
    for stage in STAGES:
        alike = {method: [] for method in seen.maps}
        for seed in range(SHUFFLES):
            with seen.network.shuffled(stage, seed):
                _, strange = _look(seen.network, seen.images, seen.metadata, rows, seen.answers, seen.count)
            for method, values in seen.maps.items():
                alike[method].append(_rank_correlations(values[rows], strange[method]))
        for method, values in alike.items():
            table[f"{method} {stage}"] = pd.Series(np.mean(values, axis=0), index=table.index[rows])


def _rank_correlations(maps: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Spearman's correlation of each pair of maps; 0 where only the other is the same everywhere, NaN where the first is."""
    first, second = (pd.DataFrame(x.reshape(len(x), -1)).rank(axis=1).to_numpy() for x in (maps, others))
    correlations = np.array([map_agreement(a[None], b[None]) for a, b in zip(first, second, strict=True)])
    flat = np.ptp(first, axis=1) == 0
    return np.where(flat, np.nan, np.nan_to_num(correlations))
