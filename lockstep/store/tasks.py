"""Tasks of runs, and their steps: what was started, how it stands, and which step need not run again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, insert, select, update

from lockstep import errors
from lockstep.store import database as databases
from lockstep.store.tables import runs, steps, tasks
from lockstep.values import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class New:
    """A TaskRun or CustomRun to be stored; it is queued."""

    run: int
    pipeline_task: str
    combination: int
    name: str
    kind: str
    section: str
    spec: Json = field(repr=False)
    params: Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task as it stands, without what it runs. ``state`` is queued, running, waiting or ended."""

    id: int
    run: int
    pipeline_task: str
    combination: int
    name: str
    kind: str
    section: str
    state: str
    status: str
    reason: str
    message: str
    asked: str
    attempt: int
    retries: Sequence[Json]
    params: Mapping[str, Json]
    results: Sequence[Json]
    detail: Mapping[str, Json]
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None

    @property
    def custom(self) -> bool:
        """Whether a built-in task runs it, not steps."""
        return self.kind == "CustomRun"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step of one attempt. ``state`` is running or ended; ``exit_code`` and ``reason`` once it has ended."""

    task: int
    attempt: int
    position: int
    name: str
    image: str = ""
    state: str
    exit_code: int | None = None
    reason: str = ""
    results: Sequence[Json] = ()
    started_at: datetime | None = None
    ended_at: datetime | None = None


_TASK = tuple(tasks.c[name] for name in Task.__dataclass_fields__)


def add(connection: Connection, new: New, *, at: datetime) -> int:
    """Store a task; its id."""
    values = {name: getattr(new, name) for name in New.__dataclass_fields__}
    statement = insert(tasks).values(**values, state="queued", status="Unknown", reason="Started", created_at=at)
    return int(connection.execute(statement.returning(tasks.c.id)).scalar_one())


def get(connection: Connection, task: int) -> Task:
    """The task of this id.

    Raises:
        NotFoundError: There is none.
    """
    return _one(connection, select(*_TASK).where(tasks.c.id == task), f"There is no task with the id {task}.")


def in_run(connection: Connection, run: str, task: int) -> Task:
    """The task of this id, if it is one of the run of this name.

    Raises:
        NotFoundError: It is not.
    """
    statement = select(*_TASK).join(runs, runs.c.id == tasks.c.run).where(runs.c.name == run, tasks.c.id == task)
    return _one(connection, statement, f"The run {run!r} has no task {task}.")


def of_run(connection: Connection, run: int) -> list[Task]:
    """The tasks of a run, in the order in which they were started."""
    statement = select(*_TASK).where(tasks.c.run == run).order_by(tasks.c.id)
    return [Task(**row) for row in connection.execute(statement).mappings()]


def spec(connection: Connection, task: int) -> Json:
    """What a task runs, as it was fixed when it was started."""
    return connection.execute(select(tasks.c.spec).where(tasks.c.id == task)).scalar_one()


def specs(connection: Connection, run: int) -> dict[int, Json]:
    """What each task of a run runs, by its id."""
    found = connection.execute(select(tasks.c.id, tasks.c.spec).where(tasks.c.run == run))
    return {row.id: row.spec for row in found}


def asked(connection: Connection, task: int) -> str:
    """What the run wants of a task before its time; empty when nothing."""
    return str(connection.execute(select(tasks.c.asked).where(tasks.c.id == task)).scalar_one_or_none() or "")


def change(connection: Connection, task: int, **values: Any) -> None:
    """Write columns of a task."""
    connection.execute(update(tasks).where(tasks.c.id == task).values(**values))


def steps_of(connection: Connection, task: int, attempt: int) -> list[Step]:
    """The steps of one attempt of a task, in order."""
    statement = select(steps).where(steps.c.task == task, steps.c.attempt == attempt).order_by(steps.c.position)
    return [Step(**row) for row in connection.execute(statement).mappings()]


def steps_of_run(connection: Connection, run: int) -> dict[int, list[Step]]:
    """The steps of every task of a run, all attempts in order, by the task's id."""
    statement = (
        select(steps)
        .join(tasks, tasks.c.id == steps.c.task)
        .where(tasks.c.run == run)
        .order_by(steps.c.task, steps.c.attempt, steps.c.position)
    )
    found: dict[int, list[Step]] = {}
    for row in connection.execute(statement).mappings():
        found.setdefault(row["task"], []).append(Step(**row))
    return found


def put_step(connection: Connection, step: Step) -> None:
    """Store a step as it stands, in place of what was stored before."""
    values = {name: getattr(step, name) for name in Step.__dataclass_fields__}
    key = ("task", "attempt", "position")
    statement = databases.insert(connection, steps).values(**values)
    changed = {name: statement.excluded[name] for name in values if name not in key}
    connection.execute(statement.on_conflict_do_update(index_elements=key, set_=changed))


def _one(connection: Connection, statement: Select[Any], otherwise: str) -> Task:
    row = connection.execute(statement).mappings().one_or_none()
    if row is None:
        raise errors.NotFoundError(otherwise, remedy="Look at the page of the run.")
    return Task(**row)
