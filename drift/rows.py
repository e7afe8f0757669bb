"""Differences as everybody outside sees them: one row a pair and field, with the site that deviates."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from operator import itemgetter

from drift import heard, severity
from drift.examine import Difference
from drift.sides import ABSENT
from drift.survey import Blind, Survey
from lockstep.store import findings
from lockstep.values import Json, ObjectKey, Verdict

SIDES = ("gitPrimary", "primary", "gitStandby", "standby")
"""What the four values are called."""

_AT_FOLLOWER = frozenset(
    {Verdict.STANDBY_DRIFT, Verdict.STANDBY_BEHIND, Verdict.MISSING_AT_STANDBY, Verdict.DECLARED, Verdict.IN_SYNC}
)
_AT_TRUTH = frozenset({Verdict.PRIMARY_HOTFIX, Verdict.PRIMARY_BEHIND, Verdict.MISSING_AT_PRIMARY})
# Longer values are cut: a page and a report show where two texts differ, not a megabyte of them.
_LONGEST = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One thing that is to be said of an object over a pair.

    ``path`` is a JSON Pointer and ``people_path`` the way people write it; both are empty when the whole object is
    meant. ``values`` has the sides that have the field, fit to be shown. ``cause`` is who set it there and when, as
    far as the server knows. ``declared`` is the fingerprint of the values of what overlays declare. ``method`` is what
    spoke of the object: our rules, or they and a server's dry run.
    """

    pair: str
    verdict: Verdict
    key: ObjectKey
    site: str
    path: str = ""
    people_path: str = ""
    managed: bool = True
    values: Mapping[str, Json] = field(default_factory=dict)
    note: str = ""
    rules: tuple[str, ...] = ()
    severity: float = 0.0
    cause: Mapping[str, str] = field(default_factory=dict)
    declared: str = ""
    method: str = heard.RULES

    @property
    def order(self) -> tuple[str, ...]:
        """Rows are sorted by pair, object and field."""
        key = self.key
        return (self.pair, key.kind, key.group, key.namespace, key.name, self.path, self.people_path, self.site)

    @classmethod
    def from_json(cls, value: Mapping[str, Json]) -> Row:
        """The row that ``to_json`` wrote; its severity is not kept."""
        return cls(
            pair=value["pair"],
            verdict=Verdict(value["verdict"]),
            key=ObjectKey(group=value["group"], kind=value["kind"], namespace=value["namespace"], name=value["name"]),
            site=value["site"],
            path=value["path"],
            people_path=value["field"],
            managed=value["managed"],
            values=value["values"],
            note=value["note"],
            rules=tuple(value["rules"]),
            cause=value.get("cause", {}),
            method=value.get("method", heard.RULES),
        )

    def to_json(self) -> dict[str, Json]:
        """As ``-o json`` writes it."""
        return {
            "pair": self.pair,
            "verdict": self.verdict.value,
            "group": self.key.group,
            "kind": self.key.kind,
            "namespace": self.key.namespace,
            "name": self.key.name,
            "site": self.site,
            "path": self.path,
            "field": self.people_path,
            "managed": self.managed,
            "values": dict(self.values),
            "note": self.note,
            "rules": list(self.rules),
            "cause": dict(self.cause),
            "method": self.method,
        }

    def to_seen(self) -> findings.Seen:
        """As it is stored."""
        return findings.Seen(
            key=self.key,
            verdict=self.verdict,
            site=self.site,
            path=self.path,
            people_path=self.people_path,
            managed=self.managed,
            values=self.values,
            cause={
                **self.cause,
                **({"note": self.note} if self.note else {}),
                **({"rules": list(self.rules)} if self.rules else {}),
                **({"method": self.method} if self.method != heard.RULES else {}),
            },
            severity=self.severity,
            declared=self.declared,
        )


class Explained:
    """The differences that are explained, sorted, as they are kept. ``version`` is another one when they changed."""

    def __init__(self) -> None:
        self.version = 0
        self._rows: list[tuple[tuple[str, ...], dict[str, Json]]] = []
        self._orders: dict[ObjectKey, list[tuple[str, ...]]] = {}

    def put(self, only: Iterable[ObjectKey], rows: Iterable[Row]) -> None:
        """Put rows in the place of those that some objects had."""
        for key in only:
            for order in self._orders.pop(key, ()):
                self.version += 1
                del self._rows[bisect.bisect_left(self._rows, order, key=itemgetter(0))]
        for row in rows:
            self.version += 1
            bisect.insort(self._rows, (row.order, row.to_json()), key=itemgetter(0))
            self._orders.setdefault(row.key, []).append(row.order)

    def first(self, most: int) -> list[Json]:
        """The first of them."""
        return [row for _, row in self._rows[:most]]


def rows(found: Survey, *, pair: str, sites: tuple[str, str]) -> list[Row]:
    """What differs and what could not be seen, sorted.

    Args:
        found: The survey.
        pair: The pair's name.
        sites: The truth and the follower.
    """
    every = [*(_row(one, pair, sites) for one in found.differences), *(_unseen(one, pair) for one in found.blind)]
    return sorted(every, key=lambda row: row.order)


def explained(found: Survey, *, pair: str, sites: tuple[str, str]) -> list[Row]:
    """What differs and may, sorted."""
    return sorted((_row(one, pair, sites) for one in found.explained), key=lambda row: row.order)


def deviating(verdict: Verdict, sites: tuple[str, str]) -> str:
    """The site that is not as it should be; both, with a comma, where neither is."""
    if verdict in _AT_FOLLOWER:
        return sites[1]
    return sites[0] if verdict in _AT_TRUTH else ",".join(sites)


def _row(one: Difference, pair: str, sites: tuple[str, str]) -> Row:
    return Row(
        pair=pair,
        verdict=one.verdict,
        key=one.key,
        site=one.unsure or deviating(one.verdict, sites),
        path=one.pointer,
        people_path=one.path,
        managed=one.managed,
        values=dict(_values(one)),
        note=one.note,
        rules=tuple(opinion.rule for opinion in one.opinions),
        severity=severity.of(one.verdict, one.path),
        cause=one.cause,
        declared=one.declared,
        method=one.method,
    )


def _unseen(blind: Blind, pair: str) -> Row:
    gap = blind.gap
    key = ObjectKey(group=gap.group, kind=gap.kind, namespace=gap.namespace, name=gap.name)
    return Row(
        pair=pair,
        verdict=Verdict.UNKNOWN,
        key=key,
        site=blind.site,
        note=f"{gap.what}: {gap.why}",
        people_path="" if gap.name != "*" else gap.what,
        severity=severity.of(Verdict.UNKNOWN, ""),
    )


def _values(one: Difference) -> Iterator[tuple[str, Json]]:
    for side, value in zip(SIDES, one.values.all(), strict=True):
        if value is not ABSENT:
            yield side, shortened(value)


def shortened(value: Json) -> Json:
    """A value with its long texts cut."""
    if isinstance(value, str) and len(value) > _LONGEST:
        return f"{value[:_LONGEST]}… ({len(value)} characters)"
    if isinstance(value, dict):
        return {key: shortened(item) for key, item in value.items()}
    return [shortened(item) for item in value] if isinstance(value, list) else value
