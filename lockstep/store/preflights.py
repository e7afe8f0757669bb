"""Reports of preflights: kept whole, the newest of a pair with its age."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, select

from lockstep import errors
from lockstep.store.tables import preflights
from lockstep.values import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A report as it is listed, without what is large. ``application`` is empty for all that the pair protects."""

    name: str
    pair: str
    application: str
    verdict: str
    statement: str
    by: str
    at: datetime


_KEPT = tuple(preflights.c[name] for name in Kept.__dataclass_fields__)


def record(connection: Connection, kept: Kept, report: Json) -> None:
    """Keep a report."""
    values = {name: getattr(kept, name) for name in Kept.__dataclass_fields__}
    connection.execute(insert(preflights).values(**values, report=report))


def newest(connection: Connection) -> dict[str, Kept]:
    """The newest report of every pair about all that it protects, by pair."""
    ids = select(func.max(preflights.c.id)).where(preflights.c.application == "").group_by(preflights.c.pair)
    found = connection.execute(select(*_KEPT).where(preflights.c.id.in_(ids)))
    return {row.pair: Kept(**row._asdict()) for row in found}


def before(connection: Connection, pair: str, application: str) -> Json | None:
    """The newest report of a pair and scope, whole; None when there is none."""
    scope = preflights.c.pair == pair, preflights.c.application == application
    statement = select(preflights.c.report).where(*scope).order_by(preflights.c.id.desc()).limit(1)
    return connection.execute(statement).scalar_one_or_none()


def named(connection: Connection, name: str) -> Json:
    """The report of this name, whole. Raises NotFoundError."""
    found = connection.execute(select(preflights.c.report).where(preflights.c.name == name)).scalar_one_or_none()
    if found is None:
        raise errors.NotFoundError(f"There is no preflight {name!r}.", remedy="Run lockstep preflight PAIR.")
    return found
