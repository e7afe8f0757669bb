"""What was healed, by whom and why, and where healing is stopped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, or_, select, update

from lockstep.store.tables import healing_stops, healings


@dataclass(frozen=True, slots=True, kw_only=True)
class Healing:
    """A site that was made again as git says it: ``objects`` are those it was for, ``run`` is the deploy."""

    application: str
    pair: str
    site: str
    revision: str
    run: str
    objects: Sequence[str]
    automatic: bool
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Nothing heals itself over a pair: for one application, or for all when it is empty."""

    pair: str
    application: str
    by: str
    reason: str
    at: datetime


def record(connection: Connection, healing: Healing) -> None:
    """Keep what is healed, in the transaction that starts it."""
    values = {name: getattr(healing, name) for name in Healing.__dataclass_fields__}
    connection.execute(insert(healings).values(**values | {"objects": list(healing.objects)}))


def newest(connection: Connection, application: str = "", *, pair: str = "", most: int = 100) -> list[Healing]:
    """What was healed, the newest first; of one application or pair where they are given."""
    statement = select(*(healings.c[name] for name in Healing.__dataclass_fields__)).order_by(healings.c.id.desc())
    if application:
        statement = statement.where(healings.c.application == application)
    if pair:
        statement = statement.where(healings.c.pair == pair)
    return [Healing(**row) for row in connection.execute(statement.limit(most)).mappings()]


def automatic_since(connection: Connection, application: str, pair: str, since: datetime) -> list[Healing]:
    """What healed itself since a moment, the newest first."""
    statement = select(*(healings.c[name] for name in Healing.__dataclass_fields__)).where(
        healings.c.application == application, healings.c.pair == pair, healings.c.automatic, healings.c.at > since
    )
    return [Healing(**row) for row in connection.execute(statement.order_by(healings.c.id.desc())).mappings()]


def stops(connection: Connection, pair: str = "", *, application: str = "") -> list[Stop]:
    """The stops in force: of all pairs, of one, or those that hold one application over it."""
    statement = select(*(healing_stops.c[name] for name in Stop.__dataclass_fields__)).where(
        healing_stops.c.ended_at.is_(None)
    )
    if pair:
        statement = statement.where(healing_stops.c.pair == pair)
    if application:
        statement = statement.where(or_(healing_stops.c.application == application, healing_stops.c.application == ""))
    return [Stop(**row) for row in connection.execute(statement.order_by(healing_stops.c.id)).mappings()]


def stop(connection: Connection, wanted: Stop) -> None:
    """Stop healing; a stop that is in force already stays as it was said first."""
    known = [one for one in stops(connection, wanted.pair) if one.application == wanted.application]
    if not known:
        values = {name: getattr(wanted, name) for name in Stop.__dataclass_fields__}
        connection.execute(insert(healing_stops).values(**values))


def go_on(connection: Connection, pair: str, application: str, *, by: str, at: datetime) -> int:
    """End the stops of a pair: of one application, or all when it is empty; how many there were."""
    mine = [healing_stops.c.pair == pair, healing_stops.c.ended_at.is_(None)]
    if application:
        mine.append(healing_stops.c.application == application)
    return connection.execute(update(healing_stops).where(*mine).values(ended_by=by, ended_at=at)).rowcount
