"""Runs, their tasks and steps, as they are listed and shown."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, select

from lockstep import errors
from lockstep.store.tables import approvals, runs, steps, tasks
from lockstep.values import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run in a list. ``waiting`` counts the questions to a person that are open."""

    id: int
    name: str
    pipeline: str
    application: str
    revision: str
    cause: Mapping[str, Json]
    state: str
    status: str
    reason: str
    message: str
    requested: str
    superseded_by: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A run with what is large: the documents that it was made of, its results, what it skipped."""

    run: Run
    snapshot: Mapping[str, Json]
    results: Sequence[Json]
    skipped: Sequence[Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A TaskRun or CustomRun of a run."""

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
    attempt: int
    retries: Sequence[Json]
    params: Json
    results: Json
    detail: Mapping[str, Json]
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step of one attempt of a task."""

    task: int
    attempt: int
    position: int
    name: str
    image: str
    state: str
    exit_code: int | None
    reason: str
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which runs are asked for; an empty field asks for all. ``state`` may also be ``waiting``."""

    application: str = ""
    state: str = ""


_WAITING = (
    select(func.count())
    .select_from(approvals)
    .where(approvals.c.run == runs.c.id, approvals.c.state == "pending")
    .scalar_subquery()
)
_RUN = (
    *(runs.c.id, runs.c.name, runs.c.pipeline, runs.c.application, runs.c.revision, runs.c.cause),
    *(runs.c.state, runs.c.status, runs.c.reason, runs.c.message, runs.c.requested, runs.c.superseded_by),
    *(runs.c.created_at, runs.c.started_at, runs.c.ended_at),
    _WAITING.label("waiting"),
)
_TASK = tuple(tasks.c[name] for name in Task.__dataclass_fields__)


def page(connection: Connection, wanted: Filter, *, before: int | None = None, limit: int = 50) -> list[Run]:
    """Runs, the newest first; ``before`` is the id of the last one of the page before."""
    conditions = _conditions(wanted)
    if before is not None:
        conditions.append(runs.c.id < before)
    statement = select(*_RUN).where(*conditions).order_by(runs.c.id.desc()).limit(limit)
    return [Run(**row._asdict()) for row in connection.execute(statement)]


def get(connection: Connection, name: str) -> Whole:
    """One run by name. Raises NotFoundError."""
    statement = select(*_RUN, runs.c.snapshot, runs.c.results, runs.c.skipped).where(runs.c.name == name)
    row = connection.execute(statement).one_or_none()
    if row is None:
        raise errors.NotFoundError(f"There is no run {name!r}.", remedy="Look at the list of runs.")
    fields = row._asdict()
    large = {key: fields.pop(key) for key in ("snapshot", "results", "skipped")}
    return Whole(run=Run(**fields), **large)


def newest(connection: Connection, applications: Collection[str]) -> dict[str, Run]:
    """The newest run of each application that has one."""
    ids = select(func.max(runs.c.id)).where(runs.c.application.in_(applications)).group_by(runs.c.application)
    return {
        row.application: Run(**row._asdict()) for row in connection.execute(select(*_RUN).where(runs.c.id.in_(ids)))
    }


def newest_ended(connection: Connection) -> list[Run]:
    """The newest run of each application that has ended."""
    ended = (runs.c.state == "ended") & (runs.c.application != "")
    ids = select(func.max(runs.c.id)).where(ended).group_by(runs.c.application)
    return [Run(**row._asdict()) for row in connection.execute(select(*_RUN).where(runs.c.id.in_(ids)))]


def tasks_of(connection: Connection, run: int) -> list[Task]:
    """The tasks of a run, in the order in which they were created."""
    statement = select(*_TASK).where(tasks.c.run == run).order_by(tasks.c.id)
    return [Task(**row._asdict()) for row in connection.execute(statement)]


def task(connection: Connection, run: str, number: int) -> Task:
    """One task of the run of this name. Raises NotFoundError."""
    statement = select(*_TASK).join(runs, runs.c.id == tasks.c.run).where(runs.c.name == run, tasks.c.id == number)
    row = connection.execute(statement).one_or_none()
    if row is None:
        raise errors.NotFoundError(f"The run {run!r} has no task {number}.", remedy="Look at the page of the run.")
    return Task(**row._asdict())


def steps_of(connection: Connection, run: int) -> dict[int, list[Step]]:
    """The steps of every task of a run, by the task's id, in order."""
    columns = [steps.c[name] for name in Step.__dataclass_fields__]
    statement = (
        select(*columns)
        .join(tasks, tasks.c.id == steps.c.task)
        .where(tasks.c.run == run)
        .order_by(steps.c.task, steps.c.attempt, steps.c.position)
    )
    found: dict[int, list[Step]] = {}
    for row in connection.execute(statement):
        found.setdefault(row.task, []).append(_step(row))
    return found


def counts(connection: Connection) -> dict[tuple[str, str], int]:
    """How many runs there are by state and reason."""
    statement = select(runs.c.state, runs.c.reason, func.count()).group_by(runs.c.state, runs.c.reason)
    return {(state, reason): int(count) for state, reason, count in connection.execute(statement)}


def _conditions(wanted: Filter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.application:
        conditions.append(runs.c.application == wanted.application)
    if wanted.state == "waiting":
        conditions.append(runs.c.id.in_(select(approvals.c.run).where(approvals.c.state == "pending")))
    elif wanted.state:
        conditions.append(runs.c.state == wanted.state)
    return conditions


def _step(row: Row[*tuple[Any, ...]]) -> Step:
    return Step(**row._asdict())
