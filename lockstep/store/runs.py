"""Runs: each with its snapshot, how it stands, and which of an application's runs may go on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from lockstep import errors
from lockstep.store.tables import runs
from lockstep.values import Json

# PostgreSQL's advisory locks are pairs of numbers: here what for ("runs" in ASCII), and a hash of which.
_APPLICATIONS = 0x72756E73
_COLUMNS = [column for column in runs.c if column.name != "snapshot"]


@dataclass(frozen=True, slots=True, kw_only=True)
class New:
    """A run to be stored. ``state`` is pending or running."""

    name: str
    pipeline: str
    snapshot: Json = field(repr=False)
    state: str
    reason: str
    message: str = ""
    application: str = ""
    revision: str = ""
    cause: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run as it stands, without its snapshot.

    ``state`` is pending, running or ended; ``status``, ``reason`` and ``message`` are the condition Succeeded.
    """

    id: int
    name: str
    pipeline: str
    application: str
    revision: str
    cause: Json
    state: str
    status: str
    reason: str
    message: str
    results: Sequence[Json]
    skipped: Sequence[Json]
    requested: str
    superseded_by: str
    created_at: datetime
    started_at: datetime | None
    finally_at: datetime | None
    ended_at: datetime | None

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.state == "ended"


def add(connection: Connection, new: New, *, at: datetime) -> int:
    """Store a run; its id.

    Raises:
        ConflictError: There is a run of this name.
    """
    if connection.execute(select(runs.c.id).where(runs.c.name == new.name)).first():
        raise errors.ConflictError(f"There is a run {new.name!r} already.", remedy="Give this one another name.")
    values = {name: getattr(new, name) for name in New.__dataclass_fields__}
    started = at if new.state == "running" else None
    statement = insert(runs).values(**values, status="Unknown", created_at=at, started_at=started)
    return int(connection.execute(statement.returning(runs.c.id)).scalar_one())


def get(connection: Connection, run: int) -> Run:
    """The run of this id.

    Raises:
        NotFoundError: There is none.
    """
    return _one(connection, run)


def lock(connection: Connection, run: int) -> Run:
    """The run of this id, which nobody else changes until this transaction ends.

    Raises:
        NotFoundError: There is none.
    """
    return _one(connection, run, lock=True)


def named(connection: Connection, name: str) -> Run:
    """The run of this name.

    Raises:
        NotFoundError: There is none.
    """
    row = connection.execute(select(*_COLUMNS).where(runs.c.name == name)).mappings().one_or_none()
    if row is None:
        raise errors.NotFoundError(f"There is no run {name!r}.", remedy="List the runs to see their names.")
    return Run(**row)


def listed(connection: Connection, *, application: str = "", before: int = 0, most: int = 50) -> list[Run]:
    """Runs, the newest first; of one application, and older than an id, where these are given."""
    statement = select(*_COLUMNS).order_by(runs.c.id.desc()).limit(most)
    if application:
        statement = statement.where(runs.c.application == application)
    if before:
        statement = statement.where(runs.c.id < before)
    return [Run(**row) for row in connection.execute(statement).mappings()]


def unended(connection: Connection, *, application: str = "") -> list[Run]:
    """Runs that have not ended, the oldest first; of one application where it is given."""
    statement = select(*_COLUMNS).where(runs.c.state != "ended").order_by(runs.c.id)
    if application:
        statement = statement.where(runs.c.application == application)
    return [Run(**row) for row in connection.execute(statement).mappings()]


def snapshot(connection: Connection, run: int) -> Json:
    """The snapshot of a run."""
    return connection.execute(select(runs.c.snapshot).where(runs.c.id == run)).scalar_one()


def change(connection: Connection, run: int, **values: Any) -> None:
    """Write columns of a run."""
    connection.execute(update(runs).where(runs.c.id == run).values(**values))


def lock_application(connection: Connection, application: str) -> None:
    """Let nobody else start or end a run of this application until this transaction ends.

    SQLite has one writer at a time anyway.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_APPLICATIONS, func.hashtext(application))))


def _one(connection: Connection, run: int, *, lock: bool = False) -> Run:
    statement = select(*_COLUMNS).where(runs.c.id == run)
    row = connection.execute(statement.with_for_update() if lock else statement).mappings().one_or_none()
    if row is None:
        raise errors.NotFoundError(f"There is no run with the id {run}.")
    return Run(**row)
