"""A person's answer: stored, counted, and acted on in one transaction."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection

from lockstep import work
from lockstep.store import approvals, tasks
from pipelines import voting
from pipelines.run import Runs


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a person says of a question. ``groups`` are those that whoever let the person in vouches for."""

    by: str
    decision: str
    comment: str = ""
    groups: Collection[str] = ()


def decide(connection: Connection, runs: Runs, approval: int, answer: Answer) -> approvals.Approval:
    """Store an answer; when it settles the question, the task goes on and sees it. The question as it stands then.

    The same person may change the own answer as long as the question is open.

    Raises:
        NotFoundError: There is no such question.
        InputError, ConflictError, ForbiddenError: The answer cannot be given (see ``voting.check``).
    """
    found = approvals.get(connection, approval)
    runs.lock(connection, found.run)
    found = approvals.get(connection, approval)
    voting.check(found, by=answer.by, groups=answer.groups, decision=answer.decision)
    now = runs.clock.now()
    decision = approvals.Decision(by=answer.by, decision=answer.decision, comment=answer.comment, at=now)
    approvals.put_decision(connection, approval, decision)
    found = approvals.get(connection, approval)
    state = voting.outcome(found.decisions, found.needed)
    if state != "pending":
        approvals.close(connection, approval, state, at=now)
        tasks.change(connection, found.task, state="queued", reason="Running", message="")
        runs.queue.enqueue(connection, work.run_task(found.task))
        runs.advance(connection, found.run)
    return approvals.get(connection, approval)
