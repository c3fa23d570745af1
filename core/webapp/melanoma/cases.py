"""Cases of melanoma against nevus as tables: errors at a threshold, filters, and the paper's Figure 17 chosen by rule."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from core.diagnoses import CODES
from core.evaluation.melanoma import melanoma_scores
from core.evaluation.results import Results
from core.evaluation.subgroups import AGE_BANDS, age_band

MISSED, ALARMS, FIGURE_17 = "Missed melanomas", "False alarms", "The paper's Figure 17, by rule"
KINDS = (MISSED, ALARMS, FIGURE_17)
# What cases can be narrowed by: key in the address, unlike those of the page that reads a lesion -> (title, column).
FILTERS: dict[str, tuple[str, str]] = {
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
class Chosen:
    """What cases are narrowed to.

    Args:
        values: key of `FILTERS` -> kept values; nothing is left out where there are none.
        lightness, hue: (low, high) of the lesion's mean L* and hue; None keeps lesions without a measurement too.
    """

    values: dict[str, list[str]] = field(default_factory=dict)
    lightness: tuple[float, float] | None = None
    hue: tuple[float, float] | None = None


def pair_table(results: Results, looks: pd.DataFrame | None, score: str) -> pd.DataFrame:
    """The melanomas and nevi of an evaluation by image_id, with score, answer, age band and lesion colour."""
    table = results.table.assign(
        score=melanoma_scores(results.probabilities, score),
        predicted=[CODES[i] for i in results.y_pred],
        p_predicted=results.probabilities.max(axis=1),
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


def choose_cases(
    table: pd.DataFrame, kind: str, threshold: float, chosen: Chosen, surest_first: bool = True
) -> pd.DataFrame:
    """Missed melanomas or false alarms at a threshold; first those that the network was surest of, or those nearest to the threshold."""
    wrong = (
        (table.dx == "mel") & (table.score < threshold)
        if kind == MISSED
        else (table.dx == "nv") & (table.score >= threshold)
    )
    kept = wrong.copy()
    for key, values in chosen.values.items():
        if values:
            kept &= table[FILTERS[key][1]].isin(values)
    for column in ("lightness", "hue"):
        if bounds := getattr(chosen, column):
            kept &= table[column].between(*bounds)
    return table[kept].sort_values("score", ascending=(kind == MISSED) == surest_first, kind="stable")


def options(table: pd.DataFrame, key: str) -> list[str]:
    """Values that a filter offers, the commonest first; age bands by age."""
    counts = table[FILTERS[key][1]].value_counts()
    if key != "only_age":
        return [str(v) for v in counts.index]
    bands = [age_band(low) for low, _ in AGE_BANDS]
    return [b for b in (*bands, "unknown") if b in counts.index]


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
