"""Logs of steps, from their end and onwards."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from lockstep.store.tables import logs


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Some text that a step wrote."""

    id: int
    attempt: int
    step: str
    at: datetime
    text: str


_PIECE = (logs.c.id, logs.c.attempt, logs.c.step, logs.c.at, logs.c.text)


def last(connection: Connection, task: int, *, limit: int = 500) -> list[Piece]:
    """The last pieces of a task's log, in order."""
    statement = select(*_PIECE).where(logs.c.task == task).order_by(logs.c.id.desc()).limit(limit)
    return [Piece(**row._asdict()) for row in connection.execute(statement)][::-1]


def after(connection: Connection, task: int, *, after: int, limit: int = 500) -> list[Piece]:
    """The pieces that came after one, in order."""
    statement = select(*_PIECE).where(logs.c.task == task, logs.c.id > after).order_by(logs.c.id).limit(limit)
    return [Piece(**row._asdict()) for row in connection.execute(statement)]
