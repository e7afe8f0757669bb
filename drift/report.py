"""What is known of some applications over their pairs, put together to be told: differences, and what was not seen.

Pure: it receives what is stored, or a survey of two ends, and hands on a ``Report``. How a report looks is the
faces' affair; its JSON form, its verdict and its exit code are made here. Old evidence is no evidence: a
comparison that is stale, or that nobody has made, is Unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from drift import certificates, rows, rule_rows
from drift.health import Vitals
from drift.rows import Row
from drift.running import NOTHING_KNOWN, Running
from drift.survey import Survey
from lockstep.sites import ends
from lockstep.store.views import drift as views
from lockstep.topology import direction, kinds
from lockstep.values import Health, Json, ObjectKey, Stance, Verdict

IN_STEP, DRIFT, UNKNOWN = 0, 1, 2
"""Exit codes: nothing differs that may not; something does; nobody can say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One difference of one application, with its life as far as it has one.

    ``sites`` are the truth and the follower. ``finding`` is its number in the store, 0 when it is not stored.
    ``state`` is that of the finding; ``said`` and ``by`` are what a person said of it and who, ``until`` when that
    ends. ``behind``: the newest comparison could not see it, so it is told as it was before.
    """

    application: str
    sites: tuple[str, str]
    row: Row
    finding: int = 0
    state: str = "open"
    said: str = ""
    by: str = ""
    until: datetime | None = None
    since: datetime | None = None
    last_seen: datetime | None = None
    behind: bool = False

    def to_json(self) -> dict[str, Json]:
        """As ``-o json`` writes it."""
        return {
            "application": self.application,
            **self.row.to_json(),
            "severity": self.row.severity,
            "finding": self.finding or None,
            "state": self.state,
            "said": self.said,
            "by": self.by,
            "until": _moment(self.until),
            "since": _moment(self.since),
            "lastSeen": _moment(self.last_seen),
            "seenNow": not self.behind,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One comparison of an application over a pair, as it may be told.

    ``verdict`` is Unknown when the evidence is ``stale``; ``was`` is what was found then. ``explained`` counts the
    differences that may be. ``health`` is that of each site, where it was looked at, and ``vitals`` why, with the
    objects that are not well; ``running`` is which images run. Old evidence says none of it. ``coverage`` says what was
    read of each side, when, how, and what could not be.
    """

    application: str
    pair: str
    sites: tuple[str, str]
    verdict: Verdict
    was: Verdict
    stance: str
    revision: str
    problem: str
    objects: int
    explained: int
    health: Mapping[str, str]
    coverage: Mapping[str, Json]
    started_at: datetime
    ended_at: datetime
    stale: bool = False
    vitals: Mapping[str, Vitals] = field(default_factory=dict)
    running: Running = NOTHING_KNOWN

    @property
    def order(self) -> tuple[str, str]:
        """Comparisons are sorted by application and pair."""
        return self.application, self.pair

    def to_json(self) -> dict[str, Json]:
        """As ``-o json`` writes it."""
        return {
            "application": self.application,
            "pair": self.pair,
            "truth": self.sites[0],
            "follower": self.sites[1],
            "verdict": self.verdict.value,
            "lastVerdict": self.was.value,
            "stance": self.stance,
            "revision": self.revision,
            "health": dict(self.health),
            "vitals": {site: one.to_json() for site, one in self.vitals.items()},
            "running": self.running.to_json(),
            "objects": self.objects,
            "explained": self.explained,
            "problem": self.problem,
            "stale": self.stale,
            "startedAt": _moment(self.started_at),
            "endedAt": _moment(self.ended_at),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleNote:
    """Something wrong with a rule, found while an application was compared over a pair."""

    application: str
    pair: str
    rule: str
    problem: str
    message: str

    def to_json(self) -> dict[str, Json]:
        """As ``-o json`` writes it."""
        names = ("application", "pair", "rule", "problem", "message")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Ending:
    """A certificate at a site that has ended, or ends soon. ``name`` is name space, Secret and key."""

    expires: datetime
    site: str
    name: str

    def to_json(self) -> dict[str, Json]:
        """As ``-o json`` writes it."""
        return {"site": self.site, "name": self.name, "expires": _moment(self.expires)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that is told at once.

    ``differences`` are what differs and what could not be seen, ``declared`` what overlays in git make differ,
    ``explained`` what rules and the sites themselves explain. ``uncompared`` are the applications and pairs that
    nobody has compared yet.
    """

    made_at: datetime
    compared: tuple[Compared, ...]
    differences: tuple[Entry, ...]
    declared: tuple[Entry, ...] = ()
    explained: tuple[Entry, ...] = ()
    rules: tuple[RuleNote, ...] = ()
    uncompared: tuple[tuple[str, str], ...] = field(default=())

    @property
    def verdict(self) -> Verdict:
        """The worst of all; Unknown when something was not compared, or nothing at all."""
        if self.uncompared or not self.compared:
            return Verdict.UNKNOWN
        return Verdict.worst(one.verdict for one in self.compared)

    @property
    def exit_code(self) -> int:
        """0 when everything is in step, 1 when something differs, 2 when nobody can say of everything."""
        return exit_code(self.verdict)

    @property
    def ending(self) -> list[Ending]:
        """The certificates that have ended or end soon, the most urgent first, each once."""
        found = {
            Ending(
                expires=datetime.fromisoformat(one["expires"]),
                site=site,
                name=f"{one['namespace']}/{one['name']} {one['key']}",
            )
            for compared in self.compared
            for site, read in compared.coverage.get("sites", {}).items()
            for one in read.get("certificates", ())
        }
        return sorted(one for one in found if one.expires - self.made_at < certificates.SOON)

    def of(self, compared: Compared, entries: Sequence[Entry]) -> list[Entry]:
        """Those of some entries that belong to a comparison."""
        return [one for one in entries if (one.application, one.row.pair) == compared.order]

    def to_json(self) -> dict[str, Json]:
        """As ``-o json`` writes it; never with the value of a secret."""
        return {
            "verdict": self.verdict.value,
            "madeAt": _moment(self.made_at),
            "differences": [one.to_json() for one in self.differences],
            "declared": [one.to_json() for one in self.declared],
            "explained": [one.to_json() for one in self.explained],
            "rules": [one.to_json() for one in self.rules],
            "certificates": [one.to_json() for one in self.ending],
            "scans": [one.to_json() for one in self.compared],
            "uncompared": [{"application": application, "pair": pair} for application, pair in self.uncompared],
            "coverage": [
                {"application": one.application, "pair": one.pair, **_covered(one.coverage)} for one in self.compared
            ],
        }


def exit_code(verdict: Verdict) -> int:
    """The exit code of a verdict (the design's: 0 none, 1 drift, 2 unknown)."""
    if verdict is Verdict.UNKNOWN:
        return UNKNOWN
    return IN_STEP if verdict.is_in_step else DRIFT


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


def of_ends(
    found: Survey,
    names: tuple[str, str],
    *,
    read: tuple[ends.Inventory, ends.Inventory],
    started: datetime,
    ended: datetime,
) -> Report:
    """What a comparison of two ends found, without an application and without git.

    Args:
        found: The survey; its verdict is the report's.
        names: What the two ends are called.
        read: What was read of them.
        started: When the first was read.
        ended: When everything was compared.
    """
    compared = Compared(
        application="",
        pair="",
        sites=names,
        verdict=found.verdict,
        was=found.verdict,
        stance="",
        revision="",
        problem=" ".join(dict.fromkeys(f"{one.gap.what}: {one.gap.why}" for one in found.blind)),
        objects=found.objects,
        explained=len(found.explained),
        health={},
        coverage={"sites": {name: _read(one) for name, one in zip(names, read, strict=True)}},
        started_at=started,
        ended_at=ended,
    )
    return Report(
        made_at=ended,
        compared=(compared,),
        differences=tuple(
            Entry(application="", sites=names, row=row) for row in rows.rows(found, pair="", sites=names)
        ),
        explained=tuple(
            Entry(application="", sites=names, row=row) for row in rows.explained(found, pair="", sites=names)
        ),
        rules=tuple(
            RuleNote(application="", pair="", rule=one.rule, problem=one.problem, message=one.message)
            for one in found.rules
        ),
    )


def _compared(scan: views.Scan, pair: kinds.Pair, now: datetime, stale: timedelta) -> Compared:
    faced = direction.direction_of(pair, Stance(scan.stance))
    was = Verdict(scan.verdict)
    old = now - scan.ended_at > stale
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
        since=one.first_seen,
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


def _covered(coverage: Mapping[str, Json]) -> dict[str, Json]:
    """What was read; what else a scan's coverage holds is told elsewhere in the report."""
    return {name: value for name, value in coverage.items() if name in ("git", "sites")}


def _read(found: ends.Inventory) -> Json:
    return {
        "method": found.method,
        "readAt": _moment(found.read_at),
        "objects": len(found.objects),
        "gaps": [{"what": gap.what, "why": gap.why} for gap in found.gaps],
    }


def _order(entry: Entry) -> tuple[str, ...]:
    return entry.application, *entry.row.order


def _moment(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at is not None else None
