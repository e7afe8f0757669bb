"""What people say of a finding: that they look after it, accept it until a day, or accept it as git declares it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, select, update

from lockstep import errors
from lockstep.store import lives
from lockstep.store.tables import findings
from lockstep.values import Json


def acknowledge(connection: Connection, finding: int, *, by: str, note: str, at: datetime) -> None:
    """Somebody has seen it, and it stays open to everybody else.

    Raises:
        NotFoundError: There is no such finding that is not resolved.
    """
    _answer(connection, finding, {"state": lives.ACKNOWLEDGED, "by": by, "note": note, "until": None}, at=at)


def waive(connection: Connection, finding: int, *, by: str, note: str, until: datetime, at: datetime) -> None:
    """Somebody accepts it until a moment; after that it is open again.

    Raises:
        NotFoundError: There is no such finding that is not resolved.
    """
    _answer(connection, finding, {"state": lives.WAIVED, "by": by, "note": note, "until": until}, at=at)


def accept(connection: Connection, finding: int, *, by: str, note: str, at: datetime) -> None:
    """Somebody accepts a difference that git declares, with the values that it has now: other ones are open again.

    Raises:
        NotFoundError: There is no such finding that is not resolved.
        UnsupportedError: It is no difference that may be accepted.
    """
    row = connection.execute(
        select(findings.c.verdict, findings.c.declared, findings.c.state, findings.c.cause)
        .where(findings.c.id == finding)
        .with_for_update()
    ).first()
    if row is not None and row.state != lives.RESOLVED and not row.declared:
        why = str(row.cause.get("note") or "") if isinstance(row.cause, dict) else ""
        raise errors.UnsupportedError(
            f"Finding {finding} cannot be accepted: it is {row.verdict}{f' ({why})' if why else ''}, and only what "
            "overlays in git declare is accepted.",
            remedy="Mend it: lockstep findings heal. Accept it for a while: lockstep findings waive.",
        )
    accepted = row.declared if row is not None else ""
    values = {"state": lives.ACCEPTED, "by": by, "note": note, "until": None, "accepted": accepted}
    _answer(connection, finding, values, at=at)


def withdraw(connection: Connection, finding: int) -> None:
    """What was said of it no longer holds: it is open again, or flaps.

    Raises:
        NotFoundError: There is no such finding that is not resolved.
    """
    silence: dict[str, Json] = {"note": "", "by": "", "until": None, "accepted": ""}
    flapping = select(findings.c.flapping).where(findings.c.id == finding)
    is_flapping = bool(connection.execute(flapping.with_for_update()).scalar())
    _answer(connection, finding, {"state": lives.FLAPPING if is_flapping else lives.OPEN, **silence}, at=None)


def _answer(connection: Connection, finding: int, values: Mapping[str, Json], *, at: datetime | None) -> None:
    there = (findings.c.id == finding, findings.c.state != lives.RESOLVED)
    statement = update(findings).where(*there).values({"accepted": "", **values, "answered_at": at})
    if connection.execute(statement.returning(findings.c.id)).first() is None:
        raise errors.NotFoundError(
            f"There is no finding {finding} that is not resolved.", remedy="See lockstep findings list."
        )
