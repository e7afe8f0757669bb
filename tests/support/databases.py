"""Databases for tests: each test gets a fresh one with all tables, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from lockstep.store import database as databases
from lockstep.store import migrate
from tests.support import postgres

_count = itertools.count()


# Empties every table that has rows, and starts its ids again: far cheaper than a new database for each test.
_EMPTY = """
DO $$ DECLARE t regclass; used boolean; BEGIN
  FOR t IN SELECT oid FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'lockstep_version' LOOP
    EXECUTE format('SELECT EXISTS (SELECT FROM %s)', t) INTO used;
    IF used THEN EXECUTE format('TRUNCATE %s RESTART IDENTITY CASCADE', t); END IF;
  END LOOP;
END $$
"""

_KINDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.needs("postgres"))]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of the session's PostgreSQL server."""
    with postgres.server() as address:
        yield address


@pytest.fixture(scope="session")
def postgres_shared(postgres_server: str) -> str:
    """The URL of a database with all tables, which tests use one after another."""
    postgres.administer(postgres_server, "CREATE DATABASE shared")
    url = postgres.url(postgres_server, "shared")
    _make_tables(url)
    return url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with all tables."""
    file = tmp_path_factory.mktemp("template") / "template.db"
    _make_tables(f"sqlite:///{file}")
    return file


@pytest.fixture(params=_KINDS)
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database of the test's own, without any table; once for each kind of database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    address: str = request.getfixturevalue("postgres_server")
    name = f"own_{next(_count)}"
    postgres.administer(address, f"CREATE DATABASE {name}")
    yield postgres.url(address, name)
    postgres.administer(address, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=_KINDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database with all tables and no row; once for each kind of database."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "lockstep.db")
        return f"sqlite:///{tmp_path / 'lockstep.db'}"
    url: str = request.getfixturevalue("postgres_shared")
    postgres.administer(request.getfixturevalue("postgres_server"), _EMPTY, database="shared")
    return url


@pytest.fixture
def database(database_url: str) -> Iterator[databases.Database]:
    """A database with all tables and no row; once for each kind of database."""
    opened = databases.open_database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def file_database(sqlite_template: Path, tmp_path: Path) -> Iterator[databases.Database]:
    """A SQLite file with all tables and no row, where the kind of database does not matter."""
    shutil.copy(sqlite_template, tmp_path / "lockstep.db")
    opened = databases.open_database(f"sqlite:///{tmp_path / 'lockstep.db'}")
    yield opened
    opened.close()


def _make_tables(url: str) -> None:
    opened = databases.open_database(url)
    migrate.upgrade(opened)
    opened.close()
