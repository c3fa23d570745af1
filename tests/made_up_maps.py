"""Made-up measurements of maps, for the tests of what is drawn from them."""

from pathlib import Path

import numpy as np
import pandas as pd
from made_up import bind_all

from core.card import read_card
from core.estimates.in_files import to_text
from core.explain import EXPLAINERS
from core.trust.measures.map_places import STEPS
from core.trust.measures.map_summary import summarise


def made_up_maps(photos: int = 80, good: bool = True, masks: bool = True) -> tuple[pd.DataFrame, dict]:
    """A table in which every map is as good, or as useless, as can be."""
    rng = np.random.default_rng(1)
    table = pd.DataFrame(
        {"image_id": [f"I{k}" for k in range(photos)], "lesion_id": [f"L{k // 2}" for k in range(photos)]}
    )
    table["right"] = (np.arange(photos) >= photos // 4).astype(int)
    table["agreement"] = np.linspace(-1, 1, photos)
    noise = rng.normal(0, 0.01, photos)
    table["area"] = 0.3 if masks else np.nan
    table["lesion cells"] = 0.3 if masks else np.nan
    for method in EXPLAINERS:
        table[f"{method} silent"] = 0
        table[f"{method} inside"] = (0.6 if good else 0.3) + noise if masks else np.nan
        table[f"{method} inside, other photo"] = 0.4 + noise[::-1] if masks else np.nan
        table[f"{method} hit"] = 1.0 if masks else np.nan
        table[f"{method} deletion"] = (0.3 if good else 0.5) + noise
        table[f"{method} insertion"] = (0.7 if good else 0.5) + noise
        table[f"{method} head"] = (0.1 if good else 0.95) + noise
        table[f"{method} all"] = 0.1 + noise
    table["random deletion"] = table["random insertion"] = 0.5 + noise[::-1]
    curves = {
        kind: {"random": np.tile(np.linspace(0, 1, STEPS + 1), (photos, 1))} for kind in ("deletion", "insertion")
    }
    return table, curves


def write_made_up_maps(folder: Path, good: bool = True, masks: bool = True) -> dict:
    """Leaves `maps.json` in a model's folder, as `measure` would; returns its record."""
    card = read_card(folder)
    table, curves = made_up_maps(good=good, masks=masks)
    record = {
        "format": 1,
        "model": card.name,
        "probabilities_sha256": card.probabilities_sha256,
        "part": "test",
        "confidence": "95 % intervals, made up.",
        "sample": {"photos": len(table), "shuffled_photos": len(table), "shuffles": 1, "seed": 0, "same": 0.5},
        **summarise(table, curves, card.name),
    }
    (folder / "maps.json").write_text(to_text(record))
    bind_all(folder)
    return record
