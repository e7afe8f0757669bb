"""What is over: comparisons of what is no longer configured, and findings that were resolved long ago."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from lockstep.store import lives
from lockstep.store.tables import explained, findings, scans

# How many rows one transaction deletes.
_ROWS = 1000


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
            .where(findings.c.application == application, findings.c.pair == pair, findings.c.state != lives.RESOLVED)
            .values(state=lives.RESOLVED, resolved_at=now, away_at=None)
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
        .where(findings.c.state == lives.RESOLVED, findings.c.resolved_at < before)
        .order_by(findings.c.resolved_at)
        .limit(most)
        # One that is opened again at this moment stays.
        .with_for_update(skip_locked=True)
    )
    return len(connection.execute(delete(findings).where(findings.c.id.in_(old)).returning(findings.c.id)).all())
