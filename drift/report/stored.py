"""A report of what the store has of some applications over some pairs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from drift import heard, rule_rows
from drift.health import Vitals
from drift.report.parts import Compared, Entry, RuleNote
from drift.report.whole import Report
from drift.rows import Row
from drift.running import NOTHING_KNOWN, Running
from lockstep import clock
from lockstep.store.views import drift as views
from lockstep.topology import direction, kinds
from lockstep.values import Health, ObjectKey, Stance, Verdict


def of_store(
    scans: Sequence[views.Scan],
    findings: Sequence[views.Finding],
    protected: Iterable[tuple[kinds.Application, kinds.Pair]],
    *,
    now: datetime,
    stale: timedelta,
) -> Report:
    """What the store has of some applications over some pairs.

    Args:
        scans: The newest comparisons; those that are not asked for are left out.
        findings: What is not resolved; likewise.
        protected: The applications with the pairs that are asked for.
        now: This moment.
        stale: Evidence older than this is worth nothing.
    """
    pairs = {(application.name, pair.name): pair for application, pair in protected}
    known = [scan for scan in scans if (scan.application, scan.pair) in pairs]
    compared = [_compared(scan, pairs[scan.application, scan.pair], now, stale) for scan in known]
    by_order = {one.order: one for one in compared}
    entries = sorted(
        (
            _entry(one, by_order[key], now)
            for one in findings
            # What is wrong with rules has its own list.
            if (key := (one.application, one.pair)) in by_order and (one.group, one.kind) != rule_rows.PLACE
        ),
        key=_order,
    )
    return Report(
        made_at=now,
        compared=tuple(sorted(compared, key=lambda one: one.order)),
        differences=tuple(one for one in entries if one.row.verdict is not Verdict.DECLARED),
        declared=tuple(one for one in entries if one.row.verdict is Verdict.DECLARED),
        explained=tuple(sorted((entry for one in compared for entry in _explained(one)), key=_order)),
        rules=tuple(note for one in compared for note in _rules(one)),
        uncompared=tuple(sorted(set(pairs) - set(by_order))),
    )


def _compared(scan: views.Scan, pair: kinds.Pair, now: datetime, stale: timedelta) -> Compared:
    faced = direction.direction_of(pair, Stance(scan.stance))
    was = Verdict(scan.verdict)
    old = not clock.is_within(scan.ended_at, now=now, most=stale)
    coverage = scan.coverage if isinstance(scan.coverage, dict) else {}
    counts = scan.counts if isinstance(scan.counts, dict) else {}
    health = {site: Health.UNKNOWN.value if old else word for site, word in coverage.get("health", {}).items()}
    return Compared(
        application=scan.application,
        pair=scan.pair,
        sites=(faced.truth, faced.follower),
        verdict=Verdict.UNKNOWN if old else was,
        was=was,
        stance=scan.stance,
        revision=scan.revision,
        problem=scan.problem,
        objects=scan.objects,
        explained=int(counts.get("explained", 0)),
        health=health,
        coverage=coverage,
        started_at=scan.started_at,
        ended_at=scan.ended_at,
        stale=old,
        vitals={} if old else {site: Vitals.from_json(one) for site, one in coverage.get("vitals", {}).items()},
        running=NOTHING_KNOWN if old else Running.from_json(coverage.get("running", {})),
    )


def _entry(one: views.Finding, compared: Compared, now: datetime) -> Entry:
    waived_until_now = one.state == "waived" and one.until is not None and one.until <= now
    return Entry(
        application=one.application,
        sites=compared.sites,
        row=row_of(one),
        finding=one.id,
        state="open" if waived_until_now else one.state,
        said=one.note,
        by=one.by,
        until=one.until,
        since=one.since,
        last_seen=one.last_seen,
        behind=one.last_seen < compared.ended_at,
    )


def row_of(one: views.Finding) -> Row:
    """The difference that a finding is about."""
    return Row(
        pair=one.pair,
        verdict=Verdict(one.verdict),
        key=ObjectKey(group=one.group, kind=one.kind, namespace=one.namespace, name=one.name),
        site=one.site,
        path=one.path,
        people_path=one.people_path,
        managed=one.managed,
        values=one.values,
        note=str(one.cause.get("note", "")),
        rules=tuple(one.cause.get("rules", ())),
        severity=one.severity,
        cause={name: str(text) for name, text in one.cause.items() if name in ("by", "kind", "at")},
        method=str(one.cause.get("method", heard.RULES)),
    )


def _explained(compared: Compared) -> list[Entry]:
    return [
        Entry(application=compared.application, sites=compared.sites, row=Row.from_json(one))
        for one in compared.coverage.get("explained", ())
    ]


def _rules(compared: Compared) -> list[RuleNote]:
    return [
        RuleNote(application=compared.application, pair=compared.pair, **one)
        for one in compared.coverage.get("rules", ())
    ]


def _order(entry: Entry) -> tuple[str, ...]:
    return entry.application, *entry.row.order
