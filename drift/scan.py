"""Comparing an application over its pairs now, and the jobs that do it and keep what they found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from sqlalchemy import Connection

from drift import blame, rows, rule_rows, survey
from drift.comparison import Comparison
from drift.doors import Renderer, Scanning, Sites
from drift.inventory import Reading
from drift.rows import Row
from lockstep import crash, errors, work
from lockstep.sites import ends
from lockstep.store import findings
from lockstep.topology import kinds
from lockstep.values import Json, ObjectKey, Verdict

__all__ = ["Renderer", "Scanned", "Scanning", "Sites", "handle_scan", "handle_sweep", "scan"]

# What is kept for the pages of differences that are explained; their number is kept whole.
_MOST_EXPLAINED = 500
_MOST_CERTIFICATES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned:
    """A comparison of an application over a pair.

    ``rows`` differ or could not be seen, ``explained`` differ and may, ``rules`` say what is wrong with rules;
    ``hides`` says whether an object could not be seen.
    """

    scan: findings.Scan
    rows: tuple[Row, ...]
    explained: tuple[Row, ...]
    hides: Callable[[ObjectKey], bool]
    rules: tuple[Row, ...] = ()

    def store(self, connection: Connection) -> None:
        """Write it, in the transaction that ends its job."""
        crash.reach(crash.Point.BEFORE_FINDING)
        seen = [row.to_seen() for row in (*self.rows, *self.rules)]
        findings.record(connection, self.scan, seen, hidden=self.hides)


def handle_scan(context: Scanning, claim: work.Claim) -> work.Outcome:
    """Compare an application over one of its pairs, or all: ``{"application":, "pair": name or "", "told": bool}``.

    ``told`` says that a watch told of a change: then the sites are seen as their watches know them.
    """
    if claim.payload.get("told") and context.watched is not None:
        context = replace(context, sites=context.watched)
    topology = context.topology()
    name, only = str(claim.payload["application"]), str(claim.payload.get("pair") or "")
    application = topology.applications.get(name)
    if application is None:  # the configuration changed in the meantime
        return work.Done()
    pairs = [pair for pair, _ in topology.pairs_of(application) if only in ("", pair.name)]
    told = (work.tell(name),) if topology.notifications else ()
    return work.Done(effects=tuple(scan(context, application, pair).store for pair in pairs), then=told)


def handle_sweep(context: Scanning, _claim: work.Claim) -> work.Outcome:
    """Compare every application, whatever events say; what is no longer protected is forgotten."""
    topology = context.topology()
    protected = [
        (application.name, pair.name)
        for application in topology.applications.values()
        for pair, _ in topology.pairs_of(application)
    ]
    now = context.clock.now()

    def forget(connection: Connection) -> None:
        findings.forget_others(connection, protected, now=now)

    return work.Done(effects=(forget,), then=tuple(work.scan(name) for name in topology.applications))


def scan(context: Scanning, application: kinds.Application, pair: kinds.Pair) -> Scanned:
    """Compare an application over a pair now. What cannot be seen is Unknown, never an error."""
    comparison = Comparison.of(context, application, pair)
    try:
        wanted = comparison.wanted()
    except errors.LockstepError as error:
        return _blind(comparison, error)
    readings = comparison.read(wanted)
    found = blame.blamed(comparison.survey(wanted, readings), comparison.sites, readings, comparison.lookup)
    verdict = found.verdict
    if verdict is Verdict.IN_SYNC and comparison.is_dispersed():
        verdict = Verdict.DISPERSED
    explained = rows.explained(found, pair=pair.name, sites=comparison.sites)
    vitals = comparison.vitals(wanted, readings)
    coverage: dict[str, Json] = {
        "git": {"revision": wanted.revision, "notes": [note for side in wanted.sides for note in side.notes]},
        "sites": {reading.site: _read(reading) for reading in readings},
        "health": {site: one.health.value for site, one in vitals.items()},
        "vitals": {site: one.to_json() for site, one in vitals.items()},
        "rules": [{"rule": one.rule, "problem": one.problem, "message": one.message} for one in found.rules],
        "explained": [row.to_json() for row in explained[:_MOST_EXPLAINED]],
    }
    return Scanned(
        scan=_scan(comparison, found, verdict=verdict, revision=wanted.revision, coverage=coverage),
        rows=tuple(rows.rows(found, pair=pair.name, sites=comparison.sites)),
        explained=tuple(explained),
        hides=partial(rule_rows.hides, found),
        rules=tuple(rule_rows.of(found.rules, context.topology().expected_differences.values(), pair=pair.name)),
    )


def _blind(comparison: Comparison, error: errors.LockstepError) -> Scanned:
    """Nobody can say what git wants: nothing can be said of anything."""
    gap = ends.Gap(what="git", why=str(error))
    found = survey.Survey(
        differences=(),
        explained=(),
        blind=tuple(survey.Blind(site=site, gap=gap) for site in comparison.sites),
        rules=(),
        objects=0,
    )
    pair = comparison.faced.pair
    return Scanned(
        scan=_scan(comparison, found, verdict=Verdict.UNKNOWN, revision="", coverage={"git": {"problem": str(error)}}),
        rows=tuple(rows.rows(found, pair=pair, sites=comparison.sites)),
        explained=(),
        hides=partial(rule_rows.hides, found),
    )


def _scan(
    comparison: Comparison, found: survey.Survey, *, verdict: Verdict, revision: str, coverage: dict[str, Json]
) -> findings.Scan:
    return findings.Scan(
        application=comparison.application.name,
        pair=comparison.faced.pair,
        verdict=verdict,
        revision=revision,
        stance=comparison.faced.stance.value,
        coverage=coverage,
        counts=found.counts,
        problem=" ".join(dict.fromkeys(f"{one.gap.what}: {one.gap.why}" for one in found.blind)),
        objects=found.objects,
        started_at=comparison.started_at,
        ended_at=comparison.scanning.clock.now(),
    )


def _read(reading: Reading) -> Json:
    """What was read of a site, when, how, and what could not be."""
    return {
        "address": reading.address,
        "method": reading.method,
        "readAt": reading.read_at.isoformat() if reading.read_at else None,
        "objects": len(reading.objects),
        "gaps": [{"what": gap.what, "why": gap.why} for gap in reading.gaps],
        "certificates": [one.to_json() for one in reading.certificates[:_MOST_CERTIFICATES]],
    }
