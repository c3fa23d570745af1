"""The case sets that ship: each chosen by a rule from what a model said of its test photos, so that nobody picked them by eye."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.card import read_card, sha256_of
from core.data.lesion_region import read_lesions
from core.diagnoses import CODES, NAMES
from core.evaluation.results import PREDICTIONS_FILE, read_results
from core.teaching.case_sets.record import CaseSet
from core.teaching.case_sets.sources import choose_cases
from core.wording import percent

LISTS_MODEL = "Ensemble"
MOST = 12  # cases of a list: half an hour in a class
PAIRS = 6
# How much alike two lesions look: columns of the table of lesions, each in its own standard deviations.
LOOKS = ("lightness", "a", "b", "darkest", "black", "blue", "area", "contrast")
# The worked lesson (docs/teaching.md): R and W say whether the network is right or wrong. It is right first, so that trust can grow.
LESSON = "RRWRRWRWRW"
# A photo, the group it belongs to, why it was chosen.
ChosenCase = tuple[str, str, str]


@dataclass(frozen=True)
class Rule:
    """How one list is chosen.

    Args:
        title: of the list.
        description: the rule in words.
        choose: table of test photos -> what is chosen, in order.
    """

    title: str
    description: str
    choose: Callable[[pd.DataFrame], list[ChosenCase]]


def case_table(folder: str | Path, lesions: str | Path) -> pd.DataFrame:
    """The test photos of a model with what rules ask for.

    Args:
        folder: of the model.
        lesions: the table of lesions.

    Returns:
        One row a photo: `Results.table`, with answer, p_answer, p_truth, and how its lesion looks (NaN where not measured).
    """
    results = read_results(folder, read_card(folder))
    table = results.table.assign(
        answer=[CODES[i] for i in results.y_pred],
        p_answer=results.probabilities.max(axis=1),
        p_truth=results.probabilities[np.arange(len(results.y_true)), results.y_true],
    )
    return table.join(read_lesions(lesions)[[*LOOKS, "colour"]], on="image_id")


def make_list(rule: Rule, table: pd.DataFrame, made_from: dict[str, str]) -> CaseSet:
    """The list of a rule."""
    chosen = rule.choose(table)
    groups = {image_id: group for image_id, group, _ in chosen}
    cases = choose_cases(
        table,
        [image_id for image_id, _, _ in chosen],
        rule.title,
        why={image_id: why for image_id, _, why in chosen},
        groups=groups,
        description=rule.description,
        made_from=made_from,
    )
    return cases


def make_lists(folder: str | Path, lesions: str | Path) -> dict[str, CaseSet]:
    """All lists of `RULES` from a model's test predictions: key -> list."""
    folder = Path(folder)
    table = case_table(folder, lesions)
    made_from = {"model": folder.name, "predictions_sha256": sha256_of(folder / PREDICTIONS_FILE)}
    return {key: make_list(rule, table, {"rule": key, **made_from}) for key, rule in RULES.items()}


# ---- rules ----


def _melanomas_called_nevus(table: pd.DataFrame) -> list[ChosenCase]:
    return _called(table, "mel", "nv")


def _nevi_called_melanoma(table: pd.DataFrame) -> list[ChosenCase]:
    return _called(table, "nv", "mel")


def _called(table: pd.DataFrame, truth: str, answer: str) -> list[ChosenCase]:
    rows = table[(table.dx == truth) & (table.answer == answer) & (table.dx_type == "histo")]
    rows = _one_photo_a_lesion(rows.sort_values(["p_answer", "image_id"], ascending=[False, True])).head(MOST)
    return [
        (r.image_id, "", f"{NAMES[truth]} that the network calls {NAMES[answer].lower()} with {percent(r.p_answer)}.")
        for r in _rows(rows)
    ]


def _hard_pairs(table: pd.DataFrame) -> list[ChosenCase]:
    """Pairs that look alike and that the network puts in the wrong order; each lesion in one pair."""
    rows = table[table.dx.isin(["mel", "nv"]) & (table.dx_type == "histo")].dropna(subset=list(LOOKS))
    looks = rows[list(LOOKS)].to_numpy("float64")
    looks = (looks - looks.mean(axis=0)) / looks.std(axis=0)
    melanoma, nevus = (np.flatnonzero((rows.dx == code).to_numpy()) for code in ("mel", "nv"))
    score, lesion, ids = (rows[c].to_numpy() for c in ("mel", "lesion_id", "image_id"))
    apart = np.linalg.norm(looks[melanoma][:, None] - looks[nevus][None, :], axis=2)
    apart[score[melanoma][:, None] >= score[nevus][None, :]] = np.inf
    chosen: list[ChosenCase] = []
    used: set[str] = set()
    for place in np.argsort(apart, axis=None, kind="stable"):
        m, n = (kind[i] for kind, i in zip((melanoma, nevus), np.unravel_index(place, apart.shape), strict=True))
        if len(chosen) == 2 * PAIRS or not np.isfinite(apart.flat[place]):
            break
        if used & {lesion[m], lesion[n]}:
            continue
        used |= {lesion[m], lesion[n]}
        pair = f"Pair {len(chosen) // 2 + 1}"
        both = [
            (
                ids[m],
                pair,
                f"Melanoma to which the network gives {percent(score[m])} of melanoma: less than to the nevus beside it.",
            ),
            (
                ids[n],
                pair,
                f"Nevus to which the network gives {percent(score[n])} of melanoma: more than to the melanoma beside it.",
            ),
        ]
        # The first is not always the melanoma; the id decides, which says nothing about the diagnosis.
        chosen += sorted(both)
    return chosen


def _black_nevi(table: pd.DataFrame) -> list[ChosenCase]:
    rows = table[(table.dx == "nv") & (table.colour == "black")]
    rows = _one_photo_a_lesion(rows.sort_values(["black", "image_id"], ascending=[False, True])).head(MOST)
    return [
        (
            r.image_id,
            "",
            f"Nevus, {percent(r.black)} of it black; the network says {NAMES[r.answer].lower()} ({percent(r.p_answer)}).",
        )
        for r in _rows(rows)
    ]


def _three_each(table: pd.DataFrame) -> list[ChosenCase]:
    """Of each diagnosis the middle of its hardest, its middling and its easiest third, as the network finds them; mixed."""
    chosen = []
    for code in CODES:
        rows = _one_photo_a_lesion(table[table.dx == code].sort_values(["p_truth", "image_id"]))
        for third, name in enumerate(("hardest", "middle", "easiest")):
            row = rows.iloc[int((2 * third + 1) / 6 * len(rows))]
            why = f"{NAMES[code]}, of the {name} third for the network: it gives {percent(row.p_truth)} to the truth."
            chosen.append((row.image_id, "", why))
    return _mixed(chosen)


def _lesson(table: pd.DataFrame) -> list[ChosenCase]:
    """Melanomas and nevi in turn; the network right where `LESSON` says so, and else as wrong as it gets."""
    kinds: dict[tuple[str, str], Iterator] = {}
    for code, other in (("mel", "nv"), ("nv", "mel")):
        rows = table[(table.dx == code) & (table.dx_type == "histo")]
        for verdict, answer in (("R", code), ("W", other)):
            of_kind = rows[rows.answer == answer].sort_values(["p_answer", "image_id"], ascending=[False, True])
            kinds[code, verdict] = _rows(_one_photo_a_lesion(of_kind))
    chosen, used, truth = [], set(), ("nv", "mel")
    turns = {"R": 0, "W": 0}
    for verdict in LESSON:
        code = truth[turns[verdict] % 2]
        turns[verdict] += 1
        # Of a lesion with two photos the network may be right about one and wrong about the other.
        row = next(r for r in kinds[code, verdict] if r.lesion_id not in used)
        used.add(row.lesion_id)
        how = "rightly" if verdict == "R" else "wrongly"
        chosen.append(
            (
                row.image_id,
                "",
                f"{NAMES[code]}; the network says {how} {NAMES[row.answer].lower()} ({percent(row.p_answer)}).",
            )
        )
    return chosen


def _rows(table: pd.DataFrame) -> Iterator[Any]:
    return iter(table.itertuples())


def _one_photo_a_lesion(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.drop_duplicates("lesion_id")


def _mixed(chosen: list[ChosenCase]) -> list[ChosenCase]:
    """In an order that says nothing, the same every time."""
    return [chosen[i] for i in np.random.default_rng(0).permutation(len(chosen))]


RULES: dict[str, Rule] = {
    "melanomas-called-nevus": Rule(
        "Melanomas called nevus",
        f"Melanomas, confirmed by histopathology, that the network calls nevus; the surest {MOST}, one photo a lesion.",
        _melanomas_called_nevus,
    ),
    "nevi-called-melanoma": Rule(
        "Nevi called melanoma",
        f"Nevi, confirmed by histopathology, that the network calls melanoma; the surest {MOST}, one photo a lesion.",
        _nevi_called_melanoma,
    ),
    "hard-pairs": Rule(
        "Hard pairs",
        f"{PAIRS} pairs of a melanoma and a nevus, both confirmed by histopathology, to which the network gives the wrong order; those "
        "that look most alike in measured colour, size and contrast.",
        _hard_pairs,
    ),
    "black-nevi": Rule(
        "Black nevi",
        f"Nevi whose colour is black, the blackest {MOST}, one photo a lesion.",
        _black_nevi,
    ),
    "seven-diagnoses": Rule(
        "Seven diagnoses, three each",
        "Of each diagnosis the middle case of the third that is hardest for the network, of the middle third and of the easiest; mixed.",
        _three_each,
    ),
    "over-reliance": Rule(
        "Ten cases on over-reliance",
        "Five nevi and five melanomas, confirmed by histopathology. The network is right about six and surely wrong about four; it "
        "begins with two that it knows.",
        _lesson,
    ),
}
