"""Mirrors: what is under way, each repository and image at each site, how far behind, and what is held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, g, render_template

from console.context import Context
from lockstep.store import mirrors, transfers
from lockstep.store.mirrors import Standing
from lockstep.store.views import mirrors as views
from lockstep.store.views.mirrors import Images, Source
from lockstep.topology.model import Topology
from lockstep.values import Json
from sync.lag import Lag, lag_of, rpo_of_image


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A repository at a site: its state, how far behind it is beside its RPO, when it was looked at, what is held."""

    state: str
    lag: Lag
    head: str
    checked_at: datetime
    detail: Sequence[Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """A repository with its source and its cells by site."""

    name: str
    source: Source | None
    cells: dict[str, Cell]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRepository:
    """An image repository with its counts by site; ``sources`` are the sites that it is read from.

    ``lags`` are by site, beside the RPO of the pairs that protect something there.
    """

    name: str
    cells: dict[str, Images]
    lags: dict[str, Lag]
    sources: frozenset[str]


def create_blueprint(context: Context) -> Blueprint:
    """The page."""
    blueprint = Blueprint("mirrors", __name__)

    @blueprint.get("/mirrors")
    def show() -> str:
        topology = context.topology()
        with context.database.read() as connection:
            sources, git = views.sources(connection), mirrors.standings(connection)
            images, unequal = views.images(connection), views.images_not_equal(connection)
            moving = transfers.under_way(connection, g.now)
        return render_template(
            "mirrors.html",
            sites=list(topology.sites),
            repositories=repositories(sources, git, topology, g.now),
            images=image_repositories(images, topology, g.now),
            unequal=unequal,
            moving=moving,
        )

    return blueprint


def repositories(
    sources: dict[str, Source], git: Sequence[Standing], topology: Topology, now: datetime
) -> list[Repository]:
    """Every repository that has a source or a mirror, by name. Pure."""
    names = sorted({*sources, *(mirror.repository for mirror in git)})
    return [
        Repository(
            name=name,
            source=sources.get(name),
            cells={
                mirror.site: Cell(
                    state=mirror.state,
                    lag=lag_of(mirror, topology, now),
                    head=mirror.head,
                    checked_at=mirror.checked_at,
                    detail=mirror.detail,
                )
                for mirror in git
                if mirror.repository == name
            },
        )
        for name in names
    ]


def image_repositories(images: Sequence[Images], topology: Topology, now: datetime) -> list[ImageRepository]:
    """Every image repository, by name. Pure."""
    names = sorted({found.repository for found in images})
    return [
        ImageRepository(
            name=name,
            cells={found.site: found for found in images if found.repository == name},
            lags={
                found.site: Lag(
                    behind=found.lag(now), last=found.lag_of_newest, rpo=rpo_of_image(topology, name, found.site)
                )
                for found in images
                if found.repository == name
            },
            sources=frozenset(
                mirror.spec.source.site for mirror in topology.image_mirrors_of(name) if mirror.spec.source.site
            ),
        )
        for name in names
    ]
