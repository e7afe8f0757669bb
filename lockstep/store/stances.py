"""The stances of pairs, with their history: the newest generation of a pair is in force."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, Row, bindparam, select

from lockstep import errors
from lockstep.store.tables import stances
from lockstep.topology.stances import Record
from lockstep.values import Stance

# Made once, because making a statement costs as much as running it.
_NEWEST = select(stances).where(stances.c.pair == bindparam("of_pair")).order_by(stances.c.generation.desc()).limit(1)


def newest(connection: Connection, pair: str) -> Record | None:
    """The record in force; None when this store has never heard of the pair."""
    row = connection.execute(_NEWEST, {"of_pair": pair}).one_or_none()
    return _record(row) if row else None


def in_force(connection: Connection, pairs: Iterable[str]) -> dict[str, Stance]:
    """The stance of each pair; ``UNKNOWN`` for one that this store has never heard of."""
    records = {pair: newest(connection, pair) for pair in pairs}
    return {pair: record.stance if record else Stance.UNKNOWN for pair, record in records.items()}


def history(connection: Connection, pair: str) -> list[Record]:
    """Every change of a pair, the newest first."""
    statement = select(stances).where(stances.c.pair == pair).order_by(stances.c.generation.desc())
    return [_record(row) for row in connection.execute(statement)]


def append(connection: Connection, pair: str, record: Record) -> None:
    """Put a newer record in force.

    Raises:
        ConflictError: A record of this generation, or a newer one, is there already.
    """
    known = newest(connection, pair)
    if known and known.generation >= record.generation:
        raise errors.ConflictError(
            f"The stance of {pair} was changed to {known.stance.value} by {known.by} in the meantime.",
            remedy="Look at it, then set it again.",
        )
    connection.execute(
        stances.insert().values(
            pair=pair,
            generation=record.generation,
            stance=record.stance.value,
            reason=record.reason,
            by=record.by,
            at=record.at,
        )
    )


def _record(row: Row[tuple[object, ...]]) -> Record:
    return Record(stance=Stance(row.stance), generation=row.generation, reason=row.reason, by=row.by, at=row.at)
