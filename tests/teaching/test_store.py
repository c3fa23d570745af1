"""The store: made without setup, migrated, durable, and a sentence for each way in which it cannot be used."""

import os
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import event, inspect, text
from sqlalchemy.exc import IntegrityError, OperationalError

from core.folders import DATA_VARIABLE, data_root
from core.teaching.store import database, migrate
from core.teaching.store.clock import Clock
from core.teaching.store.database import Store, StoreBusy, open_store
from core.teaching.store.place import DATABASE_VARIABLE, StoreUnusable, database_url
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


def test_what_was_confirmed_is_there_after_a_kill(tmp_path):
    """A server is killed while twenty threads write; what it had confirmed is kept, and the file is whole."""
    path = tmp_path / "teaching.sqlite3"
    code = f"""
import sys, threading
from core.teaching.store.database import open_store
from core.teaching.store.tables import LearnerRow
store = open_store({str(path)!r})
def writer(n):
    for number in range(10**6):
        name = f"{{n}}-{{number}}"
        store.write(lambda s: s.add(LearnerRow(token_hash=name, nickname=name, made_at=0, expires_at=9**15)))
        sys.stdout.write(name + chr(10)); sys.stdout.flush()
for n in range(20):
    threading.Thread(target=writer, args=(n,), daemon=True).start()
threading.Event().wait()
"""
    server = subprocess.Popen([sys.executable, "-c", code], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    confirmed = [server.stdout.readline().strip() for _ in range(60)]
    server.kill()
    confirmed += [line.strip() for line in server.stdout if line.endswith("\n")]
    server.wait()
    server.stdout.close()
    store = open_store(str(path))
    there = store.read(lambda session: {row.nickname for row in session.query(LearnerRow)})
    whole = store.read(lambda session: session.execute(text("PRAGMA integrity_check")).scalar())
    store.close()
    assert len(confirmed) >= 60
    assert set(confirmed) <= there
    assert whole == "ok"


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
    monkeypatch.setattr(database, "PATIENCE", 0.5)
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


def test_a_full_disk_is_a_sentence_and_what_was_confirmed_stays(store):
    @event.listens_for(store.engine, "connect")
    def run_full(connection, record):
        connection.execute("PRAGMA max_page_count=150")

    store.close()  # who connects from now on finds little room
    kept = []

    def write_on() -> None:
        for number in range(2000):
            name = f"{number}-" + "x" * 300
            store.write(lambda session, name=name: session.add(learner(name)))
            kept.append(name)

    with pytest.raises(StoreUnusable, match="full.*make room"):
        write_on()
    there = store.read(lambda session: {row.nickname for row in session.query(LearnerRow)})
    assert len(kept) > 10 and there == set(kept)


def test_a_log_that_cannot_grow_says_that_the_disk_may_be_full(store):
    """SQLite then tells of an error of the disk and gives no reason."""

    def refused(session):
        raise OperationalError("x", {}, sqlite3.OperationalError("disk I/O error"))

    with pytest.raises(StoreUnusable, match="disk may be full.*make room"):
        store.write(refused)


@pytest.mark.parametrize("how", ["fast", "immediate", "kill -9"])
def test_a_postgresql_that_restarts_or_crashes_costs_time_and_nothing_else(postgresql, how):
    store = Store(database_url(postgresql.empty()))
    kept, faults = [], []
    begun, stop = threading.Event(), threading.Event()

    def writer(n):
        number = 0
        while not stop.is_set():
            name = f"{n}-{number}"
            try:
                store.write(lambda session, name=name: session.merge(learner(name)))
                kept.append(name)
            except IntegrityError:  # it was kept, and the server went before it could say so
                kept.append(name)
            except Exception as error:  # noqa: BLE001
                faults.append(error)
            number += 1
            begun.set()

    threads = [threading.Thread(target=writer, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    begun.wait(30)
    postgresql.restart(how)
    before = len(kept)
    for _ in range(200):
        if len(kept) > before + 8:
            break
        time.sleep(0.1)
    stop.set()
    for thread in threads:
        thread.join()
    there = store.read(lambda session: {row.nickname for row in session.query(LearnerRow)})
    store.close()
    assert not faults
    assert len(kept) > before
    assert set(kept) <= there


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
