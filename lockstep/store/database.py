"""One database behind one small interface: a SQLite file, or PostgreSQL.

Traps that this module exists for: the ``sqlite3`` driver begins transactions late and as readers, so two
writers meet in the middle (``isolation_level=None`` and ``BEGIN IMMEDIATE`` instead); threads that meet at
SQLite's lock sleep and starve each other (they queue here first); a process that is frozen inside a
transaction holds its locks for as long (PostgreSQL ends its session after a while).
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from enum import Enum
from functools import partial

import psycopg
import sqlalchemy
from sqlalchemy import URL, Connection, Engine, Table, event, func, make_url, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry

from lockstep import errors
from lockstep.store import failures, files

# A transaction of ours takes milliseconds. One that stands still this long belongs to a process that is frozen
# or cut off; one that waits this long for another's lock is told so. Milliseconds, as PostgreSQL counts.
_SESSION = "-c idle_in_transaction_session_timeout=10000 -c lock_timeout=20000"
# A server that vanished from the network is noticed within about half a minute (libpq, "Parameter Key Words").
_NETWORK = {"connect_timeout": "10", "keepalives_idle": "10", "keepalives_interval": "5", "keepalives_count": "3"}
# The first half of our advisory locks, which are numbers that all users of a database share: "lock" in ASCII.
_LOCKS = 0x6C6F636B
# A connection that rested for longer than this is tried before it is used, in seconds; where it keeps since when.
_REST_SECONDS = 1.0
_RESTS = "lockstep_rests"
# Where a transaction keeps what is to be called after its commit.
_FOLLOWERS = "lockstep_followers"


class Database:
    """Transactions on one database. Safe to share between threads.

    Args:
        engine: SQLAlchemy's connections to it.
        address: Its name for people, without a password.
        turns: Hands the right to write to one thread after another, where the database itself does not.
    """

    def __init__(self, engine: Engine, *, address: str, turns: files.Turns | None = None) -> None:
        self.engine = engine
        self.address = address
        self._turns = turns

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self.engine.dialect.name

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction that may write: committed at the end, rolled back on any error.

        Raises:
            UnreachableError: The database does not answer, or stays locked.
            ConflictError: Somebody else wrote the same at the same moment.
            TemporaryError: Its disk is full.
        """
        followers: list[Callable[[], None]] = []
        turn = self._turns.take(self.address) if self._turns else contextlib.nullcontext()
        with failures.translated(self.address), turn, self.engine.begin() as connection:
            yield connection.execution_options(**{_FOLLOWERS: followers})
        for follower in followers:
            follower()

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """One transaction that sees one moment, and cannot write.

        Raises:
            UnreachableError: The database does not answer.
        """
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        if self.dialect == "sqlite":
            options = {files.READS: True}
        with (
            failures.translated(self.address),
            self.engine.connect().execution_options(**options) as connection,
        ):
            yield connection

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


def after_commit(connection: Connection, call: Callable[[], None]) -> None:
    """Call this once the transaction of ``Database.write`` is committed; never when it is rolled back."""
    followers: list[Callable[[], None]] = connection.get_execution_options()[_FOLLOWERS]
    followers.append(call)


class Lock(Enum):
    """What only one transaction does at a time."""

    CLAIM = 1
    MIGRATE = 2


def lock(connection: Connection, what: Lock) -> datetime:
    """Wait until nobody else does this, and keep them out until the transaction ends; the time then.

    On SQLite a transaction that may write is alone anyway.
    """
    if connection.dialect.name == "postgresql":
        # Both in one statement. The outer one reads what the inner one returns, so it looks at the clock after it.
        locked = select(func.pg_advisory_xact_lock(_LOCKS, what.value).label("locked")).offset(0).subquery()
        moment: datetime = connection.execute(select(locked.c.locked, func.clock_timestamp())).one()[1]
        return moment.astimezone(UTC)
    return datetime.now(UTC)


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
        InputError: The URL is no such thing, or names a place that cannot hold a database.
        UnreachableError: The database does not answer, or does not let us in.
        IntegrityError: What is there is no database.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise errors.InputError(
            "The database URL cannot be read.", remedy="Write sqlite:///FILE or postgresql://USER@HOST/NAME."
        ) from None
    backend = parsed.get_backend_name()
    if backend == "sqlite" and parsed.database not in (None, "", ":memory:"):
        file = files.prepare(str(parsed.database))
        database = Database(files.engine(file), address=str(file), turns=files.Turns())
    elif backend == "postgresql":
        database = Database(_postgresql(parsed), address=parsed.render_as_string(hide_password=True))
    else:
        raise errors.InputError(
            f"{parsed.render_as_string(hide_password=True)} is not a database that Lockstep can use.",
            remedy="Write sqlite:///FILE (a file, not memory) or postgresql://USER@HOST/NAME.",
        )
    with database.read() as connection:
        connection.execute(select(1))
    return database


def _postgresql(url: URL) -> Engine:
    """Connections with our defaults; what the URL itself says goes before them."""
    query = dict(url.query)
    options = query.pop("options", "")
    defaults = {name: value for name, value in _NETWORK.items() if name not in query}
    engine = sqlalchemy.create_engine(
        url.set(drivername="postgresql+psycopg", query=query),
        connect_args={**defaults, "options": f"{_SESSION} {options}".rstrip()},
        pool_size=20,
        max_overflow=20,
        pool_use_lifo=True,
        hide_parameters=True,
    )
    event.listen(engine, "checkin", _note_rest)
    event.listen(engine, "checkout", partial(_ping_after_rest, engine))
    return engine


def _note_rest(_connection: object, record: ConnectionPoolEntry) -> None:
    record.info[_RESTS] = time.monotonic()


def _ping_after_rest(engine: Engine, connection: DBAPIConnection, record: ConnectionPoolEntry, _proxy: object) -> None:
    """Try a connection that has rested, before it is used: the server may have ended it meanwhile.

    One that was used just now is not tried, because that would cost as much as what it is used for.
    """
    if time.monotonic() - record.info.get(_RESTS, time.monotonic()) > _REST_SECONDS:
        try:
            engine.dialect.do_ping(connection)
        except psycopg.Error as error:
            raise DisconnectionError from error
