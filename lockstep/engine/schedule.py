"""Jobs that are queued again and again: each tick once, however many processes look at the clock.

The row holds the moment of the next tick. Whoever moves it on queues the job in the same transaction; the
others find it moved. Ticks that nobody was there for collapse into one.
"""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta
from typing import TypeAlias

from sqlalchemy import Connection, Row, select, update

from lockstep import errors, work
from lockstep.engine.queue import Queue
from lockstep.engine.tables import schedules
from lockstep.store import database as databases
from lockstep.values import Json

_KINDS = frozenset(kind.value for kind in work.Kind)
_Row: TypeAlias = Row[str, Json, float, datetime]


class Schedule:
    """The ticks of an installation. Safe to share between threads.

    Args:
        database: Where the schedule is.
        queue: Where the jobs go; its time is the schedule's.
    """

    def __init__(self, database: databases.Database, queue: Queue) -> None:
        self._database = database
        self._queue = queue

    def ensure(self, connection: Connection, name: str, job: work.Job, every_seconds: float) -> None:
        """Queue this job at once and then every so many seconds; what was set under this name before ends.

        A schedule that is there keeps its next tick, unless it is further away than the new interval.

        Raises:
            InputError: The interval is shorter than a second.
        """
        if not every_seconds >= 1.0:
            raise errors.InputError(f"The schedule {name} has an interval of {every_seconds} s.", remedy="Make it 1 s.")
        now = self._queue.now(connection)
        row = {"job": _stored(job), "every_seconds": every_seconds}
        insert = databases.insert(connection, schedules).values(name=name, next_at=now, **row)
        connection.execute(insert.on_conflict_do_update(index_elements=[schedules.c.name], set_=row))
        soonest = now + timedelta(seconds=every_seconds)
        late = schedules.c.name == name, schedules.c.next_at > soonest
        connection.execute(update(schedules).where(*late).values(next_at=soonest))

    def tick(self) -> int:
        """Queue the jobs whose time has come; how many."""
        with self._database.read() as connection:
            due = _due(connection, self._queue.now(connection))
        if not due:
            return 0
        with self._database.write() as connection:
            now = self._queue.now(connection)
            return sum(self._fire(connection, row, now) for row in _due(connection, now))

    def _fire(self, connection: Connection, row: _Row, now: datetime) -> bool:
        mine = schedules.c.name == row.name, schedules.c.next_at == row.next_at
        after = next_tick(row.next_at, row.every_seconds, now)
        if not connection.execute(update(schedules).where(*mine).values(next_at=after)).rowcount:
            return False
        self._queue.enqueue(connection, _read(row.job))
        return True


def _due(connection: Connection, now: datetime) -> list[_Row]:
    """The rows whose moment has come, or was set by a clock that was wrong.

    There are few rows altogether. One of a kind that this program does not know is left to a newer program.
    """
    rows = select(schedules.c.name, schedules.c.job, schedules.c.every_seconds, schedules.c.next_at)
    return [
        row
        for row in connection.execute(rows.order_by(schedules.c.name))
        if row.job["kind"] in _KINDS
        and (row.next_at <= now or row.next_at > now + timedelta(seconds=row.every_seconds))
    ]


def next_tick(last: datetime, every_seconds: float, now: datetime) -> datetime:
    """The first tick after ``now`` in the rhythm of the last one; from ``now`` on when that one lies ahead."""
    if last > now:
        return now + timedelta(seconds=every_seconds)
    every = timedelta(seconds=every_seconds)
    return last + every * ((now - last) // every + 1)


def _stored(job: work.Job) -> Json:
    return {**dataclasses.asdict(job), "kind": job.kind.value, "payload": dict(job.payload)}


def _read(stored: Json) -> work.Job:
    return work.Job(**{**stored, "kind": work.Kind(stored["kind"]), "limits": tuple(stored["limits"])})
