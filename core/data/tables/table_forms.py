"""Rows of any known kind of table in HAM10000's columns and words: HAM10000's own, ISIC ground truth, ISIC Archive metadata."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path, PurePath

import pandas as pd

from core.data.patient import MAX_AGE, SEXES
from core.data.photo_files import PHOTO_SUFFIXES
from core.data.tables import vocabulary
from core.data.tables.table_file import InvalidDataset
from core.data.tables.vocabulary import ALIASES, DIAGNOSIS_LEVELS, SITE_LEVELS, is_missing
from core.diagnoses import CODES

COLUMNS = ("lesion_id", "image_id", "dx", "dx_type", "age", "sex", "localization", "dataset")
HEADER = ",".join(COLUMNS)
# The challenges of 2018 and 2019 give a column a diagnosis, with 1 in one of them. 2019's AK is HAM10000's akiec.
ONE_HOT = {**{code: code for code in CODES}, "ak": "akiec", "scc": "SCC", "unk": "UNK"}
# So many of these columns make a ground-truth table.
FEW_CODES = 3
# HAM10000's most photographed lesion has 6 photos.
MANY_OF_ONE = 10
NOT_DERMOSCOPIC = "image_type"
DERMOSCOPIC = "dermoscopic"


@dataclass(frozen=True, eq=False)
class FormedRows:
    """A table in HAM10000's form, and what was said on the way there.

    Args:
        table: `COLUMNS`; age in years or NaN; a photo without a lesion_id has its image_id there.
        left_out: diagnosis that is none of the seven -> image ids of its rows, which are not in the table.
        unmapped: column -> word that nobody could read -> rows with it; they are "unknown" in the table.
        coarse: body site of the source that HAM10000 divides further -> rows with it.
        not_dermoscopic: kind of picture, by the source's column image_type -> rows with it.
        joined: tables beside the source that lesions and facts came from.
    """

    table: pd.DataFrame
    left_out: dict[str, tuple[str, ...]] = field(default_factory=dict)
    unmapped: dict[str, dict[str, int]] = field(default_factory=dict)
    coarse: dict[str, int] = field(default_factory=dict)
    not_dermoscopic: dict[str, int] = field(default_factory=dict)
    joined: tuple[str, ...] = ()


def has_photos(names: list[str]) -> bool:
    """Whether a header names photos."""
    return any(name in names for name in ALIASES["image_id"])


def has_diagnoses(names: list[str]) -> bool:
    """Whether a header holds a diagnosis, in a column or in a column each."""
    return any(name in names for name in (*ALIASES["dx"], *DIAGNOSIS_LEVELS)) or is_one_hot(names)


def has_facts(names: list[str]) -> bool:
    """Whether a header holds lesions or what is known of patients."""
    return any(name in names for column in ("lesion_id", "age", "sex", "localization") for name in ALIASES[column])


def has_lesions(names: list[str]) -> bool:
    """Whether a header says which lesion a photo shows."""
    return any(name in names for name in ALIASES["lesion_id"])


def is_one_hot(names: list[str]) -> bool:
    """Whether a header is that of ISIC ground truth: a column a diagnosis."""
    return "dx" not in names and len(set(names) & set(ONE_HOT)) >= FEW_CODES


def read_rows(columns: pd.DataFrame, source: Path, companions: dict[str, pd.DataFrame]) -> FormedRows:
    """Puts a table into HAM10000's form.

    Args:
        columns: as `read_columns` gives them.
        source: the table's file, for errors.
        companions: further tables by file name, with lesions and facts of the same photos, for a source without.

    Raises:
        InvalidDataset: columns missing, an unknown or contradictory diagnosis, a doubled image_id, an impossible age.
    """
    names = list(columns.columns)
    lacking = [c for c, there in (("image_id", has_photos(names)), ("dx", has_diagnoses(names))) if not there]
    if lacking:
        raise InvalidDataset(f"{source} lacks the columns {lacking}; it has {names}. Expected {list(COLUMNS)}.")
    if columns.empty:
        raise InvalidDataset(f"{source} has a header but no rows. Download it again.")
    image_id = _image_ids(_merged(columns, "image_id"), source)
    words, joined = columns.assign(image_id=image_id).set_index("image_id", drop=False), []
    for name, companion in companions.items():
        if (filled := _filled(words, companion, name)) is not None:
            words = filled
            joined.append(name)
    table = pd.DataFrame({c: _merged(words, c) for c in COLUMNS if c not in ("dx", "localization")})
    table["localization"] = _sites(words)
    table["dx"], left_out = _diagnoses(words, source)
    keep = (table.dx != "").to_numpy()
    table = table[keep].reset_index(drop=True)
    if table.empty:
        raise InvalidDataset(
            f"{source} holds no photo of the seven diagnoses ({', '.join(CODES)}); left out: "
            f"{', '.join(f'{word} ({len(ids):,})' for word, ids in left_out.items())}."
        )
    unmapped: dict[str, dict[str, int]] = {}
    coarse = Counter(w for word in table.localization if (w := word.strip().casefold()) in vocabulary.COARSE)
    table["age"] = _ages(table, source, unmapped)
    for column, read in (("sex", vocabulary.read_sex), ("localization", vocabulary.read_site)):
        table[column] = _mapped(table[column], column, read, unmapped)
    table["dx_type"] = table.dx_type.map({word: vocabulary.read_confirmation(word) for word in table.dx_type.unique()})
    table["dataset"] = table.dataset.where(~_missing(table.dataset), "unknown")
    table["lesion_id"] = _lesion_ids(table, unmapped)
    kinds = words[NOT_DERMOSCOPIC][keep] if NOT_DERMOSCOPIC in words else pd.Series(dtype="str")
    clinical = Counter(k for k in kinds if not is_missing(k) and k.casefold() != DERMOSCOPIC)
    return FormedRows(table[list(COLUMNS)], left_out, unmapped, dict(coarse), dict(clinical), tuple(joined))


def _missing(words: pd.Series) -> pd.Series:
    return words.isin([word for word in words.unique() if is_missing(word)])


def _filled(words: pd.DataFrame, companion: pd.DataFrame, name: str) -> pd.DataFrame | None:
    """A table with its missing cells from another one of the same photos; None where that has nothing new.

    Raises:
        InvalidDataset: the two name different lesions for a photo.
    """
    ids = _image_ids(_merged(companion, "image_id"), Path(name)).str.casefold()
    further = companion.drop(columns=[c for c in companion if c in ALIASES["image_id"]]).set_index(ids)
    further = further.reindex(words.index.str.casefold()).fillna("").set_axis(words.index)
    mine, its = _merged(words, "lesion_id"), _merged(further, "lesion_id")
    other = ~_missing(mine) & ~_missing(its) & (mine != its)
    if other.any():
        first = words.index[other][0]
        raise InvalidDataset(
            f"{name} names other lesions than the tables beside it for {int(other.sum()):,} photos: {first} is of {mine[first]!r} and of "
            f"{its[first]!r}. Move the table that is wrong, or of other photos, out of the folder."
        )
    filled, new = words.copy(), False
    for column in further:
        before = filled[column] if column in filled else pd.Series("", index=words.index, dtype="str")
        takes = _missing(before) & ~_missing(further[column])
        filled[column] = before.where(~takes, further[column])
        new = new or bool(takes.any())
    return filled if new else None


def _lesion_ids(table: pd.DataFrame, unmapped: dict) -> pd.Series:
    """Lesions by name; the image_id where none is known, and where the cell only repeats the photo's name."""
    words = table.lesion_id
    # One name in many photos of several diagnoses, or in most photos, names nothing: "tbd", 0, -1.
    seen = table.assign(word=words)[~_missing(words).to_numpy()].groupby("word").dx.agg(["size", "nunique"])
    many = seen["size"] >= MANY_OF_ONE
    nothing = seen[many & ((seen["nunique"] > 1) | (seen["size"] > len(table) / 2))]
    if len(nothing):
        unmapped["lesion_id"] = {str(word): int(count) for word, count in nothing["size"].items()}
    known = ~_missing(words) & ~words.isin(nothing.index)
    keys = words.map(lesion_key)
    first = dict(zip(reversed(keys), reversed(words), strict=True))
    photos = {lesion_key(image_id): image_id for image_id in table.image_id}
    digits = {_digits(image_id): image_id for image_id in table.image_id}
    if (
        known.all()
        and keys.is_unique
        and all(digits.get(_digits(w)) == i for w, i in zip(words, table.image_id, strict=True))
    ):
        return table.image_id.copy()  # the photos' numbers without their letters
    return pd.Series(
        [
            photos.get(key, first[key]) if there else i
            for key, there, i in zip(keys, known, table.image_id, strict=True)
        ],
        index=table.index,
        dtype="str",
    )


def lesion_key(word: str) -> str:
    """What two spellings of one name have in common: "HAM_12", "ham_12"; "12", "12.0", "0012"; "photos/ISIC_1.jpg", "ISIC_1"."""
    name = _stem(word).casefold()
    if name.endswith(".0") and name[:-2].isdigit():
        name = name[:-2]
    return name.lstrip("0") or "0" if name.isdigit() else name


def _digits(word: str) -> str:
    return "".join(c for c in _stem(word) if c.isdigit()).lstrip("0")


def _stem(word: str) -> str:
    """A photo's name without folder and suffix."""
    if not word.lower().endswith(PHOTO_SUFFIXES):
        return word
    name = PurePath(word.replace("\\", "/")).name
    return name[: -len(PurePath(name).suffix)]


def _merged(columns: pd.DataFrame, column: str) -> pd.Series:
    """The first of a column's names, its missing cells from the next; empty where there is none of them."""
    merged = pd.Series("", index=columns.index, dtype="str")
    for name in ALIASES[column]:
        if name in columns:
            merged = merged.where(~_missing(merged), columns[name])
    return merged


def _image_ids(words: pd.Series, source: Path) -> pd.Series:
    """Photo names without folder and suffix, each once."""
    ids = words.map(_stem)
    nameless = [number for number, word in enumerate(ids, start=1) if is_missing(word)]
    if nameless:
        raise InvalidDataset(
            f"{source} has {len(nameless):,} rows without an image_id, the first of them row {nameless[0]:,}. Name each row's photo."
        )
    # File systems, and `choose_photos`, take names of other letter case for the same.
    doubled = ids[ids.str.casefold().duplicated()].tolist()
    if doubled:
        raise InvalidDataset(
            f"{source} lists {len(doubled)} image_id more than once: {', '.join(doubled[:5])}. Keep one row each."
        )
    return ids


def _diagnoses(words: pd.DataFrame, source: Path) -> tuple[list[str], dict[str, tuple[str, ...]]]:
    """The code of each row, "" for those left out, and these by what they are."""
    if is_one_hot(list(words.columns)):
        read, strict = _from_one_hot(words, source), True
    elif "dx" in words:
        read, strict = words["dx"].tolist(), True
    else:
        levels = [c for c in (*ALIASES["dx"], *DIAGNOSIS_LEVELS) if c in words]
        read = [_deepest(row) for row in words[levels].itertuples(index=False)]
        strict = False
    meaning = {word: vocabulary.read_diagnosis(word) or "" for word in set(read)}
    codes = [meaning[word] for word in read]
    left_out: dict[str, list[str]] = {}
    strange = []
    for image_id, code, word in zip(words.image_id, codes, read, strict=True):
        if code:
            continue
        if strict and not vocabulary.is_other_diagnosis(word):
            strange.append(f"{image_id}={word!r}")
        left_out.setdefault("no diagnosis" if is_missing(word) and word.casefold() != "unk" else word, []).append(
            image_id
        )
    if strange:
        raise InvalidDataset(
            f"{source} has {len(strange)} rows with an unknown dx: {', '.join(strange[:5])}. Expected one of {', '.join(CODES)}."
        )
    return codes, {word: tuple(ids) for word, ids in left_out.items()}


def _deepest(levels: tuple[str, ...]) -> str:
    """The first level that can be read or is known to be another diagnosis; else the deepest that says anything."""
    known = [word for word in levels if not is_missing(word)]
    for word in known:
        if vocabulary.read_diagnosis(word) or vocabulary.is_other_diagnosis(word):
            return word
    return known[0] if known else ""


def _from_one_hot(words: pd.DataFrame, source: Path) -> list[str]:
    names = [name for name in words.columns if name in ONE_HOT]
    numbers = words[names].apply(lambda c: pd.to_numeric(c.str.replace(",", "."), errors="coerce"))
    between = ((numbers > 0) & (numbers < 1)).any(axis=1)
    if between.any():
        raise InvalidDataset(
            f"{source} holds probabilities, not diagnoses: {words.image_id[between].iloc[0]} is none of {', '.join(names)} for sure. "
            "Expected ground truth, with 1 in one of these columns."
        )
    wrong = numbers.isna().any(axis=1) | ((numbers == 1).sum(axis=1) != 1) | (numbers.sum(axis=1) != 1)
    if wrong.any():
        raise InvalidDataset(
            f"{source} has {int(wrong.sum()):,} rows without exactly one diagnosis, among them "
            f"{', '.join(words.image_id[wrong].head(5))}. Expected 1 in one of the columns {', '.join(names)} and 0 in the others."
        )
    return [ONE_HOT[name] for name in numbers.idxmax(axis=1)]


def _sites(words: pd.DataFrame) -> pd.Series:
    """The site by the finest column that can be read."""
    names = [n for n in (*ALIASES["localization"][:2], *SITE_LEVELS, *ALIASES["localization"][2:]) if n in words]
    if len(names) < 2:
        return words[names[0]] if names else pd.Series("", index=words.index, dtype="str")

    def choose(row: tuple[str, ...]) -> str:
        known = [word for word in row if not is_missing(word)]
        return next((word for word in known if vocabulary.read_site(word)), known[0] if known else "")

    return pd.Series([choose(row) for row in words[names].itertuples(index=False)], index=words.index, dtype="str")


def _ages(table: pd.DataFrame, source: Path, unmapped: dict) -> pd.Series:
    meaning = {word: vocabulary.read_age(word) for word in table.age.unique()}
    ages = [meaning[word] for word in table.age]
    wrong = [
        f"{image_id}={word!r}"
        for image_id, word, age in zip(table.image_id, table.age, ages, strict=True)
        if age is not None and (age < 0 or age > MAX_AGE)
    ]
    if wrong:
        raise InvalidDataset(
            f"{source} has {len(wrong)} impossible ages: {', '.join(wrong[:5])}. Expected years from 0 to {MAX_AGE:.0f}, or empty."
        )
    strange = Counter(word for word, age in zip(table.age, ages, strict=True) if age is None)
    if strange:
        unmapped["age"] = dict(strange)
    return pd.Series([float("nan") if age is None else age for age in ages], index=table.index, dtype="float64")


def _mapped(words: pd.Series, column: str, read, unmapped: dict) -> pd.Series:
    meaning = {word: read(word) for word in words.unique()}
    strange = Counter(word for word in words if meaning[word] is None)
    if strange:
        unmapped[column] = dict(strange)
    return words.map({word: sex or SEXES[-1] for word, sex in meaning.items()}).astype("str")
