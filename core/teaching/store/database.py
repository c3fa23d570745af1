"""The store: one database for rooms, quizzes and reader studies, opened, migrated, read and written."""

import contextlib
import os
import random
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, delete, event, update
from sqlalchemy.exc import DatabaseError, DBAPIError, IntegrityError, InterfaceError, OperationalError, TimeoutError
from sqlalchemy.orm import Session

from core.teaching.store.clock import DAY, Clock
from core.teaching.store.migrate import migrate
from core.teaching.store.place import DATABASE_VARIABLE, SQLITE, StoreUnusable, database_url
from core.teaching.store.tables import LearnerRow, RoomRow, StudyRow, TimeRow

T = TypeVar("T")
# A writer of SQLite waits for other processes; sixty votes at once take well under a second.
BUSY_SECONDS = 10
# How long a transaction is tried again when the database is away or two got into each other's way: PostgreSQL restarts meanwhile.
PATIENCE, LONGEST_WAIT = 20.0, 1.0  # seconds
# PostgreSQL: deadlock, failed serialisation, and a server that shuts down or starts.
_PASSING = ("40P01", "40001", "57P01", "57P02", "57P03", "08006", "08001", "08003", "55P03")
# The latest time is kept so often at most, in milliseconds.
_KEEP_TIME = 60_000
_PSYCOPG = "pip install 'psycopg[binary]'"


class StoreBusy(StoreUnusable):
    """The database did not answer in time; the same request can be sent again."""


class Store:
    """An open database; shared by all threads of a server.

    Args:
        url: of the database.
        clock: for tests; the real one when None.

    Raises:
        StoreUnusable: it cannot be opened.
    """

    def __init__(self, url: URL, clock: Clock | None = None):
        self.url = url
        self._engine = _open(url)
        self._kept = 0
        # SQLite's own waiting looks every now and then whether it may write; threads of one server rather queue up.
        self._turn = threading.Lock() if url.get_backend_name() == SQLITE else None
        self.clock = clock or Clock()
        try:
            self._in_transaction(migrate)
            latest = self.write(_latest)
        except BaseException:
            self.close()
            raise
        if clock is None:
            self.clock = Clock(latest)
        self.write(lambda session: None)

    @property
    def engine(self) -> Engine:
        return self._engine

    def close(self) -> None:
        self._engine.dispose()

    def read(self, work: Callable[[Session], T]) -> T:
        """Runs `work` in a transaction that writes nothing, and returns what it returns."""
        return self._try(lambda: self._run(work, writes=False))

    def write(self, work: Callable[[Session], T]) -> T:
        """Runs `work` in a transaction: all of it is kept, on the disk, or nothing.

        It may run more than once, where the database was away for a moment or two writers met: it must do nothing but work on the
        session.

        Raises:
            StoreBusy: the database did not answer in time. Nothing was changed, or, where the connection broke at the very end, all.
        """
        return self._try(lambda: self._run(work, writes=True))

    def purge(self) -> int:
        """Deletes rooms, learners and studies whose time is over, with all their answers; returns how many."""

        def work(session: Session) -> int:
            now = self.clock.now()
            over = (
                delete(row).where(row.expires_at < now).returning(row.id) for row in (RoomRow, LearnerRow, StudyRow)
            )
            return sum(len(session.scalars(each).all()) for each in over)

        return self.write(work)

    def _run(self, work: Callable[[Session], T], writes: bool) -> T:
        with (
            self._turn if writes and self._turn else contextlib.nullcontext(),
            self._engine.connect().execution_options(writes=writes) as connection,
            Session(connection, expire_on_commit=False) as session,
            session.begin(),
        ):
            result = work(session)
            now = self.clock.now()
            if writes and now - self._kept >= _KEEP_TIME:
                self._kept = now
                session.execute(update(TimeRow).where(TimeRow.latest < now).values(latest=now))
            return result

    def _in_transaction(self, work: Callable[[Connection], T]) -> T:
        def run() -> T:
            with self._engine.connect().execution_options(writes=True) as connection, connection.begin():
                return work(connection)

        return self._try(run, opening=True)

    def _try(self, run: Callable[[], T], *, opening: bool = False) -> T:
        """Runs it until it succeeds or patience ends; a server that is not there when the store is opened is not waited for."""
        end, wait = time.monotonic() + PATIENCE, 0.05
        while True:
            try:
                return run()
            except IntegrityError:
                raise
            except (DBAPIError, TimeoutError) as error:
                if not _passes(error) or (opening and _is_away(error)):
                    raise _unusable(error, self.url) from error
                if time.monotonic() + wait > end:
                    raise StoreBusy(
                        f"The database {_shown(self.url)} does not answer ({_why(error)}). Send the same again in a moment; what was "
                        "answered is kept."
                    ) from error
            # Not all at the same moment again.
            time.sleep(wait * random.uniform(0.5, 1))
            wait = min(LONGEST_WAIT, 2 * wait)


def open_store(named: str | None = None) -> Store:
    """Opens the database, made and brought to this version where need be.

    Args:
        named: an address or a path; `MELASCOPE_DATABASE` or the user's data folder when None.

    Raises:
        StoreUnusable: the sentence says what to do.
    """
    store = Store(database_url(named))
    store.purge()
    return store


def days(number: float) -> int:
    """Milliseconds of some days."""
    return round(number * DAY)


def _latest(session: Session) -> int:
    row = session.get(TimeRow, 1)
    return row.latest if row else 0


def _open(url: URL) -> Engine:
    if url.get_backend_name() == SQLITE:
        return _open_sqlite(url)
    try:
        return create_engine(url, pool_size=10, max_overflow=20, pool_timeout=30, pool_pre_ping=True)
    except ModuleNotFoundError as error:
        raise StoreUnusable(
            f"{DATABASE_VARIABLE} names PostgreSQL, which needs {error.name}, and that is not installed. Install it: {_PSYCOPG}. "
            f"Without {DATABASE_VARIABLE} a file in your data folder is used, which needs nothing."
        ) from None


def _open_sqlite(url: URL) -> Engine:
    path = Path(str(url.database))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Nicknames and answers are nobody else's on this computer.
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except OSError as error:
        raise StoreUnusable(
            f"The database {path} cannot be made ({error.strerror}). Name another place with {DATABASE_VARIABLE}=/some/file.sqlite3."
        ) from None
    engine = create_engine(
        url,
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
        pool_size=10,
        max_overflow=20,
        pool_timeout=BUSY_SECONDS,
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, record) -> None:
        connection.isolation_level = None  # we begin transactions ourselves, below
        # A log beside the file lets readers read while one writes; full: an answered vote is on the disk.
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A writer takes its turn at once: one that began as a reader could be refused in the middle.
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _passes(error: DBAPIError | TimeoutError) -> bool:
    """Whether the same can succeed in a moment."""
    if isinstance(error, TimeoutError) or error.connection_invalidated or _is_away(error):
        return True
    code = getattr(error.orig, "sqlstate", None) or ""
    message = str(error.orig)
    return code in _PASSING or "database is locked" in message or "database table is locked" in message


def _is_away(error: DBAPIError | TimeoutError) -> bool:
    """Whether PostgreSQL could not be connected to: an error without a code of the server's."""
    if not isinstance(error, OperationalError) or isinstance(error.orig, sqlite3.Error):
        return False
    return getattr(error.orig, "sqlstate", None) is None


def _unusable(error: DBAPIError | TimeoutError, url: URL) -> Exception:
    """The sentence for a database that cannot be used; faults of ours stay what they are."""
    why = _why(error)
    if url.get_backend_name() == SQLITE:
        if isinstance(error, OperationalError | DatabaseError) and any(
            word in why
            for word in ("not a database", "malformed", "unable to open", "readonly", "disk is full", "disk I/O")
        ):
            # A log that cannot grow is told as an error of the disk, without the reason.
            full = ": the disk may be full" if "disk I/O" in why else ""
            return StoreUnusable(
                f"The database {_shown(url)} cannot be used ({why}{full}). Restore it, make room, or name another file with "
                f"{DATABASE_VARIABLE}=/some/file.sqlite3."
            )
        return error
    if isinstance(error, OperationalError | InterfaceError):
        return StoreUnusable(
            f"PostgreSQL at {_shown(url)} cannot be reached ({why}). Start it, or correct {DATABASE_VARIABLE}."
        )
    return error


def _why(error: Exception) -> str:
    message = str(getattr(error, "orig", None) or error)
    return " ".join(message.split())[:160]


def _shown(url: URL) -> str:
    """The address without password."""
    return str(url.database) if url.get_backend_name() == SQLITE else url.render_as_string(hide_password=True)
