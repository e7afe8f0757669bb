"""What was deployed where, by which run: the last good revision of every site, and the older ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, select, update

from lockstep.store.database import insert
from lockstep.store.tables import deployments

DONE = "done"
FAILED = "failed"
HELD = "held"
ROLLING = "rolling"
"""Everything is written, and its workloads are not well yet."""
ROLLING_BACK = "rollingBack"
"""The deploy failed, here or elsewhere, and the last good revision is to be put back."""
RECOVERING = "recovering"
"""The last good revision is put back, and its workloads are not well yet."""
ROLLED_BACK = "rolledBack"
"""The deploy failed, and the last good revision runs again."""
STOPPED = "stopped"
"""Its run ended before anybody saw it run, or go back: it was cancelled or took too long."""

_GOING = (ROLLING, ROLLING_BACK, RECOVERING)

_MARK = select(func.count(), func.max(deployments.c.id), func.max(deployments.c.ended_at)).where(
    deployments.c.application == bindparam("of_application"), deployments.c.state == DONE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One deploy of an application to a site by a run.

    ``images`` maps ``name`` or ``name:tag`` to the digest that was deployed; ``state`` is one of those above; of one
    that is rolling or recovering, ``ended_at`` is when everything was written.
    """

    id: int = 0
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
    values = {name: getattr(deployment, name) for name in Deployment.__dataclass_fields__ if name != "id"}
    values["images"] = dict(deployment.images)
    keys = ("application", "site", "run")
    statement = insert(connection, deployments).values(values)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=list(keys), set_={name: value for name, value in values.items() if name not in keys}
        )
    )


def stop(connection: Connection, run: str, *, at: datetime) -> None:
    """A run has ended: nobody watches any more what it wrote and did not see running."""
    going = update(deployments).where(deployments.c.run == run, deployments.c.state.in_(_GOING))
    connection.execute(going.values(state=STOPPED, ended_at=at))


def last(
    connection: Connection, application: str, *, site: str = "", revision: str = "", besides: str = ""
) -> Deployment | None:
    """The newest deploy that was done: to one site or any, of one commit or any, by any run but one."""
    conditions = [deployments.c.application == application, deployments.c.state == DONE]
    if site:
        conditions.append(deployments.c.site == site)
    if revision:
        conditions.append(deployments.c.revision == revision)
    if besides:
        conditions.append(deployments.c.run != besides)
    statement = select(deployments).where(*conditions).order_by(deployments.c.id.desc()).limit(1)
    row = connection.execute(statement).mappings().one_or_none()
    return Deployment(**row) if row else None


def mark(connection: Connection, application: str) -> tuple[object, ...]:
    """What changes whenever a deploy of an application was done."""
    return tuple(connection.execute(_MARK, {"of_application": application}).one())


def by_run(connection: Connection, run: str) -> dict[str, Deployment]:
    """What a run did, by site."""
    found = connection.execute(select(deployments).where(deployments.c.run == run)).mappings()
    return {row["site"]: Deployment(**row) for row in found}


def since_good(connection: Connection, application: str, site: str, *, most: int = 5) -> list[Deployment]:
    """The last good deploy to a site and those after it, which may have left parts of theirs; the newest first.

    Without a good one there is none to begin with, and nothing is given.
    """
    good = last(connection, application, site=site)
    if good is None:
        return []
    own = (deployments.c.application == application, deployments.c.site == site, deployments.c.id > good.id)
    statement = select(deployments).where(*own).order_by(deployments.c.id.desc()).limit(most)
    return [*(Deployment(**row) for row in connection.execute(statement).mappings()), good]


def newest(connection: Connection, application: str) -> list[Deployment]:
    """The newest deploy of an application to each of its sites, however it ended."""
    ids = select(func.max(deployments.c.id)).where(deployments.c.application == application)
    statement = select(deployments).where(deployments.c.id.in_(ids.group_by(deployments.c.site)))
    return [Deployment(**row) for row in connection.execute(statement.order_by(deployments.c.site)).mappings()]


def revisions(connection: Connection, application: str, site: str, *, most: int = 20) -> list[str]:
    """The commits that were deployed to a site with success, the newest first, each once."""
    revision = deployments.c.revision
    statement = (
        select(revision)
        .where(deployments.c.application == application, deployments.c.site == site, deployments.c.state == DONE)
        .group_by(revision)
        .order_by(func.max(deployments.c.id).desc())
        .limit(most)
    )
    return list(connection.scalars(statement))
