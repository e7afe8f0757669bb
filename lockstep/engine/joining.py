"""Jobs come into the queue, for the first time or again, and those for the same thing join.

At most one *queued* job has a coalescing key; a unique index holds that. A request that finds one joins it;
a job that has to run again while another one is queued leaves its work to that one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Float, bindparam, case, literal, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.dml import ReturningInsert

from lockstep import errors, work
from lockstep.engine.tables import JOINABLE, NOTHING, TIME, State, jobs
from lockstep.store import moments

# Nobody is made to wait longer than this at once; a moment further ahead was set by a clock that was wrong.
LONGEST_WAIT_SECONDS = 86_400.0

# How often another transaction may queue a twin between our look and our write before we let it be.
_TRIES = 10


def enqueue(connection: Connection, requests: Sequence[work.Job], *, now: datetime | None) -> list[int]:
    """Queue jobs, or let them join those that are queued already.

    A joined job keeps its payload and its place in the line. It starts later by the new request's delay, but
    never beyond the longest wait of the first request, and never earlier than it would have. Its priority is
    the higher one, and its failures are forgotten: the new request is owed attempts of its own.

    Args:
        connection: The transaction that gives the reason for the jobs.
        requests: The jobs.
        now: The engine's time; None for that of the database.

    Returns:
        The id of the job that does each request's work, in the order of the requests.

    Raises:
        InputError: A request cannot be kept: a limit key without a colon, a payload that is not JSON.
    """
    ids: dict[int, int] = {}
    plain = [position for position, request in enumerate(requests) if not request.coalesce]
    if plain:
        rows = [_row(requests[position], now) for position in plain]
        ids.update(zip(plain, connection.execute(_ADD, rows).scalars(), strict=True))
    for wave in _waves(requests):
        rows = [_row(requests[position], now) for position in wave]
        joined = {row.coalesce_key: row.id for row in connection.execute(_JOIN[connection.dialect.name], rows)}
        ids.update((position, joined[requests[position].coalesce]) for position in wave)
    return [ids[position] for position in range(len(requests))]


def put_back(connection: Connection, job: int, values: Mapping[str, Any], *, now: datetime, wait: float) -> int:
    """Queue a job again that ran or had ended: the same row, ``wait`` seconds later.

    When a twin (a job with the same coalescing key) is queued meanwhile, this one ends as ``joined`` and the
    twin does the work, ``wait`` seconds from now at the earliest.

    Args:
        connection: The transaction in which this worker or person holds the job.
        job: Its id.
        values: Other columns to write with it.
        now: The engine's time.
        wait: Seconds.

    Returns:
        The id of the job that does the work.

    Raises:
        ConflictError: Twins come and go faster than we can look.
    """
    run_at = now + timedelta(seconds=_bounded(wait))
    row = connection.execute(select(jobs.c.coalesce_key, jobs.c.priority).where(jobs.c.id == job)).one()
    again = {
        "state": State.QUEUED.value,
        "run_at": run_at,
        "waits_for": TIME if wait > 0 else NOTHING,
        "ended_at": None,
    }
    for _ in range(_TRIES):
        twin = _find_twin(connection, row.coalesce_key)
        if twin is not None:
            _leave_to(connection, twin, priority=row.priority, run_at=run_at, now=now)
            values = {**values, "state": State.JOINED.value, "joined": twin, "ended_at": now}
            connection.execute(update(jobs).where(jobs.c.id == job).values(values))
            return twin
        try:
            with connection.begin_nested():
                connection.execute(update(jobs).where(jobs.c.id == job).values({**values, **again}))
        except IntegrityError:
            continue
        return job
    raise errors.ConflictError(f"Job {job} cannot be queued again: others for the same thing come and go.")


def _bounded(seconds: float) -> float:
    """How long a job is really made to wait: not less than nothing, and never without end."""
    return min(max(0.0, seconds), LONGEST_WAIT_SECONDS)


def _row(request: work.Job, now: datetime | None) -> dict[str, Any]:
    for key in request.limits:
        if not key.partition(":")[1]:
            raise errors.InputError(f"The limit key {key!r} has no colon.", remedy="Write it as kind:name.")
    delay = _bounded(request.delay_seconds)
    return {
        "kind": request.kind.value,
        "payload": dict(request.payload),
        "coalesce_key": request.coalesce,
        "limits": sorted(set(request.limits)),
        "priority": request.priority,
        "state": State.QUEUED.value,
        "waits_for": TIME if delay else NOTHING,
        "attempts": request.attempts,
        "now": now,
        "delay": delay,
        "longest": max(delay, _bounded(request.longest_wait_seconds)),
    }


def _waves(requests: Sequence[work.Job]) -> Iterator[list[int]]:
    """Positions of the requests that coalesce, grouped so that no key is twice in one group.

    One statement may not write a row twice. Inside a group the keys are in order, so that two transactions
    seldom wait for each other in a circle.
    """
    seen: Counter[str] = Counter()
    waves: list[list[int]] = []
    for position, request in enumerate(requests):
        if request.coalesce:
            if seen[request.coalesce] == len(waves):
                waves.append([])
            waves[seen[request.coalesce]].append(position)
            seen[request.coalesce] += 1
    for wave in waves:
        yield sorted(wave, key=lambda position: requests[position].coalesce)


def _find_twin(connection: Connection, key: str) -> int | None:
    if not key:
        return None
    twin = select(jobs.c.id).where(JOINABLE, jobs.c.coalesce_key == key).with_for_update()
    return connection.execute(twin).scalar_one_or_none()


def _leave_to(connection: Connection, twin: int, *, priority: int, run_at: datetime, now: datetime) -> None:
    asked, then = (literal(moment, jobs.c.run_at.type) for moment in (run_at, now))
    raised = _most(jobs.c.priority, literal(priority))
    connection.execute(update(jobs).where(jobs.c.id == twin).values(priority=raised, **_postponed(asked, then)))


def _postponed(asked: ColumnElement[datetime], now: ColumnElement[datetime]) -> dict[str, ColumnElement[Any]]:
    """A queued job starts at the moment that is asked for, unless it starts later anyway."""
    run_at = _most(jobs.c.run_at, asked)
    return {"run_at": run_at, "waits_for": case((run_at > now, TIME), else_=jobs.c.waits_for)}


def _least(one: ColumnElement[Any], other: ColumnElement[Any]) -> ColumnElement[Any]:
    return case((one < other, one), else_=other)


def _most(one: ColumnElement[Any], other: ColumnElement[Any]) -> ColumnElement[Any]:
    return case((one > other, one), else_=other)


def _joining(insert: postgresql.Insert | sqlite.Insert) -> ReturningInsert[Any]:
    new = insert.excluded
    asked = _least(new.run_at, jobs.c.latest_at)
    return (
        insert.values(_MOMENTS)
        .on_conflict_do_update(
            index_elements=[jobs.c.coalesce_key],
            index_where=JOINABLE,
            set_={"priority": _most(jobs.c.priority, new.priority), "failures": 0, **_postponed(asked, new.created_at)},
        )
        .returning(jobs.c.coalesce_key, jobs.c.id)
    )


# The statements are made once: making one costs as much as running it.
_MOMENTS = {
    "created_at": moments.NOW,
    "run_at": moments.after(moments.NOW, bindparam("delay", type_=Float())),
    "latest_at": moments.after(moments.NOW, bindparam("longest", type_=Float())),
}
_ADD = jobs.insert().values(_MOMENTS).returning(jobs.c.id, sort_by_parameter_order=True)
_JOIN = {"sqlite": _joining(sqlite.insert(jobs)), "postgresql": _joining(postgresql.insert(jobs))}
