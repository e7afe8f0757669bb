"""What is in the queue: for pages and metrics."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, func, select

from lockstep.engine.tables import QUEUED, RUNNING, TROUBLED, State, jobs
from lockstep.values import Json

_INDEXED = {
    frozenset({State.FAILED, State.ASIDE}): TROUBLED,
    frozenset({State.QUEUED}): QUEUED,
    frozenset({State.RUNNING}): RUNNING,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One job as people see it."""

    id: int
    kind: str
    payload: Mapping[str, Json]
    coalesce: str
    limits: tuple[str, ...]
    priority: int
    state: State
    waits_for: str
    """While it is queued: empty, ``time``, or the limit key that is full."""
    run_at: datetime
    failures: int
    attempts: int
    crashes: int
    message: str
    """Why it waits, or how it ended."""
    joined: int | None
    """The job that does its work, when its state is ``joined``."""
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many jobs of a kind are in a state, and when the oldest of them was asked for."""

    kind: str
    state: State
    count: int
    oldest: datetime


def counts(connection: Connection) -> list[Tally]:
    """All jobs, by kind and state, in their order."""
    found = connection.execute(
        select(jobs.c.kind, jobs.c.state, func.count(), func.min(jobs.c.created_at))
        .group_by(jobs.c.kind, jobs.c.state)
        .order_by(jobs.c.kind, jobs.c.state)
    )
    return [Tally(kind=kind, state=State(state), count=count, oldest=oldest) for kind, state, count, oldest in found]


def listing(connection: Connection, *, states: Collection[State], most: int, before: int | None) -> list[Listed]:
    """The newest jobs in these states, the newest first.

    Args:
        connection: A transaction.
        states: Which; all when empty.
        most: How many.
        before: Only jobs with a lower id: the last one of the page before.
    """
    query = select(jobs).order_by(jobs.c.id.desc()).limit(most)
    if states:
        # In the words of an index where there is one, which SQLite would not see through a bound value.
        of_states = jobs.c.state.in_([state.value for state in states])
        query = query.where(_INDEXED.get(frozenset(states), of_states))
    if before is not None:
        query = query.where(jobs.c.id < before)
    return [_listed(row) for row in connection.execute(query)]


def waiting(connection: Connection, kind: str, *, above: int) -> list[Mapping[str, Json]]:
    """The payloads of the jobs of a kind that are queued with a priority above this one, the first to start first."""
    query = select(jobs.c.payload).where(QUEUED, jobs.c.kind == kind, jobs.c.priority > above)
    return list(connection.execute(query.order_by(jobs.c.priority.desc(), jobs.c.id)).scalars())


def _listed(row: Row[tuple[object, ...]]) -> Listed:
    return Listed(
        id=row.id,
        kind=row.kind,
        payload=row.payload,
        coalesce=row.coalesce_key,
        limits=tuple(row.limits),
        priority=row.priority,
        state=State(row.state),
        waits_for=row.waits_for if row.state == State.QUEUED.value else "",
        run_at=row.run_at,
        failures=row.failures,
        attempts=row.attempts,
        crashes=row.crashes,
        message=row.message,
        joined=row.joined,
        created_at=row.created_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
    )
