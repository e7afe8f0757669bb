"""What was deployed where, by which run: the last good revision of every site, and the older ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, select

from lockstep.store.database import insert
from lockstep.store.tables import deployments

DONE = "done"
FAILED = "failed"
HELD = "held"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One deploy of an application to a site by a run.

    ``images`` maps ``name`` or ``name:tag`` to the digest that was deployed; ``state`` is done, failed or held.
    """

    application: str
    site: str
    run: str
    revision: str
    images: Mapping[str, str]
    state: str
    message: str
    objects: int
    changed: int
    deleted: int
    started_at: datetime
    ended_at: datetime


def record(connection: Connection, deployment: Deployment) -> None:
    """Remember a deploy; the same run at the same site replaces what it said before."""
    values = {
        "application": deployment.application,
        "site": deployment.site,
        "run": deployment.run,
        "revision": deployment.revision,
        "images": dict(deployment.images),
        "state": deployment.state,
        "message": deployment.message,
        "objects": deployment.objects,
        "changed": deployment.changed,
        "deleted": deployment.deleted,
        "started_at": deployment.started_at,
        "ended_at": deployment.ended_at,
    }
    keys = ("application", "site", "run")
    statement = insert(connection, deployments).values(values)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=list(keys), set_={name: value for name, value in values.items() if name not in keys}
        )
    )


def last(connection: Connection, application: str, site: str) -> Deployment | None:
    """The newest deploy to a site that was done."""
    found = history(connection, application, site=site, most=1, done_only=True)
    return found[0] if found else None


def of_run(connection: Connection, run: str, site: str) -> Deployment | None:
    """What a run did to a site; None when it has not been there."""
    statement = select(deployments).where(deployments.c.run == run, deployments.c.site == site)
    row = connection.execute(statement).one_or_none()
    return _deployment(row) if row else None


def newest(connection: Connection, application: str, *, revision: str = "") -> Deployment | None:
    """The newest deploy that was done, to any site: of one commit, or of any."""
    found = history(connection, application, revision=revision, most=1, done_only=True)
    return found[0] if found else None


def history(
    connection: Connection,
    application: str,
    *,
    site: str = "",
    revision: str = "",
    most: int = 20,
    done_only: bool = False,
) -> list[Deployment]:
    """Deploys of an application, to one site or all, of one commit or all; the newest first."""
    statement = select(deployments).where(deployments.c.application == application)
    if revision:
        statement = statement.where(deployments.c.revision == revision)
    if site:
        statement = statement.where(deployments.c.site == site)
    if done_only:
        statement = statement.where(deployments.c.state == DONE)
    rows = connection.execute(statement.order_by(deployments.c.id.desc()).limit(most))
    return [_deployment(row) for row in rows]


def _deployment(row: Row[tuple[object, ...]]) -> Deployment:
    fields = {name: value for name, value in row._mapping.items() if name != "id"}  # noqa: SLF001 - Row's public view
    return Deployment(**fields)
