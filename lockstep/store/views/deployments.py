"""What was deployed where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from lockstep.store.tables import deployments


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One deployment of an application to a site."""

    id: int
    application: str
    site: str
    revision: str
    images: Mapping[str, str]
    run: str
    state: str
    message: str
    objects: int
    changed: int
    deleted: int
    started_at: datetime
    ended_at: datetime


_DEPLOYMENT = tuple(deployments.c[name] for name in Deployment.__dataclass_fields__)


def newest(connection: Connection, application: str = "") -> list[Deployment]:
    """The newest deployment of each application to each site, or of one application."""
    keys = (deployments.c.application, deployments.c.site)
    ids = select(func.max(deployments.c.id)).group_by(*keys)
    if application:
        ids = ids.where(deployments.c.application == application)
    statement = select(*_DEPLOYMENT).where(deployments.c.id.in_(ids)).order_by(*keys)
    return [Deployment(**row._asdict()) for row in connection.execute(statement)]


def last(connection: Connection, application: str, *, limit: int = 20) -> list[Deployment]:
    """The last deployments of an application, to any site, the newest first."""
    statement = (
        select(*_DEPLOYMENT)
        .where(deployments.c.application == application)
        .order_by(deployments.c.id.desc())
        .limit(limit)
    )
    return [Deployment(**row._asdict()) for row in connection.execute(statement)]


def done(connection: Connection, application: str, site: str, *, limit: int = 20) -> list[str]:
    """The commits that were deployed to a site with success, the newest first, each once."""
    revision = deployments.c.revision
    statement = (
        select(revision)
        .where(deployments.c.application == application, deployments.c.site == site, deployments.c.state == "done")
        .group_by(revision)
        .order_by(func.max(deployments.c.id).desc())
        .limit(limit)
    )
    return list(connection.scalars(statement))
