"""Which commit of an application was last seen at each ref, and which refs somebody said were pushed."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, select, update

from lockstep.store import database as databases
from lockstep.store.tables import pushed, triggered


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The commit that was last seen at a ref, and whether a run was started for it."""

    oid: str
    started: bool


def seen(connection: Connection, application: str) -> dict[str, Seen]:
    """What was last seen at each ref."""
    statement = select(triggered).where(triggered.c.application == application)
    return {row.ref: Seen(oid=row.oid, started=row.started) for row in connection.execute(statement)}


def saw(connection: Connection, application: str, ref: str, now: Seen, *, before: Seen | None, at: datetime) -> bool:
    """Write down what is seen at a ref, if what was seen before still holds; whether it does."""
    values = {"oid": now.oid, "started": now.started, "at": at}
    if before is None:
        statement = databases.insert(connection, triggered).values(application=application, ref=ref, **values)
        added = statement.on_conflict_do_nothing().returning(triggered.c.ref)
        return connection.execute(added).first() is not None
    moved = update(triggered).where(
        triggered.c.application == application,
        triggered.c.ref == ref,
        triggered.c.oid == before.oid,
        triggered.c.started == before.started,
    )
    return connection.execute(moved.values(**values).returning(triggered.c.ref)).first() is not None


def push(connection: Connection, repository: str, refs: Iterable[str], *, at: datetime) -> None:
    """Remember that somebody said that these refs were pushed."""
    for ref in refs:
        statement = databases.insert(connection, pushed).values(repository=repository, ref=ref, at=at)
        connection.execute(
            statement.on_conflict_do_update(index_elements=[pushed.c.repository, pushed.c.ref], set_={"at": at})
        )


def pushes(connection: Connection, repository: str) -> set[str]:
    """The refs of a repository that were said to be pushed and that no trigger has looked at yet."""
    return set(connection.execute(select(pushed.c.ref).where(pushed.c.repository == repository)).scalars())


def pushed_since(connection: Connection, repository: str, after: datetime) -> datetime | None:
    """When something was first said to be pushed to a repository after a moment; None when nothing was."""
    statement = select(func.min(pushed.c.at)).where(pushed.c.repository == repository, pushed.c.at > after)
    first: datetime | None = connection.execute(statement).scalar_one()
    return first


def looked_at(connection: Connection, repository: str, refs: Collection[str], *, before: datetime) -> None:
    """Forget what was said of these refs, and what was said so long ago that it will never be seen."""
    connection.execute(delete(pushed).where(pushed.c.repository == repository, pushed.c.ref.in_(list(refs))))
    connection.execute(delete(pushed).where(pushed.c.at < before))
