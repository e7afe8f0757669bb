"""What steps wrote, piece by piece, as it came."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from lockstep.store.tables import logs, tasks


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Some text that a step of a task wrote. ``id`` grows; it is where reading goes on."""

    id: int = 0
    task: int
    attempt: int
    step: str
    at: datetime
    text: str


def add(connection: Connection, piece: Piece) -> None:
    """Store a piece."""
    connection.execute(
        insert(logs).values(task=piece.task, attempt=piece.attempt, step=piece.step, at=piece.at, text=piece.text)
    )


def of_task(connection: Connection, task: int, *, after: int = 0, most: int = 500) -> list[Piece]:
    """The pieces of a task after an id, in order."""
    statement = select(logs).where(logs.c.task == task, logs.c.id > after).order_by(logs.c.id).limit(most)
    return [Piece(**row) for row in connection.execute(statement).mappings()]


def last(connection: Connection, task: int, *, most: int = 500) -> list[Piece]:
    """The last pieces of a task, in order."""
    statement = select(logs).where(logs.c.task == task).order_by(logs.c.id.desc()).limit(most)
    return [Piece(**row) for row in connection.execute(statement).mappings()][::-1]


def of_run(connection: Connection, run: int, *, after: int = 0, most: int = 500) -> list[Piece]:
    """The pieces of all tasks of a run after an id, in order."""
    statement = select(logs).join(tasks, tasks.c.id == logs.c.task).where(tasks.c.run == run, logs.c.id > after)
    return [Piece(**row) for row in connection.execute(statement.order_by(logs.c.id).limit(most)).mappings()]
