"""Counts the facts of the training photos, and measures on held-out photos how often the facts change an answer."""

import math
from pathlib import Path

import numpy as np
import pandas as pd

from core.bundle import Bundle
from core.data.patient import SEXES, SITES
from core.diagnoses import CODES
from core.estimates.in_files import to_text
from core.evaluation.statistics.shares import share_of
from core.files import write_text
from core.threads import Progress
from core.trust.measure_table import MEASURES, binding_of

MEASURE = "facts"


def count_facts(table: pd.DataFrame) -> list[list]:
    """Rows of (age or None, sex, site, lesions): how common each combination of facts is, ages to the nearest five years.

    Args:
        table: as `read_table` gives it, of the training photos.
    """
    ages = (table.age / 5).round() * 5
    keys = pd.DataFrame(
        {
            "age": ages,
            "sex": table.sex.where(table.sex.isin(SEXES), "unknown"),
            "site": table.localization.where(table.localization.isin(SITES), "unknown"),
            "lesion": table.lesion_id,
        }
    ).drop_duplicates()
    counted = keys.groupby(["age", "sex", "site"], dropna=False).size()
    return [
        [None if math.isnan(age) else int(age), sex, site, int(lesions)]
        for (age, sex, site), lesions in counted.items()  # pyright: ignore[reportGeneralTypeIssues]
    ]


def measure_facts(bundle: Bundle, folder: Path, progress: Progress | None = None) -> None:
    """Counts the training facts, reads the held-out photos without any, and writes `facts.json`.

    `test` holds, over the held-out photos: "flips", the share whose likeliest diagnosis the facts change; "right" and
    "right_withheld", the accuracy with and without facts; and the same two among the flipped.
    """
    from core.data.ham10000 import read_table
    from core.evaluation.evaluator import choose_rows
    from core.evaluation.predictions import predict_table
    from core.evaluation.results import read_results

    place = Path(bundle.folder)
    results = read_results(place, bundle.card)
    table = read_table(folder)
    told = []
    for network in bundle.scored_networks:
        rows = choose_rows(network.card, table, "test", folder)
        rows = rows.assign(age=float("nan"), sex="unknown", localization="unknown")
        told.append(predict_table(network, rows, progress=progress))
    withheld = pd.concat(told, ignore_index=True)
    record = {
        **binding_of(MEASURE, bundle.card),
        "training_facts": count_facts(choose_rows(bundle.card, table, "train", folder)),
        "test": score_flips(
            results.table.set_index("image_id").loc[withheld.image_id].reset_index(), withheld[list(CODES)].to_numpy()
        ),
    }
    write_text(place / MEASURES[MEASURE].file, to_text(record, indent=None) + "\n")


def score_flips(entered: pd.DataFrame, withheld: np.ndarray) -> dict:
    """How often the facts change the answer, and which answer then is right more often.

    Args:
        entered: one row a photo: dx, lesion_id and the seven probabilities with facts.
        withheld: (N, 7), those without.
    """
    true = entered.dx.to_numpy(dtype=str)
    with_facts = np.array(CODES)[entered[list(CODES)].to_numpy().argmax(axis=1)]
    without = np.array(CODES)[withheld.argmax(axis=1)]
    lesions, flipped = entered.lesion_id.to_numpy(dtype=str), with_facts != without
    return {
        "flips": share_of(flipped, lesions),
        "right": share_of(with_facts == true, lesions),
        "right_withheld": share_of(without == true, lesions),
        "flipped_right": share_of((with_facts == true)[flipped], lesions[flipped]),
        "flipped_right_withheld": share_of((without == true)[flipped], lesions[flipped]),
    }
