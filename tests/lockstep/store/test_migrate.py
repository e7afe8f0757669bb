"""Every start makes the tables that the program expects, once, or says why not."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

import lockstep.engine.tables  # noqa: F401 - puts the engine's tables into the metadata
from lockstep import errors
from lockstep.store import migrate, tables
from lockstep.store.database import Database, open_database

# Everything that a table consists of, in the server's own words.
_POSTGRESQL_COLUMNS = """
SELECT attrelid::regclass::text, attname, format_type(atttypid, atttypmod), attnotnull, atthasdef, attnum
FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0 ORDER BY 1, attnum
"""
_POSTGRESQL_CONSTRAINTS = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2
"""
_POSTGRESQL_INDEXES = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1"
_SQLITE = "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name"


@pytest.fixture
def empty(empty_database_url: str) -> Iterator[Database]:
    """A database without any table; once for each kind of database."""
    opened = open_database(empty_database_url)
    yield opened
    opened.close()


def structure(database: Database) -> list[Any]:
    """All that the database says about its tables, the version table left out."""
    queries = [_SQLITE]
    if database.dialect == "postgresql":
        queries = [_POSTGRESQL_COLUMNS, _POSTGRESQL_CONSTRAINTS, _POSTGRESQL_INDEXES]
    with database.read() as connection:
        found = [tuple(row) for query in queries for row in connection.execute(text(query))]
    return [_in_order(row) for row in found if "lockstep_version" not in str(row)]


def _in_order(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """SQLite keeps the text of a table: the order of its constraints, unlike that of its columns, says nothing.

    Columns that were added later stand behind the constraints there, and behind the columns everywhere.
    """
    *names, definition = row
    # The parentheses of a constraint hold commas too; the last one is the table's.
    parts = re.split(r",(?![^(]*\))|\n", str(definition).strip().removesuffix(")"))
    lines = [part.strip() for part in parts if part.strip()]
    return *names, *sorted(lines, key=lambda line: line if "CONSTRAINT" in line else "")


def test_the_migrations_make_exactly_the_tables_that_the_program_uses(empty: Database) -> None:
    """Column by column, constraint by constraint, index by index: whoever changes a table changes its migration."""
    with empty.write() as connection:
        tables.metadata.create_all(connection)
    expected = structure(empty)
    with empty.write() as connection:
        tables.metadata.drop_all(connection)
    migrate.upgrade(empty)
    assert structure(empty) == expected
    assert len(expected) > 20


def test_a_second_start_changes_nothing(empty: Database) -> None:
    """What is there stays, with its rows."""
    migrate.upgrade(empty)
    with empty.write() as connection:
        connection.execute(tables.hooks.insert().values(hook="kept"))
    migrate.upgrade(empty)
    with empty.read() as connection:
        assert connection.execute(text("SELECT hook FROM hooks")).scalar_one() == "kept"


def test_processes_that_start_together_take_turns(empty_database_url: str) -> None:
    """One makes the tables, the others find them; none fails."""
    script = (
        "import sys; from lockstep.store import database, migrate\n"
        "import lockstep.engine.tables\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "migrate.upgrade(database.open_database(sys.argv[1]))\n"
    )
    starting = [
        subprocess.Popen(
            [sys.executable, "-c", script, empty_database_url], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for _ in range(3)
    ]
    for process in starting:
        assert process.stdout is not None
        process.stdout.readline()
    for process in starting:
        process.communicate(b"go\n")
    assert [process.returncode for process in starting] == [0, 0, 0]


def test_a_start_that_fails_leaves_nothing_half_made(empty: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tables are there together with their version, or not at all."""

    def broken(_connection: Connection, *_rest: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("alembic.runtime.migration.HeadMaintainer.update_to_step", broken)
    with pytest.raises(ZeroDivisionError):
        migrate.upgrade(empty)
    assert structure(empty) == []


def test_a_database_of_a_newer_program_is_left_alone(empty: Database) -> None:
    """An old program does not write into tables that it does not know; the error says what to do."""
    migrate.upgrade(empty)
    with empty.write() as connection:
        connection.execute(text("UPDATE lockstep_version SET version_num = '9999'"))
    with pytest.raises(errors.InputError, match=r"newer Lockstep .+9999.+ Start that version"):
        migrate.upgrade(empty)


def test_a_database_of_another_program_is_left_alone(empty: Database) -> None:
    """Tables that are not ours are neither used nor changed, even under the same names."""
    with empty.write() as connection:
        connection.execute(text("CREATE TABLE jobs (theirs text)"))
    before = structure(empty)
    with pytest.raises(errors.InputError, match="another program: jobs"):
        migrate.upgrade(empty)
    assert structure(empty) == before


def test_there_is_one_line_of_revisions() -> None:
    """Two revisions that follow the same one would leave it to chance which tables there are."""
    names = sorted(path.stem for path in (Path(migrate.__file__).parent / "migrations/versions").glob("revision_*.py"))
    assert names == [f"revision_{number:04}" for number in range(1, len(names) + 1)]
