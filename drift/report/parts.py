"""The parts of a report: a difference, a comparison, what is wrong with a rule, a certificate that ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from drift.health import Vitals
from drift.rows import Row
from drift.running import NOTHING_KNOWN, Running
from lockstep.values import Json, Verdict


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
            "until": moment(self.until),
            "since": moment(self.since),
            "lastSeen": moment(self.last_seen),
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
            "startedAt": moment(self.started_at),
            "endedAt": moment(self.ended_at),
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
        return {"site": self.site, "name": self.name, "expires": moment(self.expires)}


def moment(at: datetime | None) -> str | None:
    """As a report writes a moment, to the second; None when there is none."""
    return at.isoformat(timespec="seconds") if at is not None else None
