"""Brings a database to the tables of this version, with Alembic."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, text

from core.teaching.store.place import POSTGRESQL, StoreUnusable

FOLDER = Path(__file__).parent / "migrations"
# Two servers that start at once migrate one after the other; the number is Melascope's own, for PostgreSQL's advisory locks.
_LOCK = 4_072_015


def migrate(connection: Connection, to: str = "head") -> None:
    """Runs the missing steps within the connection's transaction.

    Args:
        connection: in a transaction that nobody else can write in (SQLite: begun immediate).
        to: a revision; the latest when left out.

    Raises:
        StoreUnusable: the database is of a later version of Melascope.
    """
    if connection.dialect.name == POSTGRESQL:
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})
    try:
        command.upgrade(config(connection), to)
    except CommandError as error:
        raise StoreUnusable(
            f"The database is of another version of Melascope ({error}). Update Melascope, or name another database."
        ) from None


def config(connection: Connection) -> Config:
    """Alembic's configuration for a connection."""
    made = Config()
    # A path may hold %, which the configuration would take for a variable.
    made.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    made.set_main_option("path_separator", "os")
    made.attributes["connection"] = connection
    return made


def latest(connection: Connection) -> str:
    """The revision of this version."""
    return str(ScriptDirectory.from_config(config(connection)).get_current_head())
