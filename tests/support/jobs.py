"""Jobs as tests need them, and what the database says of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from sqlalchemy import select

from lockstep import work
from lockstep.engine.tables import jobs, slots
from lockstep.store.database import Database

Push: TypeAlias = Callable[..., list[int]]


def job(name: str = "", **wishes: Any) -> work.Job:
    """A job without meaning; ``name`` is its coalescing key."""
    return work.Job(kind=work.Kind.TASK, payload={"name": name}, coalesce=name, **wishes)


def rows(database: Database) -> dict[int, dict[str, Any]]:
    """All jobs by their id, as they are stored."""
    with database.read() as connection:
        return {row.id: dict(row._mapping) for row in connection.execute(select(jobs).order_by(jobs.c.id))}


def states(database: Database) -> dict[int, str]:
    """The state of each job."""
    return {id_: row["state"] for id_, row in rows(database).items()}


def running_by_key(database: Database) -> dict[str, int]:
    """The counters that are not at 0."""
    with database.read() as connection:
        return {row.key: row.running for row in connection.execute(select(slots)) if row.running}


def asked(database: Database) -> list[tuple[str, Any]]:
    """Kind and payload of the jobs that were asked for, in order."""
    return [(row["kind"], row["payload"]) for row in rows(database).values()]
