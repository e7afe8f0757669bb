"""What databases say when they fail, in our own words."""

from __future__ import annotations

import sqlite3

import psycopg
import pytest

from lockstep import errors
from lockstep.store import failures


def sqlite_error(code: int) -> sqlite3.Error:
    """As the driver raises it."""
    error = sqlite3.OperationalError("as SQLite puts it")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (sqlite3.SQLITE_BUSY, errors.UnreachableError),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, errors.UnreachableError),
        (sqlite3.SQLITE_FULL, errors.TemporaryError),
        (sqlite3.SQLITE_IOERR_FSYNC, errors.UnreachableError),
        (sqlite3.SQLITE_CANTOPEN_ISDIR, errors.UnreachableError),
        (sqlite3.SQLITE_READONLY_DBMOVED, errors.ForbiddenError),
        (sqlite3.SQLITE_CORRUPT_INDEX, errors.IntegrityError),
        (sqlite3.SQLITE_NOTADB, errors.IntegrityError),
        (sqlite3.SQLITE_CONSTRAINT_UNIQUE, errors.ConflictError),
    ],
)
def test_sqlite_is_understood_by_its_codes(code: int, expected: type[errors.LockstepError]) -> None:
    """An extended code counts as its primary one, unless it says more."""
    failure = failures.explain(sqlite_error(code), "/var/lib/lockstep.db")
    assert type(failure) is expected
    assert "/var/lib/lockstep.db" in failure.message
    assert failure.remedy


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("08006", errors.UnreachableError),
        ("22021", errors.InputError),
        ("23505", errors.ConflictError),
        ("25006", errors.ForbiddenError),
        ("25P03", errors.UnreachableError),
        ("40001", errors.ConflictError),
        ("40P01", errors.ConflictError),
        ("42501", errors.ForbiddenError),
        ("53100", errors.TemporaryError),
        ("53300", errors.UnreachableError),
        ("55P03", errors.UnreachableError),
        ("57P01", errors.UnreachableError),
        ("57014", errors.UnreachableError),
        ("58030", errors.UnreachableError),
        ("XX001", errors.IntegrityError),
    ],
)
def test_postgresql_is_understood_by_its_states(state: str, expected: type[errors.LockstepError]) -> None:
    """A whole state says more than its class; no text of a message matters."""
    failure = failures.explain(psycopg.errors.lookup(state)("as PostgreSQL puts it"), "postgresql://db/lockstep")
    assert type(failure) is expected
    assert "postgresql://db/lockstep" in failure.message
    assert failure.remedy


@pytest.mark.parametrize(
    "error",
    [
        sqlite_error(sqlite3.SQLITE_ERROR),
        sqlite_error(sqlite3.SQLITE_CONSTRAINT_NOTNULL),
        sqlite3.ProgrammingError("no code at all"),
        psycopg.errors.UndefinedTable("no such table"),
        psycopg.errors.NotNullViolation("null"),
        ValueError("not of a database"),
    ],
)
def test_our_own_mistakes_are_not_explained_away(error: Exception) -> None:
    """A wrong statement is no reason to try again, and no fault of the database."""
    assert failures.explain(error, "x") is None


@pytest.mark.parametrize("kind", [psycopg.OperationalError, psycopg.errors.ConnectionTimeout, psycopg.InterfaceError])
def test_a_lost_connection_has_no_state_and_is_understood(kind: type[psycopg.Error]) -> None:
    """What the driver finds out without the server is that the server is away."""
    assert type(failures.explain(kind("gone\nsecond line"), "x")) is errors.UnreachableError
