"""The fleet: every pair with its applications, what they are worth, and the sites with their mirrors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Blueprint, g, render_template

from console import evidence
from console.context import Context
from console.coverage import SiteRead
from console.evidence import Protected
from drift import preflight
from lockstep.store import mirrors, preflights, runs, stances
from lockstep.store.mirrors import Standing
from lockstep.store.preflights import Kept
from lockstep.store.runs import Run
from lockstep.store.views import drift
from lockstep.store.views import mirrors as image_views
from lockstep.store.views.mirrors import Images
from lockstep.topology import kinds
from lockstep.topology.model import Topology
from lockstep.values import Stance


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An application over a pair, as one line."""

    protected: Protected
    findings: int
    git: str
    git_lag: timedelta | None
    images: str
    run: Run | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A pair with the applications that it protects."""

    pair: kinds.Pair
    stance: Stance
    rows: tuple[Row, ...]
    preflight: Kept | None = None
    preflight_stale: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteCard:
    """A site: what it is in which pairs, how many of its mirrors are equal, and how it was last read."""

    site: kinds.Site
    primary_of: tuple[str, ...]
    standby_of: tuple[str, ...]
    repositories: int
    repositories_equal: int
    images: int
    images_equal: int
    checked_at: datetime | None
    read: SiteRead | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What was read."""

    stances: Mapping[str, Stance]
    protected: Sequence[Protected]
    findings: Mapping[drift.Counted, int]
    git: Sequence[Standing]
    images: Sequence[Images]
    runs: Mapping[str, Run]
    preflights: Mapping[str, Kept]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """The whole page."""

    groups: tuple[Group, ...]
    sites: tuple[SiteCard, ...]
    total: int
    in_step: int
    unknown: int
    findings: int


def create_blueprint(context: Context) -> Blueprint:
    """The front page."""
    blueprint = Blueprint("fleet", __name__)

    @blueprint.get("/")
    def show() -> str:
        topology = context.topology()
        return render_template("fleet.html", fleet=view(topology, read(context, topology, g.now), g.now))

    return blueprint


def read(context: Context, topology: Topology, now: datetime) -> Facts:
    """Everything that the page shows, of one moment."""
    with context.database.read() as connection:
        in_force = stances.in_force(connection, topology.pairs)
        return Facts(
            stances=in_force,
            protected=evidence.protected(
                topology,
                in_force,
                drift.scans_of(connection),
                now=now,
                stale=timedelta(seconds=context.serving.stale_seconds),
            ),
            findings=drift.counts(connection),
            git=mirrors.standings(connection),
            images=image_views.images(connection),
            runs=runs.newest(connection, list(topology.applications)),
            preflights=preflights.newest(connection),
        )


def view(topology: Topology, facts: Facts, now: datetime) -> Fleet:
    """What the page says. Pure."""
    readings = evidence.readings(facts.protected)
    groups = tuple(
        Group(
            pair=pair,
            stance=facts.stances.get(pair.name, Stance.UNKNOWN),
            rows=tuple(_row(one, facts, now) for one in facts.protected if one.pair.name == pair.name),
            preflight=(kept := facts.preflights.get(pair.name)),
            preflight_stale=kept is not None and now - kept.at > preflight.TTL,
        )
        for pair in topology.pairs.values()
    )
    return Fleet(
        groups=groups,
        sites=tuple(_card(site, topology, facts, readings.get(site.name)) for site in topology.sites.values()),
        total=len(facts.protected),
        in_step=sum(one.in_step for one in facts.protected),
        unknown=sum(not one.known for one in facts.protected),
        findings=sum(facts.findings.values()),
    )


def _row(one: Protected, facts: Facts, now: datetime) -> Row:
    application, standby = one.application, one.pair.spec.standby
    repository = application.spec.source.repository
    git = [mirror for mirror in facts.git if (mirror.repository, mirror.site) == (repository, standby)]
    names = {image.name for image in application.spec.images}
    images = [found for found in facts.images if found.site == standby and found.repository in names]
    return Row(
        protected=one,
        findings=sum(
            count
            for one_of, count in facts.findings.items()
            if (one_of.application, one_of.pair) == (application.name, one.pair.name)
        ),
        git=git[0].state if git else "waiting",
        git_lag=git[0].lag(now) if git else None,
        images=evidence.images_state(images) if names else "",
        run=facts.runs.get(application.name),
    )


def _card(site: kinds.Site, topology: Topology, facts: Facts, read: SiteRead | None) -> SiteCard:
    git = [mirror for mirror in facts.git if mirror.site == site.name]
    images = [found for found in facts.images if found.site == site.name]
    return SiteCard(
        site=site,
        primary_of=_names(pair for pair in topology.pairs.values() if pair.spec.primary == site.name),
        standby_of=_names(pair for pair in topology.pairs.values() if pair.spec.standby == site.name),
        repositories=len(git),
        repositories_equal=sum(mirror.state == "equal" for mirror in git),
        images=sum(found.references for found in images),
        images_equal=sum(found.equal for found in images),
        checked_at=min([*(one.checked_at for one in git), *(one.checked_at for one in images)], default=None),
        read=read,
    )


def _names(pairs: Iterable[kinds.Pair]) -> tuple[str, ...]:
    return tuple(pair.name for pair in pairs)
