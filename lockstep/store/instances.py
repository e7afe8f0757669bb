"""The processes that serve: each says again and again that it is there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select

from lockstep.store import database
from lockstep.store.tables import instances

# A process that was silent for so long is not worth a line on a page any more.
_FORGOTTEN = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One process. ``url``: where it answers; empty when it only works."""

    id: str
    url: str
    started_at: datetime
    seen_at: datetime


def announce(connection: Connection, instance: str, *, url: str) -> None:
    """This process is there, and answers at this address. Call it more often than others ask."""
    now = database.now(connection)
    insert = database.insert(connection, instances).values(id=instance, url=url, started_at=now, seen_at=now)
    connection.execute(insert.on_conflict_do_update(index_elements=[instances.c.id], set_={"url": url, "seen_at": now}))
    connection.execute(delete(instances).where(instances.c.seen_at < now - _FORGOTTEN))


def withdraw(connection: Connection, instance: str) -> None:
    """This process ends in order."""
    connection.execute(delete(instances).where(instances.c.id == instance))


def alive(connection: Connection, within: timedelta) -> list[Instance]:
    """The processes that were heard of within this time, the oldest first.

    One that seems to speak from the future died before the clock was set back.
    """
    now = database.now(connection)
    found = connection.execute(
        select(instances)
        .where(instances.c.seen_at > now - within, instances.c.seen_at < now + within)
        .order_by(instances.c.started_at, instances.c.id)
    )
    return [Instance(id=row.id, url=row.url, started_at=row.started_at, seen_at=row.seen_at) for row in found]
