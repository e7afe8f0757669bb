"""What is stored of a comparison: the comparison as a whole, with what it covered, and a row for each difference."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from sqlalchemy import Connection

from drift import blame, dry_runs, rows, rule_rows, unseen
from drift.comparison import Comparison
from drift.following import Followed
from drift.health import Vitals
from drift.inventory import Reading
from drift.rows import Explained, Row
from drift.running import Running
from drift.survey import Survey
from lockstep import crash
from lockstep.store import database, findings, lives, scans
from lockstep.topology import kinds
from lockstep.values import Json, ObjectKey, Verdict

# What is kept for the pages of differences that are explained; their number is kept whole.
_MOST_EXPLAINED = 500
_MOST_CERTIFICATES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned:
    """A comparison of an application over a pair.

    ``rows`` differ or could not be seen, ``explained`` differ and may, ``rules`` say what is wrong with rules;
    ``hides`` says whether an object could not be seen at a site. ``only`` names the objects that were compared anew,
    where those are not all. ``flapping`` is what counts as coming and going. ``stored`` is called once it is stored.
    """

    scan: scans.Scan
    rows: tuple[Row, ...]
    explained: tuple[Row, ...]
    hides: Callable[[ObjectKey, str], bool]
    rules: tuple[Row, ...] = ()
    only: frozenset[ObjectKey] | None = None
    flapping: kinds.Flapping = lives.USUAL
    stored: Callable[[], None] | None = None

    def store(self, connection: Connection) -> None:
        """Write it, in the transaction that ends its job."""
        crash.reach(crash.Point.BEFORE_FINDING)
        seen = [row.to_seen() for row in (*self.rows, *self.rules)]
        findings.record(connection, self.scan, seen, hidden=self.hides, only=self.only, flapping=self.flapping)
        if self.stored is not None:
            # What is not committed is written again with the next change.
            database.after_commit(connection, self.stored)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a comparison knows of both sites beside differences, and of git: ``{"revision":, "notes": [...]}``."""

    rendering: Mapping[str, Json]
    readings: tuple[Reading, Reading]
    vitals: tuple[Vitals, Vitals]
    running: Running


def scanned(comparison: Comparison, known: Known, found: Survey, *, followed: Followed | None = None) -> Scanned:
    """What is to be stored of a survey.

    Args:
        comparison: Who was compared with whom.
        known: What else is known.
        found: The survey.
        followed: The comparison that is kept true.
    """
    pair, sites = comparison.faced.pair, comparison.sites
    found = blame.blamed(found, sites, known.readings, comparison.lookup)
    found = blame.declared(found, partial(comparison.declaring, known.rendering["revision"]))
    verdict = found.verdict
    if verdict is Verdict.IN_SYNC and comparison.is_dispersed():
        verdict = Verdict.DISPERSED
    explained = rows.explained(found, pair=pair, sites=sites)
    listed = followed.explained if followed is not None else Explained()
    listed.put(found.only or (), explained)
    rules = rule_rows.of(found.rules, comparison.topology.expected_differences.values(), pair=pair)
    coverage: dict[str, Json] = {
        "git": dict(known.rendering),
        "sites": {
            reading.site: {**_read(reading), "dryRun": dry_runs.told(comparison, side, found.sums)}
            for side, reading in enumerate(known.readings)
        },
        "health": {site: one.health.value for site, one in zip(sites, known.vitals, strict=True)},
        "vitals": {site: one.to_json() for site, one in zip(sites, known.vitals, strict=True)},
        "running": known.running.to_json(),
        "rules": [{"rule": one.rule, "problem": one.problem, "message": one.message} for one in found.rules],
    }
    is_listed = followed is not None and followed.is_listed
    return Scanned(
        scan=replace(
            summary(comparison, found, verdict=verdict, revision=known.rendering["revision"], coverage=coverage),
            explained=None if is_listed else listed.first(_MOST_EXPLAINED),
        ),
        rows=tuple(rows.rows(found, pair=pair, sites=sites)),
        explained=tuple(explained),
        hides=partial(rule_rows.hides, found),
        rules=tuple(row for row in rules if found.only is None or row.key in found.only),
        only=found.only,
        flapping=comparison.application.spec.flapping,
        stored=followed.store(now=comparison.scanning.clock.monotonic()) if followed is not None else None,
    )


def summary(
    comparison: Comparison, found: Survey, *, verdict: Verdict, revision: str, coverage: dict[str, Json]
) -> scans.Scan:
    """A comparison as a whole."""
    return scans.Scan(
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
        "aheadSeconds": None if reading.ahead_seconds is None else round(reading.ahead_seconds),
        "gaps": [unseen.to_json(gap) for gap in reading.gaps],
        "certificates": [one.to_json() for one in reading.certificates[:_MOST_CERTIFICATES]],
    }
