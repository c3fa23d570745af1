"""Fixtures: an empty store on SQLite, and on a private PostgreSQL where one can be started; a small case set with advice."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from made_up_teaching import ANSWERS, make_advice, make_cases
from sqlalchemy import create_engine, delete, text

from core.teaching.store.database import Store
from core.teaching.store.place import database_url
from core.teaching.store.tables import LearnerRow, RoomRow, StudyRow


@pytest.fixture
def cases():
    return make_cases()


@pytest.fixture
def advice(cases):
    return {case.id: make_advice(answer) for case, answer in zip(cases.cases, ANSWERS, strict=True)}


def _binary(name: str) -> str | None:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda p: int(p.parts[-3]))
    return shutil.which(name) or (str(found[-1]) if found else None)


@pytest.fixture(scope="session")
def postgresql():
    """The address of a private PostgreSQL of this test run: own cluster, own socket, no network."""
    initdb, pg_ctl = _binary("initdb"), _binary("pg_ctl")
    if not initdb or not pg_ctl:
        pytest.skip("needs PostgreSQL's server programs (Debian: apt-get install postgresql)")
    pytest.importorskip("psycopg", reason="needs psycopg (the extra `postgresql`)")
    who = {}
    if hasattr(os, "geteuid") and os.geteuid() == 0:  # PostgreSQL refuses to run as root
        import pwd

        name = next((n for n in ("postgres", "nobody") if _known(pwd, n)), None)
        if name is None:
            pytest.skip("needs a user other than root to run PostgreSQL as")
        who = {"user": name, "group": pwd.getpwnam(name).pw_gid, "extra_groups": []}
    # A socket's path may have 107 characters at most: pytest's own folders can be longer.
    with tempfile.TemporaryDirectory(prefix="pg-") as folder:
        if who:
            shutil.chown(folder, who["user"])
        run = {"cwd": folder, "capture_output": True, "text": True, "timeout": 120, **who}
        made = subprocess.run(
            [initdb, "-D", f"{folder}/data", "-U", "melascope", "-A", "trust", "-E", "UTF8", "--no-sync"], **run
        )
        if made.returncode:
            pytest.skip(f"PostgreSQL's initdb fails here: {made.stderr.strip()[-200:]}")
        # Nothing of the cluster outlives the run, so that nothing need reach the disk.
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off -c max_connections=120"
        start = [pg_ctl, "-D", f"{folder}/data", "-w", "-l", f"{folder}/log", "-o", options, "start"]
        begun = subprocess.run(
            start, **{**run, "capture_output": False, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        )
        if begun.returncode:
            pytest.skip("PostgreSQL does not start here")
        try:
            yield Cluster(f"postgresql://melascope@/postgres?host={folder}", pg_ctl, folder, run, options)
        finally:
            subprocess.run([pg_ctl, "-D", f"{folder}/data", "-m", "immediate", "-w", "stop"], **run)


def _known(pwd, name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


class Cluster:
    """A running PostgreSQL."""

    def __init__(self, address, pg_ctl, folder, run, options):
        self.address, self._pg_ctl, self._folder, self._run, self._options = address, pg_ctl, folder, run, options

    def empty(self) -> str:
        """The address of the cluster's database, with nothing in it."""
        engine = create_engine(database_url(self.address))
        with engine.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
        engine.dispose()
        return self.address

    def database(self, name: str) -> str:
        """The address of a further database, made for it; one of this name that a fixture left is thrown away."""
        engine = create_engine(database_url(self.address), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
            connection.execute(text(f"CREATE DATABASE {name}"))
        engine.dispose()
        return self.address.replace("/postgres?", f"/{name}?")

    def restart(self, how: str = "fast") -> None:
        """Stops the server, "fast" (it ends what it does), "immediate" (as a crash does) or by "kill -9", and starts it."""
        quiet = {**self._run, "capture_output": False, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        command = [self._pg_ctl, "-D", f"{self._folder}/data", "-w", "-l", f"{self._folder}/log", "-o", self._options]
        if how != "kill -9":
            subprocess.run([*command, "-m", how, "restart"], check=True, **quiet)
            return
        server = int(Path(self._folder, "data", "postmaster.pid").read_text().split()[0])
        for process in [server, *_children(server)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        for _ in range(50):
            if subprocess.run([*command, "start"], **quiet).returncode == 0:
                return
            time.sleep(0.2)  # the system is still taking the dead server's memory back
        raise RuntimeError("PostgreSQL does not start after it was killed.")


def _children(process: int) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == process:
                found.append(int(entry.name))
    return found


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request, tmp_path) -> str:
    """The address of an empty database of each kind."""
    if request.param == "sqlite":
        return str(tmp_path / "data" / "teaching.sqlite3")
    return request.getfixturevalue("postgresql").empty()


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def kept_store(request, tmp_path_factory):
    """A store on each kind of database, which `any_store` empties for each test: to make one takes longer than most tests."""
    if request.param == "sqlite":
        store = Store(database_url(str(tmp_path_factory.mktemp("kept") / "teaching.sqlite3")))
    else:
        cluster = request.getfixturevalue("postgresql")
        store = Store(database_url(cluster.database("kept")))
    yield store
    store.close()


@pytest.fixture
def any_store(kept_store):
    """An empty store on each kind of database."""
    kept_store.write(lambda session: [session.execute(delete(row)) for row in (RoomRow, LearnerRow, StudyRow)])
    return kept_store


@pytest.fixture(scope="session")
def kept_sqlite(tmp_path_factory):
    store = Store(database_url(str(tmp_path_factory.mktemp("kept") / "teaching.sqlite3")))
    yield store
    store.close()


@pytest.fixture
def store(kept_sqlite):
    """An empty store on SQLite."""
    kept_sqlite.write(lambda session: [session.execute(delete(row)) for row in (RoomRow, LearnerRow, StudyRow)])
    return kept_sqlite
