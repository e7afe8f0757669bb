"""What is on its way to sites now, as whoever carries it tells every few seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, delete, insert, or_, select

from lockstep.store.tables import transfers

# Nobody has told of it for so long: whoever carried it is gone.
_SILENT = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """How far one transfer is.

    ``kind`` is ``git`` or ``images``. ``site`` is where to; ``""`` for a repository of git that comes from its source,
    and for images, which go to all their sites at once. ``done`` and ``total`` are objects, or bytes where ``stage`` is
    ``copying``; ``total`` is 0 while nobody knows it. ``size`` is in bytes, 0 where none are told.
    """

    kind: str
    repository: str
    site: str
    stage: str
    done: int
    total: int
    size: int
    began_at: datetime
    told_at: datetime


def tell(
    connection: Connection, kind: str, repository: str, told: Mapping[str, Transfer | None], *, at: datetime
) -> None:
    """Write down how far the transfers of a repository are, by site; None for one that is over.

    What nobody tells of any longer goes, whoever told of it.
    """
    mine = and_(transfers.c.kind == kind, transfers.c.repository == repository, transfers.c.site.in_(told.keys()))
    connection.execute(delete(transfers).where(or_(mine, transfers.c.told_at < at - _SILENT)))
    if rows := [asdict(one) for one in told.values() if one is not None]:
        connection.execute(insert(transfers), rows)


def under_way(connection: Connection, now: datetime) -> list[Transfer]:
    """What somebody has told of not long before ``now``, the longest first."""
    statement = (
        select(transfers)
        .where(transfers.c.told_at >= now - _SILENT)
        .order_by(transfers.c.began_at, transfers.c.kind, transfers.c.repository, transfers.c.site)
    )
    return [Transfer(**row) for row in connection.execute(statement).mappings()]
