"""Train, validation and test parts: by lesion (honest, the default) or by photo (the paper's, leaky)."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from core.choices import check_choice
from core.diagnoses import CODES

PARTS = ("train", "validation", "test")
# Train, validation and test shares. docs/reproduction.md, section 6; the paper held out one random tenth of the photos for everything.
LESION_SHARES = (0.70, 0.10, 0.20)
PAPER_HELD_OUT = 0.10
# Share of the lesions outside a fold that choose and calibrate its network.
FOLD_VALIDATION = 0.10
KINDS = ("lesion", "paper")
# A split is called by lesion where at least this share of photos has a lesion id; the others count as a lesion each.
KNOWN_LESIONS = 0.5


class LesionsUnknown(ValueError):
    """A table without the lesion ids that a split by lesion needs."""


@dataclass(frozen=True)
class Split:
    """Image ids of each part, with a hash that says which split this is.

    Args:
        kind: "lesion" or "paper".
        seed: of the draw.
        train, validation, test: image ids.
        fold: (number from 1, how many): which fold of a cross-validation `test` is; None for a single split.
        without_lesion: photos that have no lesion id, in a split by lesion: each stands as a lesion of its own.
        without_source: the source (column `dataset`) that `test` holds and the other parts have nothing of; None for other splits.
    """

    kind: str
    seed: int
    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]
    fold: tuple[int, int] | None = None
    without_lesion: int = 0
    without_source: str | None = None

    @property
    def leaky(self) -> bool:
        """True where photos of one lesion may stand on both sides."""
        return self.kind == "paper"

    @property
    def hash(self) -> str:
        """SHA-256 over the parts' sorted image ids."""
        text = "\n".join(f"{part}:{','.join(sorted(getattr(self, part)))}" for part in PARTS)
        return hashlib.sha256(text.encode()).hexdigest()

    def to_json(self) -> dict:
        """The record that goes into a card."""
        return {
            "kind": self.kind,
            "leaky": self.leaky,
            "seed": self.seed,
            "hash": self.hash,
            **({"fold": list(self.fold)} if self.fold else {}),
            **{part: sorted(getattr(self, part)) for part in PARTS},
            **({"without_lesion": self.without_lesion} if self.without_lesion else {}),
            **({"without_source": self.without_source} if self.without_source else {}),
        }

    def rows(self, table: pd.DataFrame, part: str) -> pd.DataFrame:
        """The table's rows of one part, in the table's order."""
        return table[table.image_id.isin(set(getattr(self, part)))].reset_index(drop=True)


def split_from_json(record: dict) -> Split:
    """Reads a card's split back.

    Raises:
        ValueError: the ids do not give the recorded hash.
    """
    fold = tuple(record["fold"]) if record.get("fold") else None
    parts = (tuple(record[part]) for part in PARTS)
    rest = {key: record[key] for key in ("without_lesion", "without_source") if key in record}
    split = Split(record["kind"], record["seed"], *parts, fold, **rest)  # pyright: ignore[reportCallIssue]
    if split.hash != record["hash"]:
        raise ValueError(
            f"The split's ids give hash {split.hash[:12]}, but {record['hash'][:12]} is recorded: the card was edited."
        )
    return split


def lesions_unknown(table: pd.DataFrame) -> pd.Series:
    """Which photos have no lesion id: they have their image_id in its place, as `read_table` gives it, and no photo beside them."""
    own = table.lesion_id == table.image_id
    return own & ~table.lesion_id.duplicated(keep=False)


def require_lesions(table: pd.DataFrame, source: str | Path = "The table") -> int:
    """Makes sure that a split by lesion can be one, before anything long begins.

    Args:
        source: what to call the table in an error.

    Returns:
        How many photos have no lesion id.

    Raises:
        LesionsUnknown: most photos have none.
    """
    unknown = int(lesions_unknown(table).sum())
    if len(table) - unknown < KNOWN_LESIONS * len(table) or unknown == len(table):
        raise LesionsUnknown(
            f"{source} has no lesion_id for {unknown:,} of {len(table):,} photos, so a split by lesion cannot be made: photos of one "
            "lesion would stand in training and in test, and the scores would be too high. Add a lesion_id to each row (if no two photos "
            "show one lesion, a name of its own for each), or take `--split paper`, which is by photo and named leaky wherever it appears."
        )
    return unknown


def split_table(
    table: pd.DataFrame, kind: str = "lesion", seed: int = 0, linked: tuple[tuple[str, ...], ...] = ()
) -> Split:
    """Splits a HAM10000 table.

    "lesion": no lesion_id in two parts; stratified by diagnosis, 70/10/20 % of each diagnosis' lesions (at least one
    lesion a part where a diagnosis has three). "paper": one random stratified tenth of the *photos* is both validation
    and test, as in the paper: it leaks (42 % of held-out photos show a lesion that is also trained on) and picks the
    epoch on the reported photos. For replication only.

    Reference: docs/reproduction.md, sections 0, 6 and 10.

    Args:
        linked: groups of lesion ids whose photos are near-duplicates (see `linked_lesions`): each group stands as a whole in
            the first of train, validation and test that any of its lesions was drawn for. All other lesions stay where they
            would be without it. Not for "paper".

    Raises:
        ValueError: unknown kind. `LesionsUnknown`: by lesion, where most photos have no lesion id.
    """
    check_choice("split", kind, KINDS)
    rng = np.random.default_rng(seed)
    parts: dict[str, list[str]] = {part: [] for part in PARTS}
    if kind == "paper":
        for code in CODES:
            ids = table.image_id[table.dx == code].to_numpy(copy=True)
            rng.shuffle(ids)
            held = round(PAPER_HELD_OUT * len(ids))
            parts["test"] += list(ids[:held])
            parts["train"] += list(ids[held:])
        parts["validation"] = list(parts["test"])
        return Split(kind, seed, *(tuple(sorted(parts[p])) for p in PARTS))
    without_lesion = require_lesions(table)
    # A lesion with contradictory diagnoses counts under its first one: what matters is that it stays together.
    lesions = table.drop_duplicates("lesion_id").sort_values("lesion_id")
    where: dict[str, str] = {}
    for code in CODES:
        ids = lesions.lesion_id[lesions.dx == code].to_numpy(copy=True)
        rng.shuffle(ids)
        held = [round(share * len(ids)) for share in LESION_SHARES[1:]]
        if len(ids) >= 3:
            held = [max(1, n) for n in held]
        for part, chunk in zip(("validation", "test", "train"), np.split(ids, np.cumsum(held)), strict=True):
            where.update(dict.fromkeys(chunk, part))
    for group in linked:
        first = min((where[lesion] for lesion in group), key=PARTS.index)
        where.update(dict.fromkeys(group, first))
    for lesion, image in zip(table.lesion_id, table.image_id, strict=True):
        parts[where[lesion]].append(image)
    return Split(kind, seed, *(tuple(sorted(parts[p])) for p in PARTS), without_lesion=without_lesion)


def fold_table(
    table: pd.DataFrame, fold: int, folds: int, seed: int = 0, linked: tuple[tuple[str, ...], ...] = ()
) -> Split:
    """One fold of a cross-validation by lesion: its own fifth (of five) is `test`, the other parts train.

    Lesions of each diagnosis are shuffled and dealt to the folds in turn, so that every photo is in `test` of exactly one fold. A tenth of
    each diagnosis' other lesions is `validation`.

    Args:
        table: from `read_table`.
        fold: 1 to `folds`.
        folds: how many parts, two or more.
        linked: as for `split_table`: each group stands as a whole.

    Raises:
        ValueError: no such fold. `LesionsUnknown`: as for `split_table`.
    """
    if folds < 2 or not 1 <= fold <= folds:
        raise ValueError(f"There is no fold {fold} of {folds}. Expected 2 folds or more, and one of 1 to {folds}.")
    without_lesion = require_lesions(table)
    lesions = table.drop_duplicates("lesion_id").sort_values("lesion_id")
    dealt, validation = np.random.default_rng(seed), np.random.default_rng([seed, fold])
    where: dict[str, int] = {}
    for code in CODES:
        ids = lesions.lesion_id[lesions.dx == code].to_numpy(copy=True)
        dealt.shuffle(ids)
        # A start of its own for each diagnosis, or the first fold would get every odd lesion.
        start = int(dealt.integers(folds))
        where.update({lesion: (start + i) % folds + 1 for i, lesion in enumerate(ids)})
    for group in linked:
        where.update(dict.fromkeys(group, where[group[0]]))
    part_of = {lesion: "test" if number == fold else "train" for lesion, number in where.items()}
    for code in CODES:
        ids = [lesion for lesion in lesions.lesion_id[lesions.dx == code] if part_of[lesion] == "train"]
        held = max(1, round(FOLD_VALIDATION * len(ids))) if len(ids) >= 2 else 0
        part_of.update(dict.fromkeys(validation.choice(ids, held, replace=False) if held else [], "validation"))
    for group in linked:
        if part_of[group[0]] != "test":
            part_of.update(dict.fromkeys(group, "train"))
    parts: dict[str, list[str]] = {part: [] for part in PARTS}
    for lesion, image in zip(table.lesion_id, table.image_id, strict=True):
        parts[part_of[lesion]].append(image)
    return Split("lesion", seed, *(tuple(sorted(parts[p])) for p in PARTS), (fold, folds), without_lesion)  # pyright: ignore[reportCallIssue]


def source_table(table: pd.DataFrame, source: str, seed: int = 0, linked: tuple[tuple[str, ...], ...] = ()) -> Split:
    """Leaves one source out: its photos are `test`, and a tenth of each diagnosis' lesions of the other sources is `validation`.

    A lesion that both show, or that a near-duplicate links to the source, is in neither of the other parts.

    Args:
        table: from `read_table`, with the sources as `dataset`.
        source: to leave out.
        linked: as for `split_table`.

    Raises:
        ValueError: no photo is of this source, or all are. `LesionsUnknown`: as for `split_table`.
    """
    sources = sources_of(table)
    if source not in sources or len(sources) < 2:
        raise ValueError(
            f"No photo can be left out by the source {source!r}. Expected one of two sources or more in the column dataset; there are: "
            f"{', '.join(sources) or 'none'}."
        )
    without_lesion = require_lesions(table)
    held = table.dataset == source
    met = set(table.lesion_id[held])
    met |= {lesion for group in linked if met & set(group) for lesion in group}
    rest = table[~table.lesion_id.isin(met)]
    lesions, rng = rest.drop_duplicates("lesion_id").sort_values("lesion_id"), np.random.default_rng(seed)
    chosen: set[str] = set()
    for code in CODES:
        ids = lesions.lesion_id[lesions.dx == code].to_numpy(copy=True)
        count = max(1, round(FOLD_VALIDATION * len(ids))) if len(ids) >= 2 else 0
        chosen.update(rng.choice(ids, count, replace=False) if count else [])
    for group in linked:
        if chosen & set(group):
            chosen.update(set(group) - met)
    validation = rest.lesion_id.isin(chosen)
    parts = (rest.image_id[~validation], rest.image_id[validation], table.image_id[held])
    train, validation, test = (tuple(sorted(ids)) for ids in parts)
    return Split("lesion", seed, train, validation, test, without_lesion=without_lesion, without_source=source)


def sources_of(table: pd.DataFrame) -> list[str]:
    """The sources of a table's photos, sorted; photos of an unknown one are of none."""
    return sorted({str(name) for name in table.dataset} - {"", "unknown", "nan"})


def assert_disjoint(table: pd.DataFrame, split: Split) -> None:
    """Stops where a lesion-grouped split shares a lesion between two parts.

    Raises:
        ValueError: names shared lesions.
    """
    if split.leaky:
        return
    seen: dict[str, str] = {}
    lesion = dict(zip(table.image_id, table.lesion_id, strict=True))
    for part in PARTS:
        for image in getattr(split, part):
            other = seen.setdefault(lesion[image], part)
            if other != part:
                raise ValueError(
                    f"Lesion {lesion[image]} stands in {other} and {part}: this split leaks. Make it again."
                )
