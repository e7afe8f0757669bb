"""What people let go although a guard held it: who, why, when, and by which exact ids."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from lockstep.store.tables import released_refs

# A statement may bind 32,766 values on SQLite (SQLITE_MAX_VARIABLE_NUMBER); a row has eight.
_ROWS = 1000


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Change:
    """One ref of a site, from one id to another; ``""`` for "not there"."""

    ref: str
    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One change that somebody let go; ``ended_at`` is None as long as it is still to be done."""

    repository: str
    site: str
    change: Change
    by: str
    reason: str
    at: datetime
    ended_at: datetime | None = None


def release(connection: Connection, released: Sequence[Release]) -> None:
    """Record what somebody let go; what is in force already stays as it was said first."""
    known: dict[tuple[str, str], set[Change]] = {}
    rows = []
    for one in released:
        place = (one.repository, one.site)
        if place not in known:
            known[place] = set(in_force(connection, *place))
        if one.change not in known[place]:
            known[place].add(one.change)
            rows.append(_row(one))
    for start in range(0, len(rows), _ROWS):
        connection.execute(insert(released_refs), rows[start : start + _ROWS])


def in_force(connection: Connection, repository: str, site: str) -> list[Change]:
    """The changes of a site that somebody let go and that are still to be done."""
    columns = (released_refs.c.ref, released_refs.c.old, released_refs.c.new)
    statement = select(*columns).where(
        released_refs.c.repository == repository, released_refs.c.site == site, released_refs.c.ended_at.is_(None)
    )
    return [Change(ref=row.ref, old=row.old, new=row.new) for row in connection.execute(statement)]


def end(connection: Connection, repository: str, site: str, changes: Iterable[Change], *, at: datetime) -> None:
    """These changes are done, or are no longer what was seen: they let nothing go any more."""
    statement = update(released_refs).where(
        released_refs.c.repository == repository,
        released_refs.c.site == site,
        released_refs.c.ref == bindparam("this_ref"),
        released_refs.c.old == bindparam("this_old"),
        released_refs.c.new == bindparam("this_new"),
        released_refs.c.ended_at.is_(None),
    )
    rows = [{"this_ref": one.ref, "this_old": one.old, "this_new": one.new} for one in changes]
    if rows:
        connection.execute(statement.values(ended_at=at), rows)


def newest(connection: Connection, repository: str, *, most: int = 50) -> list[Release]:
    """What was let go in a repository, the newest first."""
    statement = select(released_refs).where(released_refs.c.repository == repository)
    return [_release(row) for row in connection.execute(statement.order_by(released_refs.c.id.desc()).limit(most))]


def _row(one: Release) -> dict[str, Any]:
    return {
        "repository": one.repository,
        "site": one.site,
        "ref": one.change.ref,
        "old": one.change.old,
        "new": one.change.new,
        "by": one.by,
        "reason": one.reason,
        "at": one.at,
    }


def _release(row: Row[tuple[Any, ...]]) -> Release:
    return Release(
        repository=row.repository,
        site=row.site,
        change=Change(ref=row.ref, old=row.old, new=row.new),
        by=row.by,
        reason=row.reason,
        at=row.at,
        ended_at=row.ended_at,
    )
