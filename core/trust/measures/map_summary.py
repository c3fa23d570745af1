"""From the table of what was measured of each photo's maps to figures with intervals and a verdict; the rules stand here.

The rules were written before any model was measured, and are the same for each:

- lesion: more of the map lies inside the lesion than the lesion's own share of the picture (chance).
- photo: more of the map lies inside the lesion than of another photo's map, which knows nothing of this photo.
- deletion: taking the map's strongest cells away first lowers the answer's probability faster than taking cells in random order.
- insertion: putting the strongest cells back first raises it faster than random order.
- weights: with the network's weights shuffled (head alone; head and encoder), the map is another one: mean rank correlation with the
  true map below `SAME`. A map that survives shuffling shows the photo, not what was learnt.

Each holds if the whole 95 % interval is on the right side. A map passes if it passes every check that could be made.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from core.estimates import CountedEstimate, Estimate
from core.evaluation.statistics.bootstrap import RESAMPLES, resample_lesions
from core.evaluation.statistics.shares import share_of
from core.explain import EXPLAINERS
from core.trust.signals.map_agreement import QUARTILES, quarters
from core.wording import interval

if TYPE_CHECKING:
    import pandas as pd

SAME = 0.5
RANDOM = "random"
STAGES = {"head": "its head's weights shuffled", "all": "all weights shuffled"}
CHECKS = {
    "lesion": "More of it lies inside the lesion than chance",
    "photo": "It follows this photo's lesion, not just any",
    "deletion": "Taking its strongest places away hurts the answer",
    "insertion": "Its strongest places alone restore the answer",
    "weights": "It depends on what the network learnt",
}


def summarise(table: pd.DataFrame, curves: dict, model: str) -> dict:
    """Figures and verdicts.

    Args:
        table: of `maps.csv`; empty cells where a thing was not measured.
        curves: "deletion" and "insertion" -> order -> (photos of the sample, steps + 1), the probabilities that stand behind the
            table's areas.
        model: its name.

    Returns:
        "methods": method -> "verdict", "checks" and the figures behind them; "agreement"; "curves"; counts. Scores are
        `CountedEstimate`.
    """
    about = _Photos(table)
    methods = {}
    for method in EXPLAINERS:
        if f"{method} silent" in table:
            figures = _figures(about, method)
            checks = _checks(figures)
            methods[method] = {
                "verdict": map_verdict(checks, EXPLAINERS[method].title, model),
                "checks": checks,
                **figures,
            }
    return {
        "photos": len(table),
        "lesions": int(table.lesion_id.nunique()),
        "masks": int(table["area"].notna().sum()),
        "methods": methods,
        "agreement": _agreement(about),
        "curves": {kind: _mean_curves(about, kind, of_kind) for kind, of_kind in curves.items()},
    }


def map_verdict(checks: dict, title: str, model: str) -> dict:
    """Passes or fails, in a sentence.

    Returns:
        "passes", "passed", "made" and "said".
    """
    failed = [name for name, check in checks.items() if not check["passes"]]
    passed, made = len(checks) - len(failed), len(checks)
    if not made:
        return {"passes": False, "passed": 0, "made": 0, "said": f"{title} of {model}: nothing could be measured."}
    start = f"{title} of {model} {'fails' if failed else 'passes'}: {passed} of {made} checks hold on test photos."
    why = " ".join(checks[name]["said"] for name in (failed or list(checks)[:1]))
    return {"passes": not failed, "passed": passed, "made": made, "said": f"{start} {why}"}


class _Photos:
    """The table, with one set of resampled lesions for every figure."""

    def __init__(self, table: pd.DataFrame):
        self.table = table
        self.lesions = table.lesion_id.to_numpy(dtype=str)
        self.weights = resample_lesions(self.lesions, RESAMPLES)

    def mean(self, values, rows: np.ndarray | None = None) -> CountedEstimate:
        """A mean over photos that have the value, with its interval."""
        values = np.asarray(values, "float64")
        kept = ~np.isnan(values) if rows is None else ~np.isnan(values) & rows
        return share_of(values[kept], self.lesions[kept], self.weights[:, kept])


def _figures(about: _Photos, method: str) -> dict:
    table = about.table
    figures = {"silent": int(table[f"{method} silent"].sum())}
    if table["area"].notna().any():
        # Photos with a map and a mask: else the means would be of different photos.
        inside, area = table[f"{method} inside"], table["area"]
        area = area.where(inside.notna())
        figures["inside"] = about.mean(inside)
        figures["area"] = about.mean(area)
        figures["above_chance"] = about.mean(inside - area)
        figures["other_photo"] = about.mean(table[f"{method} inside, other photo"])
        figures["above_other_photo"] = about.mean(inside - table[f"{method} inside, other photo"])
        figures["pointing"] = about.mean(table[f"{method} hit"])
        figures["pointing_chance"] = about.mean(table["lesion cells"].where(table[f"{method} hit"].notna()))
    for kind, sign in (("deletion", -1), ("insertion", 1)):
        if f"{method} {kind}" in table:
            own, chance = table[f"{method} {kind}"], table[f"{RANDOM} {kind}"]
            figures[kind] = about.mean(own)
            figures[f"{kind}_random"] = about.mean(chance)
            figures[f"{kind}_gain"] = about.mean(sign * (own - chance))
    for stage in STAGES:
        if f"{method} {stage}" in table:
            figures[f"similarity_{stage}"] = about.mean(table[f"{method} {stage}"])
    return figures


def _checks(figures: dict) -> dict:
    """Each check that could be made: {"passes", "said"}."""
    checks = {}

    def add(name: str, passes: bool, sentence: str) -> None:
        checks[name] = {"passes": bool(passes), "said": sentence}

    known = {key for key, score in figures.items() if isinstance(score, Estimate) and score.value is not None}
    if "above_chance" in known:
        share, area = _said(figures["inside"]), figures["area"].value
        passes = figures["above_chance"].is_above_zero
        add("lesion", passes, f"{share} of it lies inside the lesion, which covers {area:.2f} of the picture.")
    if "above_other_photo" in known:
        gain = figures["above_other_photo"]
        other = figures["other_photo"].value
        words = "More" if gain.is_above_zero else "Not clearly more"
        add(
            "photo",
            gain.is_above_zero,
            f"{words} of it lies inside the lesion than of another photo's map ({other:.2f}): difference {_said(gain)}.",
        )
    for kind, words in (
        ("deletion", "Taking its strongest places away first lowers the answer {} than random order"),
        ("insertion", "Putting its strongest places back first restores the answer {} than random order"),
    ):
        gain = figures.get(f"{kind}_gain")
        if f"{kind}_gain" in known:
            passes = gain.is_above_zero
            add(kind, passes, f"{words.format('faster' if passes else 'no faster')}; difference in area {_said(gain)}.")
    stages = [s for s in STAGES if f"similarity_{s}" in known]
    if stages:
        worst = max(stages, key=lambda stage: figures[f"similarity_{stage}"].high)
        score = figures[f"similarity_{worst}"]
        passes = score.high < SAME
        change = "becomes another map" if passes else "is not clearly another map"
        add("weights", passes, f"With {STAGES[worst]} it {change}: rank correlation with the true map {_said(score)}.")
    return checks


def _agreement(about: _Photos) -> dict | None:
    """Agreement of soft attention and Grad-CAM, and how often the network is wrong in each quarter of it."""
    table = about.table
    if "agreement" not in table or table.agreement.notna().sum() < QUARTILES * 2:
        return None
    values, wrong = table.agreement.to_numpy("float64"), 1.0 - table.right.to_numpy("float64")
    edges, place = quarters(values)
    ends = [float(np.nanmin(values)), *edges, float(np.nanmax(values))]
    rows = [
        {"low": ends[q], "high": ends[q + 1], "errors": about.mean(wrong, place == q + 1)} for q in range(QUARTILES)
    ]
    gap = wrong[place == 1].mean() - wrong[place == QUARTILES].mean()
    spread = [_resampled(wrong, about.weights, place == q) for q in (1, QUARTILES)]
    low, high = np.nanquantile(spread[0] - spread[1], [0.025, 0.975])
    gap = Estimate(float(gap), min(float(low), float(gap)), max(float(high), float(gap)))
    if gap.is_above_zero:
        finding = "Where attention and Grad-CAM agree least the network is wrong more often than where they agree most"
    elif gap.is_below_zero:
        finding = "Where attention and Grad-CAM agree least the network is wrong less often than where they agree most"
    else:
        finding = "Their agreement does not tell right from wrong answers; error rates at least and at most agreement are alike"
    first, last = rows[0]["errors"], rows[-1]["errors"]
    return {
        "mean": about.mean(values),
        "silent": int(np.isnan(values).sum()),
        "edges": edges,
        "quartiles": rows,
        "gap": gap,
        "said": f"{finding}: {_said(first)} against {_said(last)}, difference {_said(gap)}.",
    }


def _mean_curves(about: _Photos, kind: str, curves: dict) -> dict:
    """Order -> the mean probability after each step, with its band."""
    sampled = about.table[f"{RANDOM} {kind}"].notna().to_numpy()
    bands = {}
    for order, values in curves.items():
        whole = np.full((len(about.table), values.shape[1]), math.nan)
        whole[sampled] = values
        steps = [about.mean(whole[:, step]) for step in range(values.shape[1])]
        bands[order] = {key: [round(getattr(step, key), 6) for step in steps] for key in ("value", "low", "high")}
    return bands


def _resampled(values: np.ndarray, weights: np.ndarray, rows: np.ndarray) -> np.ndarray:
    total = weights[:, rows].sum(axis=1, dtype="float64")
    return np.divide(weights[:, rows] @ values[rows], total, out=np.full(len(weights), math.nan), where=total > 0)


def _said(score: Estimate) -> str:
    return interval(score, 2)
