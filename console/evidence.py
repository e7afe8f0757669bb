"""How fresh what we know is: a verdict is worth what its evidence is worth, and old evidence is none. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from console import coverage, shapes, words
from console.coverage import Coverage, SiteRead
from console.words import Word
from drift.health import Vitals
from drift.running import Running
from lockstep import clock
from lockstep.store.views.drift import Finding, Scan
from lockstep.store.views.mirrors import Images
from lockstep.topology import direction, kinds
from lockstep.topology.direction import Direction
from lockstep.topology.model import Topology
from lockstep.values import Health, ObjectKey, Stance, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Protected:
    """An application over a pair: what is configured, and the newest comparison (None when there is none)."""

    application: kinds.Application
    pair: kinds.Pair
    protection: kinds.Protection
    stance: Stance
    scan: Scan | None
    stale: bool

    @property
    def faced(self) -> Direction:
        """Which way the pair faced when it was compared, and faces now when it never was."""
        stance = self.stance
        if self.scan and self.scan.stance in {one.value for one in Stance}:
            stance = Stance(self.scan.stance)
        return direction.direction_of(self.pair, stance)

    @property
    def coverage(self) -> Coverage:
        """What was read and what was not; empty when there is no comparison."""
        return coverage.of_scan(self.scan.coverage if self.scan else {})

    @property
    def unread(self) -> Callable[[Finding], frozenset[str]]:
        """Tells which of the sides ``primary`` and ``standby`` of a difference nobody could read, when it was compared.

        A side of which nothing was read; else one that could not see the object, when the comparison has nothing new to
        say of it either.
        """
        named = {self.faced.truth: "primary", self.faced.follower: "standby"}
        sides = [(named[read.site], read) for read in self.coverage.sites if read.site in named]
        ended_at = self.scan.ended_at if self.scan else None

        def unread(one: Finding) -> frozenset[str]:
            key = ObjectKey(group=one.group, kind=one.kind, namespace=one.namespace, name=one.name)
            old = ended_at is not None and one.last_seen < ended_at
            return frozenset(side for side, read in sides if read.unread or (old and read.hides(key)))

        return unread

    @property
    def verdict(self) -> Word:
        """The verdict as it may be shown: stale and missing evidence is not a verdict."""
        if self.scan is None:
            return words.NEVER
        return words.STALE if self.stale else words.verdict(self.scan.verdict)

    @property
    def proved(self) -> str:
        """The verdict that fresh evidence proves, as it is stored; ``Unknown`` without such evidence."""
        return self.scan.verdict if self.scan and not self.stale else Verdict.UNKNOWN.value

    @property
    def health(self) -> Health:
        """The worse of the healths of both sites; unknown when the evidence does not say, or is stale."""
        known = self.healths.values()
        return next(health for health in Health if health in known)

    @property
    def vitals(self) -> dict[str, Vitals]:
        """How what runs is at each site, the truth first, by fresh evidence; nothing for a site that says nothing."""
        found = shapes.mapping(self.scan.coverage if self.scan and not self.stale else {})
        known = shapes.mapping(found.get("vitals"))
        return {
            site: Vitals.from_json(known[site]) for site in (self.faced.truth, self.faced.follower) if site in known
        }

    @property
    def running(self) -> Running:
        """Which images run at both sites, by fresh evidence."""
        found = shapes.mapping(self.scan.coverage if self.scan and not self.stale else {})
        return Running.from_json(shapes.mapping(found.get("running")))

    @property
    def healths(self) -> dict[str, Health]:
        """The health at each of both sites, the truth first; Unknown where the evidence does not say, or is stale."""
        found = shapes.mapping(self.scan.coverage if self.scan and not self.stale else {})
        known, words_ = shapes.mapping(found.get("health")), {one.value: one for one in Health}
        sites = (self.faced.truth, self.faced.follower)
        return {site: words_.get(shapes.text(known.get(site)), Health.UNKNOWN) for site in sites}

    @property
    def explained(self) -> int:
        """How many differences the expected differences explained."""
        return shapes.number(shapes.mapping(self.scan.counts if self.scan else {}).get("explained")) or 0

    @property
    def known(self) -> bool:
        """Whether fresh evidence says anything; without it the verdict is Unknown, whatever it once was."""
        return self.proved != Verdict.UNKNOWN.value

    @property
    def objectives(self) -> tuple[timedelta, timedelta]:
        """RTO and RPO."""
        return self.protection.objectives

    @property
    def in_step(self) -> bool:
        """Whether it is proved, by fresh evidence, that the standby will start what the primary runs."""
        return self.proved in {Verdict.IN_SYNC.value, Verdict.DECLARED.value, Verdict.DISPERSED.value}


def protected(
    topology: Topology, stances: Mapping[str, Stance], scans: Sequence[Scan], *, now: datetime, stale: timedelta
) -> list[Protected]:
    """Every application over every pair that protects it, in the order of the configuration.

    Args:
        topology: The configuration.
        stances: The stance of each pair; one that is missing is unknown.
        scans: The newest comparisons.
        now: This moment.
        stale: Evidence older than this is stale.
    """
    found = {(scan.application, scan.pair): scan for scan in scans}
    return [
        Protected(
            application=application,
            pair=pair,
            protection=protection,
            stance=stances.get(pair.name, Stance.UNKNOWN),
            scan=(scan := found.get((application.name, pair.name))),
            stale=scan is not None and not clock.is_within(scan.ended_at, now=now, most=stale),
        )
        for application in topology.applications.values()
        for pair, protection in topology.pairs_of(application)
    ]


def readings(known: Sequence[Protected]) -> dict[str, SiteRead]:
    """How each site was last read by any comparison; a site that none reads is not in it."""
    found: dict[str, SiteRead] = {}
    scans = sorted((one.scan for one in known if one.scan), key=lambda scan: scan.ended_at)
    for scan in scans:
        found.update({read.site: read for read in coverage.of_scan(scan.coverage).sites})
    return found


def images_state(found: Sequence[Images]) -> str:
    """How some image repositories stand at a site together: as the worst of them; ``waiting`` when there are none."""
    states = {one.state for one in found}
    return next((state for state in ("unequal", "unreachable", "equal") if state in states), "waiting")
