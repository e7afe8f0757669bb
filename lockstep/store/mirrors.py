"""Git repositories: what their sources last said, what was written to each site, and how each site stands."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, and_, case, delete, func, null, select, update
from sqlalchemy.dialects import postgresql, sqlite

from lockstep.store.tables import git_mirrors, git_sources, written_refs
from lockstep.values import Json

# A statement may bind 32,766 values on SQLite (SQLITE_MAX_VARIABLE_NUMBER); a row of the ledger has five.
_ROWS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What the source of a repository last said.

    ``refs`` are those that are mirrored, ``unsound`` the lines that name no ref as text. ``checked_at`` is when
    it was last asked, ``changed_at`` when something else than before was last seen; ``problem`` says why it could
    not be read since, empty when it could.
    """

    repository: str
    head: str
    refs: Mapping[str, str]
    checked_at: datetime
    changed_at: datetime
    problem: str = ""
    unsound: tuple[str, ...] = ()

    def same_as(self, other: Source) -> bool:
        """Whether both say the same of the repository, whenever they did."""
        return (self.head, self.refs, self.unsound) == (other.head, other.refs, other.unsound)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a repository stands at a site.

    ``state`` is equal, behind, held, refused, unreachable or failed; ``detail`` lists what is not equal, and why.
    ``equal_at`` is since when it was equal to what the source had then; ``behind_since`` is when the source
    changed in the first way that did not reach this site, None while it is equal.
    """

    repository: str
    site: str
    state: str
    detail: Sequence[Json]
    head: str
    refs: int
    checked_at: datetime
    equal_at: datetime | None = None
    behind_since: datetime | None = None
    lag_of_newest: timedelta | None = None
    """From the push of the newest change that is at this site until it was verified there."""

    def lag(self, now: datetime) -> timedelta | None:
        """For how long something is at the source that is not at this site: zero when equal, None when nobody knows."""
        if self.behind_since:
            return now - self.behind_since
        return timedelta(0) if self.state == "equal" else None


def source(connection: Connection, repository: str) -> Source | None:
    """What a source last said; None when it was never asked."""
    row = connection.execute(select(git_sources).where(git_sources.c.repository == repository)).one_or_none()
    return _source(row) if row else None


def changed_at(connection: Connection, repository: str) -> datetime | None:
    """When a source came to say what it says now; None when it was never asked."""
    return connection.scalar(select(git_sources.c.changed_at).where(git_sources.c.repository == repository))


def last_checked(connection: Connection) -> dict[str, datetime]:
    """Every repository whose source was ever asked, and when it was last."""
    rows = connection.execute(select(git_sources.c.repository, git_sources.c.checked_at))
    return {row.repository: row.checked_at for row in rows}


def silent(connection: Connection) -> set[str]:
    """The repositories whose source could not be read when it was last asked."""
    return set(connection.scalars(select(git_sources.c.repository).where(git_sources.c.problem != "")))


def saw(connection: Connection, seen: Source) -> bool:
    """Record what a source says; whether that is something else than before.

    ``changed_at`` of what was seen counts only when it is.
    """
    known = source(connection, seen.repository)
    if known and known.same_as(seen):
        this = git_sources.c.repository == seen.repository
        connection.execute(update(git_sources).where(this).values(checked_at=seen.checked_at, problem=""))
        return False
    row = {
        "repository": seen.repository,
        "head": seen.head,
        "refs": dict(seen.refs),
        "unsound": list(seen.unsound),
        "checked_at": seen.checked_at,
        "changed_at": seen.changed_at,
        "problem": seen.problem,
    }
    statement = _insert(connection, git_sources).values(row)
    connection.execute(statement.on_conflict_do_update(index_elements=["repository"], set_=row))
    return True


def could_not_ask(connection: Connection, repository: str, *, problem: str, at: datetime) -> None:
    """Record that a source could not be read, and why; what it said before stays."""
    nothing = {"head": "", "refs": {}, "unsound": []}
    row = {"repository": repository, **nothing, "checked_at": at, "changed_at": at, "problem": problem}
    changes = {"checked_at": at, "problem": problem}
    statement = _insert(connection, git_sources).values(row)
    connection.execute(statement.on_conflict_do_update(index_elements=["repository"], set_=changes))


def written(connection: Connection, repository: str, site: str) -> dict[str, str]:
    """What Lockstep last wrote to a site: id by ref."""
    rows = connection.execute(select(written_refs.c.ref, written_refs.c.oid).where(_at(written_refs, repository, site)))
    return {row.ref: row.oid for row in rows}


def keep_ledger(connection: Connection, repository: str, site: str, *, refs: Mapping[str, str], at: datetime) -> None:
    """Make the ledger of a site say exactly this; only what differs is written."""
    known = written(connection, repository, site)
    gone = sorted(known.keys() - refs.keys())
    new = [
        {"repository": repository, "site": site, "ref": ref, "oid": oid, "written_at": at}
        for ref, oid in sorted(refs.items())
        if known.get(ref) != oid
    ]
    for start in range(0, len(gone), _ROWS):
        these = written_refs.c.ref.in_(gone[start : start + _ROWS])
        connection.execute(delete(written_refs).where(_at(written_refs, repository, site), these))
    for start in range(0, len(new), _ROWS):
        statement = _insert(connection, written_refs).values(new[start : start + _ROWS])
        changes = {"oid": statement.excluded.oid, "written_at": statement.excluded.written_at}
        connection.execute(statement.on_conflict_do_update(index_elements=["repository", "site", "ref"], set_=changes))


def stands(connection: Connection, standing: Standing, *, changed_at: datetime, seen: bool = True) -> None:
    """Record how a repository stands at a site.

    Args:
        connection: The caller's transaction.
        standing: How it stands; its ``equal_at``, ``behind_since`` and lag are worked out here.
        changed_at: When the source came to say what it says now.
        seen: Whether the site was looked at; when it was not, it is behind only as far as the source moved on.
    """
    equal = standing.state == "equal"
    row = {
        "repository": standing.repository,
        "site": standing.site,
        "state": standing.state,
        "detail": list(standing.detail),
        "head": standing.head,
        "refs": standing.refs,
        "checked_at": standing.checked_at,
        "equal_at": standing.checked_at if equal else None,
        "behind_since": None if equal else changed_at,
        "lag_seconds": (standing.checked_at - changed_at).total_seconds() if equal else None,
    }
    statement = _insert(connection, git_mirrors).values(row)
    old, new = git_mirrors.c, statement.excluded
    moments: dict[str, Any]
    if equal:
        # Equal all along: since then. Equal again, or to something newer: since now.
        still = and_(old.behind_since.is_(None), old.equal_at >= changed_at)
        moments = {"equal_at": case((still, old.equal_at), else_=new.equal_at), "behind_since": None}
        moments["lag_seconds"] = case((still, old.lag_seconds), else_=_lag(connection, standing, changed_at))
    else:
        # It had what the source has now, so the site itself changed: at the latest when that was seen.
        since = case((old.equal_at >= changed_at, new.checked_at if seen else null()), else_=new.behind_since)
        moments = {"behind_since": func.coalesce(old.behind_since, since)}
    changes = {name: new[name] for name in ("state", "detail", "head", "refs", "checked_at")} | moments
    connection.execute(statement.on_conflict_do_update(index_elements=["repository", "site"], set_=changes))


def _lag(connection: Connection, standing: Standing, changed_at: datetime) -> float:
    """How long the oldest change took that was not at a site, now that it is: seconds."""
    known = select(git_mirrors.c.behind_since).where(_at(git_mirrors, standing.repository, standing.site))
    since = connection.execute(known).scalar_one_or_none()
    return (standing.checked_at - min(since or changed_at, changed_at)).total_seconds()


def standings(connection: Connection, repository: str = "") -> list[Standing]:
    """How a repository (every one, when none is named) stands at each of its sites, sorted."""
    statement = select(git_mirrors).order_by(git_mirrors.c.repository, git_mirrors.c.site)
    if repository:
        statement = statement.where(git_mirrors.c.repository == repository)
    return [_standing(row) for row in connection.execute(statement)]


def keep_sites(connection: Connection, repository: str, sites: Collection[str]) -> None:
    """Forget how a repository stands at sites that do not receive it any more; the ledger stays."""
    gone = and_(git_mirrors.c.repository == repository, git_mirrors.c.site.not_in(sorted(sites)))
    connection.execute(delete(git_mirrors).where(gone))


def _source(row: Row[tuple[Any, ...]]) -> Source:
    return Source(
        repository=row.repository,
        head=row.head,
        refs=row.refs,
        checked_at=row.checked_at,
        changed_at=row.changed_at,
        problem=row.problem,
        unsound=tuple(row.unsound),
    )


def _standing(row: Row[tuple[Any, ...]]) -> Standing:
    return Standing(
        repository=row.repository,
        site=row.site,
        state=row.state,
        detail=row.detail,
        head=row.head,
        refs=row.refs,
        checked_at=row.checked_at,
        equal_at=row.equal_at,
        behind_since=row.behind_since,
        lag_of_newest=timedelta(seconds=row.lag_seconds) if row.lag_seconds is not None else None,
    )


def _at(table: Table, repository: str, site: str) -> ColumnElement[bool]:
    return and_(table.c.repository == repository, table.c.site == site)


def _insert(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An insert that knows ``ON CONFLICT``; both databases say it alike."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)
