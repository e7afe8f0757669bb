"""What is so now, read from the store as subjects.

What a server said of a deploy that failed is not told: it may repeat a value. It stands on the page.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from sqlalchemy import Connection

from console import coverage, evidence
from console.notices.subject import About, Subject
from lockstep.engine import listing
from lockstep.engine.tables import State
from lockstep.store import approvals, deployments, healings, images, lives, mirrors, runs, stances
from lockstep.store.views import drift
from lockstep.topology.model import Topology
from lockstep.values import Json, Verdict
from pipelines.healing import healing

_MOST_JOBS = 200
# What people must know of at once, whatever it does to a fail-over; the words of lockstep.values.Severity.
_BLOCKS, _MATTERS = 0.9, 0.5
_LOOKED_AFTER = (lives.ACKNOWLEDGED, lives.ACCEPTED, lives.WAIVED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look at the store: ``stale`` is how old evidence may be."""

    connection: Connection
    topology: Topology
    now: datetime
    stale: timedelta


def findings_of(look: Look, application: str) -> Iterator[Subject]:
    """What is not resolved of an application; a site that is not read at all is a subject of its own."""
    unread = {
        (scan.pair, read.site)
        for scan in drift.scans_of(look.connection, application)
        for read in coverage.of_scan(scan.coverage).sites
        if read.unread
    }
    for one in drift.briefly(look.connection, application):
        if one.verdict == Verdict.UNKNOWN.value and (one.pair, one.site) in unread:
            continue
        query = urlencode({"application": one.application, "pair": one.pair, "kind": one.kind})
        group = f".{one.group}" if one.group else ""
        yield Subject(
            key=f"finding:{one.fingerprint}",
            about=About.FINDING,
            what=f"{one.kind}{group} {one.namespace + '/' if one.namespace else ''}{one.name}",
            weight=one.severity,
            since=one.since,
            page=f"/findings?{query}",
            verdict=one.verdict,
            application=one.application,
            pair=one.pair,
            site=one.site,
            field=one.people_path,
            why=_why(one.cause),
            quiet=one.state in _LOOKED_AFTER,
            flapping=one.flapping,
        )


def everything_else(look: Look) -> Iterator[Subject]:
    """What belongs to sites, runs, mirrors and jobs."""
    yield from _evidence(look)
    yield from _approvals(look)
    yield from _deploys(look)
    yield from _mirrors(look)
    yield from _jobs(look)
    yield from _stops(look)


def _subject(
    about: About, which: str, *, what: str, since: datetime, page: str, weight: float = _MATTERS, **where: Any
) -> Subject:
    """Something that is so, other than a finding; ``where`` are texts: its verdict, application, pair, site, why."""
    key = f"{about.value}:{which}"
    return Subject(key=key, about=about, what=what, weight=weight, since=since, page=page, **where)


def _why(cause: Mapping[str, Json]) -> str:
    """Who set it, as far as a server said; never a value."""
    return " ".join(str(cause[name]) for name in ("by", "at") if isinstance(cause.get(name), str))


def _evidence(look: Look) -> Iterator[Subject]:
    """Sites that nobody can read, and applications that were compared too long ago."""
    silent: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
    known = evidence.protected(
        look.topology,
        stances.in_force(look.connection, look.topology.pairs),
        drift.scans_of(look.connection),
        now=look.now,
        stale=look.stale,
    )
    for one in known:
        if one.scan is None:
            continue
        if one.stale:
            yield _subject(
                About.EVIDENCE,
                f"{one.application.name}:{one.pair.name}",
                what=one.pair.name,
                weight=_BLOCKS,
                since=one.scan.ended_at,
                page=f"/applications/{quote(one.application.name)}",
                verdict=Verdict.UNKNOWN.value,
                application=one.application.name,
                pair=one.pair.name,
            )
            continue
        for read in one.coverage.sites:
            if read.unread:
                silent[read.site].append((one.scan.started_at, read.gaps[0].why))
    for site, found in sorted(silent.items()):
        since, why = min(found)
        yield _subject(
            About.SITE,
            site,
            what=site,
            weight=_BLOCKS,
            since=since,
            page="/",
            verdict=Verdict.UNKNOWN.value,
            site=site,
            why=why,
        )


def _approvals(look: Look) -> Iterator[Subject]:
    for one in approvals.pending(look.connection):
        run = runs.get(look.connection, one.run)
        yield _subject(
            About.APPROVAL,
            str(one.id),
            what=f"{run.name} {one.question}",
            since=one.asked_at,
            page=f"/runs/{quote(run.name)}",
            application=run.application,
        )


def _deploys(look: Look) -> Iterator[Subject]:
    """Deploys that failed at a site, and newest runs that failed before they came to one."""
    told = set()
    for application in look.topology.applications:
        for one in deployments.newest(look.connection, application):
            if one.state in (deployments.FAILED, deployments.HELD):
                told.add(one.run)
                yield _subject(
                    About.DEPLOY,
                    f"{application}:{one.site}",
                    what=one.run,
                    weight=_BLOCKS,
                    since=one.ended_at,
                    page=f"/runs/{quote(one.run)}",
                    application=application,
                    site=one.site,
                )
    for run in runs.newest_ended(look.connection):
        meant = run.requested or run.superseded_by or run.application not in look.topology.applications
        if run.status == "False" and not meant and run.name not in told:
            yield _subject(
                About.RUN,
                run.application,
                what=run.name,
                since=run.ended_at or run.created_at,
                page=f"/runs/{quote(run.name)}",
                application=run.application,
            )


def _mirrors(look: Look) -> Iterator[Subject]:
    for one in mirrors.standings(look.connection):
        if one.state == "held":
            yield _subject(
                About.REFS,
                f"{one.repository}:{one.site}",
                what=one.repository,
                since=one.behind_since or one.checked_at,
                page="/mirrors",
                site=one.site,
                why=_held_refs(one.detail),
            )
    for held in images.held(look.connection):
        yield _subject(
            About.IMAGES,
            f"{held.repository}:{held.site}",
            what=held.repository,
            since=held.checked_at,
            page="/mirrors",
            site=held.site,
            why=f"{held.reference} {held.detail}",
        )


def _held_refs(detail: Sequence[Json]) -> str:
    """The first refs that are held."""
    names = [str(one.get("ref") or "") for one in detail if isinstance(one, dict)]
    return " ".join(filter(None, names[:3]))


def _jobs(look: Look) -> Iterator[Subject]:
    troubled = listing.listing(look.connection, states=(State.FAILED, State.ASIDE), most=_MOST_JOBS, before=None)
    for one in troubled:
        yield _subject(
            About.JOB,
            str(one.id),
            what=f"{one.kind} {' '.join(str(value) for value in one.payload.values())}",
            since=one.ended_at or one.created_at,
            page="/jobs",
        )


def _stops(look: Look) -> Iterator[Subject]:
    """Healing that stopped itself: somebody else changes what it heals."""
    for one in healings.stops(look.connection):
        if one.by == healing.ITSELF and one.application in look.topology.applications:
            yield _subject(
                About.HEALING,
                f"{one.pair}:{one.application}",
                what=one.pair,
                since=one.at,
                page=f"/applications/{quote(one.application)}",
                application=one.application,
                pair=one.pair,
                why=one.reason,
            )
