"""Runs: each with its snapshot, how it stands, and which of an application's runs may go on."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, delete, func, insert, select, update

from lockstep import errors
from lockstep.store.tables import approvals, runs
from lockstep.values import Json

# PostgreSQL's advisory locks are pairs of numbers: here what for ("runs" in ASCII), and a hash of which.
_APPLICATIONS = 0x72756E73


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
    """A run as it stands, without what is large.

    ``state`` is pending, running or ended; ``status``, ``reason`` and ``message`` are the condition Succeeded;
    ``waiting`` counts the questions to people that are open.
    """

    id: int
    name: str
    pipeline: str
    application: str
    revision: str
    cause: Mapping[str, Json]
    state: str
    status: str
    reason: str
    message: str
    requested: str
    superseded_by: str
    created_at: datetime
    started_at: datetime | None
    finally_at: datetime | None
    ended_at: datetime | None
    waiting: int

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.state == "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A run with what is large: the documents that it was made of, its results, what it skipped."""

    run: Run
    snapshot: Mapping[str, Json] = field(repr=False)
    results: Sequence[Json]
    skipped: Sequence[Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which runs are asked for; an empty field asks for all. ``state`` may also be ``waiting``."""

    application: str = ""
    state: str = ""


_WAITING = (
    select(func.count())
    .select_from(approvals)
    .where(approvals.c.run == runs.c.id, approvals.c.state == "pending")
    .scalar_subquery()
)
_RUN = (*(runs.c[name] for name in Run.__dataclass_fields__ if name != "waiting"), _WAITING.label("waiting"))


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
    return _one(connection, select(*_RUN).where(runs.c.id == run), f"with the id {run}")


def succeeded(connection: Connection, pipeline: str, *, most: int) -> list[Whole]:
    """The runs of a pipeline that ended well, the newest first."""
    ended = runs.c.pipeline == pipeline, runs.c.state == "ended", runs.c.status == "True"
    ids = connection.scalars(select(runs.c.id).where(*ended).order_by(runs.c.id.desc()).limit(most)).all()
    return [whole(connection, run) for run in ids]


def lock(connection: Connection, run: int) -> Run:
    """The run of this id, which nobody else changes until this transaction ends.

    Raises:
        NotFoundError: There is none.
    """
    statement = select(*_RUN).where(runs.c.id == run).with_for_update(of=runs)
    return _one(connection, statement, f"with the id {run}")


def named(connection: Connection, name: str) -> Run:
    """The run of this name.

    Raises:
        NotFoundError: There is none.
    """
    return _one(connection, select(*_RUN).where(runs.c.name == name), repr(name))


def whole(connection: Connection, run: int) -> Whole:
    """The run of this id, with what is large.

    Raises:
        NotFoundError: There is none.
    """
    found = get(connection, run)
    large = select(runs.c.snapshot, runs.c.results, runs.c.skipped).where(runs.c.id == run)
    return Whole(run=found, **connection.execute(large).mappings().one())


def page(connection: Connection, wanted: Filter, *, before: int | None = None, limit: int = 50) -> list[Run]:
    """Runs, the newest first; ``before`` is the id of the last one of the page before."""
    conditions = _conditions(wanted)
    if before is not None:
        conditions.append(runs.c.id < before)
    return _listed(connection, select(*_RUN).where(*conditions).order_by(runs.c.id.desc()).limit(limit))


def unended(connection: Connection, *, application: str = "") -> list[Run]:
    """Runs that have not ended, the oldest first; of one application where it is given."""
    statement = select(*_RUN).where(runs.c.state != "ended").order_by(runs.c.id)
    return _listed(connection, statement.where(runs.c.application == application) if application else statement)


def newest(connection: Connection, applications: Collection[str]) -> dict[str, Run]:
    """The newest run of each application that has one."""
    ids = select(func.max(runs.c.id)).where(runs.c.application.in_(applications)).group_by(runs.c.application)
    return {run.application: run for run in _listed(connection, select(*_RUN).where(runs.c.id.in_(ids)))}


def newest_ended(connection: Connection) -> list[Run]:
    """The newest run of each application that has ended."""
    ended = (runs.c.state == "ended") & (runs.c.application != "")
    ids = select(func.max(runs.c.id)).where(ended).group_by(runs.c.application)
    return _listed(connection, select(*_RUN).where(runs.c.id.in_(ids)))


def counts(connection: Connection) -> dict[tuple[str, str], int]:
    """How many runs there are by state and reason."""
    statement = select(runs.c.state, runs.c.reason, func.count()).group_by(runs.c.state, runs.c.reason)
    return {(state, reason): int(count) for state, reason, count in connection.execute(statement)}


def snapshot(connection: Connection, run: int) -> Json:
    """The snapshot of a run."""
    return connection.execute(select(runs.c.snapshot).where(runs.c.id == run)).scalar_one()


def change(connection: Connection, run: int, **values: Any) -> None:
    """Write columns of a run."""
    connection.execute(update(runs).where(runs.c.id == run).values(**values))


def forget(connection: Connection, *, before: datetime, most: int = 20) -> int:
    """Delete the oldest runs that ended before a moment, with their tasks, steps, logs and answers.

    Args:
        connection: The caller's transaction.
        before: What ended earlier goes, but for the newest run of each application.
        most: How many at once, so that the transaction stays short.

    Returns:
        How many were deleted; call again while it is ``most``.
    """
    newest_ = select(func.max(runs.c.id)).where(runs.c.application != "").group_by(runs.c.application)
    old = (
        select(runs.c.id)
        .where(runs.c.state == "ended", runs.c.ended_at < before, runs.c.id.not_in(newest_))
        .order_by(runs.c.ended_at)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    return len(connection.execute(delete(runs).where(runs.c.id.in_(old)).returning(runs.c.id)).all())


def lock_application(connection: Connection, application: str) -> None:
    """Let nobody else start or end a run of this application until this transaction ends.

    SQLite has one writer at a time anyway.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_APPLICATIONS, func.hashtext(application))))


def _one(connection: Connection, statement: Select[Any], which: str) -> Run:
    row = connection.execute(statement).mappings().one_or_none()
    if row is None:
        raise errors.NotFoundError(f"There is no run {which}.", remedy="Look at the list of runs.")
    return Run(**row)


def _listed(connection: Connection, statement: Select[Any]) -> list[Run]:
    return [Run(**row) for row in connection.execute(statement).mappings()]


def _conditions(wanted: Filter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.application:
        conditions.append(runs.c.application == wanted.application)
    if wanted.state == "waiting":
        conditions.append(runs.c.id.in_(select(approvals.c.run).where(approvals.c.state == "pending")))
    elif wanted.state:
        conditions.append(runs.c.state == wanted.state)
    return conditions
