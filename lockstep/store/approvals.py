"""Questions to people, bound to what they are about, and the answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, insert, select, update

from lockstep import errors
from lockstep.store import database as databases
from lockstep.store.tables import approvals, decisions, tasks
from lockstep.values import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Something to ask. ``kind`` is approval (the pipeline asks) or guard (a deploy would destroy something).

    ``approvers`` are names of people and ``group:`` names; anybody may answer when there are none. ``barred`` are
    names of people who may not approve.
    """

    run: int
    task: int
    kind: str
    question: str
    bound: Mapping[str, Json]
    approvers: Sequence[str] = ()
    barred: Sequence[str] = ()
    needed: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What one person answered. ``decision`` is approve or reject."""

    by: str
    decision: str
    comment: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A question as it stands. ``state`` is pending, approved, rejected, superseded or cancelled."""

    id: int
    run: int
    task: int
    pipeline_task: str
    kind: str
    question: str
    bound: Mapping[str, Json]
    approvers: Sequence[str]
    barred: Sequence[str]
    needed: int
    state: str
    asked_at: datetime
    decided_at: datetime | None
    decisions: tuple[Decision, ...] = field(default=())


def ask(connection: Connection, question: Question, *, at: datetime) -> int:
    """Store a question; its id."""
    values = {name: getattr(question, name) for name in Question.__dataclass_fields__}
    values |= {"approvers": list(question.approvers), "barred": list(question.barred)}
    statement = insert(approvals).values(**values, state="pending", asked_at=at)
    return int(connection.execute(statement.returning(approvals.c.id)).scalar_one())


def get(connection: Connection, approval: int) -> Approval:
    """The question of this id, with its answers.

    Raises:
        NotFoundError: There is none.
    """
    found = _listed(connection, approvals.c.id == approval)
    if not found:
        raise errors.NotFoundError(
            f"There is no approval with the id {approval}.", remedy="Look at the page of the run."
        )
    return found[0]


def of_run(connection: Connection, run: int) -> list[Approval]:
    """The questions of a run, in the order in which they were asked."""
    return _listed(connection, approvals.c.run == run)


def of_task(connection: Connection, task: int) -> list[Approval]:
    """The questions of a task, in the order in which they were asked."""
    return _listed(connection, approvals.c.task == task)


def pending(connection: Connection) -> list[Approval]:
    """Every question that waits for an answer, the oldest first."""
    return _listed(connection, approvals.c.state == "pending")


def count_pending(connection: Connection) -> int:
    """How many questions wait for an answer."""
    statement = select(func.count()).select_from(approvals).where(approvals.c.state == "pending")
    return int(connection.execute(statement).scalar_one())


def put_decision(connection: Connection, approval: int, decision: Decision) -> None:
    """Store what a person answered, in place of what the same person answered before."""
    statement = databases.insert(connection, decisions).values(
        approval=approval, by=decision.by, decision=decision.decision, comment=decision.comment, at=decision.at
    )
    new = statement.excluded
    changed = {"decision": new.decision, "comment": new.comment, "at": new.at}
    connection.execute(statement.on_conflict_do_update(index_elements=("approval", "by"), set_=changed))


def close(connection: Connection, approval: int, state: str, *, at: datetime) -> bool:
    """End a question that is pending; False when it was not."""
    statement = update(approvals).where(approvals.c.id == approval, approvals.c.state == "pending")
    closed = connection.execute(statement.values(state=state, decided_at=at).returning(approvals.c.id))
    return closed.first() is not None


def _listed(connection: Connection, condition: ColumnElement[bool]) -> list[Approval]:
    answers = select(decisions).join(approvals, approvals.c.id == decisions.c.approval).where(condition)
    given: dict[int, list[Decision]] = {}
    for one in connection.execute(answers.order_by(decisions.c.at, decisions.c.by)):
        decision = Decision(by=one.by, decision=one.decision, comment=one.comment, at=one.at)
        given.setdefault(one.approval, []).append(decision)
    statement = select(approvals, tasks.c.pipeline_task).join(tasks, tasks.c.id == approvals.c.task).where(condition)
    rows = connection.execute(statement.order_by(approvals.c.id)).mappings()
    return [Approval(**row, decisions=tuple(given.get(row["id"], ()))) for row in rows]
