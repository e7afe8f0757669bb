"""Questions to people, and what they answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, func, select

from lockstep.store.tables import approvals, decisions, runs, tasks
from lockstep.values import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What one person answered."""

    by: str
    decision: str
    comment: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A question, what it is bound to, and its answers."""

    id: int
    run: str
    application: str
    task: str
    kind: str
    question: str
    bound: Mapping[str, Json]
    approvers: Sequence[str]
    needed: int
    state: str
    asked_at: datetime
    decided_at: datetime | None
    decisions: tuple[Decision, ...] = field(default=())


_APPROVAL = (
    *(approvals.c.id, runs.c.name.label("run"), runs.c.application, tasks.c.pipeline_task.label("task")),
    *(approvals.c.kind, approvals.c.question, approvals.c.bound, approvals.c.approvers, approvals.c.needed),
    *(approvals.c.state, approvals.c.asked_at, approvals.c.decided_at),
)


def of_run(connection: Connection, run: int) -> list[Approval]:
    """Every question of a run, the oldest first."""
    answers = (
        select(decisions)
        .join(approvals, approvals.c.id == decisions.c.approval)
        .where(approvals.c.run == run)
        .order_by(decisions.c.at)
    )
    given: dict[int, list[Decision]] = {}
    for row in connection.execute(answers):
        given.setdefault(row.approval, []).append(
            Decision(by=row.by, decision=row.decision, comment=row.comment, at=row.at)
        )
    statement = (
        select(*_APPROVAL)
        .join(runs, runs.c.id == approvals.c.run)
        .join(tasks, tasks.c.id == approvals.c.task)
        .where(approvals.c.run == run)
        .order_by(approvals.c.id)
    )
    rows = connection.execute(statement)
    return [Approval(**row._asdict(), decisions=tuple(given.get(row.id, ()))) for row in rows]


def pending(connection: Connection) -> int:
    """How many questions are open."""
    return int(
        connection.execute(
            select(func.count()).select_from(approvals).where(approvals.c.state == "pending")
        ).scalar_one()
    )
