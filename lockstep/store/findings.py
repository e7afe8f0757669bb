"""Comparisons and their findings: each difference is one row as long as it lives, whatever its values become.

A finding is known by its fingerprint: application, pair, object and path; which site deviates may change while it
lives. It is resolved when a comparison that could see it no longer finds it, and the same row is open again when it
is back; one whose side could not be seen is not confirmed, and stays. What a person said of it stays with it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import BindParameter, Connection, Row, bindparam, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import ReturningInsert

from lockstep import errors
from lockstep.store import database
from lockstep.store.tables import explained, findings, scans
from lockstep.values import Json, ObjectKey, Verdict

# A statement may bind 32,766 values on SQLite; a finding has some twenty.
_ROWS = 1000
# What is read of a finding that is there already: its object and its life, without values that may be large.
_LIFE = tuple(
    findings.c[name]
    for name in (
        *("fingerprint", "group", "kind", "namespace", "name", "site", "managed"),
        *("state", "note", "by", "until", "reopened"),
    )
)
Hidden: TypeAlias = Callable[[ObjectKey, str], bool]
"""Whether a comparison could not see an object at a site, or at any of some with a comma between; ``""`` is all."""
# Made once, because making a statement costs as much as running it.
_OURS = (findings.c.application == bindparam("of_application"), findings.c.pair == bindparam("of_pair"))
_ENDED = select(scans.c.ended_at).where(
    scans.c.application == bindparam("of_application"), scans.c.pair == bindparam("of_pair")
)
_EVERY = select(*_LIFE).where(*_OURS)
_AMONG: BindParameter[Any] = bindparam("among", expanding=True)
_BY_FINGERPRINT = _EVERY.where(findings.c.fingerprint.in_(_AMONG))
# Listed one by one, so that the index over application, pair and state is of use.
_LIVE = ("open", "acknowledged", "waived")
_UNRESOLVED = _EVERY.where(findings.c.state.in_(_LIVE), findings.c.name.in_(_AMONG))
_STILL = (
    update(findings)
    .where(
        *_OURS,
        findings.c.state.in_(_LIVE),
        findings.c.last_seen >= bindparam("before"),
        findings.c.fingerprint.not_in(bindparam("besides", expanding=True)),
    )
    .values(last_seen=bindparam("now"))
)
_RESOLVED = (
    update(findings).where(findings.c.fingerprint.in_(_AMONG)).values(state="resolved", resolved_at=bindparam("now"))
)
# What the newest comparison says of a finding, and what becomes of its life.
_TOLD = (
    *("verdict", "site", "path", "managed", "values", "cause", "severity", "last_seen"),
    *("state", "reopened", "resolved_at", "note", "by", "until"),
)
_AGAIN = (
    update(findings)
    .where(findings.c.fingerprint == bindparam("known"))
    .values({name: bindparam(f"new_{name}") for name in _TOLD})
)
_PLACE = ("application", "pair")
_COLUMNS = tuple(column.name for column in scans.c)


def _newest(statement: postgresql.Insert | sqlite.Insert) -> ReturningInsert[tuple[str]]:
    """Write a comparison in the place of an older one; when it was last in step stays known."""
    new = statement.excluded
    values = {name: new[name] for name in _COLUMNS if name not in (*_PLACE, "in_step_at")}
    return statement.on_conflict_do_update(
        index_elements=_PLACE,
        set_={**values, "in_step_at": func.coalesce(new.in_step_at, scans.c.in_step_at)},
        where=scans.c.started_at <= new.started_at,
    ).returning(scans.c.pair)


_NEWEST = {"postgresql": _newest(postgresql.insert(scans)), "sqlite": _newest(sqlite.insert(scans))}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A difference that a comparison found.

    ``path`` is a JSON Pointer and ``people_path`` the way people write it, which tells two entries of one place
    apart. ``values`` has what each side has, ``cause`` what is known of why.
    """

    key: ObjectKey
    verdict: Verdict
    site: str
    path: str
    people_path: str
    managed: bool = True
    values: Mapping[str, Json] = field(default_factory=dict)
    cause: Mapping[str, Json] = field(default_factory=dict)
    severity: float = 0.0

    def fingerprint(self, application: str, pair: str) -> str:
        """What the finding is known by: its place, never its values.

        The site is a part of it only where that is what could not be seen: what deviates at one site and then at both
        is one difference all along.
        """
        key, site = self.key, self.site if self.verdict is Verdict.UNKNOWN else ""
        place = (application, pair, key.group, key.kind, key.namespace, key.name, site, self.people_path)
        return hashlib.sha256("\n".join(place).encode("utf-8", "backslashreplace")).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """One comparison of an application over a pair, as a whole.

    ``explained`` are the differences that may be, as they are shown; None when they are those that are stored.
    """

    application: str
    pair: str
    verdict: Verdict
    revision: str
    stance: str
    coverage: Mapping[str, Json]
    counts: Mapping[str, int]
    problem: str
    objects: int
    started_at: datetime
    ended_at: datetime
    explained: Sequence[Json] | None = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What recording a comparison changed: fingerprints that are new, open again, and resolved."""

    new: tuple[str, ...]
    reopened: tuple[str, ...]
    resolved: tuple[str, ...]


def record(
    connection: Connection,
    scan: Scan,
    seen: Sequence[Seen],
    *,
    hidden: Hidden,
    only: Collection[ObjectKey] | None = None,
) -> Changes:
    """Write a comparison and what it found.

    Args:
        connection: The transaction that ends the comparison's job.
        scan: The comparison; an older one than is recorded changes nothing.
        seen: Every difference that it found.
        hidden: What the comparison could not see: findings there stay as they are.
        only: The objects that were compared anew; of all others the comparison found what the one before it did.
    """
    before = _last_ended(connection, scan) if only is not None else None
    if not _record_scan(connection, scan):
        return Changes(new=(), reopened=(), resolved=())
    found = {one.fingerprint(scan.application, scan.pair): one for one in seen}
    known = {row.fingerprint: row for row in _known(connection, scan, found, only)}
    new = [fingerprint for fingerprint in found if fingerprint not in known]
    again = [fingerprint for fingerprint in found if fingerprint in known]
    gone = [
        fingerprint
        for fingerprint, row in known.items()
        # What git does not have is compared between the sites, and needs both.
        if fingerprint not in found
        and row.state != "resolved"
        and not hidden(_key(row), row.site if row.managed else "")
    ]
    _insert(connection, scan, {fingerprint: found[fingerprint] for fingerprint in new})
    _update(connection, scan, {fingerprint: (known[fingerprint], found[fingerprint]) for fingerprint in again})
    for part in _parts(gone):
        connection.execute(_RESOLVED, {"among": part, "now": scan.ended_at})
    if before is not None:
        # What was compared anew and could not be seen is told as it was before.
        besides = [fingerprint for fingerprint in known if fingerprint not in found]
        connection.execute(_STILL, {**_of(scan), "before": before, "now": scan.ended_at, "besides": besides})
    return Changes(
        new=tuple(new),
        reopened=tuple(fingerprint for fingerprint in again if known[fingerprint].state == "resolved"),
        resolved=tuple(gone),
    )


def acknowledge(connection: Connection, finding: int, *, by: str, note: str) -> None:
    """Somebody has seen it, and it stays open to everybody else.

    Raises:
        NotFoundError: There is no such finding that is not resolved.
    """
    _decide(connection, finding, {"state": "acknowledged", "by": by, "note": note, "until": None})


def waive(connection: Connection, finding: int, *, by: str, note: str, until: datetime) -> None:
    """Somebody accepts it until a moment; after that it is open again.

    Raises:
        NotFoundError: There is no such finding that is not resolved.
    """
    _decide(connection, finding, {"state": "waived", "by": by, "note": note, "until": until})


def forget_others(connection: Connection, protected: Collection[tuple[str, str]], *, now: datetime) -> None:
    """Applications and pairs that the configuration no longer has: their comparisons go, their findings are resolved.

    Args:
        connection: A transaction.
        protected: The applications and pairs that there are.
        now: This moment.
    """
    known = [(row.application, row.pair) for row in connection.execute(select(scans.c.application, scans.c.pair))]
    gone = [pair for pair in known if pair not in set(protected)]
    for application, pair in gone:
        for table in (scans, explained):
            connection.execute(delete(table).where(table.c.application == application, table.c.pair == pair))
        connection.execute(
            update(findings)
            .where(findings.c.application == application, findings.c.pair == pair, findings.c.state != "resolved")
            .values(state="resolved", resolved_at=now)
        )


def forget(connection: Connection, *, before: datetime, most: int = _ROWS) -> int:
    """Delete the oldest findings that were resolved before a moment.

    Args:
        connection: The caller's transaction.
        before: What was resolved earlier goes; what is not resolved stays, however old.
        most: How many at once, so that the transaction stays short.

    Returns:
        How many were deleted; call again while it is ``most``.
    """
    old = (
        select(findings.c.id)
        .where(findings.c.state == "resolved", findings.c.resolved_at < before)
        .order_by(findings.c.resolved_at)
        .limit(most)
        # One that is opened again at this moment stays.
        .with_for_update(skip_locked=True)
    )
    return len(connection.execute(delete(findings).where(findings.c.id.in_(old)).returning(findings.c.id)).all())


def last_compared(connection: Connection) -> dict[tuple[str, str], datetime]:
    """When each application was last compared over each pair."""
    rows = connection.execute(select(scans.c.application, scans.c.pair, scans.c.ended_at))
    return {(row.application, row.pair): row.ended_at for row in rows}


def _of(scan: Scan) -> dict[str, Json]:
    return {"of_application": scan.application, "of_pair": scan.pair}


def _last_ended(connection: Connection, scan: Scan) -> datetime | None:
    """When the comparison that is recorded ended."""
    return connection.execute(_ENDED, _of(scan)).scalar_one_or_none()


def _known(
    connection: Connection, scan: Scan, found: Mapping[str, Seen], only: Collection[ObjectKey] | None
) -> Iterator[Row[Any]]:
    """What is stored already: everything of the comparison, or what is not resolved of some objects, and what is found.

    Of one change nobody reads all that was ever resolved.
    """
    if only is None:
        yield from connection.execute(_EVERY, _of(scan))
        return
    for part in _parts(list(found)):
        yield from connection.execute(_BY_FINGERPRINT, {**_of(scan), "among": part})
    for part in _parts(sorted({key.name for key in only})):
        rows = connection.execute(_UNRESOLVED, {**_of(scan), "among": part})
        yield from (row for row in rows if _key(row) in only)


def _record_scan(connection: Connection, scan: Scan) -> bool:
    """Write the newest comparison; False when a later one is there already."""
    values = {
        "application": scan.application,
        "pair": scan.pair,
        "verdict": scan.verdict.value,
        "revision": scan.revision,
        "stance": scan.stance,
        "coverage": dict(scan.coverage),
        "counts": dict(scan.counts),
        "problem": scan.problem,
        "objects": scan.objects,
        "started_at": scan.started_at,
        "ended_at": scan.ended_at,
        "in_step_at": scan.ended_at if scan.verdict.is_in_step else None,
    }
    written = connection.execute(_NEWEST[connection.dialect.name], values)
    if written.first() is None:
        return False
    if scan.explained is not None:
        _record_explained(connection, scan, scan.explained)
    return True


def _record_explained(connection: Connection, scan: Scan, rows: Sequence[Json]) -> None:
    statement = database.insert(connection, explained).values(
        application=scan.application, pair=scan.pair, rows=list(rows)
    )
    connection.execute(
        statement.on_conflict_do_update(index_elements=_PLACE, set_={"rows": statement.excluded["rows"]})
    )


def _insert(connection: Connection, scan: Scan, found: Mapping[str, Seen]) -> None:
    for part in _parts(list(found)):
        connection.execute(
            findings.insert(),
            [
                {
                    "fingerprint": fingerprint,
                    "application": scan.application,
                    "pair": scan.pair,
                    "group": found[fingerprint].key.group,
                    "kind": found[fingerprint].key.kind,
                    "namespace": found[fingerprint].key.namespace,
                    "name": found[fingerprint].key.name,
                    "people_path": found[fingerprint].people_path,
                    "state": "open",
                    "first_seen": scan.ended_at,
                    **_told(scan, found[fingerprint]),
                }
                for fingerprint in part
            ],
        )


def _update(connection: Connection, scan: Scan, found: Mapping[str, tuple[Row[Any], Seen]]) -> None:
    rows = [
        {"known": fingerprint, **_told(scan, seen), **_life(scan, row)} for fingerprint, (row, seen) in found.items()
    ]
    for part in _parts(rows):
        connection.execute(
            _AGAIN,
            [{name if name == "known" else f"new_{name}": value for name, value in row.items()} for row in part],
        )


def _told(scan: Scan, seen: Seen) -> dict[str, Json]:
    """What the newest comparison says of a finding."""
    return {
        "verdict": seen.verdict.value,
        "site": seen.site,
        "path": seen.path,
        "managed": seen.managed,
        "values": dict(seen.values),
        "cause": dict(seen.cause),
        "severity": seen.severity,
        "last_seen": scan.ended_at,
    }


def _life(scan: Scan, row: Row[Any]) -> dict[str, Json]:
    """What a person said stays, until the finding was resolved in the meantime or a waiver has ended."""
    if row.state == "resolved":
        return {"state": "open", "reopened": row.reopened + 1, "resolved_at": None, "note": "", "by": "", "until": None}
    ended = row.state == "waived" and row.until is not None and row.until <= scan.ended_at
    return {
        "state": "open" if ended else row.state,
        "reopened": row.reopened,
        "resolved_at": None,
        "note": row.note,
        "by": row.by,
        "until": row.until,
    }


def _decide(connection: Connection, finding: int, values: Mapping[str, Json]) -> None:
    statement = update(findings).where(findings.c.id == finding, findings.c.state != "resolved").values(dict(values))
    if connection.execute(statement.returning(findings.c.id)).first() is None:
        raise errors.NotFoundError(
            f"There is no finding {finding} that is not resolved.", remedy="See lockstep findings list."
        )


def _key(row: Row[Any]) -> ObjectKey:
    return ObjectKey(group=row.group, kind=row.kind, namespace=row.namespace, name=row.name)


def _parts(rows: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (rows[start : start + _ROWS] for start in range(0, len(rows), _ROWS))
