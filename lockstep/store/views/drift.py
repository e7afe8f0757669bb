"""Scans and findings, as they are listed and counted."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, select

from lockstep import errors
from lockstep.store.tables import explained, findings, scans
from lockstep.values import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """The newest comparison of an application over a pair; what it explained is ``explained`` of its coverage."""

    application: str
    pair: str
    verdict: str
    revision: str
    stance: str
    coverage: Json
    counts: Json
    problem: str
    objects: int
    started_at: datetime
    ended_at: datetime
    in_step_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A difference with its life."""

    id: int
    fingerprint: str
    application: str
    pair: str
    verdict: str
    group: str
    kind: str
    namespace: str
    name: str
    site: str
    path: str
    people_path: str
    managed: bool
    values: Mapping[str, Json]
    cause: Mapping[str, Json]
    severity: float
    state: str
    note: str
    by: str
    until: datetime | None
    reopened: int
    first_seen: datetime
    last_seen: datetime
    resolved_at: datetime | None
    opened_at: datetime | None = None
    away_at: datetime | None = None
    answered_at: datetime | None = None
    flapping: bool = False
    declared: str = ""

    @property
    def since(self) -> datetime:
        """Since when it is so this time; what flaps counts on while it is away."""
        return self.opened_at or self.first_seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """A difference without its values."""

    fingerprint: str
    application: str
    pair: str
    verdict: str
    group: str
    kind: str
    namespace: str
    name: str
    site: str
    people_path: str
    managed: bool
    cause: Mapping[str, Json]
    severity: float
    state: str
    first_seen: datetime
    last_seen: datetime
    opened_at: datetime | None = None
    away_at: datetime | None = None
    flapping: bool = False

    @property
    def since(self) -> datetime:
        """Since when it is so this time; what flaps counts on while it is away."""
        return self.opened_at or self.first_seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which findings are asked for; an empty field asks for all. ``state`` ``unresolved`` is all but resolved."""

    application: str = ""
    pair: str = ""
    verdict: str = ""
    kind: str = ""
    state: str = ""


_SCAN = tuple(scans.c[name] for name in Scan.__dataclass_fields__)
_WITH_EXPLAINED = scans.outerjoin(
    explained, and_(explained.c.application == scans.c.application, explained.c.pair == scans.c.pair)
)
_BRIEF = tuple(findings.c[name] for name in Brief.__dataclass_fields__)
# What differs now: not what flaps and is away.
_SO = (findings.c.state != "resolved", findings.c.away_at.is_(None))
_FINDING = tuple(findings.c[name] for name in Finding.__dataclass_fields__)


def scans_of(connection: Connection, application: str = "") -> list[Scan]:
    """The newest scan of every application over every pair, or of one application."""
    statement = select(*_SCAN, explained.c.rows).select_from(_WITH_EXPLAINED).order_by(*scans.primary_key)
    if application:
        statement = statement.where(scans.c.application == application)
    return [_scan(**row._asdict()) for row in connection.execute(statement)]


def _scan(*, rows: Json, coverage: Json, **others: Any) -> Scan:
    return Scan(coverage=coverage if rows is None else {**coverage, "explained": rows}, **others)


def page(connection: Connection, wanted: Filter, *, before: int | None = None, limit: int = 50) -> list[Finding]:
    """Findings, the newest first; ``before`` is the id of the last one of the page before."""
    conditions = _conditions(wanted)
    if before is not None:
        conditions.append(findings.c.id < before)
    statement = select(*_FINDING).where(*conditions).order_by(findings.c.id.desc()).limit(limit)
    return [Finding(**row._asdict()) for row in connection.execute(statement)]


def of_application(connection: Connection, application: str, *, limit: int = 1000) -> list[Finding]:
    """What differs now of an application, object by object; the first ``limit`` of it."""
    statement = (
        select(*_FINDING)
        .where(findings.c.application == application, *_SO)
        .order_by(findings.c.pair, findings.c.kind, findings.c.namespace, findings.c.name, findings.c.path)
        .limit(limit)
    )
    return [Finding(**row._asdict()) for row in connection.execute(statement)]


def declared(connection: Connection, *, application: str = "", pair: str = "", limit: int = 1000) -> list[Finding]:
    """What overlays in git declare now, object by object: each is accepted by itself, or nobody has accepted it yet."""
    conditions = [findings.c.declared != "", *_SO]
    conditions += [findings.c[name] == value for name, value in (("application", application), ("pair", pair)) if value]
    order = (findings.c[name] for name in ("application", "pair", "kind", "namespace", "name", "path", "id"))
    statement = select(*_FINDING).where(*conditions).order_by(*order).limit(limit)
    return [Finding(**row._asdict()) for row in connection.execute(statement)]


def unresolved(connection: Connection, applications: Collection[str]) -> list[Finding]:
    """Everything that differs now of some applications, object by object."""
    statement = (
        select(*_FINDING)
        .where(findings.c.application.in_(applications), *_SO)
        .order_by(findings.c.application, findings.c.pair, findings.c.kind, findings.c.namespace, findings.c.name)
    )
    return [Finding(**row._asdict()) for row in connection.execute(statement)]


def briefly(connection: Connection, application: str, *, pair: str = "") -> list[Brief]:
    """Everything that is not resolved of an application, over one pair or all, without values, which may be large.

    What flaps and is away at the moment is among it.
    """
    statement = select(*_BRIEF).where(findings.c.application == application, findings.c.state != "resolved")
    if pair:
        statement = statement.where(findings.c.pair == pair)
    return [Brief(**row._asdict()) for row in connection.execute(statement)]


def one(connection: Connection, finding: int) -> Finding:
    """A finding by its number. Raises NotFoundError."""
    row = connection.execute(select(*_FINDING).where(findings.c.id == finding)).first()
    if row is None:
        raise errors.NotFoundError(f"There is no finding {finding}.", remedy="See lockstep findings list.")
    return Finding(**row._asdict())


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What findings are counted by; ``severity`` is their weight."""

    application: str
    pair: str
    verdict: str
    severity: float


def flapping(connection: Connection) -> dict[tuple[str, str], int]:
    """How many findings come and go, by application and pair."""
    place = (findings.c.application, findings.c.pair)
    statement = select(*place, func.count()).where(findings.c.flapping, findings.c.state != "resolved").group_by(*place)
    return {(row[0], row[1]): int(row[2]) for row in connection.execute(statement)}


def counts(connection: Connection) -> dict[Counted, int]:
    """How many unresolved findings there are by application, pair, verdict and weight."""
    columns = [findings.c[name] for name in Counted.__dataclass_fields__]
    statement = select(*columns, func.count()).where(findings.c.state != "resolved").group_by(*columns)
    return {
        Counted(application=row[0], pair=row[1], verdict=row[2], severity=row[3]): int(row[4])
        for row in connection.execute(statement)
    }


def _conditions(wanted: Filter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [
        findings.c[name] == value
        for name in ("application", "pair", "verdict", "kind")
        if (value := getattr(wanted, name))
    ]
    if wanted.state == "unresolved":
        conditions.append(findings.c.state != "resolved")
    elif wanted.state:
        conditions.append(findings.c.state == wanted.state)
    return conditions
