"""The store: made without setup, migrated, durable, and a sentence for each way in which it cannot be used."""

import os
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from core.teaching.store import database, migrate
from core.teaching.store.clock import Clock
from core.teaching.store.database import Store, StoreBusy, open_store
from core.teaching.store.place import DATA_VARIABLE, DATABASE_VARIABLE, StoreUnusable, data_root, database_url
from core.teaching.store.tables import Base, LearnerRow, RoomRow

REPOSITORY = Path(__file__).resolve().parents[2]


def learner(name, at=0):
    return LearnerRow(token_hash=name, nickname=name, made_at=at, expires_at=at + 1)


def test_without_any_setup_a_file_in_the_data_folder(monkeypatch, tmp_path):
    monkeypatch.delenv(DATABASE_VARIABLE, raising=False)
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path / "data of 50 % Émile"))
    store = open_store()
    path = tmp_path / "data of 50 % Émile" / "teaching.sqlite3"
    assert path.is_file()
    with sqlite3.connect(path) as file:
        assert file.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    file.close()
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    store.close()


def test_the_data_folder_is_the_users(monkeypatch):
    monkeypatch.delenv(DATA_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", "/somewhere")
    if sys.platform == "linux":
        assert data_root() == Path("/somewhere/melascope")


def test_the_tables_are_those_that_the_migrations_make(any_store):
    with any_store.engine.connect() as connection:
        apart = compare_metadata(MigrationContext.configure(connection), Base.metadata)
        assert apart == []
        assert set(inspect(connection).get_table_names()) == {*Base.metadata.tables, "alembic_version"}


def test_migrations_go_back_and_forth(address):
    store = Store(database_url(address))
    with store.engine.connect().execution_options(writes=True) as connection, connection.begin():
        command.downgrade(migrate.config(connection), "base")
        assert inspect(connection).get_table_names() == ["alembic_version"]
        migrate.migrate(connection)
        assert set(inspect(connection).get_table_names()) > set(Base.metadata.tables)
    store.close()


def test_opening_again_keeps_what_is_there(address):
    first = Store(database_url(address))
    first.write(lambda session: session.add(learner("one")))
    first.close()
    again = Store(database_url(address))
    assert again.read(lambda session: session.query(LearnerRow).one().nickname) == "one"
    again.close()


def test_servers_that_start_at_once_make_one_database(address):
    stores, faults = [], []

    def start():
        try:
            stores.append(Store(database_url(address)))
        except Exception as error:  # noqa: BLE001
            faults.append(error)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for store in stores:
        store.close()
    assert not faults
    assert len(stores) == 4


def test_a_transaction_is_kept_whole_or_not_at_all(any_store):
    def half(session):
        session.add(learner("half"))
        session.flush()
        raise KeyError("a fault in the middle")

    with pytest.raises(KeyError):
        any_store.write(half)
    assert any_store.read(lambda session: session.query(LearnerRow).count()) == 0


def test_what_was_written_is_there_after_a_kill(tmp_path):
    path = tmp_path / "teaching.sqlite3"
    code = f"""
import os
from core.teaching.store.database import open_store
from core.teaching.store.tables import LearnerRow
store = open_store({str(path)!r})
store.write(lambda s: s.add(LearnerRow(token_hash="a", nickname="a", made_at=0, expires_at=9**15)))
os.kill(os.getpid(), 9)
"""
    subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, timeout=120)
    store = open_store(str(path))
    assert store.read(lambda session: session.query(LearnerRow).count()) == 1
    store.close()


def test_ids_are_never_given_twice(address):
    """What came first is told by ids, so one that was deleted must not come again."""
    store = Store(database_url(address))
    for name in ("one", "two"):
        store.write(lambda session, name=name: session.add(learner(name)))
        last = store.read(lambda session: session.query(LearnerRow).order_by(LearnerRow.id.desc()).first().id)
        store.write(lambda session: session.query(LearnerRow).delete())
    store.close()
    assert last == 2


def test_a_write_is_tried_again_when_the_database_is_away_for_a_moment(store, monkeypatch):
    from sqlalchemy.exc import OperationalError

    monkeypatch.setattr(database, "LONGEST_WAIT", 0.01)
    calls = []

    def flaky(session):
        calls.append(1)
        if len(calls) < 3:
            raise OperationalError("x", {}, sqlite3.OperationalError("database is locked"))
        session.add(learner("one"))

    store.write(flaky)
    assert len(calls) == 3
    with pytest.raises(StoreBusy, match="Send the same again"):
        store.write(
            lambda session: (_ for _ in ()).throw(
                OperationalError("x", {}, sqlite3.OperationalError("database is locked"))
            )
        )


def test_a_postgresql_that_restarts_costs_time_and_nothing_else(postgresql):
    store = Store(database_url(postgresql.empty()))
    store.write(lambda session: session.add(learner("before")))
    postgresql.restart()
    store.write(lambda session: session.add(learner("after")))
    assert store.read(lambda session: session.query(LearnerRow).count()) == 2
    store.close()


def test_purge_takes_what_is_over_with_all_that_hangs_on_it(any_store):
    now = any_store.clock.now()
    any_store.write(lambda session: session.add_all([learner("old", 0), learner("new", now + 10**6)]))
    assert any_store.purge() == 1
    assert any_store.read(lambda session: session.query(LearnerRow).one().nickname) == "new"


# ---- the clock ----


def test_a_clock_that_is_set_back_or_forward_changes_nothing():
    wall, steady = [1000.0], [5.0]
    clock = Clock(wall=lambda: wall[0], steady=lambda: steady[0])
    first = clock.now()
    wall[0] = 9e9  # somebody sets the clock to the year 2255
    steady[0] += 2
    assert clock.now() == first + 2000
    wall[0] = 1.0
    steady[0] += 1
    assert clock.now() == first + 3000


def test_a_clock_that_was_set_back_between_two_starts_goes_on_from_the_latest_time(tmp_path):
    address = str(tmp_path / "teaching.sqlite3")
    first = Store(database_url(address))
    latest = first.clock.now()
    first.close()
    assert Clock(latest, wall=lambda: 0.0).now() >= latest
    again = Store(database_url(address))
    assert again.clock.now() >= latest
    again.close()


# ---- a sentence for each way in which it cannot be used ----


def sentence(error):
    said = str(error.value)
    assert len(said.splitlines()) == 1
    assert "Traceback" not in said
    return said


@pytest.mark.parametrize("named", ["mysql://root@host/x", "http://host", "oracle+cx://a:b@c/d"])
def test_another_kind_of_database(named):
    with pytest.raises(StoreUnusable) as error:
        open_store(named)
    assert "postgresql://" in sentence(error)


def test_a_password_is_never_told(monkeypatch):
    monkeypatch.setattr(database, "TRIES", 1)
    with pytest.raises(StoreUnusable) as error:
        open_store("postgresql://anna:geheim@127.0.0.1:1/nothing")
    assert "geheim" not in sentence(error)
    with pytest.raises(StoreUnusable) as error:
        open_store("mysql://anna:geheim@host/x")
    assert "geheim" not in sentence(error)


def test_without_psycopg(monkeypatch):
    def missing(*args, **kwargs):
        raise ModuleNotFoundError("No module named 'psycopg'", name="psycopg")

    monkeypatch.setattr(database, "create_engine", missing)
    with pytest.raises(StoreUnusable) as error:
        open_store("postgresql://host/x")
    assert "pip install 'psycopg[binary]'" in sentence(error)


def test_a_file_that_is_no_database(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_bytes(b"shopping: milk, eggs\n" * 200)
    with pytest.raises(StoreUnusable) as error:
        open_store(str(path))
    assert "notes.txt" in sentence(error)


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreUnusable) as error:
        open_store(str(tmp_path / "file" / "teaching.sqlite3"))
    assert DATABASE_VARIABLE in sentence(error)


def test_a_database_of_a_later_version(address):
    store = Store(database_url(address))
    store.write(lambda session: session.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    store.close()
    with pytest.raises(StoreUnusable) as error:
        open_store(address)
    assert "Update Melascope" in sentence(error)


def test_no_table_has_room_for_a_photo():
    from sqlalchemy import LargeBinary

    columns = [column for table in Base.metadata.tables.values() for column in table.columns]
    assert not [c for c in columns if isinstance(c.type, LargeBinary)]
    assert not {"email", "name", "password", "address"} & {c.name for c in columns}
    assert RoomRow.__tablename__ == "rooms"
