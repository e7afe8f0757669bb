"""Comparisons as a whole: the newest of each application over each pair, and what it explained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import ReturningInsert

from lockstep.store import database
from lockstep.store.tables import explained, scans
from lockstep.values import Json, Verdict

_ENDED = select(scans.c.ended_at).where(
    scans.c.application == bindparam("of_application"), scans.c.pair == bindparam("of_pair")
)
_PLACE = ("application", "pair")
_COLUMNS = tuple(column.name for column in scans.c)


def _newest(statement: postgresql.Insert | sqlite.Insert) -> ReturningInsert[tuple[str]]:
    """Write a comparison in the place of an older one; when it was last in step stays known."""
    new = statement.excluded
    values = {name: new[name] for name in _COLUMNS if name not in (*_PLACE, "in_step_at")}
    return statement.on_conflict_do_update(
        index_elements=_PLACE,
        set_={**values, "in_step_at": func.coalesce(new.in_step_at, scans.c.in_step_at)},
        where=scans.c.started_at <= new.started_at,
    ).returning(scans.c.pair)


_NEWEST = {"postgresql": _newest(postgresql.insert(scans)), "sqlite": _newest(sqlite.insert(scans))}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """One comparison of an application over a pair, as a whole.

    ``explained`` are the differences that may be, as they are shown; None when they are those that are stored.
    """

    application: str
    pair: str
    verdict: Verdict
    revision: str
    stance: str
    coverage: Mapping[str, Json]
    counts: Mapping[str, int]
    problem: str
    objects: int
    started_at: datetime
    ended_at: datetime
    explained: Sequence[Json] | None = ()


def record(connection: Connection, scan: Scan) -> bool:
    """Write the newest comparison; False when a later one is there already."""
    values = {
        "application": scan.application,
        "pair": scan.pair,
        "verdict": scan.verdict.value,
        "revision": scan.revision,
        "stance": scan.stance,
        "coverage": dict(scan.coverage),
        "counts": dict(scan.counts),
        "problem": scan.problem,
        "objects": scan.objects,
        "started_at": scan.started_at,
        "ended_at": scan.ended_at,
        "in_step_at": scan.ended_at if scan.verdict.is_in_step else None,
    }
    written = connection.execute(_NEWEST[connection.dialect.name], values)
    if written.first() is None:
        return False
    if scan.explained is not None:
        _record_explained(connection, scan, scan.explained)
    return True


def _record_explained(connection: Connection, scan: Scan, rows: Sequence[Json]) -> None:
    statement = database.insert(connection, explained).values(
        application=scan.application, pair=scan.pair, rows=list(rows)
    )
    connection.execute(
        statement.on_conflict_do_update(index_elements=_PLACE, set_={"rows": statement.excluded["rows"]})
    )


def last_compared(connection: Connection) -> dict[tuple[str, str], datetime]:
    """When each application was last compared over each pair."""
    rows = connection.execute(select(scans.c.application, scans.c.pair, scans.c.ended_at))
    return {(row.application, row.pair): row.ended_at for row in rows}


def last_ended(connection: Connection, scan: Scan) -> datetime | None:
    """When the comparison that is recorded ended."""
    return connection.execute(_ENDED, {"of_application": scan.application, "of_pair": scan.pair}).scalar_one_or_none()
