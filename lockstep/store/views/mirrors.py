"""How repositories and images stand at the sites."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, case, func, select

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
    """How the tags and digests of an image repository stand at a site, counted by state."""

    repository: str
    site: str
    references: int
    equal: int
    bytes_sent: int
    checked_at: datetime
    verified_at: datetime | None


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
    statement = (
        select(
            *keys,
            func.count().label("references"),
            func.sum(case((image_mirrors.c.state == "equal", 1), else_=0)).label("equal"),
            func.sum(image_mirrors.c.bytes_sent).label("bytes_sent"),
            func.min(image_mirrors.c.checked_at).label("checked_at"),
            func.max(image_mirrors.c.verified_at).label("verified_at"),
        )
        .group_by(*keys)
        .order_by(*keys)
    )
    return [_images(row._asdict()) for row in connection.execute(statement)]


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
    return Images(**{**row, "equal": int(row["equal"]), "bytes_sent": int(row["bytes_sent"])})
