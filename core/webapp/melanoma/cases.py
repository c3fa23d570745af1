"""Cases of melanoma against nevus as tables: errors at a threshold, filters, and the paper's Figure 17 chosen by rule."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from core.diagnoses import CODES, MELANOMA
from core.evaluation.melanoma import melanoma_scores
from core.evaluation.results import Results
from core.evaluation.subgroups import AGE_BANDS, age_band

MISSED, ALARMS, OTHER = "Melanoma called nevus", "Nevus called melanoma", "Other errors"
FIGURE_17 = "The paper's Figure 17, by rule"
CASE_KINDS = (MISSED, ALARMS, OTHER, FIGURE_17)
# What cases can be narrowed by: key in the address, unlike those of the page that reads a lesion -> (title, column).
FILTERS: dict[str, tuple[str, str]] = {
    "only_said": ("Called", "said"),
    "only_source": ("Source", "dataset"),
    "only_site": ("Body site", "localization"),
    "only_age": ("Age", "age_band"),
    "only_sex": ("Sex", "sex"),
    "only_confirmed": ("Confirmed by", "dx_type"),
    "only_colour": ("Lesion colour", "colour"),
}
# The four kinds of the paper's figure: title -> (true, predicted).
FIGURE_17_KINDS: dict[str, tuple[str, str]] = {
    "Nevi called melanoma": ("nv", "mel"),
    "Melanomas called nevus": ("mel", "nv"),
    "Melanomas recognised": ("mel", "mel"),
    "Nevi recognised": ("nv", "nv"),
}
PER_KIND = 2


@dataclass(frozen=True)
class Narrowing:
    """What cases are narrowed to.

    Args:
        values: key of `FILTERS` -> kept values; nothing is left out where there are none.
        lightness, hue: (low, high) of the lesion's mean L* and hue; None keeps lesions without a measurement too.
    """

    values: dict[str, list[str]] = field(default_factory=dict)
    lightness: tuple[float, float] | None = None
    hue: tuple[float, float] | None = None


def pair_table(results: Results, looks: pd.DataFrame | None, score: str) -> pd.DataFrame:
    """The melanomas and nevi of an evaluation by image_id, with score, answer, age band and lesion colour.

    Column `below` is what a photo is called whose score lies below the threshold: the likeliest of the six other diagnoses.
    """
    others = results.probabilities.copy()
    others[:, MELANOMA] = -1
    table = results.table.assign(
        score=melanoma_scores(results.probabilities, score),
        predicted=[CODES[i] for i in results.y_pred],
        p_predicted=results.probabilities.max(axis=1),
        below=[CODES[i] for i in others.argmax(axis=1)],
        age_band=results.table.age.map(age_band, na_action=None),
    )
    table = table[table.dx.isin(["mel", "nv"])].set_index("image_id")
    for column in ("colour", "lightness", "hue"):
        unknown = "not measured" if column == "colour" else np.nan
        table[column] = unknown if looks is None else looks[column].reindex(table.index)
    table["colour"] = table.colour.fillna("not measured")
    for column in ("dataset", "localization", "sex", "dx_type"):
        table[column] = table[column].replace("", "unknown")
    return table


def name_said(table: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """The table with column `said`: melanoma from the threshold on, else the likeliest of the other six diagnoses."""
    return table.assign(said=table.below.where(table.score < threshold, "mel"))


def errors_of_kind(
    table: pd.DataFrame, kind: str, threshold: float, chosen: Narrowing, surest_first: bool = True
) -> pd.DataFrame:
    """Errors of a kind at a threshold, with what was `said`; first those the network was surest of, or the nearest to the threshold."""
    table = name_said(table, threshold)
    missed, alarms = (table.dx == "mel") & (table.said == "nv"), (table.dx == "nv") & (table.said == "mel")
    kept = {MISSED: missed, ALARMS: alarms, OTHER: (table.said != table.dx) & ~missed & ~alarms}[kind]
    for key, values in chosen.values.items():
        if values:
            kept &= table[FILTERS[key][1]].isin(values)
    for column in ("lightness", "hue"):
        if bounds := getattr(chosen, column):
            kept &= table[column].between(*bounds)
    return table[kept].sort_values("score", ascending=(kind != ALARMS) == surest_first, kind="stable")


def options(table: pd.DataFrame, key: str) -> list[str]:
    """Values that a filter offers, the commonest first; age bands by age."""
    counts = table[FILTERS[key][1]].value_counts()
    if key != "only_age":
        return [str(v) for v in counts.index]
    bands = [age_band(low) for low, _ in AGE_BANDS]
    return [b for b in (*bands, "unknown") if b in counts.index]


def darkest_nevi_first(table: pd.DataFrame) -> pd.DataFrame:
    """Nevi by their measured mean lightness L*, the darkest first, then melanomas likewise; the unmeasured after those measured."""
    return table.sort_values(["dx", "lightness"], ascending=[False, True], na_position="last", kind="stable")


def figure_17(table: pd.DataFrame) -> dict[str, list[str]]:
    """The paper's Figure 17 by rule: of each kind the cases with the most confident answer, each of another lesion.

    As in the paper, an answer is the likeliest of all seven diagnoses; the threshold plays no part.

    Returns:
        Title of the kind -> image ids, the most confident first.
    """
    shown = {}
    for title, (true, predicted) in FIGURE_17_KINDS.items():
        rows = table[(table.dx == true) & (table.predicted == predicted)]
        rows = rows.sort_values("p_predicted", ascending=False, kind="stable").drop_duplicates("lesion_id")
        shown[title] = [str(i) for i in rows.index[:PER_KIND]]
    return shown
