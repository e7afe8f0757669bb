"""Databases for tests: a SQLite file, or a database on a PostgreSQL server that this test session started."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from lockstep.store import tables
from lockstep.store.database import Database, open_database
from tests.support import tools

_numbers = itertools.count()


def empty(url: str) -> Database:
    """Open a database and make every table in it."""
    database = open_database(url)
    tables.metadata.create_all(database.engine)
    return database


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Path]:
    """A running PostgreSQL server; the directory of its socket."""
    # Not below pytest's own directory: the path of a socket has 107 bytes at most (sun_path).
    home = Path(tempfile.mkdtemp(prefix="lockstep-pg-"))
    programs = (tools.find("postgres") or Path("postgres")).parent
    home.chmod(0o755)
    user: list[str] = []
    if os.geteuid() == 0:  # the server refuses to run as root
        account = pwd.getpwnam("postgres")
        os.chown(home, account.pw_uid, account.pw_gid)
        user = ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups", "--"]
    data = home / "data"
    control = [*user, str(programs / "pg_ctl"), "-D", str(data), "-w", "-l", str(home / "log")]
    options = f"-c listen_addresses='' -c unix_socket_directories={home} -c max_connections=300"
    _run([*user, str(programs / "initdb"), "--no-sync", "-A", "trust", "-U", "tests", "-D", str(data)])
    _run([*control, "-o", options, "start"])
    try:
        yield home
    finally:
        _run([*control, "-m", "immediate", "stop"])
        shutil.rmtree(home)


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.needs("postgres"))])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database that nobody used yet, on each kind of server in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'lockstep.db'}"
    socket: Path = request.getfixturevalue("postgres_server")
    name = f"test_{next(_numbers)}"
    admin = open_database(f"postgresql://tests@/postgres?host={socket}")
    with admin.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    admin.close()
    return f"postgresql://tests@/{name}?host={socket}"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An empty database with every table, on each kind of server in turn."""
    opened = empty(database_url)
    yield opened
    opened.close()


@pytest.fixture
def file_database(tmp_path: Path) -> Iterator[Database]:
    """An empty SQLite database with every table, where the kind of server does not matter."""
    opened = empty(f"sqlite:///{tmp_path / 'lockstep.db'}")
    yield opened
    opened.close()
