"""What people were told: what they believe, messages on their way, and how the channels do.

A message is a row for each of its channels, written in the transaction that changes what its readers believe. So
each change is told at least once, however the process ends, and always with the same id.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from lockstep import errors
from lockstep.store import database
from lockstep.store.tables import beliefs, channels, digests, messages
from lockstep.values import Json

# A statement may bind 32,766 values on SQLite (SQLITE_MAX_VARIABLE_NUMBER); a belief has nine.
_ROWS = 1000
_CHANGING = ("facts", "told", "seen", "flapping", "changes", "remind_at")
WAITING, SENT, GIVEN_UP = "waiting", "sent", "given_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Belief:
    """What readers believe of one thing.

    ``facts`` is the thing as it was last seen. ``told``: they believe that it is so; ``seen``: it was, when somebody
    last looked. ``flapping``: they know that it comes and goes, and ``remind_at`` is when they are told so once more.
    ``changes``: when it last came and went.
    """

    subject: str
    application: str
    facts: Mapping[str, Json]
    told: bool
    seen: bool
    flapping: bool = False
    changes: tuple[datetime, ...] = ()
    remind_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message to one channel: ``message`` is its id at every channel; ``title`` and ``body`` hold no secret."""

    message: str
    notification: str
    channel: str
    kind: str
    title: str
    body: str
    made_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A message as it stands."""

    id: int
    message: str
    notification: str
    channel: str
    kind: str
    title: str
    body: str = field(repr=False)
    state: str
    attempts: int
    problem: str
    made_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """How a channel does: messages sent and given up, attempts that failed, and what is wrong since when."""

    notification: str
    channel: str
    sent: int = 0
    failed: int = 0
    given_up: int = 0
    problem: str = ""
    failing_since: datetime | None = None
    next_at: datetime | None = None
    sent_at: datetime | None = None


# --- what readers believe -------------------------------------------------------------------------


def believed(connection: Connection, notification: str, *, application: str | None = None) -> dict[str, Belief]:
    """What the readers of a Notification believe, by subject: of one application, or of all when it is None."""
    statement = select(beliefs).where(beliefs.c.notification == notification)
    if application is not None:
        statement = statement.where(beliefs.c.application == application)
    return {row.subject: _belief(row) for row in connection.execute(statement)}


def believe(connection: Connection, notification: str, held: Sequence[Belief], *, forgotten: Collection[str]) -> None:
    """Write what readers believe from now on, and forget what is over."""
    rows = [
        {
            "notification": notification,
            "subject": one.subject,
            "application": one.application,
            "facts": dict(one.facts),
            "told": one.told,
            "seen": one.seen,
            "flapping": one.flapping,
            "changes": [moment.isoformat() for moment in one.changes],
            "remind_at": one.remind_at,
        }
        for one in held
    ]
    for part in _parts(rows):
        statement = database.insert(connection, beliefs).values(part)
        changes = {name: statement.excluded[name] for name in _CHANGING}
        connection.execute(statement.on_conflict_do_update(index_elements=["notification", "subject"], set_=changes))
    for gone in _parts(sorted(forgotten)):
        mine = (beliefs.c.notification == notification, beliefs.c.subject.in_(gone))
        connection.execute(delete(beliefs).where(*mine))


def keep_only(connection: Connection, *, notifications: Collection[str], applications: Collection[str]) -> None:
    """Forget readers and applications that the configuration has no more; messages stay until they end."""
    for table in (beliefs, channels, digests):
        connection.execute(delete(table).where(table.c.notification.not_in(sorted(notifications))))
    connection.execute(delete(beliefs).where(beliefs.c.application.not_in(["", *sorted(applications)])))


def reminded(connection: Connection, notification: str) -> datetime | None:
    """When people were last reminded of what is still so; None before the first time."""
    moment: datetime | None = connection.execute(
        select(digests.c.at).where(digests.c.notification == notification)
    ).scalar_one_or_none()
    return moment


def remind(connection: Connection, notification: str, at: datetime | None) -> None:
    """They are reminded now; None when there is nothing to be reminded of."""
    if at is None:
        connection.execute(delete(digests).where(digests.c.notification == notification))
        return
    statement = database.insert(connection, digests).values(notification=notification, at=at)
    connection.execute(statement.on_conflict_do_update(index_elements=["notification"], set_={"at": at}))


# --- messages -------------------------------------------------------------------------------------


def new_id() -> str:
    """The id of a new message, at every channel and in every attempt."""
    return f"msg_{uuid.uuid4().hex}"


def put(connection: Connection, outgoing: Sequence[Message]) -> list[int]:
    """Keep messages until they are sent; their ids, in order."""
    fields = Message.__dataclass_fields__
    rows = [{name: getattr(one, name) for name in fields} | {"state": WAITING} for one in outgoing]
    if not rows:
        return []
    statement = insert(messages).returning(messages.c.id, sort_by_parameter_order=True)
    return list(connection.execute(statement, rows).scalars())


def get(connection: Connection, message: int) -> Listed:
    """A message by its number. Raises NotFoundError."""
    row = connection.execute(select(messages).where(messages.c.id == message)).one_or_none()
    if row is None:
        raise errors.NotFoundError(f"There is no message {message}.")
    return _listed(row)


def newest(connection: Connection, *, most: int = 50, states: Collection[str] = ()) -> list[Listed]:
    """The newest messages, of these states or of all."""
    statement = select(messages).order_by(messages.c.id.desc()).limit(most)
    if states:
        statement = statement.where(messages.c.state.in_(sorted(states)))
    return [_listed(row) for row in connection.execute(statement)]


def waiting(connection: Connection) -> list[tuple[int, str, str]]:
    """Messages that are not sent yet: number, Notification and channel, the oldest first."""
    columns = (messages.c.id, messages.c.notification, messages.c.channel)
    found = connection.execute(select(*columns).where(messages.c.state == WAITING).order_by(messages.c.id))
    return [(row.id, row.notification, row.channel) for row in found]


def sent(connection: Connection, message: Listed, *, at: datetime) -> None:
    """It was taken: the channel works."""
    _end(connection, message, SENT, at=at, problem="")
    _channel(
        connection,
        message,
        {"problem": "", "failing_since": None, "next_at": None, "sent_at": at},
        counted="sent",
    )


def failed(connection: Connection, message: Listed, *, at: datetime, problem: str, again: datetime | None) -> None:
    """It was not taken: tried again at a moment, or never (None)."""
    if again is None:
        _end(connection, message, GIVEN_UP, at=at, problem=problem)
    else:
        mine = update(messages).where(messages.c.id == message.id)
        connection.execute(mine.values(attempts=messages.c.attempts + 1, problem=problem))
    known = channel(connection, message.notification, message.channel)
    values = {"problem": problem, "failing_since": known.failing_since or at, "next_at": again}
    _channel(connection, message, values, counted="failed" if again else "given_up")


def forget(connection: Connection, *, before: datetime, most: int) -> int:
    """Remove up to so many messages that ended before a moment; how many."""
    old = select(messages.c.id).where(messages.c.ended_at < before).limit(most).with_for_update(skip_locked=True)
    return connection.execute(delete(messages).where(messages.c.id.in_(old))).rowcount


# --- channels -------------------------------------------------------------------------------------


def channel(connection: Connection, notification: str, name: str) -> Channel:
    """How a channel does; one that was never used does well."""
    mine = (channels.c.notification == notification, channels.c.channel == name)
    row = connection.execute(select(channels).where(*mine)).mappings().one_or_none()
    return Channel(**row) if row else Channel(notification=notification, channel=name)


def all_channels(connection: Connection) -> list[Channel]:
    """Every channel that was ever used, in order."""
    statement = select(channels).order_by(channels.c.notification, channels.c.channel)
    return [Channel(**row) for row in connection.execute(statement).mappings()]


def _channel(connection: Connection, message: Listed, values: Mapping[str, Json], *, counted: str) -> None:
    key = {"notification": message.notification, "channel": message.channel}
    counts = {"sent": 0, "failed": 0, "given_up": 0} | {counted: 1}
    statement = database.insert(connection, channels).values(**key, **{**counts, **values})
    changes = {**values, counted: channels.c[counted] + 1}
    connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=changes))


def _end(connection: Connection, message: Listed, state: str, *, at: datetime, problem: str) -> None:
    values: dict[str, Any] = {"state": state, "ended_at": at, "problem": problem, "attempts": messages.c.attempts + 1}
    connection.execute(update(messages).where(messages.c.id == message.id).values(values))


def _belief(row: Row[tuple[Any, ...]]) -> Belief:
    return Belief(
        subject=row.subject,
        application=row.application,
        facts=row.facts,
        told=row.told,
        seen=row.seen,
        flapping=row.flapping,
        remind_at=row.remind_at,
        changes=tuple(datetime.fromisoformat(text) for text in row.changes),
    )


def _listed(row: Row[tuple[Any, ...]]) -> Listed:
    return Listed(**{name: getattr(row, name) for name in Listed.__dataclass_fields__})


def _parts(rows: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (rows[start : start + _ROWS] for start in range(0, len(rows), _ROWS))
