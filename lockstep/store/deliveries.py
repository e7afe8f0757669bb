"""Deliveries: each stored once, before its sender hears of it; kept with what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, select, update

from lockstep import errors
from lockstep.store import database
from lockstep.store.tables import deliveries
from lockstep.values import Json


class State(Enum):
    """How a delivery stands."""

    RECEIVED = "received"
    DONE = "done"
    IGNORED = "ignored"
    FAILED = "failed"


class Arrival(Enum):
    """What storing a delivery found."""

    NEW = "new"
    DUPLICATE = "duplicate"
    REARMED = "rearmed"  # a duplicate of one that had failed: it is worked on again


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A believed post. ``delivery`` is the key of "once" within its hook; headers are redacted already."""

    hook: str
    provider: str
    delivery: str
    event: str
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A delivery in a list: everything but headers and body. ``size`` is the body's, in bytes."""

    id: int
    hook: str
    provider: str
    delivery: str
    event: str
    received_at: datetime
    state: State
    reason: str
    events: Sequence[Json]
    duplicates: int
    done_at: datetime | None
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A delivery, whole."""

    summary: Summary
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which deliveries are asked for; an empty field asks for all."""

    hook: str = ""
    state: State | None = None


_SUMMARY = (
    deliveries.c.id,
    deliveries.c.hook,
    deliveries.c.provider,
    deliveries.c.delivery,
    deliveries.c.event,
    deliveries.c.received_at,
    deliveries.c.state,
    deliveries.c.reason,
    deliveries.c.events,
    deliveries.c.duplicates,
    deliveries.c.done_at,
    func.length(deliveries.c.body).label("size"),
)


def insert(connection: Connection, incoming: Incoming) -> tuple[int, Arrival]:
    """Store a delivery once.

    Returns:
        Its id (that of the first, for a duplicate), and what was found. ``NEW`` and ``REARMED`` need a job.

    Raises:
        ConflictError: The delivery that it duplicates was deleted at the same moment.
    """
    statement = (
        database.insert(connection, deliveries)
        .values(
            hook=incoming.hook,
            provider=incoming.provider,
            delivery=incoming.delivery,
            event=incoming.event,
            headers=dict(incoming.headers),
            body=incoming.body,
            received_at=incoming.received_at,
            state=State.RECEIVED.value,
        )
        .on_conflict_do_nothing(index_elements=["hook", "delivery"])
        .returning(deliveries.c.id)
    )
    stored = connection.execute(statement).scalar_one_or_none()
    if stored is not None:
        return int(stored), Arrival.NEW
    return _again(connection, incoming)


def _again(connection: Connection, incoming: Incoming) -> tuple[int, Arrival]:
    same = (deliveries.c.hook == incoming.hook) & (deliveries.c.delivery == incoming.delivery)
    counted = update(deliveries).where(same).values(duplicates=deliveries.c.duplicates + 1)
    row = connection.execute(counted.returning(deliveries.c.id, deliveries.c.state)).one_or_none()
    if row is None:
        raise errors.ConflictError("The first of two equal deliveries was deleted in between.", remedy="Send again.")
    if row.state != State.FAILED.value:
        return int(row.id), Arrival.DUPLICATE
    replay(connection, row.id)
    return int(row.id), Arrival.REARMED


def replay(connection: Connection, delivery: int) -> None:
    """Forget what came of a delivery, so that it is worked on again; the caller enqueues the job.

    Raises:
        NotFoundError: There is no such delivery.
    """
    values: dict[str, Json] = {"state": State.RECEIVED.value, "reason": "", "events": [], "done_at": None}
    _change(connection, delivery, values)


def finish(
    connection: Connection, delivery: int, *, state: State, reason: str, events: Sequence[Json], at: datetime
) -> None:
    """Write down what came of a delivery.

    Raises:
        NotFoundError: There is no such delivery.
    """
    _change(connection, delivery, {"state": state.value, "reason": reason, "events": list(events), "done_at": at})


def get(connection: Connection, delivery: int) -> Delivery:
    """One delivery. Raises NotFoundError."""
    statement = select(*_SUMMARY, deliveries.c.headers, deliveries.c.body).where(deliveries.c.id == delivery)
    row = connection.execute(statement).one_or_none()
    if row is None:
        raise _unknown(delivery)
    return Delivery(summary=_summary(row), headers=row.headers, body=bytes(row.body))


def page(connection: Connection, wanted: Filter, *, before: int | None = None, limit: int = 50) -> list[Summary]:
    """Deliveries, the newest first.

    Args:
        connection: The reader's transaction.
        wanted: Which ones.
        before: Only those with a smaller id: the last one of the page before.
        limit: How many at most.
    """
    conditions = _conditions(wanted)
    if before is not None:
        conditions.append(deliveries.c.id < before)
    statement = select(*_SUMMARY).where(*conditions).order_by(deliveries.c.id.desc()).limit(limit)
    return [_summary(row) for row in connection.execute(statement)]


def counts(connection: Connection) -> dict[State, int]:
    """How many deliveries are in each state."""
    statement = select(deliveries.c.state, func.count()).group_by(deliveries.c.state)
    found = {str(state): int(count) for state, count in connection.execute(statement)}
    return {state: found.get(state.value, 0) for state in State}


def forget(connection: Connection, *, before: datetime, most: int = 1000) -> int:
    """Delete the oldest deliveries that were worked off before a moment.

    Args:
        connection: The caller's transaction.
        before: What was received earlier goes; what was not worked off yet stays.
        most: How many at once, so that the transaction stays short.

    Returns:
        How many were deleted; call again while it is ``most``.
    """
    old = (
        select(deliveries.c.id)
        .where(deliveries.c.received_at < before, deliveries.c.state != State.RECEIVED.value)
        .order_by(deliveries.c.received_at)
        .limit(most)
        # Without this, one that is armed again at this moment would go all the same.
        .with_for_update(skip_locked=True)
    )
    gone = delete(deliveries).where(deliveries.c.id.in_(old)).returning(deliveries.c.id)
    return len(connection.execute(gone).all())


def _change(connection: Connection, delivery: int, values: dict[str, Json]) -> None:
    statement = update(deliveries).where(deliveries.c.id == delivery).values(values).returning(deliveries.c.id)
    if connection.execute(statement).scalar_one_or_none() is None:
        raise _unknown(delivery)


def _conditions(wanted: Filter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.hook:
        conditions.append(deliveries.c.hook == wanted.hook)
    if wanted.state:
        conditions.append(deliveries.c.state == wanted.state.value)
    return conditions


def _summary(row: Row[*tuple[Any, ...]]) -> Summary:
    return Summary(
        id=row.id,
        hook=row.hook,
        provider=row.provider,
        delivery=row.delivery,
        event=row.event,
        received_at=row.received_at,
        state=State(row.state),
        reason=row.reason,
        events=row.events,
        duplicates=row.duplicates,
        done_at=row.done_at,
        size=row.size,
    )


def _unknown(delivery: int) -> errors.NotFoundError:
    return errors.NotFoundError(f"There is no delivery {delivery}.", remedy="It may have been too old to be kept.")
