"""How repositories and images stand at the sites."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, case, func, or_, select

from lockstep.store.images import behind, took
from lockstep.store.tables import git_sources, image_mirrors
from lockstep.values import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What the source of a repository last said, without its refs, which may be many."""

    repository: str
    head: str
    checked_at: datetime
    changed_at: datetime
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """How the tags and digests of an image repository stand at a site, counted by state.

    ``lacking_since`` is when the oldest push was that is not there; ``unknown`` counts what is not equal, nobody knows
    since when, and ``silent`` what could not be asked for. ``pushed_at`` and ``equal_at`` are of the newest push
    that is there.
    """

    repository: str
    site: str
    references: int
    equal: int
    bytes_sent: int
    checked_at: datetime
    verified_at: datetime | None
    lacking_since: datetime | None = None
    unknown: int = 0
    pushed_at: datetime | None = None
    equal_at: datetime | None = None
    silent: int = 0

    @property
    def state(self) -> str:
        """``equal``, ``unreachable`` where nobody knows of more than that, or else ``unequal``."""
        if self.equal == self.references:
            return "equal"
        return "unreachable" if self.equal + self.silent == self.references else "unequal"

    def lag(self, now: datetime) -> timedelta | None:
        """For how long something is at the source that is not here; None when nobody knows."""
        equal = self.equal == self.references
        return None if self.unknown else behind(equal, self.lacking_since, None, now)

    @property
    def lag_of_newest(self) -> timedelta | None:
        """From the newest push that is here until it was verified here; None when nobody knows."""
        return took(self.pushed_at, self.equal_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """How one tag or digest stands at a site."""

    repository: str
    reference: str
    site: str
    digest: str
    state: str
    detail: str
    checked_at: datetime
    verified_at: datetime | None


def sources(connection: Connection) -> dict[str, Source]:
    """The source of every repository that was ever asked for, by repository, without its refs."""
    columns = [git_sources.c[name] for name in Source.__dataclass_fields__]
    return {row.repository: Source(**row._asdict()) for row in connection.execute(select(*columns))}


def images(connection: Connection) -> list[Images]:
    """Every image repository at every site, its tags and digests counted."""
    keys = (image_mirrors.c.repository, image_mirrors.c.site)
    unequal, since = image_mirrors.c.state != "equal", image_mirrors.c.pushed_at
    lacking = and_(unequal, image_mirrors.c.equal_at.is_(None), since.is_not(None))
    unknown = and_(unequal, or_(image_mirrors.c.equal_at.is_not(None), since.is_(None)))
    statement = (
        select(
            *keys,
            func.count().label("references"),
            func.sum(case((image_mirrors.c.state == "equal", 1), else_=0)).label("equal"),
            func.sum(image_mirrors.c.bytes_sent).label("bytes_sent"),
            func.min(image_mirrors.c.checked_at).label("checked_at"),
            func.max(image_mirrors.c.verified_at).label("verified_at"),
            func.min(case((lacking, since))).label("lacking_since"),
            func.sum(case((unknown, 1), else_=0)).label("unknown"),
            func.sum(case((image_mirrors.c.state == "unreachable", 1), else_=0)).label("silent"),
        )
        .group_by(*keys)
        .order_by(*keys)
    )
    newest = _newest(connection)
    nothing: dict[str, Json] = {}
    return [
        _images({**row._asdict(), **newest.get((row.repository, row.site), nothing)})
        for row in connection.execute(statement)
    ]


def _newest(connection: Connection) -> dict[tuple[str, str], dict[str, Json]]:
    """When the newest push that is at a site was, and was verified there; the slowest of those of one moment."""
    columns = image_mirrors.c
    ranked = (
        select(
            *(columns.repository, columns.site, columns.pushed_at, columns.equal_at),
            func.row_number()
            .over(
                partition_by=(columns.repository, columns.site),
                order_by=(columns.pushed_at.desc(), columns.equal_at.desc()),
            )
            .label("place"),
        )
        .where(columns.pushed_at.is_not(None), columns.equal_at.is_not(None))
        .subquery()
    )
    rows = connection.execute(select(ranked).where(ranked.c.place == 1))
    return {(row.repository, row.site): {"pushed_at": row.pushed_at, "equal_at": row.equal_at} for row in rows}


def images_not_equal(connection: Connection, *, limit: int = 200) -> list[Image]:
    """The tags and digests that are not equal somewhere, the first ``limit`` of them."""
    columns = [image_mirrors.c[name] for name in Image.__dataclass_fields__]
    statement = (
        select(*columns)
        .where(image_mirrors.c.state != "equal")
        .order_by(image_mirrors.c.repository, image_mirrors.c.reference, image_mirrors.c.site)
        .limit(limit)
    )
    return [Image(**row._asdict()) for row in connection.execute(statement)]


def _images(row: dict[str, Json]) -> Images:
    # PostgreSQL sums whole numbers to decimals.
    return Images(**{**row, **{name: int(row[name]) for name in ("equal", "bytes_sent", "unknown", "silent")}})
