"""Where the database lies: `MELASCOPE_DATABASE`, or a file in the user's data folder."""

import os
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from core.folders import CannotWrite, data_root

DATABASE_VARIABLE = "MELASCOPE_DATABASE"
FILE = "teaching.sqlite3"
SQLITE, POSTGRESQL = "sqlite", "postgresql"
_EXPECTED = (
    f"Expected {DATABASE_VARIABLE}=postgresql://USER:PASSWORD@HOST/DATABASE, or the path of a file, or nothing: then a file in "
    "your data folder is used."
)


class StoreUnusable(ValueError):
    """A database that cannot be opened or written; the sentence says which and what to do. It never holds a password."""


def database_url(named: str | None = None) -> URL:
    """The address of the database.

    Args:
        named: as in `MELASCOPE_DATABASE`, which is asked when None: an address, or the path of a file.

    Raises:
        StoreUnusable: an address that is none, or of a database that Melascope does not know.
    """
    named = os.environ.get(DATABASE_VARIABLE, "") if named is None else named
    if not named.strip():
        try:
            return URL.create(SQLITE, database=str(data_root() / FILE))
        except CannotWrite as error:
            raise StoreUnusable(str(error)) from None
    if "://" not in named:
        return URL.create(SQLITE, database=str(Path(named).absolute()))
    try:
        url = make_url(named.strip())
    except (ArgumentError, ValueError):
        raise StoreUnusable(f"{DATABASE_VARIABLE} is no address of a database. {_EXPECTED}") from None
    kind = url.drivername.split("+")[0]
    if kind in ("postgres", POSTGRESQL):
        return url.set(drivername="postgresql+psycopg")
    if kind == SQLITE and url.database:
        return url.set(drivername=SQLITE)
    raise StoreUnusable(
        f"{DATABASE_VARIABLE} names a database of the kind {kind!r:.40}, which Melascope does not use. {_EXPECTED}"
    )
