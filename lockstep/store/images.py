"""How each tag or digest of an image repository stands at each site."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from sqlalchemy import Connection, and_, case, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.base import ReadOnlyColumnCollection
from sqlalchemy.sql.elements import ColumnElement

from lockstep.store.tables import image_mirrors

_Columns: TypeAlias = ReadOnlyColumnCollection[str, Any]

# A statement may bind 32,766 values on SQLite (SQLITE_MAX_VARIABLE_NUMBER); a row has eleven.
_ROWS = 500
_STATES = ("equal", "held", "refused", "unreachable", "failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One tag or digest at one site.

    ``state`` is equal, held, refused, unreachable or failed. ``bytes_sent`` is what the last transfer sent;
    ``verified_at`` is when it was last seen to be equal.

    ``pushed_at`` is when the newest change that is here was pushed (when somebody told us of it, else when it was first
    seen at the source), and ``equal_at`` when that was first verified here. While something is lacking, ``equal_at`` is
    None and ``pushed_at`` is of the oldest change that is not here. Both are None when nobody knows.
    """

    repository: str
    reference: str
    site: str
    digest: str
    state: str
    detail: str = ""
    bytes_sent: int = 0
    checked_at: datetime
    verified_at: datetime | None = None
    pushed_at: datetime | None = None
    equal_at: datetime | None = None

    def lag(self, now: datetime) -> timedelta | None:
        """For how long something is at the source that is not here: zero when equal, None when nobody knows."""
        return behind(self.state == "equal", self.pushed_at, self.equal_at, now)

    @property
    def lag_of_newest(self) -> timedelta | None:
        """From the push of the newest change that is here until it was verified here; None when nobody knows."""
        return took(self.pushed_at, self.equal_at)


def behind(equal: bool, pushed_at: datetime | None, equal_at: datetime | None, now: datetime) -> timedelta | None:
    """For how long something is lacking; None when nobody knows. Never negative, whatever clocks say."""
    if equal:
        return timedelta(0)
    return max(timedelta(0), now - pushed_at) if pushed_at and not equal_at else None


def took(pushed_at: datetime | None, equal_at: datetime | None) -> timedelta | None:
    """How long a change took to be verified; None when nobody knows. Never negative, whatever clocks say."""
    return max(timedelta(0), equal_at - pushed_at) if pushed_at and equal_at else None


def record(connection: Connection, standings: Iterable[Standing], *, unseen: Collection[tuple[str, str]] = ()) -> None:
    """Write how things stand; what was last sent, verified and known as the digest stays where nothing newer is.

    Of each, ``pushed_at`` is when what the source has now was pushed, as far as is known; ``equal_at`` is worked out
    here. ``unseen`` are those, by reference and site, of which the site could not be asked what it has.
    """
    found, unseen = list(standings), frozenset(unseen)
    for seen in (True, False):
        _record(connection, [one for one in found if seen is ((one.reference, one.site) not in unseen)], seen=seen)


def _record(connection: Connection, standings: Sequence[Standing], *, seen: bool) -> None:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(image_mirrors)
    new, old = statement.excluded, image_mirrors.c
    changes = {
        "digest": case((new.digest != "", new.digest), else_=old.digest),
        "state": new.state,
        "detail": new.detail,
        "bytes_sent": case((new.bytes_sent > 0, new.bytes_sent), else_=old.bytes_sent),
        "checked_at": new.checked_at,
        "verified_at": func.coalesce(new.verified_at, old.verified_at),
        **_moments(new, old, seen=seen),
    }
    upsert = statement.on_conflict_do_update(index_elements=["repository", "reference", "site"], set_=changes)
    for start in range(0, len(standings), _ROWS):
        # One statement of one row, for each of them: it is put into words once, whatever their number.
        connection.execute(upsert, [_as_row(one) for one in standings[start : start + _ROWS]])


def _as_row(one: Standing) -> dict[str, Any]:
    return {
        "repository": one.repository,
        "reference": one.reference,
        "site": one.site,
        "digest": one.digest,
        "state": one.state,
        "detail": one.detail,
        "bytes_sent": one.bytes_sent,
        "checked_at": one.checked_at,
        "verified_at": one.verified_at,
        # Clocks differ: nothing was verified before it was pushed.
        "pushed_at": min(one.pushed_at, one.checked_at) if one.pushed_at else None,
        "equal_at": one.checked_at if one.state == "equal" else None,
    }


def _moments(new: _Columns, old: _Columns, *, seen: bool) -> dict[str, ColumnElement[Any]]:
    """Since when something is lacking or there, after what is new was recorded over what is old."""
    lacking = and_(old.equal_at.is_(None), old.pushed_at.is_not(None))
    same = or_(new.digest == "", new.digest == old.digest)
    says_nothing = ("equal", "unreachable") if seen else _STATES
    # The same as ever; or a site that could not be asked or did not believe us, of a source that has nothing new.
    unmoved = and_(~lacking, same, old.state == "equal", new.state == "equal")
    unasked = and_(old.equal_at.is_not(None), same, or_(new.digest == "", *(new.state == one for one in says_nothing)))
    stays = or_(unmoved, unasked)
    older = or_(new.pushed_at.is_(None), old.pushed_at < new.pushed_at)
    oldest = case((and_(lacking, older), old.pushed_at), else_=new.pushed_at)
    return {
        "pushed_at": case((stays, old.pushed_at), else_=oldest),
        "equal_at": case((stays, old.equal_at), else_=new.equal_at),
    }


def unknown(connection: Connection, repository: str, site: str, *, state: str, detail: str, at: datetime) -> None:
    """Nobody could ask about the repository: what was equal at this site may not be any more."""
    connection.execute(
        update(image_mirrors)
        .where(image_mirrors.c.repository == repository, image_mirrors.c.site == site)
        .values(state=state, detail=detail, checked_at=at)
    )


def keep_only(connection: Connection, repository: str, sites: Collection[str], references: Collection[str]) -> None:
    """Drop the tags that the source no longer has (digests stay: a site may run one)."""
    known = (
        select(image_mirrors.c.reference)
        .distinct()
        .where(
            image_mirrors.c.repository == repository,
            image_mirrors.c.site.in_(sites),
            image_mirrors.c.reference.not_like("%:%"),
        )
    )
    gone = sorted(set(connection.execute(known).scalars()) - set(references))
    for start in range(0, len(gone), _ROWS):
        connection.execute(
            delete(image_mirrors).where(
                image_mirrors.c.repository == repository,
                image_mirrors.c.site.in_(sites),
                image_mirrors.c.reference.in_(gone[start : start + _ROWS]),
            )
        )


def forget(connection: Connection, repository: str, gone: Iterable[tuple[str, str]]) -> None:
    """Drop references that are gone, each given with its site."""
    for site, reference in gone:
        connection.execute(
            delete(image_mirrors).where(
                image_mirrors.c.repository == repository,
                image_mirrors.c.site == site,
                image_mirrors.c.reference == reference,
            )
        )


def standings(connection: Connection, repository: str = "") -> list[Standing]:
    """How things stand, of one repository or of all, in order."""
    statement = select(image_mirrors).order_by(
        image_mirrors.c.repository, image_mirrors.c.reference, image_mirrors.c.site
    )
    if repository:
        statement = statement.where(image_mirrors.c.repository == repository)
    return [Standing(**row._mapping) for row in connection.execute(statement)]  # noqa: SLF001 - SQLAlchemy's public name for it


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What a guard holds of a repository at a site: how many references, and one of them with why."""

    repository: str
    site: str
    count: int
    reference: str
    detail: str
    checked_at: datetime


def held(connection: Connection) -> list[Held]:
    """What guards hold, by repository and site."""
    statement = (
        select(
            image_mirrors.c.repository,
            image_mirrors.c.site,
            func.count().label("count"),
            func.min(image_mirrors.c.reference).label("reference"),
            func.min(image_mirrors.c.detail).label("detail"),
            func.min(image_mirrors.c.checked_at).label("checked_at"),
        )
        .where(image_mirrors.c.state == "held")
        .group_by(image_mirrors.c.repository, image_mirrors.c.site)
        .order_by(image_mirrors.c.repository, image_mirrors.c.site)
    )
    return [Held(**row) for row in connection.execute(statement).mappings()]


def last_checked(connection: Connection) -> dict[tuple[str, str], datetime]:
    """When each repository was last looked at, by repository and site."""
    statement = select(image_mirrors.c.repository, image_mirrors.c.site, func.max(image_mirrors.c.checked_at)).group_by(
        image_mirrors.c.repository, image_mirrors.c.site
    )
    return {(repository, site): checked for repository, site, checked in connection.execute(statement)}
