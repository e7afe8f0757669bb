"""Findings: each difference is one row as long as it lives, whatever its values become.

A finding is known by its fingerprint: application, pair, object and path; which site deviates may change while it
lives. It is resolved when a comparison that could see it no longer finds it, and the same row is open again when it
is back; one whose side could not be seen is not confirmed, and stays. How its life goes on is decided in
``lockstep.store.lives``; what people say of it is in ``lockstep.store.answers``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import BindParameter, Connection, Row, Update, bindparam, select, update

from lockstep.store import lives, scans
from lockstep.store.lives import Life
from lockstep.store.scans import Scan
from lockstep.store.tables import findings
from lockstep.topology import kinds
from lockstep.values import Json, ObjectKey, Verdict

# A statement may bind 32,766 values on SQLite; a finding has some twenty.
_ROWS = 1000
# What is read of a finding that is there already: its object and its life, without values that may be large.
_LIFE = tuple(
    findings.c[name]
    for name in (
        *("fingerprint", "group", "kind", "namespace", "name", "site", "managed"),
        *Life.__dataclass_fields__,
    )
)
Hidden: TypeAlias = Callable[[ObjectKey, str], bool]
"""Whether a comparison could not see an object at a site, or at any of some with a comma between; ``""`` is all."""
# Made once, because making a statement costs as much as running it.
_OURS = (findings.c.application == bindparam("of_application"), findings.c.pair == bindparam("of_pair"))
_EVERY = select(*_LIFE).where(*_OURS)
_AMONG: BindParameter[Any] = bindparam("among", expanding=True)
_BY_FINGERPRINT = _EVERY.where(findings.c.fingerprint.in_(_AMONG))
# Listed one by one, so that the index over application, pair and state is of use.
_UNRESOLVED = _EVERY.where(findings.c.state.in_(lives.LIVE), findings.c.name.in_(_AMONG))
_STILL = (
    update(findings)
    .where(
        *_OURS,
        findings.c.state.in_(lives.LIVE),
        findings.c.last_seen >= bindparam("before"),
        findings.c.fingerprint.not_in(bindparam("besides", expanding=True)),
    )
    .values(last_seen=bindparam("now"))
)
# What the newest comparison says of a finding, and what becomes of its life.
_TOLD = (
    *("verdict", "site", "path", "managed", "values", "cause", "severity", "last_seen", "declared"),
    *Life.__dataclass_fields__,
)
_AGAIN, _GONE = (
    update(findings)
    .where(findings.c.fingerprint == bindparam("known"))
    .values({name: bindparam(f"new_{name}") for name in names})
    for names in (_TOLD, tuple(Life.__dataclass_fields__))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A difference that a comparison found.

    ``path`` is a JSON Pointer and ``people_path`` the way people write it, which tells two entries of one place
    apart. ``values`` has what each side has, ``cause`` what is known of why. ``declared`` is the fingerprint of the
    values of a difference that a person may accept; empty for all others.
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
    declared: str = ""

    def fingerprint(self, application: str, pair: str) -> str:
        """What the finding is known by: its place, never its values.

        The site is a part of it only where that is what could not be seen: what deviates at one site and then at both
        is one difference all along.
        """
        key, site = self.key, self.site if self.verdict is Verdict.UNKNOWN else ""
        place = (application, pair, key.group, key.kind, key.namespace, key.name, site, self.people_path)
        return hashlib.sha256("\n".join(place).encode("utf-8", "backslashreplace")).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What recording a comparison changed: fingerprints that are new, back again, and gone."""

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
    flapping: kinds.Flapping = lives.USUAL,
) -> Changes:
    """Write a comparison and what it found.

    Args:
        connection: The transaction that ends the comparison's job.
        scan: The comparison; an older one than is recorded changes nothing.
        seen: Every difference that it found.
        hidden: What the comparison could not see: findings there stay as they are.
        only: The objects that were compared anew; of all others the comparison found what the one before it did.
        flapping: What counts as coming and going.
    """
    before = scans.last_ended(connection, scan) if only is not None else None
    if not scans.record(connection, scan):
        return Changes(new=(), reopened=(), resolved=())
    found = {one.fingerprint(scan.application, scan.pair): one for one in seen}
    known = {row.fingerprint: row for row in _known(connection, scan, found, only)}
    before_now = {fingerprint: _life(row) for fingerprint, row in known.items()}
    new = [fingerprint for fingerprint in found if fingerprint not in known]
    gone = [one for one, row in known.items() if one not in found and _is_gone(row, hidden)]
    _insert(connection, scan, {fingerprint: found[fingerprint] for fingerprint in new})
    again = {
        fingerprint: lives.found(before_now[fingerprint], scan.ended_at, flapping, values=seen.declared)
        for fingerprint, seen in found.items()
        if fingerprint in known
    }
    _write(connection, _AGAIN, {one: {**_told(scan, found[one]), **_columns(life)} for one, life in again.items()})
    left = {one: lives.gone(before_now[one], scan.ended_at, flapping) for one in gone}
    _write(connection, _GONE, {one: _columns(life) for one, life in left.items() if life != before_now[one]})
    if before is not None:
        # What was compared anew and could not be seen is told as it was before.
        besides = [fingerprint for fingerprint in known if fingerprint not in found]
        connection.execute(_STILL, {**_of(scan), "before": before, "now": scan.ended_at, "besides": besides})
    return Changes(
        new=tuple(new),
        reopened=tuple(fingerprint for fingerprint in again if not before_now[fingerprint].is_there),
        resolved=tuple(fingerprint for fingerprint in gone if before_now[fingerprint].is_there),
    )


def _is_gone(row: Row[Any], hidden: Hidden) -> bool:
    """Whether a difference that was not found again is over: it was there, and would have been seen."""
    # What git does not have is compared between the sites, and needs both.
    return row.state != lives.RESOLVED and not hidden(_key(row), row.site if row.managed else "")


def _of(scan: Scan) -> dict[str, Json]:
    return {"of_application": scan.application, "of_pair": scan.pair}


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
                    "first_seen": scan.ended_at,
                    **_columns(lives.begun(scan.ended_at)),
                    **_told(scan, found[fingerprint]),
                }
                for fingerprint in part
            ],
        )


def _write(connection: Connection, statement: Update, rows: Mapping[str, Mapping[str, Json]]) -> None:
    """Write what is new of some findings, by their fingerprints."""
    told = [{"known": known, **{f"new_{name}": value for name, value in row.items()}} for known, row in rows.items()]
    for part in _parts(told):
        connection.execute(statement, part)


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
        "declared": seen.declared,
        "last_seen": scan.ended_at,
    }


def _life(row: Row[Any]) -> Life:
    values = {name: getattr(row, name) for name in Life.__dataclass_fields__}
    return Life(**{**values, "changes": tuple(map(datetime.fromisoformat, row.changes))})


def _columns(life: Life) -> dict[str, Json]:
    values = {name: getattr(life, name) for name in Life.__dataclass_fields__}
    return {**values, "changes": [moment.isoformat() for moment in life.changes]}


def _key(row: Row[Any]) -> ObjectKey:
    return ObjectKey(group=row.group, kind=row.kind, namespace=row.namespace, name=row.name)


def _parts(rows: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (rows[start : start + _ROWS] for start in range(0, len(rows), _ROWS))
