"""Facts of many photos' patients from one table: a row a photo, told apart by the photo's file name."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath

from core.data.patient import Facts, InvalidFacts
from core.data.tables.table_file import InvalidDataset, parse_columns
from core.data.tables.vocabulary import ALIASES, read_age, read_sex, read_site

# What a column may be called, as `column_name` writes it.
COLUMNS: dict[str, tuple[str, ...]] = {
    "photo": ("photo", "path", "file", *ALIASES["image_id"]),
    "age": ALIASES["age"],
    "sex": ALIASES["sex"],
    "site": ("site", "body_site", *ALIASES["localization"]),
}
HEADER_EXAMPLE = "photo,age,sex,site"
# A table of facts of more is none: some hundred bytes a photo are plenty.
MAX_BYTES = 20_000_000
NAMED = 5  # problems that are written out


@dataclass(frozen=True)
class FactsList:
    """What a table says of patients.

    Args:
        facts: the photo's name as it is compared -> facts.
        problems: a sentence for each row that cannot be followed; such a row counts for no photo.
    """

    facts: dict[str, Facts]
    problems: tuple[str, ...] = ()

    def of(self, photo: str) -> Facts | None:
        """The facts of a photo; None where the table has none."""
        return self.facts.get(_key(photo))

    def unused(self, photos: Iterable[str]) -> list[str]:
        """Names in the table that none of the photos has."""
        return sorted(set(self.facts) - {_key(photo) for photo in photos})


def read_facts_list(content: bytes, name: str) -> FactsList:
    """Reads a table that nobody has checked.

    Args:
        content: CSV in any usual encoding, with a column of photos and at least one of age, sex and site.
        name: what to call it in an error.

    Raises:
        InvalidDataset: no such table; the message says what came, what was expected and how to fix it.
    """
    if len(content) > MAX_BYTES:
        raise InvalidDataset(
            f"{name} has {len(content) / 1e6:,.0f} MB. Expected a table of facts of at most {MAX_BYTES / 1e6:.0f} MB."
        )
    known = frozenset(word for words in COLUMNS.values() for word in words)
    table = parse_columns(content, name, known, HEADER_EXAMPLE)
    places = {key: next((word for word in words if word in table), None) for key, words in COLUMNS.items()}
    if places["photo"] is None or not any(places[key] for key in ("age", "sex", "site")):
        lacks = "no column of photos" if places["photo"] is None else "no column of age, sex or site"
        raise InvalidDataset(
            f"{name} has {lacks}: it has {', '.join(map(str, table.columns))}. Expected a first line such as {HEADER_EXAMPLE}."
        )
    columns = [[""] * len(table) if place is None else list(table[place]) for place in places.values()]
    facts, problems, clashing = {}, [], set()
    for number, (photo, age, sex, site) in enumerate(zip(*columns, strict=True), start=1):
        try:
            patient = _facts(age, sex, site)
            if not photo:
                raise InvalidFacts("It names no photo.")
        except InvalidFacts as error:
            problems.append(f"Row {number} ({photo or 'no photo'}) is left out. {error}")
            continue
        if facts.setdefault(_key(photo), patient) != patient:
            clashing.add(_key(photo))
            problems.append(f"Row {number} ({photo}) says something else than an earlier row: neither counts.")
    return FactsList({key: one for key, one in facts.items() if key not in clashing}, tuple(problems))


def _facts(age: str, sex: str, site: str) -> Facts:
    years, which, where = read_age(age), read_sex(sex), read_site(site)
    for word, value, what in ((age, years, "age"), (sex, which, "sex"), (site, where, "body site")):
        if value is None:
            raise InvalidFacts(f"Its {what} {word[:40]!r} cannot be told. Leave the cell empty where it is unknown.")
    return Facts(None if years is None or math.isnan(years) else years, which or "unknown", where or "unknown")


def _key(photo: str) -> str:
    """A photo's name as it is compared: without folders, suffix and case."""
    return PurePath(photo.replace("\\", "/")).stem.casefold()
