"""One database behind one small interface: a SQLite file, or PostgreSQL.

Traps that this module exists for: the ``sqlite3`` driver begins transactions late and as readers, so two
writers meet in the middle (``isolation_level=None`` and ``BEGIN IMMEDIATE`` instead); durability on SQLite is
``synchronous=FULL`` with WAL; a file of secrets is made with mode 0600 before SQLite opens it.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy
from sqlalchemy import Connection, Engine, Table, event, func, make_url, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

from lockstep import errors

# How long a writer waits for another's short transaction on SQLite, in seconds.
_BUSY_SECONDS = 30.0
# Where a transaction keeps what is to be called after its commit.
_FOLLOWERS = "lockstep_followers"


class Database:
    """Transactions on one database. Safe to share between threads."""

    def __init__(self, engine: Engine, *, address: str) -> None:
        self.engine = engine
        self.address = address

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self.engine.dialect.name

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction that may write: committed at the end, rolled back on any error.

        Raises:
            UnreachableError: The database does not answer, or stays locked.
        """
        followers: list[Callable[[], None]] = []
        with _typed(self.address), self.engine.begin() as connection:
            yield connection.execution_options(**{_FOLLOWERS: followers})
        for follower in followers:
            follower()

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """One transaction that only reads, and sees one moment.

        Raises:
            UnreachableError: The database does not answer.
        """
        with _typed(self.address), self.engine.connect().execution_options(lockstep_read=True) as connection:
            yield connection

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


def after_commit(connection: Connection, call: Callable[[], None]) -> None:
    """Call this once the transaction is committed; never when it is rolled back."""
    followers: list[Callable[[], None]] = connection.get_execution_options()[_FOLLOWERS]
    followers.append(call)


def now(connection: Connection) -> datetime:
    """The time by which processes measure each other: PostgreSQL's own, on SQLite that of the one machine."""
    if connection.dialect.name == "postgresql":
        moment: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
        return moment.astimezone(UTC)
    return datetime.now(UTC)


def insert(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An ``INSERT`` that knows ``ON CONFLICT``, which both databases write alike."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def open_database(url: str) -> Database:
    """Open a database by its URL: ``sqlite:///path/to/file.db`` or ``postgresql://user@host/name``.

    Raises:
        InputError: The URL is no such thing.
        UnreachableError: The database does not answer.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise errors.InputError(
            "The database URL cannot be read.", remedy="Write sqlite:///FILE or postgresql://USER@HOST/NAME."
        ) from None
    backend = parsed.get_backend_name()
    if backend == "sqlite" and parsed.database not in (None, "", ":memory:"):
        return _open_sqlite(Path(str(parsed.database)))
    if backend == "postgresql":
        engine = sqlalchemy.create_engine(
            parsed.set(drivername="postgresql+psycopg"), pool_size=20, max_overflow=20, pool_pre_ping=True
        )
        return Database(engine, address=parsed.render_as_string(hide_password=True))
    raise errors.InputError(
        f"{parsed.render_as_string(hide_password=True)} is not a database that Lockstep can use.",
        remedy="Write sqlite:///FILE (a file, not memory) or postgresql://USER@HOST/NAME.",
    )


def _open_sqlite(file: Path) -> Database:
    file.parent.mkdir(parents=True, exist_ok=True)
    # Made by us first, so that nobody but us can ever read it: SQLite would make it world-readable.
    os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
    engine = sqlalchemy.create_engine(
        f"sqlite:///{file}",
        connect_args={"timeout": _BUSY_SECONDS, "isolation_level": None, "check_same_thread": False},
        pool_size=20,
        max_overflow=20,
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return Database(engine, address=str(file))


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={int(_BUSY_SECONDS * 1000)}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    reads = connection.get_execution_options().get("lockstep_read", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


@contextlib.contextmanager
def _typed(address: str) -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        raise errors.UnreachableError(
            f"The database {address} does not answer: {_first_line(error)}",
            remedy="Check that it is running, reachable, not full, and that its URL is right.",
        ) from error


def _first_line(error: DBAPIError) -> str:
    return str(error.orig).partition("\n")[0]
